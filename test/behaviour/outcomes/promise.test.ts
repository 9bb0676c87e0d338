// When the outcome promise resolves.

import type { TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { type Act, cancel, type Given, open, scenario, throwBoom, throwOut, wait } from '../../support/scenario.ts';

const failing: Given = { run: throwBoom, restart: 'onFailure' };
const killable = { run: never, kill: async (): Promise<void> => {} };

describe('the outcome promise', () => {
  test('submission.outcome is one promise, and a joined submission gets the same outcome', async () => {
    const { put: submit, gate, clock } = scenario();
    const leader = submit();
    await clock.settle();
    const joined = submit({ admission: 'join' });
    const early = leader.outcome;
    expect(leader.outcome).toBe(early);
    gate.open({ shared: true });
    const outcome = await early;
    expect(await leader.outcome).toBe(outcome);
    expect(await joined.outcome).toEqual(outcome);
    expect(await joined.value()).toBe(await leader.value());
  });

  test('the outcome does not depend on subscribers that hang, throw or lose events', async () => {
    const { supervisor, put: submit, gate, clock } = scenario();
    supervisor.subscribe(never, { capacity: 1 });
    supervisor.subscribe(throwBoom);
    const one = submit();
    await clock.settle();
    gate.open('value');
    expect(await one.value()).toBe('value');
  });

  test('the outcome and cancel() resolve at the proof of end, not at the stop request', async () => {
    const { put: submit, gate, clock } = scenario();
    const one = submit();
    await clock.settle();
    let ended = false;
    const canceled = one.cancel('first').finally(() => {
      ended = true;
    });
    void one.cancel('second');
    await clock.advance(60_000);
    expect([ended, one.status]).toEqual([false, 'overrun']);
    gate.open('at last');
    expect(await canceled).toStrictEqual({
      kind: 'canceled',
      by: 'caller',
      reason: 'first',
      value: 'at last',
      attempts: 1,
    });
    expect(await one.outcome).toBe(await canceled);
  });

  test('value() throws for a canceled task also where its body returned a value', async () => {
    const { put: submit, gate, clock } = scenario();
    const one = submit();
    await clock.settle();
    void one.cancel();
    gate.open('how far it has come');
    await expect(one.value()).rejects.toMatchObject({
      name: 'OutcomeError',
      outcome: { kind: 'canceled', value: 'how far it has come' },
    });
  });

  const ends: readonly [string, Partial<TaskSpec<unknown>>, Act][] = [
    ['completed', {}, open],
    ['failed', {}, throwOut],
    ['canceled in a backoff', failing, cancel],
    ['canceled while it runs', {}, (made, one) => [cancel(made, one), open(made, one)][1]],
    ['killed', { run: killable, graceMs: 0 }, (made, one) => [cancel(made, one), wait(0)(made, one)][1]],
    ['abandoned', { onOverrun: 'abandon', graceMs: 0 }, (made, one) => [cancel(made, one), wait(0)(made, one)][1]],
  ];
  for (const [how, spec, end] of ends)
    for (const waiting of [0, 1])
      test(`a handler of the outcome (${how}) sees the slot ${waiting ? 'owned by the next submission' : 'idle'}`, async () => {
        const made = scenario();
        const { supervisor, put: submit, clock } = made;
        const one = submit(spec);
        await clock.settle();
        const next = waiting ? submit({ run: never }) : undefined;
        const seen = one.outcome.then(async ({ kind }) => {
          const slot = supervisor.slot('s');
          const { totals, owners, queued } = supervisor.snapshot();
          expect(slot.view()).toMatchObject(
            next ? { phase: 'running', owner: { id: next.id }, queued: [] } : { phase: 'idle' },
          );
          expect({ count: totals[kind], owners, queued }).toEqual({ count: 1, owners: waiting, queued: 0 });
          expect(supervisor.tasks().map(({ id }) => id)).toEqual(next ? [next.id] : []);
          expect(one.status).toBe('ended');
          const dropped = submit({ admission: 'dropIfRunning' });
          expect(dropped.admission).toBe(next ? 'rejected' : 'started');
          if (next) expect(await dropped.outcome).toEqual({ kind: 'rejected', reason: 'slotBusy', by: next.id });
        });
        await end(made, one);
        await clock.settle();
        await seen;
      });
});
