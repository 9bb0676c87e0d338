// Claims about the public types. Nothing here runs: a compiler that accepts this file has checked
// it. `npm test` compiles it against the source. `npm run test:package` compiles it against the
// packed declarations, with each TypeScript version that is supported.

import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { DynamicModule } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { Pool, PoolClient } from 'pg';
import type { createClient } from 'redis';
import {
  type DeliveredEvent,
  type EventOf,
  type Failure,
  type KillableTask,
  killable,
  type Outcome,
  once,
  periodic,
  type RunReport,
  restartable,
  type SlotLeases,
  type Submission,
  type Submissions,
  Supervisor,
  stopOnSignals,
  type TaskBody,
  type TaskContext,
  type TaskDefaults,
  type TaskEvent,
  type TaskEventBase,
  type TaskEventType,
  type TaskId,
  type TaskSpec,
} from 'slotvisor';
import {
  type DateClaims,
  type ElsewhereRun,
  type Schedule,
  type ScheduledTask,
  type ScheduleOptions,
  type ScheduleRun,
  type ScheduleTotals,
  type ScheduleUpdate,
  type ScheduleWhen,
  schedule,
  schedulesOf,
} from 'slotvisor/cron';
import {
  type ActionKind,
  type Dashboard,
  type DashboardAction,
  type DashboardOptions,
  type DashboardServer,
  dashboard,
} from 'slotvisor/dashboard';
import {
  type AskAnswer,
  type AskMode,
  type ClaimStore,
  FLEET_DEFAULTS,
  type FleetLeases,
  type FleetLook,
  type FleetOperation,
  type FleetOptions,
  type FleetProcess,
  type FleetSlot,
  type FleetStats,
  fleetClaims,
  fleetLeases,
  Gather,
  type LeaseNews,
  type LeaseStore,
  type LookAsk,
  type LookOptions,
} from 'slotvisor/fleet';
import {
  type HealthCheck,
  type HealthOptions,
  type HealthReport,
  type HealthRequest,
  type HealthResponse,
  health,
} from 'slotvisor/health';
import { consoleWriter, type Logger, logTo } from 'slotvisor/log';
import {
  OnTaskEvent,
  Scheduled,
  SlotvisorHealthIndicator,
  type SlotvisorHealthResult,
  SlotvisorModule,
  type SlotvisorModuleAsyncOptions,
  Supervised,
} from 'slotvisor/nestjs';
import { type AttemptIdentity, type attemptOf, detached, otel, slotSpanProcessor } from 'slotvisor/otel';
import {
  assertOwned,
  migrate,
  type Owned,
  type PgPool,
  type PostgresOptions,
  postgresClaims,
  postgresLeases,
} from 'slotvisor/postgres';
import { type PrometheusOptions, prometheus } from 'slotvisor/prometheus';
import { type RedisClient, type RedisOptions, redisClaims, redisLeases } from 'slotvisor/redis';
import { type SubprocessResult, subprocessTask } from 'slotvisor/subprocess';
import { expectIdle, type FakeStopCause, fakeContext, recordEvents, VirtualClock } from 'slotvisor/testing';
import { type WorkerContext, workerTask } from 'slotvisor/worker';

type Equal<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;

/** Compiles only if `Claim` is true. */
declare function claim<Claim extends true>(what: string, ...proof: unknown[]): Claim;

interface Counter {
  count: number;
}
declare const supervisor: Supervisor;
declare const counter: () => Counter;
declare function log(ctx: TaskContext): Promise<string>;
declare function add(ctx: TaskContext<Counter>): number;

