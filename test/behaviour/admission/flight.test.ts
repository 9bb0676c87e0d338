// Flights: which submission a `join` joins, and what those that joined it share while it waits.

import { AsyncLocalStorage } from 'node:async_hooks';
import type {
  AdmissionPolicy,
  Lease,
  LeaseRequest,
  Outcome,
  Submission,
  SupervisorOptions,
  TaskSpec,
  TaskView,
} from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { PLAIN_BACKOFF, polite } from '../../support/bodies.ts';
import { type GateBody, gateBody } from '../../support/gate.ts';
import { completed, rejected } from '../../support/outcomes.ts';
import { type Setup, setup } from '../../support/setup.ts';

const POLICIES = ['queue', 'keepLatest', 'dropIfRunning', 'join', 'replace'] as const;

interface Slot extends Setup {
  readonly gate: GateBody<string>;
  submit(spec?: Partial<TaskSpec>): Submission;
  /** A submission with policy `join`. Its own body must not be called. */
  join(spec?: Partial<TaskSpec>): Submission;
}

function slot(options: SupervisorOptions = {}): Slot {
  const world = setup(options);
  const gate = gateBody();
  const submit: Slot['submit'] = (spec) => world.supervisor.submit({ slot: 's', run: gate.body, ...spec });
  const never = () => expect.fail('the body of a joined submission is never called');
  return { ...world, gate, submit, join: (spec) => submit({ admission: 'join', run: never, ...spec }) };
}

/** An owner that was asked to stop, and ends when the test opens the gate. */
async function stoppingSlot(options?: SupervisorOptions) {
  const world = slot(options);
  const owner = world.submit({ name: 'owner' });
  await world.clock.settle();
  void owner.cancel();
  return { ...world, owner };
}

const outcomes = (submissions: readonly Submission[]) => Promise.all(submissions.map(({ outcome }) => outcome));
const admissions = (submissions: readonly Submission[]) => submissions.map(({ admission }) => admission);
const statuses = (submissions: readonly Submission[]) => submissions.map(({ status }) => status);
const canceled = (by: string, more: object = {}) => ({ kind: 'canceled', by, attempts: 0, ...more });
const queuedView = ({ supervisor }: Setup): readonly TaskView[] => supervisor.slot('s').view().queued;

