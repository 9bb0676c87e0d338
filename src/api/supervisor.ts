// The supervisor: the object that users hold. It checks what comes in, makes submissions, and
// passes them on. Slots decide, actors run, the shutdown ends everything. Over 300 lines because
// every public method is documented here.

import { EventPublisher } from '../engine/events.ts';
import { LeaseStore } from '../engine/lease-store.ts';
import { Ledger } from '../engine/ledger.ts';
import { Probes } from '../engine/probes.ts';
import type { Runtime } from '../engine/runtime.ts';
import { Shutdown } from '../engine/shutdown.ts';
import { Slots } from '../engine/slots.ts';
import { statsOf } from '../engine/stats.ts';
import { type LiveSubmission, valueOrThrow } from '../engine/submission.ts';
import { SubmitCall } from '../engine/submit-call.ts';
import { Unwatched } from '../engine/unwatched.ts';
import { VitalSlots } from '../engine/vital-slots.ts';
import { isAborted, onAbort } from '../kernel/abort-listeners.ts';
import type { Clock } from '../kernel/clock.ts';
import { looking } from '../kernel/copies.ts';
import { ignore } from '../kernel/deferred.ts';
import { Gate } from '../kernel/gate.ts';
import { LaterTurn } from '../kernel/later-turn.ts';
import { LongJobs } from '../kernel/long-jobs.ts';
import { TurnQueue } from '../kernel/turn-queue.ts';
import { refuse } from '../model/check.ts';
import { ClosedError, fromCaller, seenFromCaller, specAt } from '../model/error.ts';
import type { DeliveredEvent, SubscribeOptions, Subscriber, TaskEventType } from '../model/event.ts';
import { createTaskIds, type TaskId, type TaskIds } from '../model/id.ts';
import { reading } from '../model/options.ts';
import { type Outcome, Rejected } from '../model/outcome.ts';
import type { Probe } from '../model/probe.ts';
import { RecentSettings } from '../model/recent-settings.ts';
import { record, showAs } from '../model/record.ts';
import type { CompleteDefaults } from '../model/settings.ts';
import { type ParsedSpec, parseSpec, type Specs, type TaskSpec } from '../model/spec.ts';
import type { Submission } from '../model/submission.ts';
import type {
  RunReport,
  ShutdownCause,
  ShutdownReport,
  SlotView,
  Snapshot,
  Stats,
  TaskView,
  VitalSlot,
} from '../model/view.ts';
import type { ShutdownTimes } from '../policy/shutdown.ts';
import {
  type GivenTimes,
  NO_TIMES,
  parseProbe,
  parseRunOptions,
  parseShutdownOptions,
  parseStopOptions,
  parseSubscribeOptions,
  parseSubscriber,
  parseViewOptions,
  type RunOptions,
  type ShutdownOptions,
  type SubscribeSettings,
  timesOfCall,
  type ViewOptions,
} from './call-options.ts';
import { EventStream } from './event-stream.ts';
import { SignalStop, type Stoppable } from './signal-stop.ts';
import { type Slot, SlotHandle } from './slot.ts';
import {
  type GateOptions,
  parseGateOptions,
  parseSupervisorOptions,
  type SupervisorOptions,
} from './supervisor-options.ts';

/** The type of the value that a spec's body returns. */
export type ValueOf<Spec> = Spec extends { run: infer Run }
  ? Run extends (...given: never[]) => infer R
    ? Awaited<R>
    : Run extends { run: (...given: never[]) => infer R }
      ? Awaited<R>
      : unknown
  : unknown;

/** The submissions of a batch: for each spec the submission of its task. */
export type Submissions<Given> = { readonly [K in keyof Given]: Submission<ValueOf<Given[K]>> };

/** What code of the library sees in a supervisor. */
interface Inside {
  stoppable(): Stoppable;
  onShutdown(listener: () => void): void;
}

let lookInside: (value: unknown) => Inside | undefined;

/**
 * For stop-on-signals.ts. It is not exported from the package.
 *
 * @throws OptionError for what is no supervisor of any copy of the package.
 */
