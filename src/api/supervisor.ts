// The supervisor: the object that users hold. It checks what comes in, makes submissions, and
// passes them on. Slots decide, actors run, the shutdown ends everything. Over 300 lines because
// every public method is documented here.

import { EventPublisher } from '../engine/events.ts';
import { LeaseStore } from '../engine/lease-store.ts';
import { Ledger } from '../engine/ledger.ts';
import type { Runtime } from '../engine/runtime.ts';
import { Shutdown } from '../engine/shutdown.ts';
import { Slots } from '../engine/slots.ts';
import { statsOf } from '../engine/stats.ts';
import { LiveSubmission, type Submission, type SubmissionHost } from '../engine/submission.ts';
import { isAborted, onAbort } from '../kernel/abort-listeners.ts';
import type { Clock } from '../kernel/clock.ts';
import { ignore } from '../kernel/deferred.ts';
import { Gate } from '../kernel/gate.ts';
import { onSignals } from '../kernel/signals.ts';
import { TurnQueue } from '../kernel/turn-queue.ts';
import { refuse } from '../model/check.ts';
import { ClosedError } from '../model/error.ts';
import type { SubscribeOptions, Subscriber, TaskEvent } from '../model/event.ts';
import { createTaskIds, type TaskId, type TaskIds } from '../model/id.ts';
import { reading } from '../model/options.ts';
import type { Outcome } from '../model/outcome.ts';
import { RecentSettings } from '../model/recent-settings.ts';
import type { TaskSettings } from '../model/settings.ts';
import { type ParsedSpec, parseSpec, type TaskSpec } from '../model/spec.ts';
import type { RunReport, ShutdownReport, SlotView, Snapshot, Stats, TaskView } from '../model/view.ts';
import type { ShutdownTimes } from '../policy/shutdown.ts';
import {
  type GivenTimes,
  parseRunOptions,
  parseShutdownOptions,
  parseSubscribeOptions,
  parseSubscriber,
  parseViewOptions,
  type RunOptions,
  type ShutdownOptions,
  type SubscribeSettings,
} from './call-options.ts';
import { EventStream } from './event-stream.ts';
import { type Slot, SlotHandle } from './slot.ts';
import {
  type GateOptions,
  parseGateOptions,
  parseSupervisorOptions,
  type SupervisorOptions,
} from './supervisor-options.ts';

const AT_ONCE: ShutdownTimes = { graceMs: 0, finishMs: 0 };

// biome-ignore lint/suspicious/noExplicitAny: a batch mixes specs of every result and state type
type AnySpec = TaskSpec<any, any>;

/** The type of the value that a spec's body returns. */
export type ValueOf<Spec> = Spec extends { run: infer Run } ? ValueOfRun<Run> : unknown;