describe('a join', () => {
  test('in an idle slot is an entry of its own, which runs its own body', async () => {
    const { submit } = slot();
    const alone = submit({ admission: 'join', run: () => 'own' });
    expect([alone.admission, await alone.outcome]).toEqual(['started', completed('own')]);
  });

  test.each<readonly [state: string, spec: Partial<TaskSpec>, lead: (world: Slot) => unknown, status: string]>([
    ['at the gate', {}, ({ supervisor }) => supervisor.pause(), 'starting'],
    ['in an attempt', {}, () => {}, 'running'],
    ['in backoff', { backoff: PLAIN_BACKOFF }, ({ gate }) => gate.fail(new Error('no')), 'backoff'],
    ['in its interval', { restart: 'always', intervalMs: 50 }, ({ gate }) => gate.open('one'), 'interval'],
    ['in an attempt that timed out', { timeoutMs: 10 }, ({ clock }) => clock.advance(10), 'stopping'],
  ])('joins an owner %s', async (state, spec, lead, status) => {
    const world = slot();
    if (state === 'at the gate') lead(world);
    const owner = world.submit(spec);
    await world.clock.settle();
    if (state !== 'at the gate') await lead(world);
    await world.clock.settle();
    const joined = world.join();
    expect([joined.admission, ...statuses([owner, joined])]).toEqual(['joined', status, status]);
  });

  test('joins an owner that is suspended because its lease was lost', async () => {
    const lost = [new AbortController(), new AbortController()];
    let granted = 0;
    const leases = {
      acquire: ({ signal }: LeaseRequest): Lease | Promise<null> => {
        granted += 1;
        if (granted > 1)
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        return { fence: BigInt(granted), lost: (lost[0] as AbortController).signal, release: () => {} };
      },
    };
    const { clock, submit, join } = slot({ leases });
    const owner = submit({ run: polite });
    await clock.settle();
    lost[0]?.abort();
    await clock.settle();
    const joined = join();
    expect([joined.admission, ...statuses([owner, joined])]).toEqual(['joined', 'suspended', 'suspended']);
  });

  test.each(POLICIES)('beside a stopping owner joins a waiting %s, whose body runs for both', async (admission) => {
    const world = await stoppingSlot();
    const { gate, submit, join, clock } = world;
    const options = admission === 'dropIfRunning' ? undefined : { admission };
    const leader = submit({ run: () => 'of the leader', ...options });
    const joined = [join(), join()];
    expect([leader.admission, ...admissions(joined)]).toEqual(['queued', 'joined', 'joined']);
    expect(statuses([leader, ...joined])).toEqual(['queued', 'queued', 'queued']);
    gate.open('out');
    const [first, ...others] = await outcomes([leader, ...joined]);
    expect(first).toEqual(completed('of the leader'));
    expect(others).toEqual([first, first]);
    await clock.settle();
    expect(world.supervisor.snapshot()).toMatchObject({ slots: [], totals: { started: 2, attempts: 2, completed: 3 } });
  });

  test('beside a stopping owner joins the replacement before the queue, and else the head of the queue', async () => {
    const { gate, submit, join, clock } = await stoppingSlot();
    const [head, tail] = [submit({ run: () => 'head' }), submit({ run: () => 'tail' })];
    const withHead = join();
    const replacement = submit({ admission: 'replace', run: () => 'replacement' });
    const withReplacement = join();
    gate.open('out');
    const all = [replacement, withReplacement, head, withHead, tail];
    const values = ['replacement', 'replacement', 'head', 'head', 'tail'];
    expect(await outcomes(all)).toEqual(values.map((value) => completed(value)));
    await clock.settle();
  });

  test('beside a running owner joins that owner, whatever waits behind it', async () => {
    const { gate, submit, join, clock } = slot();
    const owner = submit();
    await clock.settle();
    const waiting = submit({ run: () => 'second' });
    const joined = join();
    gate.open('first');
    expect(await outcomes([owner, joined, waiting])).toEqual([
      completed('first'),
      completed('first'),
      completed('second'),
    ]);
  });

  test('in a paused slot waits, and later ones join it', async () => {
    const { supervisor, submit, join, clock } = slot();
    supervisor.slot('s').pause();
    const first = submit({ admission: 'join', run: () => 'shared' });
    const others = [join(), join()];
    await clock.settle();
    expect(admissions([first, ...others])).toEqual(['queued', 'joined', 'joined']);
    supervisor.slot('s').resume();
    expect(await outcomes([first, ...others])).toEqual(Array(3).fill(completed('shared')));
  });

  test('joins a submission that waits for its lease', async () => {
    let grant: (lease: Lease) => void = () => {};
    const lease = new Promise<Lease>((resolve) => {
      grant = resolve;
    });
    const { submit, join } = slot({ leases: { acquire: () => lease } });
    const leader = submit({ run: () => 'shared' });
    const joined = join();
    expect(admissions([leader, joined])).toEqual(['waiting', 'joined']);
    grant({ fence: 1n, lost: new AbortController().signal, release: () => {} });
    expect(await outcomes([leader, joined])).toEqual([completed('shared'), completed('shared')]);
  });

  test('stays with the flight that it joined, also when another one goes first', async () => {
    const { gate, submit, join, clock } = await stoppingSlot();
    const head = submit({ run: () => 'head' });
    const joined = join();
    submit({ admission: 'replace', run: () => 'replacement' });
    expect(joined.status).toBe('queued');
    gate.open('out');
    expect(await outcomes([head, joined])).toEqual([completed('head'), completed('head')]);
    await clock.settle();
  });
});

