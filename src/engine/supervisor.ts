// The supervisor: what users hold. It checks what comes in, mints, and hands on; slots decide, actors run, the drain ends it all.

import { isAborted, onAbort } from '../kernel/abort-fan.ts';
import type { Clock } from '../kernel/clock.ts';
import { ignore } from '../kernel/deferred.ts';
import { Gate } from '../kernel/gate.ts';
import { Pump } from '../kernel/pump.ts';
import { onSignals } from '../kernel/signals.ts';
import { reading, refuse } from '../model/check.ts';
import { ClosedError } from '../model/error.ts';
import type { SubscribeOptions, Subscriber, TaskEvent } from '../model/event.ts';
import { createTaskIds, type TaskId, type TaskIds } from '../model/id.ts';
import type { Outcome } from '../model/outcome.ts';
import { RecentSettings, type TaskSettings } from '../model/settings.ts';
import { type ParsedSpec, parseSpec, type TaskSpec } from '../model/spec.ts';
import type { RunReport, ShutdownCause, ShutdownReport, Snapshot, TaskView } from '../model/view.ts';
import {
  parseRunOptions,
  parseShutdownOptions,
  parseSubscriber,
  parseSubscription,
  type RunOptions,
  type ShutdownOptions,
  type Subscription,
} from './call-options.ts';
import { Drain } from './drain.ts';
import { EventStream } from './event-stream.ts';
import { LeaseDesk } from './lease-desk.ts';
import { Ledger } from './ledger.ts';
import { News } from './news.ts';
import { parseOptions, type SupervisorOptions } from './options.ts';
import type { Runtime } from './runtime.ts';
import { type Slot, SlotHandle } from './slot-handle.ts';
import { Slots } from './slots.ts';
import { LiveSubmission, type Submission, type SubmissionHost } from './submission.ts';

// biome-ignore lint/suspicious/noExplicitAny: a batch mixes specs of every result and state type
type AnySpec = TaskSpec<any, any>;

/** What a spec's body returns, awaited. */
export type ValueOf<Spec> = Spec extends { run: infer Run } ? ValueOfRun<Run> : unknown;

type ValueOfRun<Run> = Run extends (...given: never[]) => infer R
  ? Awaited<R>
  : Run extends { run: (...given: never[]) => infer R }
    ? Awaited<R>
    : unknown;

/**
 * Keeps tasks alive and keeps them apart: at most one live body a slot, always.
 * No call runs a body or a subscriber before it returns: bodies start and events arrive on a later turn. (Getters of what is given, the
 * clock and the lease store are asked within the call.)
 * An idle supervisor holds no timer and no handle; it need not be shut down to let the process exit.
 */
export class Supervisor implements AsyncDisposable {
  /** What it measures time with: the one given, or the platform's. For doors and bodies that keep time beside it. */
  readonly clock: Clock;
  readonly #ids: TaskIds = createTaskIds();
  readonly #runtime: Runtime;
  readonly #slots: Slots;
  readonly #ledger: Ledger;
  readonly #drain: Drain;
  readonly #host: SubmissionHost;
  readonly #defaults: TaskSettings;
  readonly #recent = new RecentSettings();
  readonly #graceMs: number;
  #submitted = 0;

