// slotvisor and its peers, each in its best idiom, behind one small interface for each kind of
// work. `lacks` names what a peer does not do in that work. It is no full list: src/COMING-FROM.md
// says what each of them has, and has not.

import AsyncLock from 'async-lock';
import { Mutex } from 'async-mutex';
import Bottleneck from 'bottleneck';
import { Effect, Exit, type Fiber, FiberMap, PartitionedSemaphore, Scope } from 'effect';
import fastq from 'fastq';
import pLimit, { type LimitFunction } from 'p-limit';
import PQueue from 'p-queue';
import { concatMap, exhaustMap, Observable, Subject, switchMap } from 'rxjs';
import { type AdmissionPolicy, Supervisor, type SupervisorOptions } from 'slotvisor';
import type { AsyncBody, StoppableBody } from './floors.ts';

/** Runs a body for a key. The promise is the outcome of this submission. */
export interface Runner {
  run(key: string, body: AsyncBody): Promise<unknown>;
  end?(): unknown;
}

/** The same for a body that can be asked to stop. */
export interface Replacer {
  replace(key: string, body: StoppableBody): Promise<unknown>;
  end?(): unknown;
}

export interface Peer<Made> {
  readonly name: string;
  readonly lacks?: string;
  /**
   * For a peer so slow that the scenario's number would take minutes. Its cost does not depend on
   * the number.
   */
  readonly operations?: number;
  make(): Made;
}

export function newSupervisor(options: SupervisorOptions = {}): Supervisor {
  return new Supervisor({ slotDefaults: { queueLimit: Infinity }, ...options });
}

/** slotvisor as a `Runner`. */
export function withAdmission(admission: AdmissionPolicy, options: SupervisorOptions = {}): Peer<Runner> {
  return {
    name: 'slotvisor',
    make() {
      const supervisor = newSupervisor(options);
      return { run: (slot, run) => supervisor.submit({ slot, admission, run }).outcome };
    },
  };
}

/**
 * For a library that serves one key: a `Map` with one instance for each key, made when the key is
 * first used.
 */
function perKey<One>(make: () => One): (key: string) => One {
  const all = new Map<string, One>();
  return (key) => {
    let one = all.get(key);
    if (one === undefined) {
      one = make();
      all.set(key, one);
    }
    return one;
  };
}

const settleExit = <A, E>(fiber: Fiber.Fiber<A, E>): Promise<Exit.Exit<A, E>> =>
  new Promise((resolve) => {
    fiber.addObserver(resolve);
  });

/** A fiber map, used from outside of Effect as a backend's handlers would use it. */
function fiberMap() {
  const scope = Effect.runSync(Scope.make());
  const run = Effect.runSync(Scope.provide(FiberMap.makeRuntime<never, string>(), scope));
  return { run, end: () => Effect.runPromise(Scope.close(scope, Exit.void)) };
}

export const pQueue: Peer<Runner> = {
  name: 'p-queue',
  lacks: 'idle keys stay; an abort frees the place before the body has ended',
  make() {
    const queueOf = perKey(() => new PQueue({ concurrency: 1 }));
    return { run: (key, body) => queueOf(key).add(body) };
  },
};

export const asyncMutex: Peer<Runner> = {
  name: 'async-mutex',
  lacks: 'idle keys stay; a waiting submission cannot be canceled alone',
  make() {
    const mutexOf = perKey(() => new Mutex());
    return { run: (key, body) => mutexOf(key).runExclusive(body) };
  },
};

export const asyncLock: Peer<Runner> = {
  name: 'async-lock',
  lacks: 'a waiting submission cannot be canceled alone; its timeout lets two bodies overlap',
  make() {
    const lock = new AsyncLock({ maxPending: Infinity });
    return { run: (key, body) => lock.acquire(key, body) };
  },
};

