import { AsyncLocalStorage } from 'node:async_hooks';
import type { AdmissionPolicy, Outcome, SlotOptions, Submission, SupervisorOptions, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { type GateBody, gateBody } from '../support/gate.ts';
import { type Setup, setup } from '../support/setup.ts';

const POLICIES: readonly AdmissionPolicy[] = ['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'];

const value = (what: unknown, attempts = 1): Outcome => ({ kind: 'completed', value: what, attempts });
const superseded = (by: Submission): Outcome => ({ kind: 'rejected', reason: 'superseded', by: by.id });

describe('the table of admission (section 4)', () => {
  /** What becomes of the newcomer. `next`: queued, and the owner is told to stop. */
  type Verdict = 'started' | 'queued' | 'next' | 'joined' | 'slotBusy';
  interface Situation {
    readonly options?: SupervisorOptions;
    readonly spec?: Partial<TaskSpec<string>>;
    /** Leads the slot there. No owner: an idle slot. */
    readonly lead: (world: Setup, owner: GateBody<string>, submit: () => Submission) => unknown;
    /** Lets the slot go on from there. */
    readonly go: (world: Setup, owner: GateBody<string>) => unknown;
    readonly verdicts: Record<AdmissionPolicy, Verdict>;
    /** The owner's end where nobody replaced it. */
    readonly end?: Outcome;
  }
  const PLAIN = { firstMs: 100, jitter: 'none' } as const;
  const all = (verdict: Verdict): Situation['verdicts'] => ({
    queue: verdict,
    replace: verdict,
    dropIfRunning: verdict,
    keepLatest: verdict,
    join: verdict,
  });
  const busy = { ...all('queued'), replace: 'next', dropIfRunning: 'slotBusy', join: 'joined' } as const;
  // Between two attempts nothing is alive: a told owner ends at once, and the replacement owns the slot when submit returns.
  const between = { ...busy, replace: 'started' } as const;
  const stopping = { ...busy, replace: 'queued', join: 'queued' } as const;
  const open = (_: Setup, owner: GateBody<string>) => owner.open('old');
  const canceled: Outcome = { kind: 'canceled', by: 'caller', attempts: 1 };

  const situations: Record<string, Situation> = {
    idle: { lead: () => {}, go: () => {}, verdicts: all('started') },
    'running an attempt': {
      lead: ({ clock }, _, submit) => submit() && clock.settle(),
      go: open,
      verdicts: busy,
      end: value('old'),
    },
    'waiting at the gate': {
      lead: ({ supervisor, clock }, _, submit) => [supervisor.pause(), submit(), clock.settle()][2],
      go: async ({ supervisor, clock }, owner) => [supervisor.resume(), await clock.settle(), owner.open('old')],
      verdicts: between,
      end: value('old'),
    },
    'in backoff': {
      spec: { backoff: PLAIN },
      lead: async ({ clock }, owner, submit) => {
        submit();
        await clock.settle();
        owner.fail('no');
        await clock.settle();
      },
      go: async ({ clock }, owner) => [await clock.advance(100), owner.open('old')],
      verdicts: between,
      end: value('old', 2),
    },
    'in its interval': {
      spec: { restart: 'always', intervalMs: 100, maxRetries: 0 },
      lead: async ({ clock }, owner, submit) => {
        submit();
        await clock.settle();
        owner.open('again');
        await clock.settle();
      },
      go: async ({ clock }, owner) => [await clock.advance(100), owner.fail('no')],
      verdicts: between,
      end: { kind: 'failed', because: 'maxRetries', attempts: 2, failure: expect.anything() as never },
    },
    stopping: {
      lead: async ({ clock }, _, submit) => {
        const submission = submit();
        await clock.settle();
        void submission.cancel();
      },
      go: open,
      verdicts: stopping,
      end: canceled,
    },
    'in overrun': {
      spec: { graceMs: 10 },
      lead: async ({ clock }, _, submit) => {
        const submission = submit();
        await clock.settle();
        void submission.cancel();
        await clock.advance(50);
        expect(submission.status).toBe('overrun');
      },
      go: open,
      verdicts: stopping,
      end: canceled,
    },
    'paused without an owner': {
      lead: ({ supervisor }) => supervisor.slot('s').pause(),
      go: ({ supervisor }) => supervisor.slot('s').resume(),
      verdicts: all('queued'),
    },
    'paused with an owner': {
      lead: ({ supervisor, clock }, _, submit) => [submit(), supervisor.slot('s').pause(), clock.settle()][2],
      go: async ({ supervisor, clock }, owner) => {
        owner.open('old');
        await clock.advance(1_000);
        expect(supervisor.snapshot().totals.attempts).toBe(1); // never started from until resumed
        supervisor.slot('s').resume();
      },
      verdicts: busy,
      end: value('old'),
    },
  };

  for (const [situation, { options, spec, lead, go, verdicts, end }] of Object.entries(situations))
    for (const policy of POLICIES)
      test(`${policy} on a slot that is ${situation}: ${verdicts[policy]}`, async () => {
        const world = setup(options);
        const { supervisor, clock, recorded } = world;
        const old = gateBody();
        const fresh = gateBody();
        let owner: Submission<string> | undefined;
        await lead(world, old, () => {
          owner = supervisor.submit({ slot: 's', ...spec, run: old.body });
          return owner;
        });
        const told = recorded.of('stopRequested').length;
        const verdict = verdicts[policy];
        const newcomer = supervisor.submit({ slot: 's', admission: policy, run: fresh.body });
        expect(newcomer.admission).toBe({ next: 'queued', slotBusy: 'rejected' }[verdict as string] ?? verdict);
        if (verdict !== 'started') {
          await clock.settle();
          expect(fresh.calls).toHaveLength(0);
        }
        const stoppedOwner = policy === 'replace' && owner !== undefined && verdict !== 'queued';
        await clock.settle();
        expect(recorded.of('stopRequested').slice(told)).toMatchObject(
          stoppedOwner ? [{ id: owner?.id, by: 'replace' }] : [],
        );
        await go(world, old);
        await clock.settle();
        const runs = verdict !== 'joined' && verdict !== 'slotBusy';
        expect([old.alive, fresh.alive]).toEqual([0, runs ? 1 : 0]);
        fresh.open('new');
        const ownerEnd = stoppedOwner
          ? { kind: 'canceled', by: 'replace', attempts: verdict === 'next' ? 1 : expect.any(Number) }
          : end;
        if (owner !== undefined) expect(await owner.outcome).toEqual(ownerEnd);
        expect(await newcomer.outcome).toEqual(
          verdict === 'joined'
            ? end
            : verdict === 'slotBusy'
              ? { kind: 'rejected', reason: 'slotBusy', by: owner?.id }
              : value('new'),
        );
        expect(supervisor.snapshot()).toMatchObject({ slots: [], running: 0, queued: 0 });
        expect(clock.timers).toBe(0);
      });
});

describe('order within one slot', () => {
  /** An owner that runs, and a way to submit more that note their own start. */
  async function ownedSlot(options: SlotOptions = {}) {
    const world = setup({ slotDefaults: options });
    const owner = gateBody();
    const order: string[] = [];
    const first = world.supervisor.submit({ slot: 's', run: owner.body });
    await world.clock.settle();
    const add = (name: string, admission: AdmissionPolicy = 'queue') =>
      world.supervisor.submit({ slot: 's', name, admission, run: () => order.push(name) });
    return { ...world, owner, first, order, add };
  }

  test('queued submissions start in the order given, one at a time (S1, S4)', async () => {
    const { supervisor, clock } = setup();
    const order: number[] = [];
    const gate = gateBody();
    const submissions = [1, 2, 3].map((n) =>
      supervisor.submit({ slot: 's', run: (ctx) => [order.push(n), gate.body(ctx)][1] }),
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

  test('a replacement starts only after the old body has ended, however long that takes (S1)', async () => {
    const { clock, supervisor, owner, first, add, order } = await ownedSlot();
    const second = add('fresh', 'replace');
    await clock.advance(3_600_000);
    expect(owner.calls[0]?.canceled).toBe(true);
    expect([first.status, order]).toEqual(['overrun', []]);
    owner.open('too late');
    expect(await first.outcome).toEqual({ kind: 'canceled', by: 'replace', attempts: 1 });
    expect((await second.outcome).kind).toBe('completed');
    expect(supervisor.snapshot().slots).toEqual([]);
  });

  test('a replacement in the same turn: the first body is never called, and the slot is handed over at once', async () => {
    const { supervisor, clock } = setup();
    const gate = gateBody();
    const first = supervisor.submit({ slot: 's', run: gate.body });
    const second = supervisor.submit({ slot: 's', admission: 'replace', run: () => 'second' });
    expect([first.admission, second.admission]).toEqual(['started', 'started']);
    expect(await first.outcome).toEqual({ kind: 'canceled', by: 'replace', attempts: 0 });
    expect(await second.outcome).toEqual(value('second'));
    await clock.settle();
    expect(gate.calls).toHaveLength(0);
  });

  test('the next goes before the line, and the line is kept as it was (S4)', async () => {
    const { clock, supervisor, owner, add, order } = await ownedSlot();
    const line = [add('a'), add('b', 'keepLatest'), add('c')];
    const next = add('next', 'replace');
    const { queued } = supervisor.slot('s').view();
    expect(queued.map(({ name, status }) => [name, status])).toEqual(
      ['next', 'a', 'b', 'c'].map((name) => [name, 'queued']),
    );
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['next', 'a', 'b', 'c']);
    for (const one of [...line, next]) expect((await one.outcome).kind).toBe('completed');
  });

  test('of many replacements the last one runs, the others are superseded by their successor, the owner is told once', async () => {
    const { clock, owner, add, order, recorded } = await ownedSlot();
    const storm = Array.from({ length: 50 }, (_, n) => add(`r${n}`, 'replace'));
    await clock.settle();
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['r49']);
    expect(recorded.of('stopRequested')).toHaveLength(1);
    for (const [n, one] of storm.entries()) {
      const after = storm[n + 1];
      expect(await one.outcome).toEqual(after === undefined ? value(1) : superseded(after));
    }
  });

  test('a replacement counts to no limit and evicts no queued work', async () => {
    const { clock, owner, add, order } = await ownedSlot({ queueLimit: 1 });
    const [next, queued, other] = [add('next', 'replace'), add('queued'), add('one too many')];
    expect([queued, next, other].map(({ admission }) => admission)).toEqual(['queued', 'queued', 'rejected']);
    expect(await other.outcome).toEqual({ kind: 'rejected', reason: 'queueFull' });
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['next', 'queued']);
  });

  test('keepLatest takes the place of the waiting keepLatest, not the end of the line', async () => {
    const { clock, owner, add, order } = await ownedSlot({ queueLimit: 3 });
    const waiting = [add('a'), add('k1', 'keepLatest'), add('b')];
    const k2 = add('k2', 'keepLatest'); // the line is full: a place is taken, none is added
    const k3 = add('k3', 'keepLatest');
    expect([k2.admission, k3.admission]).toEqual(['queued', 'queued']);
    expect(await waiting[1]?.outcome).toEqual(superseded(k2));
    expect(await k2.outcome).toEqual(superseded(k3));
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['a', 'k3', 'b']);
  });

  test.each(['reject', 'dropOldest'] as const)(
    'the first waiting keepLatest counts to the limit (%s)',
    async (onFull) => {
      const { owner, clock, add, order } = await ownedSlot({ queueLimit: 1, onFull });
      const [a, k] = [add('a'), add('k', 'keepLatest')];
      const full = { kind: 'rejected', reason: 'queueFull' };
      expect(await (onFull === 'reject' ? k : a).outcome).toEqual(onFull === 'reject' ? full : { ...full, by: k.id });
      owner.open('old');
      await clock.settle();
      expect(order).toEqual([onFull === 'reject' ? 'a' : 'k']);
    },
  );

  test('a canceled keepLatest leaves its place: the next one joins the end of the line', async () => {
    const { clock, owner, add, order } = await ownedSlot();
    const [k1] = [add('k1', 'keepLatest'), add('a')];
    expect(await k1?.cancel()).toEqual({ kind: 'rejected', reason: 'canceled' });
    add('k2', 'keepLatest');
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['a', 'k2']);
  });

  test('canceling waiting ones leaves the order of the others as it was, and their bodies are never called', async () => {
    const { clock, owner, add, order, supervisor } = await ownedSlot();
    const line = Array.from({ length: 7 }, (_, n) => add(`q${n}`));
    const next = add('next', 'replace');
    for (const one of [line[0], line[3], line[6], next])
      expect(await one?.cancel('not needed')).toEqual({ kind: 'rejected', reason: 'canceled' });
    expect(supervisor.snapshot().queued).toBe(4);
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['q1', 'q2', 'q4', 'q5']);
  });

  test('one slot that is stuck delays no other (S9)', async () => {
    const { supervisor, first, clock } = await ownedSlot();
    void first.cancel();
    await clock.advance(100_000);
    expect(await supervisor.submit({ slot: 'other', run: () => 'at once' }).value()).toBe('at once');
    expect(first.status).toBe('overrun');
  });
});

