// User code that calls the library at any moment.

import type { Lease, Outcome, SlotLeases, Submission, Supervisor, TaskContext, TaskEvent, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { expectAtRest, type GatedSlot, gatedSlot } from '../../support/gated-slot.ts';
import { nothingEscapes } from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';

const lease: Lease = { fence: 1n, lost: new AbortController().signal, release: () => {} };

/** A signal for a spec that calls `back` when its listener is removed. */
const signalThatCalls = (back: () => unknown) =>
  ({
    aborted: false,
    reason: undefined,
    addEventListener: () => {},
    removeEventListener: () => void back(),
  }) as unknown as AbortSignal;

describe('a call of the API', () => {
  /** Calls on a slot with a queued submission and a running owner with many listeners. */
  type Call = (supervisor: Supervisor, owner: Submission, waiting: Submission) => unknown;
  const calls: Record<string, Call> = {
    'submit to an idle slot': (supervisor) => supervisor.submit({ slot: 't', run: () => 'new' }),
    'submit queue': (supervisor) => supervisor.submit({ slot: 's', run: () => 'new' }),
    'submit replace': (supervisor) => supervisor.submit({ slot: 's', admission: 'replace', run: () => 'new' }),
    'submit join': (supervisor) => supervisor.submit({ slot: 's', admission: 'join', run: () => 'new' }),
    'submit dropIfRunning': (supervisor) =>
      supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: () => 'new' }),
    submitAll: (supervisor) => supervisor.submitAll([{ slot: 's', run: () => 'new' }, { run: () => 'new' }]),
    'cancel the owner': (_, owner) => void owner.cancel(),
    'cancel by id': (supervisor, owner) => void supervisor.cancel(owner.id),
    'cancel a queued submission': (_, __, waiting) => void waiting.cancel(),
    restart: (_, owner) => owner.restart(),
    'restart by id': (supervisor, owner) => supervisor.restart(owner.id),
    'slot.cancel': (supervisor) => void supervisor.slot('s').cancel(),
    'slot.pause': (supervisor) => supervisor.slot('s').pause(),
    'slot.configure': (supervisor) => supervisor.slot('s').configure({ queueLimit: 0 }),
    'slot.idle': (supervisor) => void supervisor.slot('s').idle(),
    'pause and resume': (supervisor) => [supervisor.pause(), supervisor.resume()],
    subscribe: (supervisor) => supervisor.subscribe(() => {}),
    snapshot: (supervisor) => [supervisor.snapshot(), supervisor.tasks()],
    shutdown: (supervisor) => void supervisor.shutdown(),
  };
  test.each(Object.entries(calls))('no user code runs inside the call: %s', async (_, call) => {
    const { supervisor, clock } = setup();
    let inside = false;
    const received: string[] = [];
    const note = (what: string): void => {
      received.push(`${what}${inside ? ' inside the call' : ''}`);
    };
    const owner = supervisor.submit({
      slot: 's',
      state: () => note('state'),
      run: async (ctx) => {
        note('body');
        ctx.onCancel(() => note('onCancel'));
        ctx.signal.addEventListener('abort', () => note('abort'));
        await ctx.sleep(1_000).catch(() => note('catch'));
      },
    });
    const waiting = supervisor.submit({ slot: 's', run: () => note('waiting body') });
    for (const one of [owner, waiting]) void one.outcome.then(() => note('outcome'));
    supervisor.subscribe(() => note('event'));
    supervisor.instrument({
      attempt: () => {
        note('probe');
        return { run: (body) => body(), ended: () => note('probe ended') };
      },
    });
    await clock.settle();
    const begun = received.length;
    inside = true;
    call(supervisor, owner, waiting);
    expect(received).toHaveLength(begun);
    inside = false;
    await clock.advance(1_000);
    expect(received.filter((what) => what.endsWith('inside the call'))).toEqual([]);
  });

  test('a caller has the id before the first event and before its body runs', async () => {
    const { supervisor, clock, recorded } = setup();
    let id = '';
    const seen: string[] = [];
    id = supervisor.submit({ run: () => seen.push(id) }).id;
    expect(recorded.events).toHaveLength(0);
    await clock.settle();
    expect(seen).toEqual([id]);
    expect(recorded.events.length).toBeGreaterThan(0);
  });
});