describe('leaving a flight that waits', () => {
  type Leave = (world: Slot, control: AbortController, one: Submission) => unknown;
  const ways: readonly (readonly [name: string, spec: Partial<TaskSpec>, leave: Leave, reason: string])[] = [
    ['a cancel', {}, (_, __, one) => one.cancel('mine'), 'canceled'],
    ['its signal', {}, (_, control) => control.abort('mine'), 'canceled'],
    ['its deadline', { deadlineMs: 50 }, ({ clock }) => clock.advance(50), 'deadline'],
    ['its queueTimeoutMs', { queueTimeoutMs: 50 }, ({ clock }) => clock.advance(50), 'queueTimeout'],
  ];
  for (const who of ['the leader', 'a joined submission'] as const)
    test.each(ways)(`%s takes ${who} out alone, and the place stays for the others`, async (_, spec, leave, reason) => {
      const world = await stoppingSlot();
      const { gate, submit, join, clock } = world;
      const control = new AbortController();
      const own = { ...spec, signal: control.signal };
      const before = submit({ run: () => 'before' });
      const leader = submit({ admission: 'replace', run: () => 'shared', ...(who === 'the leader' && own) });
      const one = join(who === 'the leader' ? {} : own);
      const other = join();
      const leaver = who === 'the leader' ? leader : one;
      await leave(world, control, leaver);
      expect(await leaver.outcome).toEqual({ kind: 'rejected', reason });
      expect(queuedView(world)).toHaveLength(2);
      gate.open('out');
      const left = [leader, one, other].filter((submission) => submission !== leaver);
      expect(await outcomes([...left, before])).toEqual([
        completed('shared'),
        completed('shared'),
        completed('before'),
      ]);
      await clock.settle();
      expect(clock.timers).toBe(0);
    });

  test('after the leader has left, its body runs for the others, with its id, meta, context and policy', async () => {
    const store = new AsyncLocalStorage<string>();
    const { gate, submit, join, clock } = await stoppingSlot();
    const seen: unknown[] = [];
    const meta = { of: 'leader' };
    const leader = store.run('leader', () =>
      submit({
        meta,
        maxRetries: 1,
        backoff: PLAIN_BACKOFF,
        run: (ctx) => {
          seen.push([ctx.id, ctx.meta, store.getStore()]);
          if (ctx.attempt === 1) throw new Error('retried as the leader asked');
          return 'shared';
        },
      }),
    );
    const joined = store.run('joined', () => join({ meta: 'own', restart: 'never' }));
    await leader.cancel();
    gate.open('out');
    await clock.advance(100);
    expect(await joined.outcome).toEqual(completed('shared', 2));
    expect(seen).toEqual([
      [leader.id, meta, 'leader'],
      [leader.id, meta, 'leader'],
    ]);
  });

  test('the place is free when the last participant has left, and the slot goes on', async () => {
    const world = await stoppingSlot({ slots: { s: { queueLimit: 1 } } });
    const { gate, submit, join } = world;
    const leader = submit();
    const joined = join();
    expect(submit().admission).toBe('rejected');
    await leader.cancel();
    expect(submit().admission).toBe('rejected');
    await joined.cancel();
    expect(queuedView(world)).toEqual([]);
    const next = submit({ run: () => 'next' });
    gate.open('out');
    expect(await next.outcome).toEqual(completed('next'));
  });

  test('one that leaves after the flight owns the slot ends canceled', async () => {
    const { gate, submit, join, clock } = await stoppingSlot();
    const [leader, joined] = [submit(), join()];
    gate.open('out');
    await clock.settle();
    expect(await leader.cancel('mine')).toEqual({ kind: 'canceled', by: 'caller', reason: 'mine', attempts: 1 });
    gate.open('shared');
    expect(await joined.outcome).toEqual(completed('shared'));
  });

  test('a submission may join a flight whose leader has left', async () => {
    const { gate, submit, join } = await stoppingSlot();
    const leader = submit({ run: () => 'shared' });
    const first = join();
    await leader.cancel();
    const late = join();
    expect(late.admission).toBe('joined');
    gate.open('out');
    expect(await outcomes([first, late])).toEqual([completed('shared'), completed('shared')]);
  });
});

