// Measures what remains of ended work, and prints it as one line of JSON. Run with --expose-gc:
// `leaks.ts <case> <count>`.

import { getEventListeners } from 'node:events';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import {
  FatalError,
  type Outcome,
  RetryError,
  type Submission,
  Supervisor,
  type SupervisorOptions,
  type TaskContext,
  type TaskSpec,
} from 'slotvisor';
import { ADMISSION_POLICIES } from '../../../src/model/settings.ts';

const gc = globalThis.gc ?? (() => {});

/**
 * The minimum of several measurements. Each follows a collection and a turn, so that finalizers
 * have run.
 */
async function heapBytes(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i += 1) {
    gc();
    await turn();
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
}

/** What the supervisor holds, and what the process holds for it. */
const held = (supervisor: Supervisor, parent?: AbortSignal) => {
  const { slots, owners, queued, overrun, abandonedAlive } = supervisor.snapshot();
  return {
    tasks: supervisor.tasks().length,
    slots: slots.length,
    owners,
    queued,
    overrun,
    abandonedAlive,
    listeners: parent === undefined ? 0 : getEventListeners(parent, 'abort').length,
    // Other resources belong to the standard streams of the process.
    resources: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind === 'Immediate'),
  };
};

type Facts = Record<string, unknown>;

/** Runs a hundredth of the work first, so that compiled code and caches are not counted. */
async function grownBytes(times: number, work: (times: number) => Promise<void>): Promise<number> {
  for (let i = 0; i < 3; i += 1) await work(Math.ceil(times / 100));
  const before = await heapBytes();
  await work(times);
  return (await heapBytes()) - before;
}

const SLOTS = 10_000;
const BODIES: readonly TaskSpec['run'][] = [
  () => new Uint8Array(64),
  async () => 'value',
  () => {
    throw new Error('boom');
  },
  async (ctx) => {
    await turn();
    ctx.throwIfCanceled();
  },
  (ctx) => ctx.sleep(1),
];

/**
 * Every policy and every kind of body, in waves of two submissions per slot. Every tenth submission
 * is canceled.
 */
async function waves(count: number): Promise<Facts> {
  const supervisor = new Supervisor();
  const parent = new AbortController();
  const kinds = new Set<Outcome['kind']>();
  const work = async (times: number): Promise<void> => {
    for (let done = 0; done < times; ) {
      for (const end = Math.min(done + 2 * SLOTS, times); done < end; done += 1) {
        const submission = supervisor.submit({
          slot: `slot ${done % SLOTS}`,
          restart: 'never',
          admission: ADMISSION_POLICIES[(done * 7) % 5] ?? 'queue',
          run: BODIES[(done % 11) % 5] ?? BODIES[0] ?? (() => {}),
          ...(done % 4 === 0 && { signal: parent.signal, deadlineMs: 60_000 }),
        });
        void submission.outcome.then(({ kind }) => kinds.add(kind));
        if (done % 10 === 0) void submission.cancel();
      }
      await supervisor.idle();
    }
  };
  const grown = await grownBytes(count, work);
  const { totals } = supervisor.snapshot();
  const { completed, failed, fatal, canceled, killed, abandoned, rejected } = totals;
  return {
    ...held(supervisor, parent.signal),
    submitted: totals.submitted,
    ended: completed + failed + fatal + canceled + killed + abandoned + rejected,
    kinds: [...kinds].sort(),
    grown,
  };
}

/**
 * One signal that outlives all submissions. The bodies read their own signal, listen to it and
 * wait.
 */
async function parent(count: number): Promise<Facts> {
  const supervisor = new Supervisor();
  const { signal } = new AbortController();
  let most = 0;
  const grown = await grownBytes(count, async (times) => {
    for (let done = 0; done < times; ) {
      for (const end = Math.min(done + 1_000, times); done < end; done += 1) {
        const sleeps = done % 2 === 0;
        const run = (ctx: TaskContext) => {
          ctx.signal.addEventListener('abort', () => {});
          ctx.onCancel(() => {});
          return sleeps ? ctx.sleep(1) : undefined;
        };
        const submission = supervisor.submit({ slot: `slot ${done % 100}`, signal, run });
        if (done % 3 === 0) void submission.cancel();
      }
      most = Math.max(most, getEventListeners(signal, 'abort').length);
      await supervisor.idle();
    }
  });
  return { ...held(supervisor, signal), most, submitted: supervisor.snapshot().totals.submitted, grown };
}

