import type { EventOf, RejectReason } from 'slotvisor';
import { expect, test } from 'vitest';
import { TurnedAway } from '../../../src/ext/dashboard/turned-away.ts';
import { REJECT_REASONS } from '../../../src/kit.ts';
import { made } from '../../support/made-events.ts';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

function turnedAway(...times: readonly (readonly [reason: RejectReason, at: number])[]): TurnedAway {
  const away = new TurnedAway();
  for (const [reason, at] of times) away.add(made('rejected', { reason, at: START + at }) as EventOf<'rejected'>);
  return away;
}

test('what lacked room or time is counted by reason, and what a policy or a caller asked for is not', () => {
  const away = turnedAway(...REJECT_REASONS.map((reason) => [reason, 0] as const), ['queueFull', 500]);
  expect(away.lately(MINUTE, START + 2_500)).toEqual({
    ...{ slotBusy: 0, superseded: 0, canceled: 0, shuttingDown: 0 },
    ...{ queueFull: 2, queueTimeout: 1, deadline: 1, resourceLimit: 1, batchRejected: 1, leaseUnavailable: 1 },
  });
});

test('what is too long ago does not count, and at most five minutes are known', () => {
  const away = turnedAway(['queueFull', 0], ['queueFull', 4 * MINUTE]);
  const count = (withinMs: number, now: number) => away.lately(withinMs, START + now).queueFull;
  expect([count(5 * MINUTE, 4 * MINUTE), count(MINUTE, 4 * MINUTE), count(5 * MINUTE, 6 * MINUTE)]).toEqual([2, 1, 1]);
  expect([count(60 * MINUTE, 6 * MINUTE), count(60 * MINUTE, 20 * MINUTE)]).toEqual([1, 0]);
});

test('while none was turned away lately, to ask costs next to nothing', () => {
  const away = turnedAway(['queueFull', 0]);
  const costOf = (now: number): number => {
    const { user } = process.cpuUsage();
    for (let i = 0; i < 2_000; i += 1) away.lately(5 * MINUTE, START + now);
    return process.cpuUsage().user - user;
  };
  const costWhereSome = costOf(MINUTE);
  expect(costOf(6 * MINUTE)).toBeLessThan(costWhereSome / 4);
});