describe('the options of a joined submission', () => {
  test('queueTimeoutMs ends at the first attempt of the flight', async () => {
    const { supervisor, gate, submit, join, clock } = slot();
    supervisor.pause();
    const leader = submit();
    const [short, long] = [join({ queueTimeoutMs: 50 }), join({ queueTimeoutMs: 100 })];
    await clock.advance(50);
    expect(await short.outcome).toEqual(canceled('queueTimeout'));
    supervisor.resume();
    await clock.advance(1_000);
    gate.open('shared');
    expect(await outcomes([leader, long])).toEqual([completed('shared'), completed('shared')]);
  });

  test('queueTimeoutMs of the last participant stops an owner that has had no attempt', async () => {
    const { supervisor, gate, submit, join, clock, recorded } = slot();
    supervisor.pause();
    const leader = submit();
    const joined = join({ queueTimeoutMs: 50 });
    await leader.cancel();
    await clock.advance(50);
    expect(await joined.outcome).toEqual(canceled('queueTimeout'));
    expect(supervisor.snapshot().slots).toEqual([]);
    supervisor.resume();
    await clock.settle();
    expect([gate.calls.length, recorded.types(joined.id)]).toEqual([0, ['submitted', 'joined', 'finished']]);
  });

  test('a signal that is aborted already rejects it, and it joins nothing', async () => {
    const { submit, join, clock } = slot();
    submit();
    await clock.settle();
    const joined = join({ signal: AbortSignal.abort() });
    expect([joined.admission, await joined.outcome]).toEqual(['rejected', rejected('canceled')]);
  });
});