interface Tracked {
  submit(spec: TaskSpec<unknown, unknown>): Submission;
  /** A new object to which only the library gets a reference. */
  thing(): object;
}

const livesOn = new Promise<never>(() => {});

/** The ways in which a submission can end. Each leaves only objects that the tracker counts. */
const ENDINGS: Readonly<Record<string, (tracked: Tracked, slot: string) => unknown>> = {
  completed: ({ submit, thing }, slot) => submit({ slot, run: () => thing() }),
  'failed with a FatalError': ({ submit, thing }, slot) =>
    submit({
      slot,
      run: async () => {
        throw new FatalError('for good', { cause: thing() });
      },
    }),
  'failed after retries': ({ submit, thing }, slot) =>
    submit({
      slot,
      backoff: { firstMs: 1, maxMs: 1 },
      maxRetries: 2,
      state: thing,
      run: () => Promise.reject(thing()),
    }),
  'canceled while it runs': async ({ submit, thing }, slot) => {
    const submission = submit({ slot, meta: thing(), run: (ctx) => ctx.untilCanceled(new Promise(() => {})) });
    await turn();
    await submission.cancel(thing());
  },
  'canceled while it is queued': ({ submit, thing }, slot) => {
    submit({ slot, run: () => turn() });
    return submit({ slot, run: () => thing() }).cancel(thing());
  },
  'canceled while it waits for a promise that stays alive': async ({ submit, thing }, slot) => {
    const submission = submit({ slot, meta: thing(), run: (ctx) => ctx.untilCanceled(livesOn) });
    await turn();
    await submission.cancel(thing());
  },
  'canceled by its signal': async ({ submit, thing }, slot) => {
    const controller = new AbortController();
    const { outcome } = submit({ slot, signal: controller.signal, run: (ctx) => ctx.sleep(60_000) });
    await turn();
    controller.abort(thing());
    await outcome;
  },
  'replaced, and superseded': ({ submit }, slot) => {
    submit({ slot, run: (ctx) => ctx.sleep(60_000) });
    submit({ slot, admission: 'replace', run: () => {} });
    return submit({ slot, admission: 'replace', run: () => turn() }).outcome;
  },
  'rejected: slot busy': ({ submit }, slot) => {
    submit({ slot, run: () => turn() });
    submit({ slot, admission: 'dropIfRunning', run: () => {} });
  },
  'rejected: an aborted signal': ({ submit, thing }, slot) =>
    submit({ slot, signal: AbortSignal.abort(thing()), run: () => {} }),
  joined: ({ submit, thing }, slot) => {
    submit({ slot, run: () => turn(thing()) });
    submit({ slot, admission: 'join', run: () => {} });
    return submit({ slot, admission: 'join', run: () => {} }).cancel();
  },
  'timed out': ({ submit }, slot) =>
    submit({ slot, restart: 'never', timeoutMs: 1, run: (ctx) => ctx.sleep(60_000) }).outcome,
  'past its deadlines': ({ submit }, slot) => {
    submit({ slot, deadlineMs: 3, run: (ctx) => ctx.sleep(60_000) });
    return submit({ slot, queueTimeoutMs: 1, run: () => {} }).outcome;
  },
  'abandoned, then ended late': async ({ submit, thing }, slot) => {
    let open: (value: object) => void = () => {};
    const body = new Promise<object>((resolve) => {
      open = resolve;
    });
    const submission = submit({ slot, graceMs: 0, onOverrun: 'abandon', run: () => body });
    await turn();
    await submission.cancel();
    open(thing());
  },
  killed: async ({ submit, thing }, slot) => {
    const task = { run: () => new Promise(() => thing()), kill: () => turn() };
    const submission = submit({ slot, graceMs: 0, meta: thing(), run: task });
    await turn();
    await submission.cancel();
  },
};

