import { describe, expect, test, vi } from 'vitest';
import { watchForStall } from '../../src/engine/stall-watch.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

function watch(stallMs = 80) {
  const clock = new VirtualClock();
  const stalledAt: number[] = [];
  const stallWatch = watchForStall(clock, stallMs, () => stalledAt.push(clock.now()));
  return { clock, stalledAt, ...stallWatch };
}

describe('a stall is reported', () => {
  test('once, when there was no heartbeat for stallMs, and no timer is left', async () => {
    const { clock, stalledAt } = watch();
    await clock.advance(79.9);
    expect(stalledAt).toEqual([]);
    await clock.advance(1_000);
    expect([stalledAt, clock.timers]).toEqual([[80], 0]);
  });

  test('stallMs after the last heartbeat', async () => {
    const { clock, stalledAt, heartbeat } = watch();
    for (let n = 0; n < 19; n += 1) {
      await clock.advance(79);
      heartbeat();
    }
    expect(stalledAt).toEqual([]);
    await clock.advance(1_000);
    expect(stalledAt).toEqual([19 * 79 + 80]);
  });

  test('no more once the watch is stopped, and no timer is left', async () => {
    const { clock, stalledAt, heartbeat, stop } = watch();
    await clock.advance(45);
    stop();
    stop();
    expect(clock.timers).toBe(0);
    heartbeat();
    await clock.advance(1_000);
    expect([stalledAt, clock.timers]).toEqual([[], 0]);
  });
});

describe('time in which the event loop was blocked', () => {
  test('does not count towards the stall, to within one check', async () => {
    const { clock, stalledAt } = watch();
    await clock.advance(40);
    clock.block(10_000);
    await clock.advance(0);
    expect(stalledAt).toEqual([]);
    await clock.advance(1_000);
    expect(stalledAt).toHaveLength(1);
    const silentMs = (stalledAt[0] ?? 0) - 10_000;
    expect(silentMs).toBeGreaterThanOrEqual(80 - 10);
    expect(silentMs).toBeLessThanOrEqual(80 + 10);
  });

  test('does not take back a heartbeat that came within it', async () => {
    const { clock, stalledAt, heartbeat } = watch();
    clock.block(500);
    heartbeat();
    clock.block(500);
    await clock.advance(69);
    expect(stalledAt).toEqual([]);
    await clock.advance(100);
    expect(stalledAt).toHaveLength(1);
  });

  test('counts when every turn is only a little late, so the stall is reported', async () => {
    const { clock, stalledAt } = watch();
    for (let n = 0; n < 40 && stalledAt.length === 0; n += 1) {
      clock.block(12); // each check is 2 ms late
      await clock.advance(0);
    }
    expect(stalledAt).toHaveLength(1);
  });
});

test('a watch that begins at a fraction of a ms ends after as many checks as any other', () => {
  for (let n = 1; n <= 500; n += 1) {
    let now = n * (10 / 7); // sums of such times are rounded
    let timer: { due: number; fire: () => void } | undefined;
    const clock: Clock = {
      now: () => now,
      wallNow: () => now,
      setTimer: (ms, fire) => {
        timer = { due: now + ms, fire };
        return () => {};
      },
    };
    const stalled = vi.fn();
    watchForStall(clock, 40, stalled);
    for (let checks = 0; checks < 10 && stalled.mock.calls.length === 0; checks += 1) {
      now = timer?.due ?? now;
      timer?.fire();
    }
    expect(stalled).toHaveBeenCalledTimes(1);
  }
});
