// The one timer that all schedules of a supervisor share.

import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND, world } from './world.ts';

describe('the timer of all schedules', () => {
  test('waits for at most half a minute and never for a negative time, and runs no far date early', async () => {
    const { clock, make, delays } = world();
    const made = make({ at: '2024-02-29T00:00' });
    make({ everyMs: 8e15 });
    clock.block(50); // the timer fires late
    await clock.advance(10 * MINUTE);
    clock.setWall(Date.UTC(2024, 1, 28, 23, 59, 59));
    expect(made.dues).toEqual([]);
    await clock.advance(30 * SECOND);
    expect(made.dues).toHaveLength(1);
    expect(delays.length).toBeLessThan(30);
    expect(delays.filter((ms) => !(Number.isInteger(ms) && ms >= 0 && ms <= 30 * SECOND))).toEqual([]);
  });

  test('is one timer for 10,000 schedules, which all run at their dates', async () => {
    const { clock, make, delays } = world();
    const starts = new Map<number, number>();
    for (let i = 0; i < 10_000; i += 1) {
      const run = () => void starts.set(clock.now(), (starts.get(clock.now()) ?? 0) + 1);
      make(i % 2 === 0 ? { everyMs: 1_000 + (i % 50), task: { run } } : { cron: `${i % 60} * * * * *`, task: { run } });
    }
    expect(clock.timers).toBe(1);
    expect(delays.length).toBeLessThan(10);
    await clock.advance(1_050);
    expect([...starts.values()].reduce((sum, n) => sum + n)).toBe(5_000 + 167);
    expect(starts.get(1_000)).toBe(200 + 167);
    expect(clock.timers).toBe(1);
  });

  test('does not outlive a shutdown, whatever the schedules wait for', async () => {
    const { clock, supervisor, make } = world();
    const made = [
      make({ everyMs: 20 * SECOND }),
      make({ cron: '@hourly', jitterMs: MINUTE }),
      make({ at: '2020-01-02T00:00' }),
      make({ everyMs: 40 * SECOND, task: { run: (ctx) => ctx.sleep(HOUR) } }),
    ];
    await clock.advance(50 * SECOND);
    expect(clock.timers).toBe(1 + 1); // of the schedules, and of the body that sleeps
    await supervisor.shutdown();
    expect(clock.timers).toBe(0);
    expect(made.map(({ schedule }) => schedule.status)).toEqual(['ended', 'ended', 'ended', 'ended']);
  });

  test('is cleared when every schedule is paused or has ended', async () => {
    const { clock, make } = world();
    const [one, two] = [make({ everyMs: HOUR }), make({ cron: '@hourly' })];
    one.schedule.pause();
    expect(clock.timers).toBe(1);
    await two.schedule.stop();
    expect(clock.timers).toBe(0);
  });
});