export const fiberMapRun: Peer<Runner> = {
  name: 'effect FiberMap',
  lacks: 'no queue: a second submission for a key interrupts the first',
  make() {
    const { run, end } = fiberMap();
    return { run: (key, body) => settleExit(run(key, Effect.promise(body))), end };
  },
};

/** Queueing: one at a time for a key, first in, first out. */
export const queues: readonly Peer<Runner>[] = [
  pQueue,
  {
    name: 'p-limit',
    lacks: 'idle keys stay; a waiting submission cannot be canceled alone',
    make() {
      const limitOf = perKey<LimitFunction>(() => pLimit(1));
      return { run: (key, body) => limitOf(key)(body) };
    },
  },
  {
    name: 'fastq',
    lacks: 'idle keys stay; a waiting submission cannot be canceled alone',
    make() {
      const queueOf = perKey(() => fastq.promise<unknown, AsyncBody, void>((body) => body(), 1));
      return { run: (key, body) => queueOf(key).push(body) };
    },
  },
  asyncMutex,
  asyncLock,
  {
    name: 'bottleneck',
    lacks:
      'a waiting submission cannot be canceled alone; its expiration lets two bodies overlap; a timer for each body',
    operations: 100,
    make() {
      const group = new Bottleneck.Group({ maxConcurrent: 1 });
      return { run: (key, body) => group.key(key).schedule(body), end: () => group.disconnect() };
    },
  },
  {
    name: 'rxjs concatMap',
    lacks: 'idle keys stay; a waiting submission cannot be canceled; the outcome is wired by hand',
    make() {
      const subjectOf = perKey(() => {
        const jobs = new Subject<Job>();
        jobs.pipe(concatMap((job) => job.body().then(job.resolve, job.reject))).subscribe();
        return jobs;
      });
      return { run: (key, body) => new Promise((resolve, reject) => subjectOf(key).next({ body, resolve, reject })) };
    },
  },
  {
    // Semaphore does the same, but walks over all that it has served already: minutes for this
    // queue.
    name: 'effect PartitionedSemaphore',
    lacks: 'idle keys stay; the outcome is a thrown error or a value',
    make() {
      const semaphoreOf = perKey(() => PartitionedSemaphore.makeUnsafe<string>({ permits: 1 }));
      return {
        run: (key, body) => Effect.runPromise(semaphoreOf(key).withPermit(key)(Effect.promise(body))),
      };
    },
  },
];

export function queueNamed(name: string): Peer<Runner> {
  const found = queues.find((peer) => peer.name === name);
  if (found === undefined) throw new Error(`no peer is called ${name}`);
  return found;
}

