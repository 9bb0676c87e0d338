import { describe, expect, test } from 'vitest';
import { gateBody } from '../support/gate.ts';
import { setup } from '../support/setup.ts';

describe('admission', () => {
  test('an idle slot starts whatever the policy is', async () => {
    for (const admission of ['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'] as const) {
      const { supervisor } = setup();
      const submission = supervisor.submit({ slot: 's', admission, run: () => admission });
      expect(submission.admission).toBe('started');
      expect(await submission.outcome).toEqual({ kind: 'completed', value: admission, attempts: 1 });
    }
  });

  test('queued submissions start in the order given, one at a time (S1, S4)', async () => {
    const { supervisor, clock } = setup();
    const order: number[] = [];
    const gate = gateBody();
    const submissions = [1, 2, 3].map((n) =>
      supervisor.submit({
        slot: 's',
        run: (ctx) => {
          order.push(n);
          return gate.body(ctx);
        },
      }),
    );
    expect(submissions.map(({ admission }) => admission)).toEqual(['started', 'queued', 'queued']);
    for (const n of [1, 2, 3]) {
      await clock.settle();
      expect(gate.alive).toBe(1);
      expect(order).toHaveLength(n);
      gate.open(`value ${n}`);
    }
    expect(await Promise.all(submissions.map((one) => one.value()))).toEqual(['value 1', 'value 2', 'value 3']);
    expect(order).toEqual([1, 2, 3]);
  });

  test('a replacement starts only after the old body has ended (S1)', async () => {
    const { supervisor, clock } = setup();
    const old = gateBody();
    const fresh = gateBody();
    const first = supervisor.submit({ slot: 's', run: old.body });
    await clock.settle();
    const second = supervisor.submit({ slot: 's', admission: 'replace', run: fresh.body });
    await clock.settle();
    expect(old.calls[0]?.canceled).toBe(true);
    expect(fresh.alive).toBe(0);
    old.open('too late');
    expect(await first.outcome).toEqual({ kind: 'canceled', by: 'replace', attempts: 1 });
    await clock.settle();
    expect(fresh.alive).toBe(1);
    fresh.open('new');
    expect(await second.value()).toBe('new');
    expect(supervisor.snapshot().slots).toEqual([]);
  });

  test('dropIfRunning on a busy slot is rejected slotBusy, by the owner', async () => {
    const { supervisor } = setup();
    const gate = gateBody();
    const owner = supervisor.submit({ slot: 's', run: gate.body });
    const dropped = supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: gate.body });
    expect(dropped.admission).toBe('rejected');
    expect(await dropped.outcome).toEqual({ kind: 'rejected', reason: 'slotBusy', by: owner.id });
    expect(gate.calls).toHaveLength(1);
  });
});