describe('a flight that is rejected', () => {
  type End = (world: Slot) => Submission | undefined;
  const full = { slots: { s: { queueLimit: 1, onFull: 'dropOldest' } } } as const;
  const cases: readonly (readonly [reason: string, how: string, admission: AdmissionPolicy, end: End])[] = [
    ['superseded', 'a newer replacement', 'replace', ({ submit }) => submit({ admission: 'replace', run: polite })],
    [
      'superseded',
      'a newer keepLatest',
      'keepLatest',
      ({ submit }) => submit({ admission: 'keepLatest', run: polite }),
    ],
    ['queueFull', 'dropOldest', 'queue', ({ submit }) => submit({ run: polite })],
    ['canceled', 'slot.cancel()', 'queue', ({ supervisor }) => void supervisor.slot('s').cancel('why')],
    ['shuttingDown', 'a shutdown', 'queue', ({ supervisor }) => void supervisor.shutdown({ graceMs: 1_000 })],
  ];
  test.each(cases)(
    'as %s by %s takes all of its participants along, the leader first',
    async (reason, _, policy, end) => {
      const world = await stoppingSlot(full);
      const { gate, submit, join, clock, recorded } = world;
      const all = [submit({ admission: policy }), join(), join()];
      const by = end(world);
      const expected = rejected(reason as never, by);
      expect(await outcomes(all)).toEqual([expected, expected, expected]);
      gate.open('out');
      await clock.settle();
      expect(gate.calls).toHaveLength(1);
      const events = recorded.of('rejected').filter(({ id }) => all.some((one) => one.id === id));
      expect(events.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
      expect(events.map((event) => [event.reason, event.by])).toEqual(all.map(() => [reason, by?.id]));
      expect(recorded.of('finished').map(({ id }) => id)).not.toContain(all[1]?.id);
    },
  );

  test('as leaseUnavailable or slotBusy by the lease store takes all of its participants along', async () => {
    const boom = new Error('down');
    for (const [answer, expected] of [
      [() => Promise.reject(boom), { kind: 'rejected', reason: 'leaseUnavailable', error: boom }],
      [() => Promise.resolve(null), { kind: 'rejected', reason: 'slotBusy' }],
    ] as const) {
      const { submit, join } = slot({ leases: { acquire: answer } });
      const all = [submit(), join(), join()];
      expect(await outcomes(all)).toEqual([expected, expected, expected]);
    }
  });

  test('after its leader has left rejects only those that are left', async () => {
    const { supervisor, submit, join, recorded, clock } = await stoppingSlot();
    const [leader, joined] = [submit(), join()];
    const first = await leader.cancel();
    void supervisor.slot('s').cancel();
    expect(await joined.outcome).toEqual(rejected('canceled'));
    expect(await leader.outcome).toBe(first);
    await clock.settle();
    expect(recorded.of('rejected').map(({ id }) => id)).toEqual([leader.id, joined.id]);
  });
});

describe('the names of a flight', () => {
  test('joined names the first participant that is left, and comes after submitted, without queued', async () => {
    const { submit, join, gate, clock, recorded } = await stoppingSlot();
    const leader = submit({ run: () => 'shared' });
    const first = join();
    await leader.cancel();
    const second = join();
    gate.open('out');
    await outcomes([first, second]);
    await clock.settle();
    expect(recorded.of('joined').map(({ id, leader: named }) => [id, named])).toEqual([
      [first.id, leader.id],
      [second.id, first.id],
    ]);
    expect(recorded.types(leader.id)).toEqual(['submitted', 'queued', 'rejected']);
    expect(recorded.types(first.id)).toEqual([
      'submitted',
      'joined',
      'started',
      'attemptStarted',
      'attemptSucceeded',
      'finished',
    ]);
    expect(recorded.types(second.id)).toEqual(['submitted', 'joined', 'finished']);
  });

  test('views, and the by of a rejection, name the first participant that is left', async () => {
    const world = await stoppingSlot();
    const { supervisor, submit, join, gate, clock } = world;
    const leader = submit();
    const [first, second] = [join(), join()];
    await leader.cancel();
    expect(queuedView(world)).toMatchObject([{ id: first.id, status: 'queued', joined: 1 }]);
    gate.open('out');
    await clock.settle();
    expect(supervisor.slot('s').view().owner).toMatchObject({ id: first.id, status: 'running', joined: 1 });
    await first.cancel();
    expect(supervisor.slot('s').view().owner).toMatchObject({ id: second.id });
    const dropped = submit({ admission: 'dropIfRunning' });
    expect(await dropped.outcome).toEqual(rejected('slotBusy', second));
    gate.open('shared');
    expect(await second.outcome).toEqual(completed('shared'));
  });

  test('TaskView.joined counts the others that share, in every view of them, and is absent without any', async () => {
    const { supervisor, submit, join, clock } = slot();
    const leader = submit();
    await clock.settle();
    expect(supervisor.tasks()[0]).not.toHaveProperty('joined');
    const others = [join(), join()];
    expect(supervisor.tasks().map(({ id, joined }) => [id, joined])).toEqual(
      [leader, ...others].map(({ id }) => [id, 2]),
    );
    await others[1]?.cancel();
    await leader.cancel();
    expect(supervisor.tasks().map(({ id, joined }) => [id, joined])).toEqual([[others[0]?.id, undefined]]);
  });

  test('the leader settles first at the end of the body, then the joined ones in the order in which they joined', async () => {
    const { submit, join, gate, clock, recorded } = await stoppingSlot();
    const settled: string[] = [];
    const all = [submit(), join(), join(), join()];
    for (const { id, outcome } of all) void outcome.then(() => settled.push(id));
    gate.open('out');
    await clock.settle();
    gate.open('shared');
    await clock.settle();
    expect(settled).toEqual(all.map(({ id }) => id));
    expect(
      recorded
        .of('finished')
        .slice(1)
        .map(({ id }) => id),
    ).toEqual(settled);
  });
});

describe('a submission that joined', () => {
  test('takes no place: neither in queueLimit and limits.pending nor in depth, queued and the views', async () => {
    const world = await stoppingSlot({ slots: { s: { queueLimit: 2 } }, limits: { pending: 2 } });
    const { supervisor, submit, join, clock, recorded } = world;
    submit();
    const joined = Array.from({ length: 20 }, () => join());
    const second = submit();
    expect([second.admission, submit().admission]).toEqual(['queued', 'rejected']);
    expect(new Set(admissions(joined))).toEqual(new Set(['joined']));
    expect(supervisor.snapshot().queued).toBe(2);
    expect(queuedView(world)).toHaveLength(2);
    await clock.settle();
    expect(recorded.of('queued').map(({ depth }) => depth)).toEqual([1, 2]);
  });

  test('is admitted past every limit, also where a new entry would be rejected', async () => {
    const { submit, join } = await stoppingSlot({ slots: { s: { queueLimit: 0 } }, limits: { pending: 0, slots: 1 } });
    expect(submit({ admission: 'join' }).admission).toBe('rejected'); // it joins nothing: an entry of its own
    const { submit: start, join: share, clock } = slot({ limits: { pending: 0, slots: 1 } });
    start();
    await clock.settle();
    expect(share().admission).toBe('joined');
    expect(join().admission).toBe('rejected');
  });

  test('keeps its admission joined while its status is that of the flight', async () => {
    const { gate, submit, join, clock, supervisor } = await stoppingSlot();
    submit({ backoff: PLAIN_BACKOFF });
    const joined = join();
    expect([joined.status, supervisor.get(joined.id)?.admission]).toEqual(['queued', 'joined']);
    gate.open('out');
    await clock.settle();
    expect(joined.status).toBe('running');
    gate.fail(new Error('once'));
    await clock.settle();
    expect(joined.status).toBe('backoff');
    expect(joined.restart()).toBe(true);
    await clock.settle();
    gate.open('shared');
    const outcome: Outcome = await joined.outcome;
    expect([outcome, joined.admission, joined.status]).toEqual([completed('shared', 2), 'joined', 'ended']);
  });

  test('refuses restart() while its flight waits', async () => {
    const { submit, join } = await stoppingSlot();
    submit();
    expect(join().restart()).toBe(false);
  });
});

describe('a batch with joins', () => {
  const one = (admission: AdmissionPolicy): TaskSpec => ({ slot: 's', admission, run: () => 'shared' });

  test('lets its joins join what waits and its own earlier entries', async () => {
    const { supervisor, gate, submit } = await stoppingSlot();
    const head = submit({ run: () => 'head' });
    const joined = supervisor.submitAll([one('join'), one('join')]);
    const [leader, ...others] = supervisor.submitAll([
      { ...one('join'), slot: 't' },
      { ...one('join'), slot: 't' },
    ]);
    expect(admissions([...joined, leader, ...others])).toEqual(['joined', 'joined', 'started', 'joined']);
    gate.open('out');
    expect(await outcomes([head, ...joined])).toEqual(Array(3).fill(completed('head')));
    expect(await outcomes([leader, ...others])).toEqual(Array(2).fill(completed('shared')));
  });

  test.each<readonly [later: AdmissionPolicy, first: AdmissionPolicy]>([
    ['replace', 'replace'],
    ['replace', 'keepLatest'],
    ['keepLatest', 'keepLatest'],
  ])('is turned away if a later %s would supersede its join of a waiting %s', async (later, first) => {
    const { supervisor, submit } = await stoppingSlot();
    const waiting = submit({ admission: first, run: () => 'waits on' });
    const batch = supervisor.submitAll([one('join'), one(later)]);
    expect(admissions(batch)).toEqual(['rejected', 'rejected']);
    const reasons = (await outcomes(batch)).map((outcome) => outcome.kind === 'rejected' && outcome.reason);
    expect(reasons).toEqual(['batchRejected', 'superseded']);
    expect(waiting.status).toBe('queued');
  });
});