describe('user code that calls the API', () => {
  /** Calls `act` at most once. */
  type Place = (supervisor: Supervisor, act: () => void) => void;
  const once = (act: () => void) => {
    let done = false;
    return () => {
      if (done) return;
      done = true;
      act();
    };
  };
  const owner = (supervisor: Supervisor, run: (ctx: TaskContext) => unknown) =>
    supervisor.submit({ slot: 's', restart: 'never', run });
  /** The bodies alive in each slot, and the maximum of all. */
  const alive = new Map<string, number>();
  let most = 0;
  const sleeper = async (ctx: TaskContext): Promise<void> => {
    const others = alive.get(ctx.slot) ?? 0;
    most = Math.max(most, others + 1);
    alive.set(ctx.slot, others + 1);
    await ctx.sleep(100).finally(() => alive.set(ctx.slot, (alive.get(ctx.slot) ?? 0) - 1));
  };
  const on =
    (type: TaskEvent['type']): Place =>
    (supervisor, act) => {
      const acts = once(act);
      supervisor.subscribe((event) => (event.type === type ? acts() : undefined));
      owner(supervisor, sleeper);
    };
  const places: Record<string, Place> = {
    'the first turn of a body': (supervisor, act) => owner(supervisor, (ctx) => [act(), sleeper(ctx)][1]),
    'a later turn of a body': (supervisor, act) => owner(supervisor, (ctx) => sleeper(ctx).then(act)),
    'the `finally` of a replaced body': (supervisor, act) => {
      owner(supervisor, (ctx) => sleeper(ctx).finally(act));
      setImmediate(() => supervisor.submit({ slot: 's', admission: 'replace', run: sleeper }));
    },
    'an onCancel listener': (supervisor, act) => {
      const { id } = owner(supervisor, (ctx) => [ctx.onCancel(act), sleeper(ctx)][1]);
      setImmediate(() => void supervisor.cancel(id));
    },
    'an abort listener': (supervisor, act) => {
      const { id } = owner(supervisor, (ctx) => [ctx.signal.addEventListener('abort', act), sleeper(ctx)][1]);
      setImmediate(() => void supervisor.cancel(id));
    },
    'an outcome handler': (supervisor, act) => void owner(supervisor, sleeper).outcome.then(act),
    'the state of an attempt': (supervisor, act) =>
      supervisor.submit({ slot: 's', restart: 'never', state: act, run: () => {} }),
    retryIf: (supervisor, act) =>
      supervisor.submit({ slot: 's', retryIf: () => Boolean(act()), run: () => Promise.reject(new Error('no')) }),
    'a kill': (supervisor, act) => {
      const run = { run: () => new Promise(() => {}), kill: act };
      const { id } = supervisor.submit({ slot: 's', graceMs: 10, run });
      setImmediate(() => void supervisor.cancel(id));
    },
    'a subscriber to submitted': on('submitted'),
    'a subscriber to attemptStarted': on('attemptStarted'),
    'a subscriber to finished': on('finished'),
  };
  const acts: Record<string, (supervisor: Supervisor, run: (ctx: TaskContext) => unknown) => unknown> = {
    'submits to the same slot': (supervisor, run) => supervisor.submit({ slot: 's', run }),
    'replaces in the same slot': (supervisor, run) => supervisor.submit({ slot: 's', admission: 'replace', run }),
    'joins in the same slot': (supervisor, run) => supervisor.submit({ slot: 's', admission: 'join', run }),
    'submits to another slot': (supervisor, run) => supervisor.submit({ slot: 't', run }),
    'submits a batch': (supervisor, run) =>
      supervisor.submitAll([
        { slot: 's', run },
        { slot: 't', run },
      ]),
    'cancels everything': (supervisor) => supervisor.tasks().map(({ id }) => supervisor.cancel(id)),
    'restarts everything': (supervisor) => supervisor.tasks().map(({ id }) => supervisor.restart(id)),
    'cancels the slot': (supervisor) => void supervisor.slot('s').cancel(),
    'configures, pauses and resumes': (supervisor) => {
      const slot = supervisor.slot('s');
      slot.configure({ queueLimit: 1 });
      slot.pause();
      slot.resume();
    },
    'shuts down': (supervisor) => void supervisor.shutdown(),
  };
  for (const [where, place] of Object.entries(places))
    test.each(Object.entries(acts))(
      `${where} %s, and still each slot has at most one body and each submission one outcome (S1, S3)`,
      async (_, act) => {
        await nothingEscapes(async () => {
          const { supervisor, clock, recorded } = setup();
          let called = 0;
          most = 0;
          alive.clear();
          place(supervisor, () => {
            called += 1;
            if (called === 1) act(supervisor, sleeper);
          });
          supervisor.submit({ slot: 's', run: sleeper });
          await clock.advance(1_000);
          expect(called).toBeGreaterThan(0);
          expect(most).toBeLessThanOrEqual(1);
          expect([...alive.values()].every((count) => count === 0)).toBe(true);
          const { totals, slots, owners, queued } = supervisor.snapshot();
          expect({ slots, owners, queued }).toEqual({ slots: [], owners: 0, queued: 0 });
          const { completed, failed, canceled, killed, rejected } = totals;
          expect(completed + failed + canceled + killed + rejected).toBe(totals.submitted);
          const ends = recorded.events.filter(({ type }) => type === 'finished' || type === 'rejected');
          expect(ends).toHaveLength(totals.submitted);
          expect(clock.timers).toBe(0);
        });
      },
    );

  test('an outcome handler that submits to the same slot finds it idle', async () => {
    const { supervisor } = setup();
    const first = supervisor.submit({ slot: 's', run: () => 'first' });
    const admission = first.outcome.then(
      () => supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: () => 'second' }).admission,
    );
    expect(await admission).toBe('started');
  });

  test('an outcome handler that submits to the same slot finds it owned by the next submission, if one waited', async () => {
    const { supervisor, clock } = setup();
    const next = gateBody();
    const first = supervisor.submit({ slot: 's', run: () => 'first' });
    const second = supervisor.submit({ slot: 's', run: next.body });
    const dropped = first.outcome.then(
      () => supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: () => 'third' }).outcome,
    );
    expect(await dropped).toEqual({ kind: 'rejected', reason: 'slotBusy', by: second.id });
    next.open('second');
    await clock.settle();
    expect(supervisor.snapshot().slots).toEqual([]);
  });

  test('a body that submits itself again in its `finally` does not delay timers and I/O', async () => {
    const { supervisor } = setup();
    let runs = 0;
    let go = true;
    const run = (): void => {
      try {
        runs += 1;
      } finally {
        if (go) supervisor.submit({ slot: 's', run });
      }
    };
    supervisor.submit({ slot: 's', run });
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0));
    go = false;
    await supervisor.idle();
    expect(runs).toBeGreaterThan(5);
    expect(supervisor.snapshot()).toMatchObject({ slots: [], totals: { completed: runs } });
  });

  test('a replaced body that submits a replacement in its `finally` supersedes the first replacement', async () => {
    const { supervisor, clock } = setup();
    const outcomes: Promise<Outcome>[] = [];
    const ran: string[] = [];
    const first = supervisor.submit({
      slot: 's',
      run: (ctx) =>
        ctx.sleep(1_000).finally(() => {
          outcomes.push(supervisor.submit({ slot: 's', admission: 'replace', run: () => ran.push('third') }).outcome);
        }),
    });
    await clock.settle();
    const second = supervisor.submit({ slot: 's', admission: 'replace', run: () => ran.push('second') });
    await clock.settle();
    expect(await first.outcome).toMatchObject({ kind: 'canceled', by: 'replace' });
    expect(await second.outcome).toMatchObject({ kind: 'rejected', reason: 'superseded' });
    expect(await outcomes[0]).toMatchObject({ kind: 'completed' });
    expect(ran).toEqual(['third']);
  });
});