describe('where the policy comes from: spec, slot, supervisor, queue', () => {
  const busyWith = (options: SupervisorOptions, act: (world: Setup) => void = () => {}): Submission => {
    const world = setup(options);
    world.supervisor.submit({ slot: 's', run: () => new Promise(() => {}) });
    act(world);
    return world.supervisor.submit({ slot: 's', run: () => 'new' });
  };
  const drops = { admission: 'dropIfRunning' } as const;
  const joins = { admission: 'join' } as const;
  const queues = { admission: 'queue' } as const;
  test.each<
    readonly [name: string, options: SupervisorOptions, act: ((world: Setup) => void) | undefined, admission: string]
  >([
    ['nobody says anything: queue', {}, undefined, 'queued'],
    ["the supervisor's default", { defaults: drops }, undefined, 'rejected'],
    ["every slot's default before the supervisor's", { defaults: drops, slotDefaults: queues }, undefined, 'queued'],
    [
      "the slot's before every slot's",
      { defaults: queues, slotDefaults: queues, slots: { s: drops } },
      undefined,
      'rejected',
    ],
    ["another slot's counts for nothing", { slots: { t: drops } }, undefined, 'queued'],
    [
      'configured later before configured at first',
      { slots: { s: drops } },
      ({ supervisor }) => supervisor.slot('s').configure(queues),
      'queued',
    ],
    [
      'what configure leaves out stays',
      { slots: { s: drops } },
      ({ supervisor }) => supervisor.slot('s').configure({ queueLimit: 9 }),
      'rejected',
    ],
    [
      'what configure gives as undefined stays',
      { slots: { s: drops } },
      ({ supervisor }) => supervisor.slot('s').configure({ admission: undefined }),
      'rejected',
    ],
  ])('%s', (_, options, act, admission) => {
    expect(busyWith(options, act).admission).toBe(admission);
  });

  test("the spec's own word beats them all, and policies may be mixed on one slot", () => {
    const { supervisor } = setup({ defaults: drops, slots: { s: drops } });
    const submit = (admission?: AdmissionPolicy) =>
      supervisor.submit({ slot: 's', admission, run: () => 'x' }).admission;
    expect([submit(), submit('queue'), submit('keepLatest'), submit(), submit('join')]).toEqual([
      'started',
      'queued',
      'queued',
      'rejected',
      'joined',
    ]);
    expect(supervisor.slot('s').submit({ ...joins, run: () => 'x' }).slot).toBe('s');
  });

  test('a slot defaults to the name; with neither, a submission never contends', () => {
    const { supervisor } = setup({ defaults: drops });
    const run = () => 'x';
    const named = supervisor.submit({ name: 'job', run });
    expect([named.slot, named.name]).toEqual(['job', 'job']);
    expect(supervisor.submit({ name: 'job', run }).admission).toBe('rejected');
    expect(supervisor.submit({ name: 'job', slot: 'elsewhere', run }).admission).toBe('started');
    const alone = [1, 2].map(() => supervisor.submit({ run }));
    expect(alone.map(({ admission, slot, name, id }) => [admission, slot === id, name === id])).toEqual([
      ['started', true, true],
      ['started', true, true],
    ]);
  });
});

