import { Supervisor } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { expect, test } from 'vitest';
import { supervisorOf } from '../../../src/ext/nestjs/options.ts';

test('options without a supervisor are those of a new one', () => {
  const clock = new VirtualClock();
  expect(supervisorOf({ clock }).clock).toBe(clock);
  expect(supervisorOf({ clock, supervisor: undefined }).clock).toBe(clock);
  expect(supervisorOf({})).not.toBe(supervisorOf({}));
});

test('a supervisor that is given is used as it is', () => {
  const supervisor = new Supervisor();
  expect(supervisorOf({ supervisor })).toBe(supervisor);
});

test.for<[message: string, options: unknown]>([
  ['useFactory must return an object, got undefined', undefined],
  ['supervisor must be a Supervisor, got 5', { supervisor: 5 }],
  [
    'concurrency is not an option (the supervisor has it: set it in new Supervisor()',
    { supervisor: new Supervisor(), concurrency: 2 },
  ],
  ['shutdownGrace is not an option (did you mean shutdownGraceMs?), got 5', { shutdownGrace: 5 }],
])('%s', ([message, options]) => {
  expect(() => supervisorOf(options as object)).toThrow(message);
});
