// The admission policy `join` beside a running owner. What waits: flight.test.ts.

import { getEventListeners } from 'node:events';
import type { Outcome, StopCause, Submission, SupervisorOptions, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { completed } from '../../support/outcomes.ts';
import { type Setup, setup } from '../../support/setup.ts';

const canceled = (by: StopCause, more: object = {}): Outcome => ({ kind: 'canceled', by, attempts: 1, ...more });

/** A running owner, and `joined` submissions that joined it. */
async function sharedBody(joined: number, spec: Partial<TaskSpec<string>> = {}, options: SupervisorOptions = {}) {
  const world = setup(options);
  const gate = gateBody();
  const leader = world.supervisor.submit({ slot: 's', ...spec, run: gate.body });
  await world.clock.settle();
  const never = () => expect.fail('the body of a joined submission is never called');
  const join = (more: Partial<TaskSpec> = {}): Submission =>
    world.supervisor.submit({ slot: 's', admission: 'join', run: never, ...more });
  const others = Array.from({ length: joined }, () => join());
  return { ...world, gate, leader, others, all: [leader, ...others] as Submission[], join };
}

const outcomes = (submissions: readonly Submission[]) => Promise.all(submissions.map(({ outcome }) => outcome));

describe('what a joined submission shares', () => {
  const boom = new Error('boom');
  test.each<readonly [name: string, end: (gate: ReturnType<typeof gateBody>) => void, outcome: unknown]>([
    ['the value', (gate) => gate.open('shared'), completed('shared')],
    [
      'the failure',
      (gate) => gate.fail(boom),
      { kind: 'failed', failure: { error: boom }, because: 'policy', attempts: 1 },
    ],
  ])('a joined submission shares %s of the owner', async (_, end, outcome) => {
    const { gate, all, others, supervisor, clock, recorded } = await sharedBody(3, { restart: 'never' });
    expect(others.map(({ admission, status }) => [admission, status])).toEqual(others.map(() => ['joined', 'running']));
    expect(supervisor.snapshot()).toMatchObject({ owners: 1, queued: 0 });
    end(gate);
    for (const one of await outcomes(all)) expect(one).toMatchObject(outcome as object);
    expect(new Set(await outcomes(all)).size).toBe(1);
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ slots: [], totals: { submitted: 4, started: 1, attempts: 1 } });
    expect(recorded.types(others[0]?.id)).toEqual(['submitted', 'joined', 'finished']);
    expect(recorded.of('joined').map(({ leader }) => leader)).toEqual(others.map(() => all[0]?.id));
  });

  test('a submission may join during a backoff, and shares the outcome of the retry', async () => {
    const { gate, all, clock, join } = await sharedBody(1, { backoff: { firstMs: 100 } });
    gate.fail(new Error('once'));
    await clock.settle();
    const late = join();
    expect([late.admission, late.status]).toEqual(['joined', 'backoff']);
    await clock.advance(100);
    gate.open('second try');
    for (const one of await outcomes([...all, late])) expect(one).toEqual({ ...completed('second try'), attempts: 2 });
  });

  test('the settings of the leader hold for the shared body, not those of a joined submission', async () => {
    const { gate, clock, join, leader } = await sharedBody(0, { restart: 'never' });
    const joined = join({
      timeoutMs: 10,
      stallMs: 10,
      restart: 'always',
      intervalMs: 5,
      maxRetries: 9,
      queueTimeoutMs: 1,
    });
    await clock.advance(1_000);
    expect(gate.calls[0]?.canceled).toBe(false);
    gate.open('in its own time');
    expect(await joined.outcome).toEqual(completed('in its own time'));
    expect(await leader.outcome).toEqual(completed('in its own time'));
    expect(clock.timers).toBe(0);
  });

  test('restart() of a joined submission starts a fresh attempt for all participants', async () => {
    const { gate, all, clock } = await sharedBody(1);
    expect(all[1]?.restart()).toBe(true);
    gate.open('asked to stop');
    await clock.settle();
    gate.open('fresh');
    for (const one of await outcomes(all)) expect(one).toEqual({ ...completed('fresh'), attempts: 2 });
  });
});

