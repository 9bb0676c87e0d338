// The restart policy `always` and its intervalMs.

import { periodic, Supervisor } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { optionErrorOf } from '../../support/invalid-options.ts';
import { setup } from '../../support/setup.ts';

describe("restart 'always'", () => {
  test('without intervalMs attempts start at least 1 ms apart, and no backoffScheduled is published', async () => {
    const { supervisor, clock, recorded } = setup();
    const starts: number[] = [];
    const submission = supervisor.submit({ restart: 'always', run: () => void starts.push(clock.now()) });
    await clock.advance(5);
    expect(starts).toEqual([0, 1, 2, 3, 4, 5]);
    expect(recorded.of('backoffScheduled')).toEqual([]);
    await submission.cancel();
    expect(clock.timers).toBe(0);
  });

  test('without intervalMs the next attempt starts at once after a body that ran longer than 1 ms', async () => {
    const { supervisor, clock } = setup();
    const starts: number[] = [];
    supervisor.submit({
      restart: 'always',
      run: async (ctx) => {
        starts.push(clock.now());
        await ctx.sleep(10);
      },
    });
    await clock.advance(30);
    expect(starts).toEqual([0, 10, 20, 30]);
  });

  test('an instant body does not starve the event loop, so timers and I/O of the process continue', async () => {
    const { supervisor, clock } = setup();
    let runs = 0;
    // The clock jumps in the body, so no pause is due and each attempt may follow at once.
    const submission = supervisor.submit({
      restart: 'always',
      run: () => {
        runs += 1;
        clock.block(1);
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(runs).toBeGreaterThan(1);
    expect(await submission.cancel()).toMatchObject({ kind: 'canceled', by: 'caller' });
  });

  test('intervalMs is measured from the end of the attempt', async () => {
    const { supervisor, clock, recorded } = setup();
    const starts: number[] = [];
    const submission = supervisor.submit({
      restart: 'always',
      intervalMs: 100,
      run: async (ctx) => {
        starts.push(clock.now());
        await ctx.sleep(30);
      },
    });
    await clock.advance(30);
    expect(submission.status).toBe('interval');
    expect(supervisor.tasks()).toMatchObject([{ status: 'interval', nextAttemptInMs: 100 }]);
    await clock.advance(99);
    expect(starts).toEqual([0]);
    await clock.advance(131);
    expect(starts).toEqual([0, 130, 260]);
    expect(recorded.of('backoffScheduled')).toMatchObject([
      { attempt: 1, delayMs: 100, after: 'success' },
      { attempt: 2, delayMs: 100, after: 'success' },
    ]);
  });

  test('an intervalMs of Infinity is refused, in a spec, in defaults and in periodic', () => {
    const { supervisor } = setup();
    const refusals = [
      () => supervisor.submit({ restart: 'always', intervalMs: Infinity, run: () => 1 }),
      () => new Supervisor({ defaults: { restart: 'always', intervalMs: Infinity } }),
      () => periodic(Infinity, () => 1),
    ];
    expect(refusals.map((call) => optionErrorOf(call).message)).toEqual([
      'intervalMs must be finite, got Infinity',
      'defaults.intervalMs must be finite, got Infinity',
      'everyMs must be finite, got Infinity',
    ]);
  });
});