export function helpers() {
  // A helper that takes a `TaskContext` accepts every task.
  const byBody = supervisor.submit({ state: counter, run: (ctx) => log(ctx) });
  const asBody = supervisor.submit({ state: counter, run: log });
  const without = supervisor.submit({ run: log });
  const built = supervisor.submit(once(log, { state: counter }));
  claim<Equal<typeof byBody, Submission<string>>>('called by the body of a task with state');
  claim<Equal<typeof asBody, Submission<string>>>('as the body of a task with state');
  claim<Equal<typeof without, Submission<string>>>('as the body of a task without state');
  claim<Equal<typeof built, Submission<string>>>('as the body of a builder');
  claim<Equal<TaskContext['state'], unknown>>('knows nothing of the state');
  claim<Equal<Parameters<TaskBody>, [ctx: TaskContext]>>('TaskBody takes such a context');

  const thread: KillableTask<number> = workerTask<number>('/job.js');
  const own = killable((ctx) => ({ ended: log(ctx), stop: () => {}, kill: () => {} }));
  const killed = supervisor.submit({ state: counter, run: thread });
  const killedToo = supervisor.submit({ state: counter, run: own });
  claim<Equal<typeof killed, Submission<number>>>('a worker takes every state');
  claim<Equal<typeof killedToo, Submission<string>>>('a killable task takes every state');

  const dated = killable((ctx, due: Date) => ({ ended: log(ctx).then(() => due), stop: () => {}, kill: () => {} }));
  claim<Equal<typeof own, KillableTask<string, unknown>>>('without further arguments');
  claim<Equal<typeof dated, KillableTask<Date, unknown, [due: Date]>>>('a killable task with the date of its run');
  // @ts-expect-error a supervisor gives no date
  supervisor.submit({ run: dated });

  // @ts-expect-error the state of a helper with a state of its own is needed
  const wrong = (ctx: TaskContext) => add(ctx);
  return wrong;
}

export function state() {
  const inferred = supervisor.submit({ state: () => ({ count: 1 }), run: (ctx) => ctx.state.count });
  const inSlot = supervisor.slot('s').submit({ state: counter, run: add });
  const none = supervisor.submit({ run: (ctx) => ctx.state });
  claim<Equal<typeof inferred, Submission<number>>>('ctx.state is what state returns');
  claim<Equal<typeof inSlot, Submission<number>>>('in a slot too');
  claim<Equal<typeof none, Submission<undefined>>>('without state it is undefined');

  const spec: TaskSpec<number, Counter> = { state: counter, run: add };
  const maybe: TaskSpec<number, Counter | undefined> = { run: (ctx) => ctx.state?.count ?? 0 };
  const specs: TaskSpec[] = [once(log), restartable(log), periodic(1_000, log), { run: log }, once(() => 1)];
  claim<Equal<TaskSpec<number, Counter>['state'], () => Counter>>('it must be given', spec, maybe, specs);
  const generic = <T, S>(given: TaskSpec<T, S>): Submission<T> => supervisor.submit(given);
  const passed = generic({ state: counter, run: (ctx) => ctx.state.count });
  claim<Equal<typeof passed, Submission<number>>>('a function of your own passes a spec on');

  // @ts-expect-error ctx.state would be undefined
  supervisor.submit({ run: add });
  // @ts-expect-error in a slot too
  supervisor.slot('s').submit({ run: add });
  // @ts-expect-error for `check` too
  supervisor.check({ run: add });
  // @ts-expect-error for a killable task too
  supervisor.submit({ run: { run: add, kill: () => {} } });
  // @ts-expect-error a spec by its type
  const unmade: TaskSpec<number, Counter> = { run: add };
  // @ts-expect-error the state of a builder stands in its second argument
  once(add);
  // @ts-expect-error the same with options
  restartable(add, { slot: 's' });
  // @ts-expect-error the same with a period
  periodic(1_000, add);
  // @ts-expect-error a scheduled task
  schedule(supervisor, { everyMs: 1_000, task: { run: add } });
  // @ts-expect-error a state of another type
  supervisor.submit({ state: () => 'text', run: add });
  // @ts-expect-error the defaults of a supervisor have no state
  const defaults: TaskDefaults = { state: counter };
  return [unmade, defaults];
}