export const stoppableOf = (supervisor: unknown): Stoppable => insideOf(supervisor).stoppable();

/**
 * For entry points: calls `listener` as the shutdown begins, before any slot is closed. The
 * listener must not throw.
 *
 * @throws OptionError for what is no supervisor of any copy of the package.
 */
export const onShutdown = (supervisor: unknown, listener: () => void): void =>
  insideOf(supervisor).onShutdown(listener);

const insideOf = (value: unknown): Inside => lookInside(value) ?? refuse('supervisor', 'must be a Supervisor', value);

/** What the compiler infers for `T`. As a type of its own it asks for nothing. */
type Inferred<T> = [T] extends [never] ? T : unknown;

/**
 * Keeps tasks running, and runs at most one body in each slot.
 *
 * Promised: no method runs a body, a listener or a subscriber before it returns. They are called on
 * a later turn. (Getters of your options, your clock and your lease store are called within the
 * method.) An idle supervisor holds no timer and no handle, so the process can exit without a
 * shutdown.
 */
export class Supervisor implements AsyncDisposable {
  /** The clock that this supervisor measures time with: the `clock` option, or the platform's. */
  readonly clock: Clock;
  readonly #ids: TaskIds = createTaskIds();
  readonly #runtime: Runtime;
  readonly #slots: Slots;
  readonly #ledger: Ledger;
  readonly #shutdown: Shutdown;
  readonly #vitals: VitalSlots;
  readonly #defaults: CompleteDefaults;
  readonly #recent = new RecentSettings();
  readonly #givenTimes: GivenTimes;
  readonly #times: ShutdownTimes;
  /** The objects that `get` returned, so that it returns the same object again. */
  readonly #handles = new WeakMap<LiveSubmission, Submission>();
  #submitted = 0;
  static {
    showAs(Supervisor, (supervisor) => supervisor.stats());
    lookInside = looking(Supervisor, 'supervisor', (supervisor) => {
      const shutdown = supervisor.#shutdown;
      return { stoppable: () => supervisor.#stoppable, onShutdown: (listener) => shutdown.onBegin(listener) };
    });
  }

  /**
   * Starts no timer and no listener.
   *
   * @throws OptionError for an invalid option.
   */
  constructor(options: SupervisorOptions = {}) {
    const settings = fromCaller(Supervisor, () => parseSupervisorOptions(options));
    const { clock, random, leases, limits, slotDefaults, aroundAttempt, warnings } = settings;
    const events = new EventPublisher(clock);
    const listener = {
      emptied: () => this.#shutdown.ledgerEmptied(),
    };
    const probes = new Probes(events, this);
    this.#ledger = new Ledger(events, this.#ids, listener, settings.keepEnded);
    const jobs = new LongJobs();
    this.#runtime = {
      clock,
      random,
      probes,
      aroundAttempt,
      turns: new TurnQueue(),
      graces: new LaterTurn((stopping) => {
        for (const one of stopping) one.watchGrace();
      }),
      jobs,
      gate: new Gate(settings, clock, jobs),
      events,
      ledger: this.#ledger,
      unwatched: warnings ? new Unwatched(events, probes, aroundAttempt !== undefined) : undefined,
    };
    this.clock = clock;
    this.#defaults = settings.defaults;
    this.#givenTimes = settings.shutdown;
    this.#times = timesOfCall(NO_TIMES, settings.shutdown);
    const store = fromCaller(Supervisor, () => new LeaseStore(leases, clock, events));
    this.#vitals = new VitalSlots(
      settings.deadFraction,
      () => clock.now(),
      () => this.#tooManyDied(),
    );
    this.#slots = new Slots(this.#ids, this.#runtime, store, this.#vitals, limits, slotDefaults);
    for (const [name, slot] of settings.slots) this.#slots.configure(name, slot);
    this.#shutdown = new Shutdown(this.#runtime, this.#slots, store, settings.subscriberGraceMs);
  }

  /**
   * Submits a task. The slot decides at once, and the decision is `admission` of the returned
   * submission. A rejection is not an error: `admission` is `rejected`, and so is the outcome.
   *
   * @example
   * ```ts
   * import { Supervisor } from 'slotvisor';
   *
   * const supervisor = new Supervisor();
   * const submission = supervisor.submit({
   *   slot: 'sync:acme',
   *   admission: 'replace', // stops the owner of the slot, and starts once its body has ended
   *   run: async (ctx) => {
   *     await ctx.sleep(10); // the work; a stop request ends the wait
   *     return 42;
   *   },
   * });
   * console.log(submission.admission, (await submission.outcome).kind, await submission.value());
   * ```
   *
   * ```text
   * started completed 42
   * ```
   *
   * @throws OptionError for an invalid spec. Nothing is kept of the call.
   * @throws ClosedError once a shutdown has begun.
   */
  submit<T, S = undefined>(spec: TaskSpec<T, S>): Submission<T> {
    try {
      return this.#submit(spec) as Submission<T>;
    } catch (error) {
      throw seenFromCaller(this.submit, error);
    }
  }

  /**
   * Throws what `submit` would throw for this spec now, and submits nothing. Not promised: that the
   * slot would admit the spec.
   *
   * @throws OptionError for an invalid spec.
   * @throws ClosedError once a shutdown has begun.
   */
  check<T, S = undefined>(spec: TaskSpec<T, S>): void {
    fromCaller(this.check, () => this.#read(spec));
  }

  /**
   * Submits all specs, or none. Decided in the order given: if one of them would be rejected, none
   * starts and all end `rejected`. An owner that the batch itself asks to stop counts as running.
   * The decision comes before any lease request; a lease store that refuses one slot later rejects
   * that submission alone.
   *
   * @throws OptionError for an invalid spec. Nothing is kept of the call.
   * @throws ClosedError once a shutdown has begun.
   */
  submitAll<States extends readonly unknown[] | [], Given>(specs: Specs<States> & Inferred<Given>): Submissions<Given> {
    const batch = fromCaller(this.submitAll, () => this.#callsOf(specs, this.#defaults));
    const { submissions } = this.#submitAll(batch);
    return submissions as unknown as Submissions<Given>;
  }

  /**
   * Runs a fixed set of tasks: submits all, waits for every outcome, then shuts the supervisor
   * down, other tasks included. The tasks are `vital` unless their spec says otherwise. A failed
   * task does not reject the promise: the outcomes are in the report. SIGINT and SIGTERM begin the
   * shutdown, and a second signal ends its grace. The signal handlers are removed with the report.
   * It never exits the process.
   *
   * The promise rejects with an OptionError for an invalid spec or option, with a ClosedError once
   * a shutdown has begun, and, if the batch is turned away, with the OutcomeError of the first task
   * that caused it. Then no task has started, and `run` begins no shutdown.
   *
   * @example
   * ```ts
   * import { restartable, Supervisor } from 'slotvisor';
   *
   * declare const consume: (signal: AbortSignal) => Promise<void>;
   *
   * const { outcomes, shutdown } = await new Supervisor().run([
   *   { slot: 'orders', ...restartable((ctx) => consume(ctx.signal)) },
   *   { slot: 'invoices', ...restartable((ctx) => consume(ctx.signal)) },
   * ]);
   * console.log(outcomes.map(({ kind }) => kind), shutdown.clean);
   * ```
   */
  async run<States extends readonly unknown[] | []>(
    specs: Specs<States>,
    options: RunOptions = {},
  ): Promise<RunReport> {
    const { signals, signal, batch } = fromCaller(this.run, () => ({
      ...parseRunOptions(options),
      batch: this.#callsOf(specs, { ...this.#defaults, vital: true }),
    }));
    if (signal !== undefined && isAborted(signal)) {
      const submissions = batch.map((call) => this.#slots.reject(call, new Rejected('canceled')));
      return this.#finish(submissions, 'signal');
    }
    const { submissions, because } = this.#submitAll(batch);
    if (because !== undefined) {
      const [{ slot, name }, rejection] = because;
      return valueOrThrow(rejection, name, this.#slots.settings(slot).queueLimit, this.run) as never; // throws
    }
    const stop = new SignalStop(this.#stoppable, { ...parseStopOptions({}), signals, exitCode: undefined });
    const stopNow = (): void => void ignore(this.#shutdown.begin('signal', this.#times));
    const unwatch = signal && onAbort(signal, stopNow);
    if (signal !== undefined && isAborted(signal)) stopNow(); // aborted by the lease store's code, within the submit
    try {
      return await this.#finish(submissions, 'finished');
    } finally {
      unwatch?.();
      stop.end();
    }
  }

  async #finish(submissions: readonly Submission[], cause: ShutdownCause): Promise<RunReport> {
    const outcomes = await Promise.all(submissions.map(({ outcome }) => outcome));
    return record({ outcomes, shutdown: await this.#shutdown.begin(cause, this.#times) });
  }

  /**
   * The slot of this name. It need not be live.
   *
   * @throws OptionError for an invalid name.
   */
  slot(name: string): Slot {
    return fromCaller(this.slot, () => new SlotHandle(this.#slots, name, (spec, slot) => this.#submit(spec, slot)));
  }

  /**
   * The live submission with this id. Once it has ended: a submission that shows its end, if it is
   * one of the last `keepEnded`, else `undefined`. Until the end, and after it, every call returns
   * the same object. It is another object than `submit` returned: compare ids.
   */
  get(id: TaskId): Submission | undefined {
    const live = this.#ledger.get(id);
    if (live === undefined) return this.#ledger.ended(id);
    let handle = this.#handles.get(live);
    if (handle === undefined) {
      handle = live.handle;
      this.#handles.set(live, handle);
    }
    return handle;
  }

  /** Views of all live submissions, oldest first. */
  tasks(): readonly TaskView[] {
    return Array.from(this.#ledger.all(), (submission) => submission.view());
  }

  /**
   * `open`; `closing` from the call of `shutdown` on; `closed` once its report exists. Enough for
   * a health check.
   */
  get phase(): Stats['phase'] {
    return this.#shutdown.phase;
  }

  /**
   * The counts of the supervisor: exact, and a copy. It costs the same however many slots and
   * submissions there are.
   */
  stats(): Stats {
    return statsOf(this.#runtime, this.#slots.size, this.phase);
  }

  /**
   * Views of the slots that have an owner, have waiting submissions, or are paused. Each view is
   * made when it is reached, so a loop that ends early is cheap.
   *
   * A slot that stays live during the loop is seen once. Not promised for a slot that becomes idle
   * or live meanwhile: it is seen, or not, or twice. The loop ends after as many views as there
   * were slots when it began.
   *
   * @throws OptionError for an invalid option.
   */
  slots(options: ViewOptions = {}): IterableIterator<SlotView> {
    return this.#slots.views(fromCaller(this.slots, () => parseViewOptions(options)));
  }

  /**
   * The counts of `stats`, and the views of all live slots with their queues: a copy. Its cost
   * grows with the number of slots and of waiting submissions.
   */
  snapshot(): Snapshot {
    return record({ ...this.stats(), slots: [...this.#slots.views()] });
  }

  /**
   * The slots that are vital now: a copy. A dead one is listed until it has an owner again. Unless
   * the supervisor has a `deadFraction`, slots that died before the first call are not known.
   */
  vitalSlots(): readonly VitalSlot[] {
    return this.#vitals.views();
  }

  /**
   * As `submission.cancel`. For an id that is not live: its outcome if it is one of the last
   * `keepEnded`, else `undefined`.
   */
  async cancel(id: TaskId, reason?: unknown): Promise<Outcome | undefined> {
    return this.#find(id)?.cancel(reason);
  }

  /** As `submission.restart`. False for an id that is not live. */
  restart(id: TaskId): boolean {
    return this.#find(id)?.restart() ?? false;
  }

  /**
   * Changes the limits over all slots, from now on. What is left out stays. `concurrency: Infinity`
   * and `rate: false` take a limit away. No body is stopped: with a lower limit, no attempt begins
   * until enough bodies have ended. A higher limit lets attempts in at once, by priority. Bodies
   * that run already count to `concurrency`. Starts count to `rate` as far as a rate counted them
   * before. After a shutdown it does nothing.
   *
   * @throws OptionError for an invalid option. Nothing is changed then.
   */
  configure(options: GateOptions): void {
    this.#runtime.gate.configure(fromCaller(this.configure, () => parseGateOptions(options)));
  }

  /**
   * No attempt begins until `resume`, except attempts that have passed the concurrency gate
   * already. Running bodies go on, and submissions are admitted as before.
   */
  pause(): void {
    this.#runtime.gate.pause();
  }
  /** Ends a pause. */
  resume(): void {
    this.#runtime.gate.resume();
  }

  /**
   * Resolves when no task runs and none waits. Abandoned bodies do not count. A body must not await
   * it: it would wait for its own end.
   */
  idle(): Promise<void> {
    return this.#ledger.idle();
  }

  /**
   * Attaches a probe: it watches every attempt that begins from now on, synchronously, until the
   * returned function is called. Of several probes the first attached one is the outermost; their
   * `run` is around `aroundAttempt` and the task's `state`. An attempt keeps the probes that it
   * began with. Without a probe an attempt costs nothing more.
   *
   * @throws OptionError for an invalid probe.
   */
  instrument(probe: Probe): () => void {
    return this.#runtime.probes.attach(fromCaller(this.instrument, () => parseProbe(probe)));
  }

  /**
   * Calls the subscriber with every event from now on, one at a time, in the async context of this
   * call. With `types`: with the events of these types, and with `eventsDropped`. Returns a
   * function that ends the subscription. Nothing is delivered after a shutdown.
   *
   * @throws OptionError for an invalid subscriber or option.
   */
  subscribe<Type extends TaskEventType = TaskEventType>(
    subscriber: Subscriber<Type> | ((event: DeliveredEvent<Type>) => void | PromiseLike<void>),
    options: SubscribeOptions<Type> = {},
  ): () => void {
    return fromCaller(this.subscribe, () =>
      this.#subscribe(parseSubscriber(subscriber), parseSubscribeOptions(options), () => {}),
    );
  }

  /**
   * Events as an async iterator. With `types`: events of these types, and `eventsDropped`. It ends
   * when the loop is left, when the signal aborts, and after a shutdown.
   *
   * @throws OptionError for an invalid option.
   */
  events<Type extends TaskEventType = TaskEventType>(
    options: SubscribeOptions<Type> = {},
  ): AsyncIterableIterator<DeliveredEvent<Type>> {
    const settings = fromCaller(this.events, () => parseSubscribeOptions(options));
    const stream = new EventStream();
    const subscriber: Subscriber = { name: 'events()', onEvent: (event) => stream.onEvent(event) };
    stream.unsubscribe = this.#subscribe(subscriber, settings, () => stream.end());
    return stream as AsyncIterableIterator<unknown> as AsyncIterableIterator<DeliveredEvent<Type>>;
  }

  /**
   * Ends the supervisor. Nothing is accepted any more. Waiting submissions are rejected, and owners
   * are asked to stop, one `shutdownStage` after the other. Tasks with `onShutdown: 'finish'` go on
   * for `finishMs` first. All of them together have `graceMs` to end. Then killable bodies are
   * killed, and the others are abandoned and named in the report.
   *
   * A later call joins the first, and can only shorten what is left of its times. The promise never
   * rejects. A body that awaits it is asked to stop like any other, and counts as running until it
   * ends. Not promised: that a body ends. The report names what may be alive.
   *
   * @throws OptionError for an invalid option, such as a `finishMs` that is more than the grace.
   */
  shutdown(options: ShutdownOptions = {}): Promise<ShutdownReport> {
    const times = fromCaller(this.shutdown, () => this.#timesOf(parseShutdownOptions(options)));
    return this.#shutdown.begin('caller', times);
  }

  /**
   * Resolves with the report when a shutdown has ended, whatever began it: a call, a signal or
   * `deadFraction`.
   */
  get closed(): Promise<ShutdownReport> {
    return this.#shutdown.closed;
  }

  /** As `shutdown()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shutdown.begin('caller', this.#times);
  }

  /**
   * Calls `ended` once, when the subscription ends: by the returned function, by its signal, or by
   * the shutdown.
   */
  #subscribe(subscriber: Subscriber, { capacity, types, signal }: SubscribeSettings, ended: () => void): () => void {
    if ((signal !== undefined && isAborted(signal)) || this.#shutdown.phase === 'closed') {
      ended();
      return () => {};
    }
    const unsubscribe = this.#runtime.events.subscribe(subscriber, capacity, types, () => {
      unwatch?.();
      ended();
    });
    const unwatch = signal && onAbort(signal, unsubscribe);
    return unsubscribe;
  }

  /** Looked at on a turn of its own: a batch is then complete, and each slot has moved on. */
  #tooManyDied(): void {
    this.#runtime.turns.push({
      onTurn: () => {
        const dead = this.#vitals.tooMany;
        if (dead !== undefined && this.phase === 'open')
          ignore(this.#shutdown.begin('deadFraction', this.#times, dead));
      },
    });
  }

  #timesOf(given: ShutdownOptions): ShutdownTimes {
    return timesOfCall(given, this.#givenTimes, this.phase !== 'open');
  }

  get #stoppable(): Stoppable {
    const ledger = this.#ledger;
    return {
      clock: this.clock,
      closed: this.closed,
      get abandonedAlive() {
        return ledger.abandonedAlive;
      },
      times: (given) => this.#timesOf(given),
      stop: (times) => void ignore(this.#shutdown.begin('signal', times)),
    };
  }

  #find(id: TaskId): Submission | undefined {
    return this.#ledger.get(id)?.handle ?? this.#ledger.ended(id);
  }

  #throwIfClosed(): void {
    if (this.#shutdown.phase !== 'open') throw new ClosedError();
  }

  #read(spec: unknown, slot?: string): ParsedSpec {
    this.#throwIfClosed();
    const parsed = parseSpec(spec, this.#defaults, this.#recent, slot);
    this.#throwIfClosed(); // a getter of the spec may have closed it
    return parsed;
  }

  #submit(spec: unknown, slot?: string): Submission {
    const call = this.#call(this.#read(spec, slot));
    return call.isSignalAborted ? this.#slots.reject(call, new Rejected('canceled')) : this.#slots.submit(call);
  }

  #callsOf(specs: unknown, defaults: CompleteDefaults): SubmitCall[] {
    this.#throwIfClosed();
    const parsed = reading('specs', specs, () => {
      if (!Array.isArray(specs)) refuse('specs', 'must be an array', specs);
      return Array.from(specs, (spec: unknown, i) =>
        specAt(`specs[${i}]`, () => parseSpec(spec, defaults, this.#recent)),
      );
    });
    this.#throwIfClosed(); // a getter of a spec may have closed it
    return parsed.map((spec) => this.#call(spec));
  }

  /** `because`: the first of those because of which the batch is turned away, if it is. */
  #submitAll(batch: readonly SubmitCall[]): {
    readonly submissions: readonly Submission[];
    readonly because: [SubmitCall, Rejected] | undefined;
  } {
    const rejections = this.#slots.dryRun(batch);
    const submissions = batch.map((call) =>
      rejections === undefined
        ? this.#slots.submit(call)
        : this.#slots.reject(call, rejections.get(call) ?? new Rejected('batchRejected')),
    );
    return { submissions, because: rejections?.entries().next().value };
  }

  #call(spec: ParsedSpec): SubmitCall {
    const given = spec.slot ?? spec.name;
    // Without a name: the slot defaults, since no slot is ever named ''.
    const policy = spec.admission ?? this.#slots.settings(given ?? '').admission ?? this.#defaults.admission;
    this.#submitted += 1;
    return new SubmitCall(this.#ids, this.#submitted, spec, given, policy);
  }
}