interface Job {
  readonly body: AsyncBody;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** At most eight at a time over all keys, which are served in turn. */
export const partitionedPool: Peer<Runner> = {
  name: 'effect PartitionedSemaphore of 8',
  lacks: 'no slots: two bodies of one key overlap',
  make() {
    const semaphore = PartitionedSemaphore.makeUnsafe<string>({ permits: 8 });
    return { run: (key, body) => Effect.runPromise(semaphore.withPermit(key)(Effect.promise(body))) };
  },
};

/** Dropping: rejected while the key is busy. */
export const droppers: readonly Peer<Runner>[] = [
  withAdmission('dropIfRunning'),
  {
    name: 'async-mutex isLocked',
    lacks: 'asking and taking are two calls',
    make() {
      const mutexOf = perKey(() => new Mutex());
      return {
        run(key, body) {
          const mutex = mutexOf(key);
          return mutex.isLocked() ? Promise.resolve() : mutex.runExclusive(body);
        },
      };
    },
  },
  {
    name: 'async-lock isBusy',
    lacks: 'asking and taking are two calls',
    make() {
      const lock = new AsyncLock();
      return { run: (key, body) => (lock.isBusy(key) ? Promise.resolve() : lock.acquire(key, body)) };
    },
  },
  {
    name: 'rxjs exhaustMap',
    lacks: 'no outcome for a dropped submission; a resolved promise stands in',
    make() {
      const subjectOf = perKey(() => {
        const bodies = new Subject<AsyncBody>();
        bodies.pipe(exhaustMap((body) => body())).subscribe();
        return bodies;
      });
      const resolved = Promise.resolve();
      return {
        run(key, body) {
          subjectOf(key).next(body);
          return resolved;
        },
      };
    },
  },
  {
    name: 'effect FiberMap onlyIfMissing',
    lacks: 'a dropped submission looks like an interrupted one',
    make() {
      const { run, end } = fiberMap();
      return { run: (key, body) => settleExit(run(key, Effect.promise(body), { onlyIfMissing: true })), end };
    },
  },
];

function ignore(): void {}

/** Replacing: the newest submission wins, and the owner is asked to stop. */
export const replacers: readonly Peer<Replacer>[] = [
  {
    name: 'slotvisor',
    make() {
      const supervisor = newSupervisor();
      return {
        replace: (slot, body) =>
          supervisor.submit({ slot, admission: 'replace', run: (ctx) => body((stop) => ctx.onCancel(stop)) }).outcome,
        end: () => supervisor.shutdown(),
      };
    },
  },
  {
    name: 'effect FiberMap',
    lacks: 'no hand-over: the new body starts before the old one has ended',
    make() {
      const { run, end } = fiberMap();
      return {
        replace(key, body) {
          const effect = Effect.callback<void>((resume) => {
            let stop = ignore;
            void body((asked) => {
              stop = asked;
            }).then(() => resume(Effect.void));
            return Effect.sync(() => stop());
          });
          return settleExit(run(key, effect));
        },
        end,
      };
    },
  },
  {
    name: 'rxjs switchMap',
    lacks: 'no hand-over: two bodies overlap; the outcome is wired by hand; idle keys stay',
    make() {
      const subjectOf = perKey(() => {
        const jobs = new Subject<StoppableJob>();
        jobs.pipe(switchMap(stoppable)).subscribe();
        return jobs;
      });
      return { replace: (key, body) => new Promise((resolve) => subjectOf(key).next({ body, resolve })) };
    },
  },
];

interface StoppableJob {
  readonly body: StoppableBody;
  readonly resolve: (value: unknown) => void;
}

function stoppable({ body, resolve }: StoppableJob): Observable<void> {
  return new Observable((subscriber) => {
    let stop = ignore;
    const ended = body((asked) => {
      stop = asked;
    });
    void ended.then(() => {
      resolve(undefined);
      subscriber.complete();
    });
    return () => stop();
  });
}

/**
 * One of each contestant, with a live body and waiting work, for the life of the process, as in a
 * backend. Each round ends with a garbage collection. Without a live instance, V8 would drop the
 * shapes of the objects, and with them the compiled code.
 */
export function standBy(): readonly unknown[] {
  const forever = () => new Promise<void>(() => {});
  const untilTold: StoppableBody = (onStop) => {
    onStop(() => {});
    return forever();
  };
  const policies = (['queue', 'keepLatest', 'join', 'replace'] as const).map((policy) => withAdmission(policy));
  const gated = withAdmission('queue', { concurrency: 8 });
  const runners = [...queues, ...droppers, asyncLock, fiberMapRun, partitionedPool, gated, ...policies].map(
    ({ make }) => {
      const one = make();
      for (const body of [forever, forever, forever]) void one.run('standing by', body);
      return one;
    },
  );
  const replacing = replacers.map(({ make }) => {
    const one = make();
    for (const body of [untilTold, untilTold]) void one.replace('standing by', body);
    return one;
  });
  const supervisor = newSupervisor();
  supervisor.submit({
    slot: 'standing by',
    run: (ctx) => ctx.untilCanceled(new Promise((_, no) => ctx.signal.addEventListener('abort', no))),
  });
  return [...runners, ...replacing, supervisor];
}