export function batches() {
  const all = supervisor.submitAll([
    { run: () => 1 },
    { slot: 's', state: counter, run: async (ctx) => `${ctx.state.count}` },
    { state: () => ['a'], run: { run: (ctx) => ctx.state, kill: (ctx) => void ctx.state.length } },
    { run: (ctx) => ctx.state },
    { state: counter, run: log },
    once(() => true),
    once(add, { state: counter }),
  ]);
  type All = readonly [
    Submission<number>,
    Submission<string>,
    Submission<string[]>,
    Submission<unknown>,
    Submission<string>,
    Submission<boolean>,
    Submission<number>,
  ];
  claim<Equal<Submissions<readonly [TaskSpec<number>]>, readonly [Submission<number>]>>('one for each spec');
  claim<Equal<typeof all, All>>('each result has its type, each body the state of its spec');

  const many = supervisor.submitAll(['a', 'b'].map((slot) => ({ slot, run: () => slot.length })));
  const specs: readonly TaskSpec<number>[] = [];
  const listed = supervisor.submitAll(specs);
  claim<Equal<typeof many, readonly Submission<number>[]>>('a list of any length');
  claim<Equal<typeof listed, readonly Submission<number>[]>>('a list by its type');

  // @ts-expect-error no such option
  supervisor.submitAll([{ run: () => 1 }, { run: () => 1, timeout: 5 }]);
  // @ts-expect-error a number of ms
  supervisor.submitAll([{ run: () => 1, timeoutMs: '5s' }]);
  // @ts-expect-error no such policy
  supervisor.submitAll([{ run: () => 1, admission: 'drop' }]);
  // @ts-expect-error no body
  supervisor.submitAll([{ slot: 's' }]);
  // @ts-expect-error no such field of the state
  supervisor.submitAll([{ state: counter, run: (ctx) => ctx.state.sum }]);
  // @ts-expect-error a body that needs a state
  supervisor.submitAll([{ run: add }]);
  // @ts-expect-error not a list
  supervisor.submitAll({ run: () => 1 });
}

/** Functions of a user over specs that they do not know. */
export function generic<T, S>(spec: TaskSpec<T, S>, specs: readonly TaskSpec<T, S>[], state: () => S) {
  const run: TaskBody<T, S> = () => spec.run as T;
  const named: TaskSpec<T, S> = { ...spec, name: 'n', vital: true };
  const made: TaskSpec<T, S> = { state, run };
  const one: Submission<T> = supervisor.submit(made);
  const built = [once(run, { state }), restartable(run, { state }), periodic(1, run, { state })];
  const all = supervisor.submitAll([named, made]);
  void supervisor.run([{ state, run }]);
  void supervisor.run(specs);
  return [one, built, all, supervisor.submitAll(specs), supervisor.submitAll([{ state, run }])];
}

export function runs() {
  const report = supervisor.run([{ run: () => 1 }, { state: counter, run: (ctx) => ctx.state.count }], {
    signals: false,
  });
  claim<Equal<typeof report, Promise<RunReport>>>('the state of each spec is inferred');
  claim<Equal<RunReport['outcomes'], readonly Outcome[]>>('its outcomes come in the order of the specs');
  void supervisor.run([once(log), workerTaskSpec]);

  // @ts-expect-error no such option
  void supervisor.run([{ run: () => 1, retries: 5 }]);
  // @ts-expect-error no such field of the state
  void supervisor.run([{ state: counter, run: (ctx) => ctx.state.sum }]);
  // @ts-expect-error a body that needs a state
  void supervisor.run([{ run: add }]);
}

const workerTaskSpec = { run: workerTask('/job.js'), slot: 's' };

export function entryPoints() {
  const reports: Schedule<number> = schedule(supervisor, {
    cron: '* * * * *',
    task: { state: counter, run: (ctx, due) => ctx.state.count + due.getTime() },
  });
  const task: ScheduledTask = { run: log };
  const output = supervisor.submit({ state: counter, run: subprocessTask('date') });
  const threads: Schedule<number> = schedule(supervisor, { everyMs: 1, task: { run: workerTask<number>('/job.js') } });
  const processes: Schedule<SubprocessResult> = schedule(supervisor, {
    everyMs: 1,
    task: {
      run: subprocessTask('date', (ctx) => [`${ctx.due?.toISOString()}`, `${ctx.fence}`], {
        env: ({ attempt }) => ({ ATTEMPT: `${attempt}` }),
      }),
    },
  });
  const dated = killable((ctx, due: Date) => ({ ended: log(ctx).then(() => due), stop: () => {}, kill: () => {} }));
  const dates: Schedule<Date> = schedule(supervisor, { everyMs: 1, task: { run: dated } });
  claim<Equal<WorkerContext['due'], Date | undefined>>('a scheduled body knows its date', threads, processes, dates);
  const clocked = new Supervisor({ clock: new VirtualClock(), defaults: { maxRetries: 1 } });
  const { events } = recordEvents(clocked);
  claim<Equal<Awaited<ReturnType<typeof output.value>>['stdout'], string>>('a process', reports, task, events);
}

