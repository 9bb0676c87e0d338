import { fileURLToPath } from 'node:url';
import * as core from 'slotvisor';
import {
  backoffDelayMs,
  ClosedError,
  eventRecord,
  killable,
  OptionError,
  OutcomeError,
  periodic,
  Supervisor,
  slotGroup,
  stopOnSignals,
} from 'slotvisor';
import * as cron from 'slotvisor/cron';
import { schedule, schedulesOf } from 'slotvisor/cron';
import * as dashboard from 'slotvisor/dashboard';
import * as fleet from 'slotvisor/fleet';
import * as health from 'slotvisor/health';
import * as log from 'slotvisor/log';
import * as nestjs from 'slotvisor/nestjs';
import * as otel from 'slotvisor/otel';
import * as postgres from 'slotvisor/postgres';
import * as prometheus from 'slotvisor/prometheus';
import * as redis from 'slotvisor/redis';
import * as subprocess from 'slotvisor/subprocess';
import * as testing from 'slotvisor/testing';
import { expectIdle, fakeContext, leaseConformance, recordEvents, seededRandom, VirtualClock } from 'slotvisor/testing';
import * as worker from 'slotvisor/worker';
import { describe, expect, test } from 'vitest';
import { running } from '../../support/running-task.ts';

/** Refused by every reader, in every place. */
const BAD = Symbol('bad') as never;
const run = () => {};
/** What JSON and the console call. */
const SHOWN = ['toJSON', String(Symbol.for('nodejs.util.inspect.custom'))];

/** The functions of a public object. */
interface Place {
  readonly make: () => unknown;
  /** How each of them is made to refuse its call. */
  readonly refusing: Readonly<Record<string, (object: never) => unknown>>;
  /** These refuse nothing. */
  readonly taking: readonly string[];
}

function place<T>(
  make: () => T,
  refusing: Readonly<Record<string, (object: Awaited<T>) => unknown>>,
  taking: readonly string[] = [],
): Place {
  return { make, refusing, taking };
}

const scheduled = () => schedule(new Supervisor({ clock: new VirtualClock() }), { everyMs: 1_000, task: { run } });