describe('a stop while the end of the owner is delivered (S3, S8)', () => {
  for (const [what, stop] of [
    ['a replacement', ({ submit }) => submit({ admission: 'replace' })],
    ['a slot.cancel()', ({ supervisor }) => supervisor.slot('s').cancel()],
    ['a cancel of the owner', (_, owner) => owner.cancel()],
    ['a shutdown', ({ supervisor }) => supervisor.shutdown()],
  ] as readonly (readonly [string, (world: GatedSlot, owner: Submission) => unknown])[])
    test(`${what} from a getter of the lease changes nothing`, async () => {
      let asked = 0;
      const contended = () => {
        asked += 1;
        if (asked === 1) void stop(world, owner);
        return false;
      };
      const leases: SlotLeases = {
        acquire: () => Object.defineProperty({ ...lease }, 'contended', { get: contended }),
      };
      const world = gatedSlot({ leases });
      const owner = world.submit();
      await world.clock.settle();
      world.gate.open('done');
      expect(await owner.outcome).toEqual({ kind: 'completed', value: 'done', attempts: 1 });
      expect(world.recorded.types(owner.id).filter((type) => type === 'stopRequested' || type === 'finished')).toEqual([
        'finished',
      ]);
      await expectAtRest(world);
      expect(world.supervisor.snapshot().totals).toMatchObject({ started: world.gate.calls.length });
    });
});