export function tests(body: (ctx: TaskContext) => Promise<void>, by: FakeStopCause) {
  const { ctx, cancel, heartbeats } = fakeContext({ attempt: 2, state: new Map<string, number>(), fence: 3n });
  claim<Equal<typeof ctx.state, Map<string, number>>>('a fake context has the type of its state', heartbeats());
  claim<Equal<ReturnType<typeof expectIdle>, Promise<void>>>(
    'what is left',
    body(ctx),
    cancel('why', by),
    expectIdle(supervisor),
  );
  const { ctx: plain } = fakeContext();
  claim<Equal<typeof plain, TaskContext<undefined>>>('without a state there is none');
  // @ts-expect-error a body throws that itself
  void cancel(undefined, 'task');
  // @ts-expect-error an attempt is a number
  fakeContext({ attempt: '2' });
}

export function metrics() {
  const options: PrometheusOptions = {
    name: 'n',
    group: (slot) => slot,
    buckets: [1, 2],
    slots: ['s'],
    prefix: undefined,
  };
  const end = prometheus(supervisor, options);
  claim<Equal<typeof end, () => void>>('metrics end by a function');
  // @ts-expect-error a group is a text
  prometheus(supervisor, { group: () => 5 });
  // @ts-expect-error a registry of prom-client
  prometheus(supervisor, { register: {} });
}

export function probes(request: HealthRequest, response: HealthResponse) {
  const options: HealthOptions = { rules: { s: { overrunMs: 5, live: undefined } }, maxDelayMs: undefined };
  const { live, ready, notReady, listener } = health(supervisor, options);
  health({ api: supervisor, jobs: supervisor });
  stopOnSignals(supervisor, { before: notReady });
  createServer((req, res) => void listener(req, res)).on('request', listener);
  createHttp2Server((req, res) => void listener(req, res));
  claim<Equal<ReturnType<typeof ready>, HealthReport>>('ready() reports', live, request, response);
  claim<Equal<HealthReport['status'], 'pass' | 'warn' | 'fail'>>('a report has one of three statuses');
  claim<Equal<HealthReport['checks'][string], HealthCheck>>('a check has one of three statuses, too');
  // @ts-expect-error a rule that does not exist
  health(supervisor, { rules: { s: { critical: true } } });
  // @ts-expect-error an array has no names
  health([supervisor]);
}

export async function boards(leases: FleetLeases, request: Request) {
  const options: DashboardOptions = {
    title: 'orders',
    schedules: schedulesOf,
    fleet: leases,
    authorize: async (asked: Request, action: DashboardAction) =>
      asked.headers.has('cookie') && (action.kind === 'view' || action.slot !== 'payments'),
    actions: true,
    hosts: ['slots.example'],
    history: { events: 100 },
  };
  const board: Dashboard = dashboard({ api: supervisor, jobs: supervisor }, options);
  const { fetch, listener, serve, close } = dashboard(supervisor);
  createServer(listener).on('request', (req, res) => listener(req, res));
  createHttp2Server(listener);
  claim<Equal<ReturnType<typeof fetch>, Promise<Response>>>('it answers requests', board.fetch(request), close);
  await using server = await serve({ port: 0, host: '::1' });
  claim<Equal<typeof server, DashboardServer>>('serve resolves with its server', server.url);
  claim<Equal<DashboardAction['kind'], 'view' | ActionKind>>('an action is a look, or one of five');
  claim<Equal<ActionKind, 'cancel' | 'restart' | 'pause' | 'resume' | 'trigger'>>('there are five actions');
  // @ts-expect-error authorize says true or false
  dashboard(supervisor, { authorize: () => 'yes' });
  // @ts-expect-error an array has no names
  dashboard([supervisor]);
}