/** For each ending: the number of objects, and the share that was collected. */
async function collected(count: number): Promise<Facts> {
  const supervisor = new Supervisor();
  const known = new Map<string, number>();
  const gone = new Map<string, number>();
  const add = (map: Map<string, number>, name: string) => map.set(name, (map.get(name) ?? 0) + 1);
  const registry = new FinalizationRegistry<string>((name) => add(gone, name));
  const tracking =
    (name: string) =>
    <T extends WeakKey>(object: T): T => {
      add(known, name);
      registry.register(object, name);
      return object;
    };

  async function end(name: string, ending: (tracked: Tracked, slot: string) => unknown, i: number): Promise<void> {
    const keep = tracking(name);
    await ending(
      {
        submit: (spec) => {
          const submission = supervisor.submit({ ...spec, run: keep(spec.run) });
          void submission.outcome.then(keep);
          return keep(submission);
        },
        thing: () => keep({}),
      },
      `${name} ${i}`,
    );
  }

  for (const [name, ending] of Object.entries(ENDINGS))
    for (let done = 0; done < count; ) {
      const batch: Promise<void>[] = [];
      for (const last = Math.min(done + 500, count); done < last; done += 1) batch.push(end(name, ending, done));
      await Promise.all(batch);
    }

  // A kept handle keeps the spec. A kept outcome keeps the value. Neither keeps the run.
  const kept = await Promise.all(
    Array.from({ length: count }, async () => {
      const keep = tracking('the run of a kept handle');
      const submission = supervisor.submit({
        state: () => keep({}),
        backoff: { firstMs: 1, maxMs: 1 },
        run: (ctx: TaskContext<object>) => {
          keep(ctx);
          if (ctx.attempt === 1) throw keep(new Error('once'));
        },
      });
      await submission.outcome;
      return submission;
    }),
  );
  const outcomes = await Promise.all(
    Array.from({ length: count }, async () => {
      const keep = tracking('the submission of a kept outcome');
      const submission = keep(supervisor.submit({ run: keep(async (ctx: TaskContext) => void ctx.signal) }));
      const { outcome } = submission;
      await outcome;
      return { outcome };
    }),
  );

  await supervisor.idle();
  const sum = (map: Map<string, number>) => [...map.values()].reduce((all, one) => all + one, 0);
  for (let i = 0; i < 50 && sum(gone) < sum(known); i += 1) {
    gc();
    await sleep(10);
  }
  const shares = [...known].map(([name, all]) => [name, { all, share: (gone.get(name) ?? 0) / all }]);
  return { ...held(supervisor), kept: [kept.length, outcomes.length], endings: Object.fromEntries(shares) };
}

/** The depth of the stack in synchronous bodies that follow each other on one slot. */
async function depth(count: number): Promise<Facts> {
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  const deepest = { early: 0, late: 0 };
  let run = 0;
  const look = (): void => {
    const when = run < 100 ? 'early' : 'late';
    if (run < 100 || run % 1_000 === 0 || run > count - 100)
      deepest[when] = Math.max(deepest[when], (new Error().stack ?? '').split('\n').length);
    run += 1;
  };

  const supervisor = new Supervisor({ slotDefaults: { queueLimit: Number.POSITIVE_INFINITY } });
  const queued = count / 2;
  for (let i = 0; i < queued; i += 1) supervisor.submit({ slot: 'queue', run: look });
  await supervisor.idle();

  const again = (): void => {
    look();
    if (run < count) supervisor.submit({ slot: 'chain', run: again });
  };
  again();
  await supervisor.idle();
  return { ...held(supervisor), run, ...deepest };
}

/** Things that come and go in large numbers while one owner or one body stays. */
const COMINGS: Readonly<Record<string, (world: Lasting, times: number) => unknown>> = {
  'joined and left': async ({ supervisor }, times) => {
    for (let i = 0; i < times; i += 1)
      await supervisor.submit({ slot: 'lasting', admission: 'join', run: () => {} }).cancel();
  },
  'queued and canceled': async ({ supervisor }, times) => {
    for (let i = 0; i < times; i += 1) await supervisor.submit({ slot: 'lasting', run: () => {} }).cancel();
  },
  'queued and superseded by a newer submission': ({ supervisor }, times) => {
    for (let i = 0; i < times; i += 1)
      supervisor.submit({ slot: 'lasting', admission: 'keepLatest', deadlineMs: 60_000, run: () => {} });
  },
  'a replacement replaced while the old body does not stop': async ({ supervisor }, times) => {
    const stubborn = gate();
    supervisor.submit({ slot: 'stubborn', run: () => stubborn.promise });
    await turn();
    for (let i = 0; i < times; i += 1) supervisor.submit({ slot: 'stubborn', admission: 'replace', run: () => {} });
    stubborn.resolve();
  },
  rejected: ({ supervisor }, times) => {
    for (let i = 0; i < times; i += 1)
      supervisor.submit({ slot: 'lasting', admission: 'dropIfRunning', run: () => {} });
  },
  'attempts of one task': async ({ supervisor }, times) => {
    let attempts = 0;
    const run = () => {
      attempts += 1;
      if (attempts < times) throw new RetryError('again', { afterMs: 0 });
    };
    await supervisor.submit({ run, restartLimit: { restarts: times, withinMs: 5 } }).outcome;
  },
  'listeners of a body': ({ ctx }, times) => {
    for (let i = 0; i < times; i += 1) ctx.onCancel(() => {})();
  },
  'waits of a body': async ({ ctx }, times) => {
    for (let i = 0; i < times; i += 1) await ctx.untilCanceled(Promise.resolve(i));
    await Promise.all(Array.from({ length: times / 100 }, () => ctx.sleep(0)));
  },
  subscriptions: async ({ supervisor, signal }, times) => {
    for (let i = 0; i < times; i += 1) {
      supervisor.subscribe(() => {}, { signal })();
      await supervisor.events({ signal }).return?.();
    }
  },
  'callers of idle and drain': ({ supervisor }, times) => {
    for (let i = 0; i < times; i += 1) {
      void supervisor.idle();
      void supervisor.slot('lasting').idle();
    }
  },
  'slot handles and views': ({ supervisor }, times) => {
    for (let i = 0; i < times; i += 1) supervisor.slot(`look ${i}`).view();
  },
};

