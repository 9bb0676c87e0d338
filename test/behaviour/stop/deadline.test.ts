// deadlineMs bounds the time from submit to the outcome.

import type { AdmissionPolicy, SupervisorOptions, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { rejected } from '../../support/outcomes.ts';
import { ownedSlot } from '../../support/owned-slot.ts';
import { setup } from '../../support/setup.ts';

describe('deadlineMs', () => {
  test.each<readonly [where: string, admission: AdmissionPolicy]>([
    ['in the queue', 'queue'],
    ['as the replacement', 'replace'],
  ])('a submission that waits %s is rejected with deadline after deadlineMs', async (_, admission) => {
    const { add, owner, clock, started } = await ownedSlot();
    const waiting = add('w', { admission, deadlineMs: 100 });
    await clock.advance(100);
    expect(await waiting.outcome).toEqual(rejected('deadline'));
    owner.open('go');
    await clock.settle();
    expect(started).toEqual([]);
  });

  test('a submission that waits in a paused slot is rejected with deadline', async () => {
    const { supervisor, clock } = setup();
    supervisor.slot('s').pause();
    const waiting = supervisor.submit({ slot: 's', deadlineMs: 10, run: () => 'x' });
    await clock.advance(10);
    expect(await waiting.outcome).toEqual(rejected('deadline'));
  });

  test('deadlineMs includes the time in the queue: the owner is asked to stop after the rest, and ends with its body', async () => {
    const { add, owner, clock } = await ownedSlot();
    const gate = gateBody();
    const waiting = add('w', { deadlineMs: 100, run: gate.body });
    await clock.advance(70);
    owner.open('go');
    await clock.advance(29);
    expect([waiting.status, gate.calls[0]?.canceled]).toEqual(['running', false]);
    await clock.advance(1);
    expect([waiting.status, gate.calls[0]?.canceled]).toEqual(['stopping', true]);
    gate.open('late');
    expect(await waiting.outcome).toEqual({ kind: 'canceled', by: 'deadline', value: 'late', attempts: 1 });
  });

  test.each<readonly [where: string, options: SupervisorOptions, spec: Partial<TaskSpec>, attempts: number]>([
    ['at the gate', { concurrency: 1 }, {}, 0],
    ['in a backoff', {}, { backoff: { firstMs: 1_000 }, run: () => Promise.reject(new Error('no')) }, 1],
    ['in an interval', {}, { restart: 'always', intervalMs: 1_000 }, 1],
  ])('a deadline ends the wait %s at once and leaves no timer', async (_, options, spec, attempts) => {
    const { supervisor, clock, owner } = await ownedSlot({}, options);
    const submission = supervisor.submit({ slot: 't', run: () => 'x', deadlineMs: 100, ...spec });
    await clock.advance(100);
    expect(await submission.outcome).toEqual({ kind: 'canceled', by: 'deadline', attempts });
    owner.open('go');
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ slots: [], totals: { attempts: attempts + 1 } });
    expect(clock.timers).toBe(0);
  });

  test('the shorter of queueTimeoutMs and deadlineMs ends the wait', async () => {
    const { add, clock, owner } = await ownedSlot();
    const [a, b] = [add('a', { queueTimeoutMs: 10, deadlineMs: 20 }), add('b', { queueTimeoutMs: 20, deadlineMs: 10 })];
    await clock.advance(30);
    expect([await a.outcome, await b.outcome]).toEqual([rejected('queueTimeout'), rejected('deadline')]);
    owner.open('go');
  });
});