export function spans() {
  const byMode = otel(supervisor, { spans: 'child', metrics: false });
  const byFunction = otel(supervisor, { spans: ({ resident }) => (resident ? 'detached' : 'link') });
  claim<Equal<typeof byMode, () => void>>('otel returns its end', byFunction);
  const body = detached((ctx: TaskContext) => Promise.resolve(ctx.attempt));
  const submission = supervisor.submit({ run: body });
  claim<Equal<typeof submission, Submission<number>>>('a detached body is a body');
  const killed = supervisor.submit({ run: detached({ run: () => 'value', kill: () => {} }) });
  claim<Equal<typeof killed, Submission<string>>>('a detached killable task is one');
  claim<Equal<ReturnType<typeof attemptOf>, AttemptIdentity | undefined>>(
    'an attempt may be known',
    slotSpanProcessor(),
  );
  // @ts-expect-error a mode that does not exist
  otel(supervisor, { spans: 'root' });
}

export function schedules() {
  const live = schedulesOf(supervisor);
  claim<Equal<typeof live, readonly Schedule[]>>('schedules are listed with outcomes of any type');
  claim<Equal<ReturnType<typeof schedulesOf>[number]['name'], string>>('a schedule has a name');

  type When =
    | { readonly cron: string; readonly timezone?: string }
    | { readonly everyMs: number }
    | { readonly at: Date };
  claim<Equal<ScheduleWhen, When>>('dates are shown as one kind');
  claim<Equal<Schedule['when'], ScheduleWhen>>('a schedule shows its dates');
  // @ts-expect-error the name of a schedule never changes
  if (live[0]) live[0].name = 'other';

  type Boxes = 'ran' | 'superseded' | 'dropped' | 'missed' | 'elsewhere' | 'errors' | 'pending';
  claim<Equal<keyof ScheduleTotals, Boxes | 'submitted' | 'triggered'>>('a date ends in one of these counts');
  claim<Equal<ScheduleTotals[keyof ScheduleTotals], number>>('counts are numbers');

  const claims: DateClaims = {
    claim: async (name, due) => name === '' && due.getTime() > 0,
    last: async () => undefined,
  };
  const options: ScheduleOptions = { name: 'n', claims, everyMs: 5, startAt: 0, task: { slot: 's', run: log } };
  // @ts-expect-error a claim is answered later
  const early: DateClaims = { claim: () => true, last: async () => undefined };
  // @ts-expect-error an update cannot change the name
  const renamed: ScheduleUpdate = { name: 'other' };
  // @ts-expect-error an update cannot change the claims
  const reclaimed: ScheduleUpdate = { claims };
  claim<Equal<Extract<ScheduleRun, { kind: 'elsewhere' }>, ElsewhereRun>>(
    'a date that another process claimed',
    options,
  );
  claim<Equal<ElsewhereRun['due'], Date>>('has its date', early, renamed, reclaimed);
  claim<Equal<Exclude<ScheduleRun['due'], Date>, undefined>>('only an error may have no date');
}

export function fleets(store: LeaseStore, claims: ClaimStore, ctx: TaskContext) {
  const options: FleetOptions = {
    ttlMs: 5_000,
    name: undefined,
    onTrouble: (_, operation) => console.error(operation),
  };
  const leases: SlotLeases = fleetLeases(store, options);
  const { ttlMs } = fleetLeases(store);
  const owned: Owned = ctx;
  claim<Equal<typeof ttlMs, number>>('a lease store says its time', new Supervisor({ leases }), owned);
  claim<Equal<ReturnType<FleetLeases['stats']>, FleetStats>>('and its figures', FLEET_DEFAULTS.ttlMs);
  claim<Equal<ReturnType<FleetLeases['look']>, Promise<FleetLook>>>(
    'and the fleet',
    fleetLeases(store).look({ q: 's' }),
  );
  claim<Equal<FleetLook['processes'][number], FleetProcess>>('its processes');
  claim<Equal<FleetLook['slots'][number], FleetSlot>>('and its slots');
  claim<Equal<FleetSlot['holder'], string | undefined>>('a slot may have no holder');
  claim<Equal<Parameters<FleetLeases['look']>[0], LookOptions | undefined>>('it may be asked for without options');
  claim<Equal<Parameters<LeaseStore['look']>, [session: string | undefined, ask: LookAsk]>>('also without a session');
  claim<Equal<Extract<FleetOperation, keyof LeaseStore>, FleetOperation>>('what fails is an operation of the store');
  claim<Equal<Parameters<LeaseStore['acquire']>[1]['mode'], AskMode>>('a slot is asked for in one of three modes');
  claim<Equal<Extract<AskAnswer, { fence: bigint }>['state'], 'granted' | 'waiting'>>('these answers have a fence');
  claim<Equal<Extract<LeaseNews, { fence: bigint }>['kind'], 'granted' | 'contended' | 'revoked'>>(
    'so have these news',
  );

  const gather = new Gather({ lanes: 1, most: 9, key: (text: string) => text, run: async (all) => all.map(Number) });
  claim<Equal<ReturnType<typeof gather.add>, Promise<number>>>('each call that was gathered has its result');

  claim<Equal<ReturnType<typeof fleetClaims>, DateClaims>>('a schedule takes them', fleetClaims(claims));

  // @ts-expect-error a store of claims has two operations
  fleetClaims({ last: async () => undefined });
  // @ts-expect-error a store has eleven operations
  fleetLeases({ open: async () => {} });
  // @ts-expect-error a number of ms
  fleetLeases(store, { ttlMs: '5s' });
  // @ts-expect-error a look has a limit in numbers
  void fleetLeases(store).look({ limit: '50' });
}