interface Lasting {
  readonly supervisor: Supervisor;
  readonly ctx: TaskContext;
  readonly signal: AbortSignal;
}

function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((yes) => {
    resolve = yes;
  });
  return { promise, resolve };
}

async function churn(count: number): Promise<Facts> {
  const supervisor = new Supervisor();
  const { signal } = new AbortController();
  const lasting = await new Promise<TaskContext>((begun) => {
    supervisor.submit({
      slot: 'lasting',
      run: (ctx) => {
        begun(ctx);
        return ctx.sleep(3_600_000);
      },
    });
  });
  const grown: Record<string, number> = {};
  for (const [name, comeAndGo] of Object.entries(COMINGS))
    grown[name] = await grownBytes(count, async (times) => {
      await comeAndGo({ supervisor, ctx: lasting, signal }, times);
      await supervisor.slot('stubborn').idle();
    });
  await supervisor.slot('lasting').cancel();
  await turn(); // the turn that the grace of its body has asked for
  return { ...held(supervisor, signal), grown };
}

/**
 * Supervisors that come and go, with subscribers, with signal handlers of `run`, and with live work
 * at the shutdown.
 */
async function supervisors(count: number): Promise<Facts> {
  const listenerCounts = () =>
    ['SIGINT', 'SIGTERM', 'exit', 'beforeExit', 'unhandledRejection', 'uncaughtException'].map((name) =>
      process.listenerCount(name),
    );
  const before = listenerCounts();
  const { signal } = new AbortController();
  const options: SupervisorOptions = { shutdownGraceMs: 0, slots: { configured: { queueLimit: 1 } } };
  let gone = 0;
  const registry = new FinalizationRegistry(() => {
    gone += 1;
  });
  const one = async (): Promise<void> => {
    const supervisor = new Supervisor(options);
    registry.register(supervisor, undefined);
    supervisor.subscribe(() => {}, { signal });
    const read = (async () => {
      for await (const _ of supervisor.events({ signal }));
    })();
    supervisor.submit({ slot: 'a', signal, run: (ctx) => ctx.sleep(60_000) });
    supervisor.submit({ slot: 'a', signal, run: () => {} });
    supervisor.slot('paused').pause();
    const running = supervisor.run([{ run: () => turn() }, { signal, run: (ctx) => ctx.sleep(60_000) }]);
    await turn();
    await supervisor.shutdown();
    await running;
    await read;
  };
  let made = 0;
  const grown = await grownBytes(count, async (times) => {
    for (let i = 0; i < times; i += 1) await one();
    made += times;
  });
  for (let i = 0; i < 50 && gone < made; i += 1) {
    gc();
    await sleep(10);
  }
  return {
    listeners: getEventListeners(signal, 'abort').length,
    processListeners: listenerCounts().map((n, i) => n - (before[i] ?? 0)),
    share: gone / made,
    grown,
    resources: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind === 'Immediate'),
  };
}

const CASES: Readonly<Record<string, (count: number) => Promise<Facts>>> = {
  waves,
  parent,
  collected,
  depth,
  churn,
  supervisors,
};

const [name = '', count = ''] = process.argv.slice(2);
const facts = await CASES[name]?.(Number(count));
console.log(JSON.stringify(facts));