describe('a canceled participant', () => {
  test.each([
    ['leader', 0],
    ['joined submission', 1],
  ] as const)('a canceled %s ends at once, and the body continues for the others', async (_, index) => {
    const { gate, all, supervisor, clock, recorded } = await sharedBody(2);
    const leaver = all[index];
    expect(await leaver?.cancel('mine')).toEqual(canceled('caller', { reason: 'mine' }));
    await clock.settle();
    expect(gate.calls[0]?.canceled).toBe(false);
    expect(recorded.of('stopRequested')).toEqual([]);
    // The slot is still busy, because its body still runs.
    const newcomer = supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: () => 'overlap' });
    expect(newcomer.admission).toBe('rejected');
    gate.open('for the others');
    for (const one of all)
      expect(await one.outcome).toEqual(
        one === leaver ? canceled('caller', { reason: 'mine' }) : completed('for the others'),
      );
    expect(supervisor.snapshot().slots).toEqual([]);
  });

  test.each(['leader first', 'leader last', 'leader in between'])(
    'the body gets one stop request when the last participant is canceled (%s)',
    async (order) => {
      const { gate, leader, others, supervisor, clock, recorded } = await sharedBody(2);
      const [a, b] = others as [Submission, Submission];
      const leavers =
        order === 'leader first' ? [leader, a, b] : order === 'leader last' ? [a, b, leader] : [a, leader, b];
      for (const [n, one] of leavers.entries()) {
        await clock.settle();
        expect(gate.calls[0]?.canceled).toBe(false);
        void one.cancel(n);
      }
      await clock.settle();
      expect(gate.calls[0]?.canceled).toBe(true);
      // A leader that is the last participant ends with its body. Every other one ended at once.
      expect(leavers.map(({ status }) => status)).toEqual(
        leavers.map((one) => (one === leader && order === 'leader last' ? 'stopping' : 'ended')),
      );
      const next = supervisor.submit({ slot: 's', run: () => 'next' });
      await clock.settle();
      expect(next.status).toBe('queued'); // the slot waits for the proof of end
      gate.open('late');
      const value = order === 'leader last' ? [{}, {}, { value: 'late' }] : [{}, {}, {}]; // who left before has none
      expect(await outcomes(leavers)).toEqual(value.map((own, reason) => canceled('caller', { reason, ...own })));
      expect(await next.outcome).toEqual(completed('next'));
      await clock.settle();
      expect(recorded.of('finished').filter(({ outcome }) => outcome === 'canceled')).toHaveLength(3);
    },
  );

  test('a submission may join after the leader was canceled, and then the body runs for it', async () => {
    const { gate, leader, others, join } = await sharedBody(1);
    await leader.cancel();
    const late = join();
    await others[0]?.cancel();
    expect(late.admission).toBe('joined');
    expect(gate.calls[0]?.canceled).toBe(false);
    gate.open('shared');
    expect(await late.outcome).toEqual(completed('shared'));
  });

  test('a second cancel, the deadline and the signal of a canceled participant change nothing (S8)', async () => {
    const { gate, clock, join, leader } = await sharedBody(0);
    const control = new AbortController();
    const joined = join({ deadlineMs: 50, signal: control.signal });
    const first = await joined.cancel('first');
    expect(getEventListeners(control.signal, 'abort')).toEqual([]);
    expect(clock.timers).toBe(0);
    expect(await joined.cancel('second')).toBe(first);
    control.abort();
    gate.open('on its own');
    expect(await leader.outcome).toEqual(completed('on its own'));
  });

  test('a cancel after the shared body has ended does not stop the next owner (S8)', async () => {
    const { gate, all, supervisor, clock } = await sharedBody(1);
    const next = supervisor.submit({ slot: 's', run: gate.body });
    gate.open('for both');
    expect(await outcomes(all)).toEqual([completed('for both'), completed('for both')]);
    await clock.settle();
    for (const one of all) expect(await one.cancel()).toEqual(completed('for both'));
    await clock.settle();
    expect([next.status, gate.calls[1]?.canceled]).toEqual(['running', false]);
  });
});