  /** Throws SpecError for an option that cannot be meant. Starts nothing: no timer, no listener. */
  constructor(options: SupervisorOptions = {}) {
    const settings = parseOptions(options);
    const { clock, random, leases, limits, slotDefaults, aroundAttempt } = settings;
    const news = new News(clock);
    this.#ledger = new Ledger(news, this.#ids);
    this.#runtime = {
      clock,
      random,
      aroundAttempt,
      pump: new Pump(),
      gate: new Gate(settings),
      news,
      ledger: this.#ledger,
    };
    this.clock = clock;
    this.#defaults = settings.defaults;
    this.#graceMs = settings.graceMs;
    const desk = new LeaseDesk(leases);
    this.#slots = new Slots(this.#runtime, desk, limits, slotDefaults);
    for (const [name, slot] of settings.slots) this.#slots.configure(name, slot);
    this.#drain = new Drain(this.#runtime, this.#slots, desk, settings.subscriberGraceMs);
    this.#host = {
      ids: this.#ids,
      now: () => clock.now(),
      cancel: (submission, by, reason) => this.#slots.cancel(submission, by, reason),
    };
    this.#ledger.onDead = () => {
      const { dead, totals } = this.#ledger;
      if (dead >= totals.started * settings.deadFraction) ignore(this.#shutdown('deadFraction', this.#graceMs));
    };
  }

  /**
   * Validates, decides and returns, in one step. Throws {@link SpecError} (a bad spec; nothing is kept) or {@link ClosedError}
   * (a shutdown has begun); nothing else. Being turned away is no error: `admission` is `rejected`, and so is the outcome.
   */
  submit<T, S = undefined>(spec: TaskSpec<T, S>): Submission<T> {
    return this.#submit(spec as TaskSpec<unknown, unknown>) as Submission<T>;
  }

  /**
   * Throws what `submit` would throw for this spec now: SpecError or ClosedError. It reads the spec once, submits nothing and keeps nothing.
   * Not promised: that the spec would be admitted, or is still a good one once it was changed.
   */
  check<T, S = undefined>(spec: TaskSpec<T, S>): void {
    this.#read(spec);
  }

  /**
   * All or none, decided in the order given: if one would be turned away, none starts and all end `rejected`.
   * Decided before a lease store is asked: what the store then says concerns each slot alone. An owner that the batch itself tells to stop
   * counts as one that takes its time.
   */
  submitAll<const Specs extends readonly AnySpec[]>(
    specs: Specs,
  ): { [K in keyof Specs]: Submission<ValueOf<Specs[K]>> } {
    this.#mustBeOpen();
    const parsed = reading('specs', specs, () => {
      if (!Array.isArray(specs)) refuse('specs', 'must be an array', specs);
      return Array.from(specs, (spec: unknown) => parseSpec(spec, this.#defaults, this.#recent));
    });
    this.#mustBeOpen(); // a getter of a spec may have closed it
    const batch = parsed.map((spec) => this.#mint(spec));
    const turnedAway = this.#slots.dryRun(batch);
    for (const submission of batch) {
      if (turnedAway === undefined) this.#slots.submit(submission);
      else this.#slots.turnAway(submission, turnedAway.get(submission) ?? { reason: 'batchRejected' });
    }
    return batch.map(({ handle }) => handle) as unknown as { [K in keyof Specs]: Submission<ValueOf<Specs[K]>> };
  }

  /**
   * The static mode: submitAll, wait for every outcome, shut down (what else runs here, too). A failed task does not make it reject: look at the outcomes.
   * SIGINT and SIGTERM drain, a second one cuts the grace short; the handlers exist only until the report is there.
   */
  async run(specs: readonly AnySpec[], options: RunOptions = {}): Promise<RunReport> {
    const signals = parseRunOptions(options);
    const submissions = this.submitAll(specs);
    let asked = false;
    const stopListening = onSignals(signals, () => {
      ignore(this.#shutdown('signal', asked ? 0 : this.#graceMs));
      asked = true;
    });
    try {
      const outcomes = await Promise.all(submissions.map((submission) => submission.outcome));
      return { outcomes, shutdown: await this.#shutdown('finished', this.#graceMs) };
    } finally {
      stopListening();
    }
  }

  /** A handle by name; the slot need not exist. Throws SpecError for a name that cannot be one. */
  slot(name: string): Slot {
    return new SlotHandle(this.#slots, name, (spec, slot) => this.#submit(spec, slot));
  }

  /** Live ones only: an ended submission is forgotten. The same submission, not always the same object: compare ids. */
  get(id: TaskId): Submission | undefined {
    return this.#ledger.get(id)?.handle;
  }

  /** Live ones, oldest first. */
  tasks(): readonly TaskView[] {
    return Array.from(this.#ledger.all(), (submission) => submission.view());
  }

  /** For health checks: no snapshot is built. `draining` from the call of `shutdown` on, `closed` once its report is there. */
  get phase(): Snapshot['phase'] {
    return this.#drain.phase;
  }

  snapshot(): Snapshot {
    const { totals, running, abandonedAlive } = this.#ledger;
    return {
      phase: this.phase,
      slots: this.#slots.views(),
      totals: { ...totals },
      running,
      queued: this.#slots.pending,
      overrun: this.#slots.actors.filter(({ status }) => status === 'overrun').length,
      abandonedAlive,
    };
  }

  /** As `submission.cancel`; `undefined` for an id that is not live. */
  async cancel(id: TaskId, reason?: unknown): Promise<Outcome | undefined> {
    return this.get(id)?.cancel(reason);
  }

  /** As `submission.restart`; false for an id that is not live. */
  restart(id: TaskId): boolean {
    return this.get(id)?.restart() ?? false;
  }

  /**
   * Closes the concurrency gate: no attempt begins until `resume`, but those that have been given a place already. Bodies that run go on;
   * admission goes on.
   */
  pause(): void {
    this.#runtime.gate.pause();
  }
  resume(): void {
    this.#runtime.gate.resume();
  }

  /** Resolves when nothing runs and nothing waits. Abandoned bodies are not waited for. */
  idle(): Promise<void> {
    return this.#ledger.idle();
  }

  /** Events from now on, one at a time. Returns the end of the subscription. After a shutdown nothing is delivered. */
  subscribe(
    subscriber: Subscriber | ((event: TaskEvent) => void | PromiseLike<void>),
    options: SubscribeOptions = {},
  ): () => void {
    return this.#subscribe(parseSubscriber(subscriber), parseSubscription(options), () => {});
  }

  /** The same as an async iterator. It ends with `return` (leaving the loop), with the signal, or with the shutdown. */
  events(options: SubscribeOptions = {}): AsyncIterableIterator<TaskEvent> {
    const subscription = parseSubscription(options);
    const stream = new EventStream();
    const subscriber: Subscriber = { name: 'events()', onEvent: (event) => stream.onEvent(event) };
    stream.unsubscribe = this.#subscribe(subscriber, subscription, () => stream.end());
    return stream;
  }

  /**
   * Ends everything: admission closes, waiting work is rejected, owners are told to stop and get `graceMs` together; then killable
   * ones are killed and the rest is abandoned and named in the report. One shared operation: later callers join it, and a shorter
   * grace hastens it. Never rejects. A body that awaits it is itself told to stop, and counts as alive until it does.
   */
  shutdown(options: ShutdownOptions = {}): Promise<ShutdownReport> {
    return this.#shutdown('caller', parseShutdownOptions(options) ?? this.#graceMs);
  }

  /** Resolves when a shutdown, whoever asked for it, has ended. */
  get closed(): Promise<ShutdownReport> {
    return this.#drain.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shutdown('caller', this.#graceMs);
  }

  /** `ended` is told once, whatever ends the subscription: the call that is returned, its signal, the shutdown. */
  #subscribe(subscriber: Subscriber, { capacity, types, signal }: Subscription, ended: () => void): () => void {
    if ((signal !== undefined && isAborted(signal)) || this.#drain.phase === 'closed') {
      ended();
      return () => {};
    }
    const unsubscribe = this.#runtime.news.subscribe(subscriber, capacity, types, () => {
      unwatch?.();
      ended();
    });
    const unwatch = signal && onAbort(signal, unsubscribe);
    return unsubscribe;
  }

  #shutdown(cause: ShutdownCause, graceMs: number): Promise<ShutdownReport> {
    return this.#drain.begin(cause, graceMs);
  }

  #mustBeOpen(): void {
    if (this.#drain.phase !== 'open') throw new ClosedError();
  }

  #read(spec: unknown, slot?: string): ParsedSpec {
    this.#mustBeOpen();
    const parsed = parseSpec(spec, this.#defaults, this.#recent);
    if (slot !== undefined && parsed.slot !== undefined)
      refuse('slot', `is no option of slot(${JSON.stringify(slot)}).submit: the handle names the slot`, parsed.slot);
    this.#mustBeOpen(); // a getter of the spec may have closed it
    return parsed;
  }

  #submit(spec: unknown, slot?: string): Submission {
    const submission = this.#mint(this.#read(spec, slot), slot);
    if (submission.isUnwanted) this.#slots.turnAway(submission, { reason: 'canceled' });
    else this.#slots.submit(submission);
    return submission.handle;
  }

  #mint(spec: ParsedSpec, slot?: string): LiveSubmission {
    const given = slot ?? spec.slot ?? spec.name;
    const configured = this.#slots.settings(given ?? '').admission; // no slot is called '': one of its own has the defaults of slots
    const policy = spec.admission ?? configured ?? this.#defaults.admission;
    this.#submitted += 1;
    return new LiveSubmission(this.#host, this.#submitted, spec, given, policy);
  }
}
