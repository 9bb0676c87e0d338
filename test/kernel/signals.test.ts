import { expect, test } from 'vitest';
import { isCatchable, onSignals } from '../../src/kernel/signals.ts';

// The tests emit SIGUSR2 and SIGWINCH without sending them, so that this process does not end.
const SIGNALS = ['SIGUSR2', 'SIGWINCH'] as const;
const counts = () => SIGNALS.map((signal) => process.listenerCount(signal));
const emit = (signal: NodeJS.Signals) => process.emit(signal, signal);

test('onSignals calls back for each of its signals, with the name, each time, until the removal', () => {
  const before = counts();
  const received: NodeJS.Signals[] = [];
  const stop = onSignals(SIGNALS, (signal) => received.push(signal));
  expect(counts()).toEqual(before.map((n) => n + 1));
  emit('SIGUSR2');
  emit('SIGWINCH');
  emit('SIGUSR2');
  stop();
  expect(counts()).toEqual(before);
  emit('SIGUSR2');
  expect(received).toEqual(['SIGUSR2', 'SIGWINCH', 'SIGUSR2']);
});

test('a removal removes only its own listener, also when it is called twice', () => {
  const before = counts();
  const received: string[] = [];
  const first = onSignals(['SIGUSR2'], () => received.push('first'));
  const second = onSignals(['SIGUSR2'], () => received.push('second'));
  first();
  first();
  emit('SIGUSR2');
  second();
  expect(received).toEqual(['second']);
  expect(counts()).toEqual(before);
});

test('onSignals with an empty list adds no listener', () => {
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
] as const)('isCatchable(%o) is %s', ([name, expected]) => {
  expect(isCatchable(name)).toBe(expected);
});