describe('a stop of the shared body', () => {
  test.each<readonly [name: string, stop: (world: Setup) => unknown, by: StopCause, more: object]>([
    [
      'replace',
      ({ supervisor }) => supervisor.submit({ slot: 's', admission: 'replace', run: () => 'new' }),
      'replace',
      {},
    ],
    ['slot.cancel', ({ supervisor }) => void supervisor.slot('s').cancel('closing'), 'slot', { reason: 'closing' }],
    ['shutdown', ({ supervisor }) => void supervisor.shutdown(), 'shutdown', {}],
  ])('%s ends all participants, at the proof of end', async (_, stop, by, more) => {
    const { gate, all, clock, ...world } = await sharedBody(2);
    stop({ clock, ...world });
    await clock.settle();
    expect(gate.calls[0]?.canceled).toBe(true);
    expect(all.map(({ status }) => status)).toEqual(['stopping', 'stopping', 'stopping']); // until proof of end
    gate.open('late');
    expect(await outcomes(all)).toEqual(all.map(() => canceled(by, { ...more, value: 'late' })));
  });

  test('a lost lease ends all participants of an owner that is not restarted, at the proof of end', async () => {
    const lost = new AbortController();
    const leases = { acquire: () => ({ fence: 7n, lost: lost.signal, release: () => {} }) };
    const { gate, all, clock } = await sharedBody(2, { restart: 'never' }, { leases });
    lost.abort();
    await clock.settle();
    expect(gate.calls[0]?.canceled).toBe(true);
    gate.open('late');
    expect(await outcomes(all)).toEqual(all.map(() => canceled('leaseLost', { value: 'late' })));
  });

  test('a participant that is canceled while the owner is stopping ends at once, and the others end at the proof of end', async () => {
    const { gate, all, clock, supervisor } = await sharedBody(2);
    void supervisor.slot('s').cancel();
    expect(await all[1]?.cancel()).toEqual(canceled('slot')); // the first cause wins
    await clock.settle();
    expect(all.map(({ status }) => status)).toEqual(['stopping', 'ended', 'stopping']);
    gate.open('late');
    expect(await outcomes(all)).toEqual(all.map((_, n) => canceled('slot', n === 1 ? {} : { value: 'late' })));
  });

  test('an overrun that abandons the shared body is the outcome of all participants', async () => {
    const { all, clock, supervisor } = await sharedBody(1, { graceMs: 10, onOverrun: 'abandon' });
    void supervisor.slot('s').cancel();
    await clock.advance(10);
    expect(await outcomes(all)).toEqual(all.map(() => ({ kind: 'abandoned', by: 'slot', attempts: 1 })));
  });
});

describe('the deadline and signal of one participant', () => {
  test('the deadline of a joined submission counts from its own submit and ends that submission alone', async () => {
    const { gate, leader, clock, join } = await sharedBody(0);
    await clock.advance(500);
    const joined = join({ deadlineMs: 100 });
    await clock.advance(99);
    expect(joined.status).toBe('running');
    await clock.advance(1);
    expect(await joined.outcome).toStrictEqual(canceled('deadline')); // no reason was given
    expect(gate.calls[0]?.canceled).toBe(false);
    gate.open('continues');
    expect(await leader.outcome).toEqual(completed('continues'));
    expect(clock.timers).toBe(0);
  });

  test('the deadline of the leader ends the leader alone while other participants remain', async () => {
    const { gate, all, clock } = await sharedBody(1, { deadlineMs: 100 });
    await clock.advance(100);
    expect(await all[0]?.outcome).toEqual(canceled('deadline'));
    expect(gate.calls[0]?.canceled).toBe(false);
    gate.open('for the other');
    expect(await all[1]?.outcome).toEqual(completed('for the other'));
  });

  test('the signal of a joined submission ends that submission alone, with the reason of the signal', async () => {
    const { gate, leader, join } = await sharedBody(0);
    const control = new AbortController();
    const joined = join({ signal: control.signal });
    const reason = { gone: true };
    control.abort(reason);
    expect(await joined.outcome).toEqual(canceled('signal', { reason }));
    expect(gate.calls[0]?.canceled).toBe(false);
    gate.open('continues');
    expect(await leader.outcome).toEqual(completed('continues'));
  });

  test('the end of the owner leaves no timer and no listener of a joined submission', async () => {
    const { gate, clock, join } = await sharedBody(0);
    const { signal } = new AbortController();
    const joined = Array.from({ length: 20 }, () => join({ signal, deadlineMs: 1_000 }));
    expect([clock.timers, getEventListeners(signal, 'abort').length]).toEqual([20, 1]);
    gate.open('done');
    await outcomes(joined);
    expect([clock.timers, getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
  });

  test('the deadline of the last participant stops the body, with the cause deadline', async () => {
    const { gate, leader, clock, join } = await sharedBody(0);
    const joined = join({ deadlineMs: 100 });
    await leader.cancel();
    await clock.advance(100);
    expect(await joined.outcome).toEqual(canceled('deadline'));
    expect(gate.calls[0]?.canceled).toBe(true);
    expect(gate.calls[0]?.signal.reason).toMatchObject({ by: 'deadline' });
  });
});