const PLACES: Readonly<Record<string, Place>> = {
  slotvisor: place(
    () => core,
    {
      Supervisor: () => new Supervisor(BAD),
      backoffDelayMs: () => backoffDelayMs(BAD, 0),
      eventRecord: () => eventRecord(BAD, BAD),
      killable: () => killable(BAD),
      periodic: () => periodic(BAD, run),
      slotGroup: () => slotGroup(BAD),
      stopOnSignals: () => stopOnSignals(BAD),
    },
    ['eventText', 'once', 'restartable'],
  ),
  'slotvisor/cron': place(() => cron, { schedule: () => schedule(BAD, BAD), schedulesOf: () => schedulesOf(BAD) }),
  'slotvisor/prometheus': place(() => prometheus, { prometheus: () => prometheus.prometheus(BAD) }),
  'slotvisor/health': place(() => health, { health: () => health.health(BAD) }),
  'slotvisor/dashboard': place(() => dashboard, { dashboard: () => dashboard.dashboard(BAD) }),
  'slotvisor/otel': place(
    () => otel,
    { attemptOf: () => otel.attemptOf(BAD), detached: () => otel.detached(BAD), otel: () => otel.otel(BAD) },
    ['slotSpanProcessor'],
  ),
  'slotvisor/log': place(() => log, {
    consoleWriter: () => log.consoleWriter(BAD),
    logTo: () => log.logTo(BAD, BAD),
  }),
  'slotvisor/nestjs': place(() => nestjs, {
    OnTaskEvent: () => nestjs.OnTaskEvent(BAD),
    Scheduled: () => nestjs.Scheduled(BAD),
    SlotvisorHealthIndicator: () => new nestjs.SlotvisorHealthIndicator(BAD),
    SlotvisorModule: () => nestjs.SlotvisorModule.forRoot(BAD),
    Supervised: () => nestjs.Supervised(BAD),
  }),
  'slotvisor/fleet': place(
    () => fleet,
    { fleetClaims: () => fleet.fleetClaims(BAD), fleetLeases: () => fleet.fleetLeases(BAD) },
    ['Gather'],
  ),
  // The supervisor calls `acquire`, `close` and `open`.
  FleetLeases: place(
    () => fleet.fleetLeases(new Proxy({} as never, { get: () => () => {} })),
    { look: (to) => to.look({ limit: BAD }) },
    ['acquire', 'close', 'open', 'stats'],
  ),
  'slotvisor/postgres': place(() => postgres, {
    assertOwned: () => postgres.assertOwned(BAD, BAD),
    migrate: () => postgres.migrate(BAD),
    postgresClaims: () => postgres.postgresClaims(BAD),
    postgresLeases: () => postgres.postgresLeases(BAD),
  }),
  'slotvisor/redis': place(() => redis, {
    redisClaims: () => redis.redisClaims(BAD),
    redisLeases: () => redis.redisLeases(BAD),
  }),
  'slotvisor/worker': place(() => worker, { workerTask: () => worker.workerTask(BAD) }),
  'slotvisor/subprocess': place(() => subprocess, { subprocessTask: () => subprocess.subprocessTask(BAD) }),
  'slotvisor/testing': place(() => testing, {
    VirtualClock: () => new VirtualClock(BAD),
    expectIdle: () => expectIdle(BAD),
    fakeContext: () => fakeContext(BAD),
    leaseConformance: () => leaseConformance(BAD),
    recordEvents: () => recordEvents(BAD),
    seededRandom: () => seededRandom(BAD),
  }),
  Supervisor: place(
    () => new Supervisor(),
    {
      check: (to) => to.check(BAD),
      configure: (to) => to.configure(BAD),
      events: (to) => to.events(BAD),
      instrument: (to) => to.instrument(BAD),
      run: (to) => to.run(BAD),
      shutdown: (to) => to.shutdown(BAD),
      slot: (to) => to.slot(BAD),
      slots: (to) => to.slots(BAD),
      submit: (to) => to.submit(BAD),
      submitAll: (to) => to.submitAll(BAD),
      subscribe: (to) => to.subscribe(BAD),
    },
    [
      'cancel',
      'get',
      'idle',
      'pause',
      'restart',
      'resume',
      'snapshot',
      'stats',
      'tasks',
      'vitalSlots',
      ...SHOWN,
      String(Symbol.asyncDispose),
    ],
  ),
  Slot: place(
    () => new Supervisor().slot('s'),
    {
      configure: (slot) => slot.configure(BAD),
      pause: () => new Supervisor({ limits: { slots: 0 } }).slot('s').pause(),
      submit: (slot) => slot.submit(BAD),
      view: (slot) => slot.view(BAD),
    },
    ['cancel', 'explain', 'idle', 'resume', ...SHOWN],
  ),
  Submission: place(
    () => new Supervisor().submit({ run: () => Promise.reject(new Error('no')), restart: 'never' }),
    { value: (submission) => submission.value() },
    ['cancel', 'restart', ...SHOWN],
  ),
  TaskContext: place(
    async () => (await running()).ctx,
    { onCancel: (ctx) => ctx.onCancel(BAD), sleep: (ctx) => ctx.sleep(BAD) },
    ['ensureOwned', 'heartbeat', 'throwIfCanceled', 'untilCanceled'],
  ),
  Schedule: place(scheduled, { next: (made) => made.next(BAD), update: (made) => made.update(BAD), trigger: ended }, [
    'end',
    'onDue',
    'onSetBack',
    'pause',
    'previous',
    'resume',
    'stop',
    ...SHOWN,
    String(Symbol.asyncDispose),
  ]),
  VirtualClock: place(
    () => new VirtualClock(),
    {
      advance: (clock) => clock.advance(BAD),
      block: (clock) => clock.block(BAD),
      setTimer: (clock) => clock.setTimer(BAD, run),
      setWall: (clock) => clock.setWall(BAD),
    },
    ['next', 'now', 'settle', 'wallNow'],
  ),
  EventRecorder: place(
    () => recordEvents(new Supervisor()),
    { of: (recorded) => recorded.of(BAD), until: (recorded) => recorded.until(BAD) },
    ['clear', 'stop', 'types'],
  ),
};

function ended(made: cron.Schedule) {
  void made.stop();
  return made.trigger();
}

/** The names of all functions of an object: its own and those of its class. */
function functionsOf(object: object): string[] {
  const prototype: object = Object.getPrototypeOf(object) ?? {};
  const names = [...Reflect.ownKeys(object), ...(prototype === Object.prototype ? [] : Reflect.ownKeys(prototype))];
  return names
    .filter((name) => {
      const value: unknown = Reflect.get(object, name);
      const isError = typeof value === 'function' && value.prototype instanceof Error;
      return typeof value === 'function' && name !== 'constructor' && !isError;
    })
    .map(String);
}