type ValueOfRun<Run> = Run extends (...given: never[]) => infer R
  ? Awaited<R>
  : Run extends { run: (...given: never[]) => infer R }
    ? Awaited<R>
    : unknown;

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
  readonly #host: SubmissionHost;
  readonly #defaults: TaskSettings;
  readonly #recent = new RecentSettings();
  readonly #givenTimes: GivenTimes;
  readonly #times: ShutdownTimes;
  /** The objects that `get` returned, so that it returns the same object again. */
  readonly #handles = new WeakMap<LiveSubmission, Submission>();
  #submitted = 0;

  /**
   * Starts no timer and no listener.
   *
   * @throws OptionError for an invalid option.
   */
  constructor(options: SupervisorOptions = {}) {
    const settings = parseSupervisorOptions(options);
    const { clock, random, leases, limits, slotDefaults, aroundAttempt } = settings;
    const events = new EventPublisher(clock);
    this.#ledger = new Ledger(events, this.#ids, {
      emptied: () => this.#shutdown.ledgerEmptied(),
      ownerDied: () => this.#checkDeadFraction(settings.deadFraction),
    });
    this.#runtime = {
      clock,
      random,
      aroundAttempt,
      turns: new TurnQueue(),
      gate: new Gate(settings, clock),
      events,
      ledger: this.#ledger,
    };
    this.clock = clock;
    this.#defaults = settings.defaults;
    this.#givenTimes = settings.shutdown;
    this.#times = parseShutdownOptions({}, settings.shutdown);
    const store = new LeaseStore(leases, clock, events);
    this.#slots = new Slots(this.#runtime, store, limits, slotDefaults);
    for (const [name, slot] of settings.slots) this.#slots.configure(name, slot);
    this.#shutdown = new Shutdown(this.#runtime, this.#slots, store, settings.subscriberGraceMs);
    this.#host = {
      ids: this.#ids,
      now: () => clock.now(),
      queueLimit: (slot) => this.#slots.settings(slot).queueLimit,
      waitingFor: (slot) => this.#slots.waitingFor(slot),
      cancel: (submission, by, reason) => this.#slots.cancel(submission, by, reason),
    };
  }

  /**
   * Submits a task. The slot decides at once, and the decision is `admission` of the returned
   * submission. A rejection is not an error: `admission` is `rejected`, and so is the outcome.
   *
   * @throws OptionError for an invalid spec. Nothing is kept of the call.
   * @throws ClosedError once a shutdown has begun.
   */
  submit<T, S = undefined>(spec: TaskSpec<T, S>): Submission<T> {
    return this.#submit(spec as TaskSpec<unknown, unknown>) as Submission<T>;
  }

  /**
   * Throws what `submit` would throw for this spec now, and submits nothing. Not promised: that the
   * slot would admit the spec.
   *
   * @throws OptionError for an invalid spec.
   * @throws ClosedError once a shutdown has begun.
   */
  check<T, S = undefined>(spec: TaskSpec<T, S>): void {
    this.#read(spec);
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
  submitAll<const Specs extends readonly AnySpec[]>(
    specs: Specs,
  ): { [K in keyof Specs]: Submission<ValueOf<Specs[K]>> } {
    this.#throwIfClosed();
    const parsed = reading('specs', specs, () => {
      if (!Array.isArray(specs)) refuse('specs', 'must be an array', specs);
      return Array.from(specs, (spec: unknown) => parseSpec(spec, this.#defaults, this.#recent));
    });
    this.#throwIfClosed(); // a getter of a spec may have closed it
    const batch = parsed.map((spec) => this.#create(spec));
    const rejections = this.#slots.dryRun(batch);
    for (const submission of batch) {
      if (rejections === undefined) this.#slots.submit(submission);
      else this.#slots.reject(submission, rejections.get(submission) ?? { reason: 'batchRejected' });
    }
    return batch.map(({ handle }) => handle) as unknown as { [K in keyof Specs]: Submission<ValueOf<Specs[K]>> };
  }

  /**
   * Runs a fixed set of tasks: submits all, waits for every outcome, then shuts the supervisor
   * down, other tasks included. A failed task does not reject the promise: the outcomes are in the
   * report. SIGINT and SIGTERM begin the shutdown, and a second signal ends its grace. The signal
   * handlers are removed with the report.
   */
  async run(specs: readonly AnySpec[], options: RunOptions = {}): Promise<RunReport> {
    const signals = parseRunOptions(options);
    const submissions = this.submitAll(specs);
    let signaled = false;
    const stopListening = onSignals(signals, () => {
      ignore(this.#shutdown.begin('signal', signaled ? AT_ONCE : this.#times));
      signaled = true;
    });
    try {
      const outcomes = await Promise.all(submissions.map((submission) => submission.outcome));
      return { outcomes, shutdown: await this.#shutdown.begin('finished', this.#times) };
    } finally {
      stopListening();
    }
  }

  /**
   * The slot of this name. It need not be live.
   *
   * @throws OptionError for an invalid name.
   */
  slot(name: string): Slot {
    return new SlotHandle(this.#slots, name, (spec, slot) => this.#submit(spec, slot));
  }

  /**
   * The live submission with this id; `undefined` once it has ended. Every call returns the same
   * object. It is another object than `submit` returned: compare ids.
   */
  get(id: TaskId): Submission | undefined {
    const live = this.#ledger.get(id);
    if (live === undefined) return undefined;
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
   * made when it is reached, so a loop that ends early is cheap. `queued`: how many waiting
   * submissions a view shows, a whole number, 0 or more. Default: all.
   *
   * A slot that stays live during the loop is seen once. Not promised for a slot that becomes idle
   * or live meanwhile: it is seen, or not, or twice. The loop ends after as many views as there
   * were slots when it began.
   *
   * @throws OptionError for an invalid option.
   */
  slots(options: { readonly queued?: number | undefined } = {}): IterableIterator<SlotView> {
    return this.#slots.views(parseViewOptions(options));
  }

  /**
   * The counts of `stats`, and the views of all live slots with their queues: a copy.
   * Its cost grows with the number of slots and of waiting submissions.
   */
  snapshot(): Snapshot {
    return { ...this.stats(), slots: [...this.#slots.views()] };
  }

  /** As `submission.cancel`. `undefined` for an id that is not live. */
  async cancel(id: TaskId, reason?: unknown): Promise<Outcome | undefined> {
    return this.#ledger.get(id)?.handle.cancel(reason);
  }

  /** As `submission.restart`. False for an id that is not live. */
  restart(id: TaskId): boolean {
    return this.#ledger.get(id)?.handle.restart() ?? false;
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
    this.#runtime.gate.configure(parseGateOptions(options));
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
   * Calls the subscriber with every event from now on, one at a time. Returns a function that ends
   * the subscription. Nothing is delivered after a shutdown.
   */
  subscribe(
    subscriber: Subscriber | ((event: TaskEvent) => void | PromiseLike<void>),
    options: SubscribeOptions = {},
  ): () => void {
    return this.#subscribe(parseSubscriber(subscriber), parseSubscribeOptions(options), () => {});
  }

  /**
   * Events as an async iterator. It ends when the loop is left, when the signal aborts, and after a
   * shutdown.
   */
  events(options: SubscribeOptions = {}): AsyncIterableIterator<TaskEvent> {
    const settings = parseSubscribeOptions(options);
    const stream = new EventStream();
    const subscriber: Subscriber = { name: 'events()', onEvent: (event) => stream.onEvent(event) };
    stream.unsubscribe = this.#subscribe(subscriber, settings, () => stream.end());
    return stream;
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
    const times = parseShutdownOptions(options, this.#givenTimes, this.phase !== 'open');
    return this.#shutdown.begin('caller', times);
  }

  /**
   * Resolves with the report when a shutdown has ended, whether it began by `shutdown()`, by a
   * signal or by `deadFraction`.
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

  #checkDeadFraction(deadFraction: number): void {
    const { dead, totals } = this.#ledger;
    if (dead >= totals.started * deadFraction) ignore(this.#shutdown.begin('deadFraction', this.#times));
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
    const submission = this.#create(this.#read(spec, slot));
    if (submission.isSignalAborted) this.#slots.reject(submission, { reason: 'canceled' });
    else this.#slots.submit(submission);
    return submission.handle;
  }

  #create(spec: ParsedSpec): LiveSubmission {
    const given = spec.slot ?? spec.name;
    const configured = this.#slots.settings(given ?? '').admission; // no name: the slot defaults (no slot is ever named '')
    const policy = spec.admission ?? configured ?? this.#defaults.admission;
    this.#submitted += 1;
    return new LiveSubmission(this.#host, this.#submitted, spec, given, policy);
  }
}
