// The supervisor: what users hold. It checks what comes in, mints, and hands on; slots decide, actors run, the drain ends it all.

import { onAbort } from '../kernel/abort-fan.ts';
import { ignore } from '../kernel/deferred.ts';
import { Gate } from '../kernel/gate.ts';
import { Pump } from '../kernel/pump.ts';
import { onSignals } from '../kernel/signals.ts';
import {
  abortSignal,
  aFunction,
  count,
  durationMs,
  fieldsOf,
  oneOf,
  reading,
  refuse,
  refuseUnknown,
} from '../model/check.ts';
import { ClosedError } from '../model/error.ts';
import type { SubscribeOptions, Subscriber, TaskEvent, TaskEventType } from '../model/event.ts';
import { createTaskIds, type TaskId, type TaskIds } from '../model/id.ts';
import type { Outcome, RejectReason } from '../model/outcome.ts';
import { type AdmissionPolicy, parseSpec, type TaskSettings, type TaskSpec } from '../model/spec.ts';
import type { RunReport, ShutdownCause, ShutdownReport, Snapshot, TaskView } from '../model/view.ts';
import { Rehearsal } from '../policy/batch.ts';
import { Drain } from './drain.ts';
import { EventStream } from './event-stream.ts';
import { LeaseDesk } from './lease-desk.ts';
import { localLeases } from './local-leases.ts';
import { News } from './news.ts';
import { parseOptions, type SupervisorOptions } from './options.ts';
import { Registry } from './registry.ts';
import type { Runtime } from './runtime.ts';
import { type Slot, SlotHandle } from './slot-handle.ts';
import { Slots } from './slots.ts';
import { LiveSubmission, type Submission, type SubmissionHost } from './submission.ts';

// biome-ignore lint/suspicious/noExplicitAny: a batch mixes specs of every result and state type
type AnySpec = TaskSpec<any, any>;

/** What a spec's body returns, awaited. */
export type ValueOf<Spec> = Spec extends { run: (...given: never[]) => infer R }
  ? Awaited<R>
  : Spec extends { run: { run: (...given: never[]) => infer R } }
    ? Awaited<R>
    : unknown;

export interface RunOptions {
  /** Signals that drain; a second one cuts the grace short. Default SIGINT and SIGTERM; `false` for none. */
  readonly signals?: readonly NodeJS.Signals[] | false | undefined;
}

export interface ShutdownOptions {
  /** From the request to stop until what still runs is killed or abandoned. Default: the supervisor's. 0: at once. */
  readonly graceMs?: number | undefined;
}

/**
 * Keeps tasks alive and keeps them apart: at most one live body a slot, always.
 * No call runs user code before it returns: bodies start and events arrive on a later turn.
 * An idle supervisor holds no timer and no handle; it need not be shut down to let the process exit.
 */
export class Supervisor implements AsyncDisposable {
  readonly #ids: TaskIds = createTaskIds();
  readonly #runtime: Runtime;
  readonly #slots: Slots;
  readonly #registry: Registry;
  readonly #drain: Drain;
  readonly #host: SubmissionHost;
  readonly #defaults: TaskSettings;
  readonly #admission: AdmissionPolicy;
  readonly #graceMs: number;
  readonly #ownedAs: 'running' | 'waiting';
  #submitted = 0;

  /** Throws SpecError for an option that cannot be meant. Starts nothing: no timer, no listener. */
  constructor(options: SupervisorOptions = {}) {
    const settings = parseOptions(options);
    const { clock, random, leases, limits, slotDefaults, aroundAttempt } = settings;
    this.#runtime = { clock, random, aroundAttempt, pump: new Pump(), gate: new Gate(settings), news: new News(clock) };
    // Kept apart: a slot's own configuration comes between the spec's policy and this one.
    this.#admission = settings.defaults.admission ?? 'queue';
    this.#defaults = Object.freeze({ ...settings.defaults, admission: undefined });
    this.#graceMs = settings.graceMs;
    this.#ownedAs = leases === localLeases ? 'running' : 'waiting';
    const desk = new LeaseDesk(leases);
    this.#slots = new Slots(this.#runtime, desk, limits, slotDefaults);
    for (const [name, slot] of settings.slots) this.#slots.configure(name, slot);
    this.#registry = new Registry(this.#runtime, this.#ids, this.#slots);
    this.#slots.attach(this.#registry);
    this.#drain = new Drain(this.#runtime, this.#registry, this.#slots, desk, settings.subscriberGraceMs);
    this.#host = {
      ids: this.#ids,
      now: () => clock.now(),
      cancel: (submission, by, reason) => this.#slots.cancel(submission, by, reason),
    };
    if (settings.deadFraction !== Infinity)
      this.#registry.onDead = () => {
        const { dead, totals } = this.#registry;
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