describe('what submit gives', () => {
  test('ids are one nanoid of 10 a supervisor and a count from 1, rejected ones included', () => {
    const [a, b] = [setup().supervisor, setup().supervisor];
    const ids = [a, b, a].map((supervisor) => supervisor.submit({ run: () => {} }).id);
    ids.push(a.submit({ signal: AbortSignal.abort(), run: () => {} }).id);
    expect(ids.every((id) => /^[A-Za-z0-9_-]{10}-\d+$/.test(id))).toBe(true);
    expect(ids.map((id) => id.slice(11))).toEqual(['1', '1', '2', '3']);
    expect(new Set(ids.map((id) => id.slice(0, 10))).size).toBe(2);
  });

  test('a signal that is aborted already: rejected, canceled, and the slot is not taken', async () => {
    const { supervisor, clock, recorded } = setup();
    const gate = gateBody();
    const signal = AbortSignal.abort('before');
    const submission = supervisor.submit({ slot: 's', signal, run: gate.body });
    expect([submission.admission, submission.status]).toEqual(['rejected', 'ended']);
    expect(supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: () => 'free' }).admission).toBe('started');
    expect(await submission.outcome).toEqual({ kind: 'rejected', reason: 'canceled' });
    await clock.settle();
    expect(gate.calls).toHaveLength(0);
    expect(recorded.types(submission.id)).toEqual(['submitted', 'rejected']);
  });

  test('the body runs in the async context of its submitter, whoever freed the slot for it', async () => {
    const { supervisor, clock } = setup();
    const store = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const note = (where: string) => seen.push([where, store.getStore()]);
    const owner = gateBody();
    store.run('first', () => supervisor.submit({ slot: 's', run: (ctx) => [note('first'), owner.body(ctx)][1] }));
    const second = store.run('second', () =>
      supervisor.submit({
        slot: 's',
        backoff: { firstMs: 10 },
        state: () => note('state'),
        run: async (ctx) => {
          note(`attempt ${ctx.attempt}`);
          ctx.onCancel(() => note('onCancel'));
          if (ctx.attempt === 1) throw new Error('once more');
          await ctx.sleep(1_000);
        },
      }),
    );
    await clock.settle();
    store.run('opener', () => owner.open('done'));
    await clock.advance(10);
    await store.run('canceler', () => second.cancel());
    expect(seen).toEqual([
      ['first', 'first'],
      ...['state', 'attempt 1', 'state', 'attempt 2', 'onCancel'].map((where) => [where, 'second']),
    ]);
  });
});