export function postgres(pool: Pool, client: PoolClient, ctx: TaskContext) {
  const options: PostgresOptions = { schema: 's', listen: false, ttlMs: 5_000, patienceMs: undefined };
  const leases: FleetLeases = postgresLeases(pool, options);
  const claims: DateClaims = postgresClaims(pool, { schema: undefined });
  claim<Equal<ReturnType<typeof migrate>, Promise<void>>>('a pool of pg is one', migrate(pool), leases, claims);
  claim<Equal<Pool extends PgPool ? true : false, true>>('and no type of pg is needed');
  claim<Equal<ReturnType<typeof assertOwned>, Promise<void>>>('a context is owned', assertOwned(client, ctx));
  // @ts-expect-error a fence is a bigint
  void assertOwned(client, { slot: 's', fence: 1 });
  // @ts-expect-error the schema is made without times
  void migrate(pool, { ttlMs: 5_000 });
  // @ts-expect-error no pool
  postgresLeases({ query: async () => ({ rows: [] }) });
}

export function redis(io: Redis, client: ReturnType<typeof createClient>) {
  const options: RedisOptions = { prefix: 'p', quarantine: false, allowEviction: undefined, ttlMs: 5_000 };
  const both: readonly FleetLeases[] = [redisLeases(io, options), redisLeases(client)];
  const claims: readonly DateClaims[] = [redisClaims(io, { prefix: 'p' }), redisClaims(client)];
  claim<Equal<Redis extends RedisClient ? true : false, true>>(
    'a client of ioredis is one, and of redis',
    both,
    claims,
  );
  // @ts-expect-error claims have no quarantine
  redisClaims(io, { quarantine: false });
  // @ts-expect-error no client
  redisLeases({ get: async () => null });
}

export function events() {
  const failed = recordEvents(supervisor).of('attemptFailed');
  claim<Equal<(typeof failed)[number]['failure'], Failure>>('a recorder gives the events of one type');

  claim<Equal<Extract<TaskEvent, { type: 'attemptFailed' }>, EventOf<'attemptFailed'>>>('there is one member a type');
  claim<Equal<TaskEvent['type'], TaskEventType>>('each has its word');
  claim<Equal<EventOf<'attemptFailed'>['failure'], Failure>>('it has its fields');
  claim<Equal<EventOf<'joined'>['leader'], TaskId>>('and no fields of another type');

  // `types` narrow what a subscriber gets. `eventsDropped` is always delivered.
  claim<Equal<DeliveredEvent<'joined'>, EventOf<'joined' | 'eventsDropped'>>>('a subscriber hears what it lost');
  claim<EventOf<'finished'> extends TaskEventBase ? true : false>('an event about a submission names it');
  type Ended = EventOf<'finished' | 'rejected' | 'eventsDropped'>;
  supervisor.subscribe((event) => void claim<Equal<typeof event, Ended>>('of a subscriber'), {
    types: ['finished', 'rejected'],
  });
  supervisor.subscribe((event) => void claim<Equal<typeof event, TaskEvent>>('without types: all of them'));
  const stream = supervisor.events({ types: ['finished', 'rejected'] });
  claim<Equal<typeof stream, AsyncIterableIterator<Ended>>>('of an iterator');
  // @ts-expect-error there is no such type
  supervisor.subscribe(() => {}, { types: ['ended'] });
  // @ts-expect-error there is no such field
  supervisor.subscribe((event) => event.successor, { types: ['finished'] });
}