  /** All or none, decided in the order given: if one would be turned away, none starts and all end `rejected`. */
  submitAll<const Specs extends readonly AnySpec[]>(
    specs: Specs,
  ): { [K in keyof Specs]: Submission<ValueOf<Specs[K]>> } {
    if (!Array.isArray(specs)) refuse('specs', 'must be an array', specs);
    this.#mustBeOpen();
    const batch = Array.from(specs, (spec: unknown) => this.#make(spec, undefined));
    this.#mustBeOpen(); // a getter of a spec may have closed it
    const turnedAway = this.#rehearse(batch);
    for (const submission of batch) {
      if (turnedAway === undefined) this.#slots.submit(submission);
      else this.#turnAway(submission, turnedAway.get(submission) ?? 'batchRejected');
    }
    return batch as unknown as { [K in keyof Specs]: Submission<ValueOf<Specs[K]>> };
  }

  /**
   * The static mode: submitAll, wait for every outcome, shut down. A failed task does not make it reject: look at the outcomes.
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

  /** Live ones only: an ended submission is forgotten. */
  get(id: TaskId): Submission | undefined {
    return this.#registry.get(id);
  }

  /** Live ones, oldest first. */
  tasks(): readonly TaskView[] {
    return Array.from(this.#registry.all(), (submission) => submission.view());
  }

  snapshot(): Snapshot {
    const { totals, running, overrun, abandonedAlive } = this.#registry;
    return {
      phase: this.#drain.phase,
      slots: this.#slots.views(),
      totals: { ...totals },
      running,
      queued: this.#slots.pending,
      overrun,
      abandonedAlive,
    };
  }

  /** As `submission.cancel`; `undefined` for an id that is not live. */
  async cancel(id: TaskId, reason?: unknown): Promise<Outcome | undefined> {
    return this.#registry.get(id)?.cancel(reason);
  }

  /** As `submission.restart`; false for an id that is not live. */
  restart(id: TaskId): boolean {
    return this.#registry.get(id)?.restart() ?? false;
  }

  /** Closes the concurrency gate: no attempt begins until `resume`. Bodies that run go on; admission goes on. */
  pause(): void {
    this.#runtime.gate.pause();
  }
  resume(): void {
    this.#runtime.gate.resume();
  }

  /** Resolves when nothing runs and nothing waits. Abandoned bodies are not waited for. */
  idle(): Promise<void> {
    return this.#registry.idle();
  }

  /** Events from now on, one at a time. Returns the end of the subscription. After a shutdown nothing is delivered. */
  subscribe(
    subscriber: Subscriber | ((event: TaskEvent) => void | PromiseLike<void>),
    options: SubscribeOptions = {},
  ): () => void {
    const { capacity, types, signal } = parseSubscribe(options);
    const own: Subscriber = typeof subscriber === 'function' ? { onEvent: subscriber } : subscriber;
    aFunction('subscriber.onEvent', own?.onEvent);
    if (signal?.aborted === true || this.#drain.phase === 'closed') return () => {};
    const unsubscribe = this.#runtime.news.subscribe(own, capacity, types);
    const unwatch = signal && onAbort(signal, unsubscribe);
    const end = () => {
      unwatch?.();
      unsubscribe();
    };
    if (unwatch !== undefined) ignore(this.closed.then(unwatch));
    return end;
  }

  /** The same as an async iterator. It ends with `return` (leaving the loop), with the signal, or with the shutdown. */
  events(options: SubscribeOptions = {}): AsyncIterableIterator<TaskEvent> {
    const { signal } = parseSubscribe(options);
    const stream = new EventStream();
    if (signal?.aborted === true || this.#drain.phase === 'closed') {
      stream.end();
      return stream;
    }
    const unsubscribe = this.subscribe({ name: 'events()', onEvent: (event) => stream.onEvent(event) }, options);
    const unwatch = signal && onAbort(signal, () => stream.end());
    stream.unsubscribe = () => {
      unwatch?.();
      unsubscribe();
    };
    ignore(
      this.closed.then(() => {
        unwatch?.();
        stream.end();
      }),
    );
    return stream;
  }

  /**
   * Ends everything: admission closes, waiting work is rejected, owners are told to stop and get `graceMs` together; then killable
   * ones are killed and the rest is abandoned and named in the report. One shared operation: later callers join it, and a shorter
   * grace hastens it. Never rejects. A body that awaits it is itself told to stop, and counts as alive until it does.
   */
  shutdown(options: ShutdownOptions = {}): Promise<ShutdownReport> {
    let graceMs = this.#graceMs;
    for (const [key, got] of fieldsOf('options', options)) {
      if (key !== 'graceMs') return refuseUnknown('', key, ['graceMs']);
      if (got !== undefined) graceMs = durationMs('graceMs', got);
    }
    return this.#shutdown('caller', graceMs);
  }

  /** Resolves when a shutdown, whoever asked for it, has ended. */
  get closed(): Promise<ShutdownReport> {
    return this.#drain.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shutdown('caller', this.#graceMs);
  }

  #shutdown(cause: ShutdownCause, graceMs: number): Promise<ShutdownReport> {
    return this.#drain.begin(cause, graceMs);
  }

  #mustBeOpen(): void {
    if (this.#drain.phase !== 'open') throw new ClosedError();
  }

  #submit(spec: unknown, slot?: string): Submission {
    this.#mustBeOpen();
    const submission = this.#make(spec, slot);
    this.#mustBeOpen(); // a getter of the spec may have closed it
    if (submission.spec.signal?.aborted === true) this.#turnAway(submission, 'canceled');
    else this.#slots.submit(submission);
    return submission;
  }

  #make(value: unknown, slot: string | undefined): LiveSubmission {
    const spec = parseSpec(value, this.#defaults);
    const number = this.#submitted + 1;
    const name = slot ?? spec.slot ?? spec.name;
    const configured = name === undefined ? undefined : this.#slots.settings(name).admission;
    const policy = spec.settings.admission ?? configured ?? this.#admission;
    this.#submitted = number;
    return new LiveSubmission(this.#host, number, spec, slot, policy);
  }

  #turnAway(submission: LiveSubmission, reason: RejectReason): void {
    this.#registry.enter(submission);
    const { news } = this.#runtime;
    if (news.heard) news.about(submission, { type: 'submitted', policy: submission.policy });
    this.#slots.reject(submission, reason);
  }

  /** Why entries of the batch would be turned away, each with its own reason; `undefined` when none would. */
  #rehearse(batch: readonly LiveSubmission[]): Map<LiveSubmission, RejectReason> | undefined {
    const { bounds, size, pending } = this.#slots;
    const rehearsal = new Rehearsal({ slots: bounds.slots - size, pending: bounds.pending - pending }, this.#ownedAs);
    const reasons = new Map<LiveSubmission, RejectReason>();
    for (const submission of batch) {
      const { slot, policy, spec } = submission;
      const machine = this.#slots.machine(slot);
      const found = machine && {
        phase: machine.phase,
        paused: machine.paused,
        hasNext: machine.hasNext,
        line: [...machine.waiting()].filter(({ place }) => place === 'line').map((one) => one.policy),
      };
      const reason: RejectReason | undefined =
        spec.signal?.aborted === true ? 'canceled' : rehearsal.add(slot, found, policy, this.#slots.settings(slot));
      if (reason !== undefined) reasons.set(submission, reason);
    }
    return reasons.size === 0 ? undefined : reasons;
  }
}

const EVENT_TYPES: readonly TaskEventType[] = [
  'submitted',
  'queued',
  'joined',
  'rejected',
  'started',
  'attemptStarted',
  'attemptSucceeded',
  'attemptCanceled',
  'attemptFailed',
  'attemptTimedOut',
  'attemptStalled',
  'backoffScheduled',
  'stopRequested',
  'overrun',
  'finished',
  'slotPaused',
  'slotResumed',
  'shutdownStarted',
  'shutdownFinished',
  'subscriberFailed',
  'eventsDropped',
];

function parseSubscribe(options: SubscribeOptions): {
  readonly capacity: number;
  readonly types: readonly TaskEventType[] | undefined;
  readonly signal: AbortSignal | undefined;
} {
  return reading('options', options, () => {
    let capacity = 1_024;
    let types: readonly TaskEventType[] | undefined;
    let signal: AbortSignal | undefined;
    for (const [key, got] of fieldsOf('options', options)) {
      if (key === 'capacity') capacity = got === undefined ? capacity : count(key, got, 1);
      else if (key === 'types') types = got === undefined ? undefined : parseTypes(got);
      else if (key === 'signal') signal = got === undefined ? undefined : abortSignal(key, got);
      else refuseUnknown('', key, ['capacity', 'types', 'signal']);
    }
    return { capacity, types, signal };
  });
}

function parseTypes(value: unknown): readonly TaskEventType[] {
  if (!Array.isArray(value)) return refuse('types', 'must be an array of event types', value);
  return value.map((type, i) => oneOf(`types[${i}]`, type, EVENT_TYPES));
}

function parseRunOptions(options: RunOptions): readonly NodeJS.Signals[] {
  let signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
  for (const [key, got] of fieldsOf('options', options)) {
    if (key !== 'signals') return refuseUnknown('', key, ['signals']);
    if (got === undefined) continue;
    if (got !== false && !Array.isArray(got))
      return refuse('signals', 'must be an array of signal names, or false', got);
    signals = got === false ? [] : (got as NodeJS.Signals[]);
  }
  return signals;
}