describe('a participant that is canceled while the end of its body is delivered', () => {
  const sharing = async (back: (world: GatedSlot, joined: Submission) => void, behind?: Partial<TaskSpec>) => {
    const world = gatedSlot();
    const owner = world.submit({ signal: signalThatCalls(() => back(world, joined)) });
    const joined = world.submit({ admission: 'join' });
    const next = behind && world.submit(behind);
    await world.clock.settle();
    world.gate.open('done');
    expect(await owner.value()).toBe('done');
    expect(await joined.value()).toBe('done');
    return { world, next };
  };

  test('it does not stop the next owner (S8)', async () => {
    const { world, next } = await sharing((_, joined) => void joined.cancel(), {});
    await world.clock.settle();
    expect(next?.status).toBe('running');
    await expectAtRest(world);
  });

  test('it changes nothing if the slot has left the table', async () => {
    const seen: unknown[] = [];
    const { world } = await sharing(({ supervisor }, joined) => {
      void supervisor.slot('s').cancel();
      seen.push(supervisor.snapshot().slots);
      void joined.cancel();
      seen.push('the call returned');
    });
    expect(seen).toEqual([[], 'the call returned']);
    await expectAtRest(world);
  });

  test('it ends with an owner that the same step stopped in its backoff', async () => {
    const world = gatedSlot();
    const owner = world.submit({ restart: 'onFailure' });
    const joined = world.submit({ admission: 'join' });
    const waiting = world.submit({
      signal: signalThatCalls(() => {
        void world.supervisor.slot('s').cancel();
        void joined.cancel();
      }),
    });
    await world.clock.settle();
    world.gate.fail(new Error('try again'));
    await world.clock.settle();
    expect(joined.status).toBe('backoff');
    expect(await waiting.cancel()).toMatchObject({ kind: 'rejected' });
    for (const one of [owner, joined]) expect(await one.outcome).toEqual({ kind: 'canceled', by: 'slot', attempts: 1 });
    await expectAtRest(world);
  });
});

describe('a look-alike of a signal', () => {
  test('a look-alike of a signal that submits inside removeEventListener() keeps its slot (S1)', async () => {
    const { supervisor, clock } = setup();
    const fresh = gateBody();
    const signal = {
      aborted: false,
      reason: undefined,
      addEventListener: () => {},
      removeEventListener: () => {
        void supervisor.slot('s').cancel();
        supervisor.submit({ slot: 's', run: fresh.body });
      },
    } as unknown as AbortSignal;
    await supervisor.submit({ slot: 's', signal, run: () => 'done' }).outcome;
    await clock.settle();
    const other = gateBody();
    supervisor.submit({ slot: 's', run: other.body });
    await clock.settle();
    expect(fresh.alive + other.alive).toBe(1);
  });
});
