// submission.restart() and supervisor.restart().

import type { Submission } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { PLAIN_BACKOFF } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { fail, script } from '../../support/scripted-body.ts';
import { setup } from '../../support/setup.ts';

describe('restart()', () => {
  test('restart() stops the running attempt, and a fresh one follows its end at once without counting as a failure (S1)', async () => {
    const { supervisor, clock, recorded } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ slot: 's', restart: 'never', maxRetries: 0, run: body.body });
    await clock.settle();
    expect(submission.restart()).toBe(true);
    await clock.settle();
    expect(body.calls[0]?.canceled).toBe(true);
    expect(submission.status).toBe('stopping');
    expect(body.alive).toBe(1); // a restart waits for the proof of end too
    body.fail(new Error('on its way out'));
    await clock.settle();
    expect(body.calls).toHaveLength(2);
    expect(body.calls[1]?.canceled).toBe(false);
    expect(recorded.of('backoffScheduled')).toEqual([]);
    expect(supervisor.tasks()).toMatchObject([{ attempt: 2, retries: 0 }]);
    body.open('fresh');
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 'fresh', attempts: 2 });
  });

  test('the value of an attempt that restart() stopped is not the outcome', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ restart: 'never', run: body.body });
    await clock.settle();
    submission.restart();
    body.open('old');
    await clock.settle();
    body.open('new');
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 'new', attempts: 2 });
  });

  test('restart() ends a backoff and its timer', async () => {
    const { supervisor, clock } = setup();
    const body = script<unknown>(
      () => fail(),
      () => new Promise(() => {}),
    );
    const submission = supervisor.submit({ backoff: PLAIN_BACKOFF, run: body.run });
    await clock.settle();
    expect(submission.status).toBe('backoff');
    expect(supervisor.restart(submission.id)).toBe(true);
    await clock.settle();
    expect(body.starts).toEqual([1, 2]);
    expect(clock.timers).toBe(0);
  });

  test('restart() ends an interval', async () => {
    const { supervisor, clock } = setup();
    const body = script(() => 'again');
    const submission = supervisor.submit({ restart: 'always', intervalMs: 1_000, run: body.run });
    await clock.settle();
    expect(submission.restart()).toBe(true);
    await clock.settle();
    expect(body.starts).toEqual([1, 2]);
    expect(clock.timers).toBe(1); // only that of the next interval
  });

  test('restart() resets the retry streak and the backoff exponent', async () => {
    const { supervisor, clock, recorded } = setup();
    const submission = supervisor.submit({ maxRetries: 2, backoff: PLAIN_BACKOFF, run: () => fail() });
    await clock.advance(100); // two failures; the second retry is due in 200 ms
    expect(submission.restart()).toBe(true);
    await clock.advance(10_000);
    expect(recorded.of('backoffScheduled').map(({ delayMs }) => delayMs)).toEqual([100, 200, 100, 200]);
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 5 });
  });

  test('restart() returns false for a submission that is queued, at the gate, stopping or ended', async () => {
    const { supervisor, clock } = setup({ concurrency: 1 });
    const body = gateBody();
    const owner = supervisor.submit({ slot: 's', run: body.body });
    const queued = supervisor.submit({ slot: 's', run: body.body });
    const atTheGate = supervisor.submit({ slot: 'other', run: body.body });
    await clock.settle();
    expect([queued.status, atTheGate.status]).toEqual(['queued', 'starting']);
    expect([queued.restart(), atTheGate.restart()]).toEqual([false, false]);
    expect(owner.restart()).toBe(true);
    expect(owner.restart()).toBe(false); // it is stopping
    void queued.cancel();
    void atTheGate.cancel();
    void owner.cancel();
    body.open('end');
    await owner.outcome;
    expect(owner.restart()).toBe(false);
    expect(supervisor.restart(owner.id)).toBe(false);
    expect(body.calls).toHaveLength(1);
  });

  test('a stop request after restart() wins, and no fresh attempt starts', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ run: body.body });
    await clock.settle();
    submission.restart();
    void submission.cancel('rather not');
    body.fail(body.calls[0]?.signal.reason);
    expect(await submission.outcome).toEqual({ kind: 'canceled', by: 'caller', reason: 'rather not', attempts: 1 });
    expect(body.calls).toHaveLength(1);
  });

  test('a body that calls its own restart() starts again once it has ended', async () => {
    const { supervisor, clock } = setup();
    let self: Submission | undefined;
    const answers: (boolean | undefined)[] = [];
    self = supervisor.submit({
      restart: 'never',
      run: (ctx) => {
        if (ctx.attempt < 3) answers.push(self?.restart());
        return ctx.attempt;
      },
    });
    await clock.settle();
    expect(await self.outcome).toEqual({ kind: 'completed', value: 3, attempts: 3 });
    expect(answers).toEqual([true, true]);
  });
});
