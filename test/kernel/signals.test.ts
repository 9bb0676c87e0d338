import { expect, test } from 'vitest';
import { isCatchable, onSignals } from '../../src/kernel/signals.ts';

// SIGUSR2 and SIGWINCH: emitted here without being sent, so that nothing ends this process.
const SIGNALS = ['SIGUSR2', 'SIGWINCH'] as const;
const counts = () => SIGNALS.map((signal) => process.listenerCount(signal));
const emit = (signal: NodeJS.Signals) => process.emit(signal, signal);

test('every signal asked for is heard by name, each time, until the removal', () => {
  const before = counts();
  const heard: NodeJS.Signals[] = [];
  const stop = onSignals(SIGNALS, (signal) => heard.push(signal));
  expect(counts()).toEqual(before.map((n) => n + 1));
  emit('SIGUSR2');
  emit('SIGWINCH');
  emit('SIGUSR2');
  stop();
  expect(counts()).toEqual(before);
  emit('SIGUSR2');
  expect(heard).toEqual(['SIGUSR2', 'SIGWINCH', 'SIGUSR2']);
});

test('a removal takes its own listener away and no other’s, also when called twice', () => {
  const before = counts();
  const heard: string[] = [];
  const first = onSignals(['SIGUSR2'], () => heard.push('first'));
  const second = onSignals(['SIGUSR2'], () => heard.push('second'));
  first();
  first();
  emit('SIGUSR2');
  second();
  expect(heard).toEqual(['second']);
  expect(counts()).toEqual(before);
});

test('asked for none, it listens to none', () => {
  const before = counts();
  onSignals([], () => {})();
  expect(counts()).toEqual(before);
});

test.for([
  ['SIGINT', true],
  ['SIGTERM', true],
  ['SIGUSR2', true],
  ['SIGKILL', false],
  ['SIGSTOP', false],
  ['SIGNOTHING', false],
  ['sigint', false],
  ['toString', false],
  ['', false],
  [2, false],
  [undefined, false],
] as const)('%s can be listened to: %s', ([name, expected]) => {
  expect(isCatchable(name)).toBe(expected);
});