/** What a call throws, or rejects with. */
async function refusalOf(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it refused nothing');
}

/** Without those of Node itself, which resumes what awaits a promise. */
const framesOf = (error: Error) =>
  (error.stack ?? '').split('\n').filter((line) => /^ +at /.test(line) && !line.includes('(node:'));
const HERE = fileURLToPath(import.meta.url);

describe.each(Object.entries(PLACES))('of %s', (_, { make, refusing, taking }) => {
  test('every function is known to this test', async () => {
    const names = functionsOf((await make()) as object);
    expect(names.sort()).toEqual([...Object.keys(refusing), ...taking].sort());
  });

  for (const [name, call] of Object.entries(refusing))
    test(`the stack of a refusal by ${name} begins at its caller`, async () => {
      const object = (await make()) as never;
      const error = await refusalOf(() => call(object));
      const isOfLibrary = [OptionError, ClosedError, OutcomeError].some((type) => error instanceof type);
      expect(isOfLibrary, String(error)).toBe(true);
      expect(framesOf(error)[0], error.stack).toContain(HERE);
      expect(error.stack).toMatch(new RegExp(`^${error.name}: `));
    });
});

test('the stack of the OutcomeError of a batch that run turns away begins at the caller of run', async () => {
  const specs = [{ run }, { slot: 's', run }, { slot: 's', admission: 'dropIfRunning', run }] as const;
  const error = await refusalOf(() => new Supervisor().run(specs));
  expect(error).toMatchObject({ name: 'OutcomeError', message: 's: rejected: slotBusy' });
  expect(framesOf(error)[0], error.stack).toContain(HERE);
});

test('a refusal after the shutdown begins at the caller of submit', async () => {
  const supervisor = new Supervisor();
  await supervisor.shutdown();
  for (const call of [
    () => supervisor.submit({ run }),
    () => supervisor.submitAll([{ run }]),
    () => supervisor.check({ run }),
    () => supervisor.run([{ run }]),
    () => supervisor.slot('s').submit({ run }),
  ]) {
    const error = await refusalOf(call);
    expect(error).toBeInstanceOf(ClosedError);
    expect(framesOf(error)[0], error.stack).toContain(HERE);
  }
});

test('a refusal deep in the options begins at the caller too', async () => {
  const supervisor = new Supervisor();
  const task = { run, backoff: { firstMs: -1 } };
  const pool = { connect: () => Promise.reject(new Error('no server')) };
  for (const call of [
    () => new Supervisor({ defaults: { backoff: { jitter: BAD } } }),
    () => new Supervisor({ leases: { acquire: () => null, ttlMs: BAD } as never }),
    () => supervisor.submitAll([{ run }, task]),
    () => schedule(supervisor, { everyMs: 1_000, task }),
    () => schedule(supervisor, { cron: '* * *', task: { run } }),
    () => scheduled().update({ task }),
    () => nestjs.SlotvisorModule.forRootAsync({} as never),
    () => nestjs.Supervised()({}, 'x', {}),
    () => postgres.postgresLeases(pool, { ttlMs: 5 }),
    () => postgres.postgresLeases({ ...pool, options: { max: 1 } } as never),
    () => postgres.assertOwned({ query: async () => {} }, { slot: 's', fence: BAD }),
    () => redis.redisClaims(BAD, { prefix: 'mine' }),
    () => redis.redisLeases(BAD, { prefix: '{' }),
  ]) {
    const error = await refusalOf(call);
    expect(error).toBeInstanceOf(OptionError);
    expect(framesOf(error)[0], error.stack).toContain(HERE);
  }
});

test('the stack begins in a subclass, if that called the constructor or the method', async () => {
  class Own extends Supervisor {
    override submit(): never {
      return super.submit(BAD) as never;
    }
  }
  class Wrong extends Supervisor {
    constructor() {
      super(BAD);
    }
  }
  const own = await refusalOf(() => new Own().submit());
  const wrong = await refusalOf(() => new Wrong());
  for (const error of [own, wrong]) expect(framesOf(error)[0], error.stack).toContain(HERE);
});

test('a frozen error that a getter throws is passed on', async () => {
  const frozen = Object.freeze(new OptionError('mine', 'must be mine', 5));
  const spec = {
    get run(): never {
      throw frozen;
    },
  };
  expect(await refusalOf(() => new Supervisor().submit(spec))).toBe(frozen);
});