export function logs(logger: Logger) {
  const end = logTo(supervisor, logger, { levels: { finished: 'warn', submitted: false }, types: ['finished'] });
  claim<Equal<typeof end, () => void>>('logTo returns its end');
  logTo(supervisor, console);
  supervisor.subscribe(consoleWriter({ stream: process.stderr }));
  supervisor.subscribe(consoleWriter(), { types: ['attemptFailed', 'finished'] });
  // @ts-expect-error a level that no logger has
  logTo(supervisor, logger, { levels: { finished: 'loud' } });
  // @ts-expect-error an event that does not exist
  logTo(supervisor, logger, { levels: { done: 'info' } });
  // @ts-expect-error a logger has four methods
  logTo(supervisor, { info: () => {} });
}

/** A decorator as the compiler applies it. */
declare function on<Method>(method: Method): [target: Orders, name: string, of: TypedPropertyDescriptor<Method>];
declare class Orders {
  readonly queue: string;
  consume(ctx: TaskContext): Promise<void>;
  count(ctx: TaskContext<Counter>): void;
  report(ctx: TaskContext, due: Date): void;
  ended(event: EventOf<'finished'>): void;
  plain(): void;
  other(text: string): void;
}

export function nest(orders: Orders, connection: () => Promise<string>) {
  Supervised()(...on(orders.consume));
  Supervised({ slot: 's', restart: 'always', intervalMs: 5, meta: 1 })(...on(orders.plain));
  Supervised((self: Orders) => ({ slot: self.queue, admission: 'replace' }))(...on(orders.consume));
  Supervised({ state: counter })(...on(orders.count));
  Scheduled({ cron: '@daily', task: { restart: 'never' } })(...on(orders.report));
  Scheduled((self: Orders) => ({ everyMs: self.queue.length }))(...on(orders.plain));
  OnTaskEvent('finished')(...on(orders.ended));
  OnTaskEvent('finished', 'rejected')(...on(orders.plain));
  OnTaskEvent()(...on((event: TaskEvent) => event.type));
  // @ts-expect-error a body gets ctx
  Supervised()(...on(orders.other));
  // @ts-expect-error its ctx has no state
  Supervised()(...on(orders.count));
  // @ts-expect-error the method is the body
  Supervised({ run: () => {} });
  // @ts-expect-error another provider
  Supervised((_: Date) => ({}))(...on(orders.plain));
  // @ts-expect-error no dates
  Scheduled({ task: {} });
  // @ts-expect-error a supervised method gets no date
  Supervised()(...on(orders.report));
  // @ts-expect-error another event
  OnTaskEvent('queued')(...on(orders.ended));
  // @ts-expect-error no event
  OnTaskEvent('ended');

  const imports = [
    SlotvisorModule.forRoot(),
    SlotvisorModule.forRoot({ concurrency: 4, slots: { s: { queueLimit: 5 } } }),
    SlotvisorModule.forRoot({ supervisor }),
    SlotvisorModule.forRootAsync({ inject: ['DB'], useFactory: async (of: string) => ({ slots: { [of]: {} } }) }),
    SlotvisorModule.forRootAsync({ useFactory: () => ({ supervisor }) }),
  ];
  const async: SlotvisorModuleAsyncOptions = {
    useFactory: async () => ({ defaults: { priority: (await connection()).length } }),
  };
  claim<Equal<ReturnType<typeof SlotvisorModule.forRoot>, DynamicModule>>('modules of Nest', imports, async);
  // @ts-expect-error one or the other
  SlotvisorModule.forRoot({ supervisor, concurrency: 4 });

  const ready = new SlotvisorHealthIndicator(supervisor, { rules: { s: {} } }).isReady('tasks');
  claim<Equal<typeof ready, SlotvisorHealthResult<'tasks'>>>('a result has its key');
}
