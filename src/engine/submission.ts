// One submission: the entry in its slot's queue, the keeper of its outcome, and the handle that its
// caller gets. It passes what its caller asks for to its host. Over 300 lines because only this
// file may get from a handle to the live submission.

import { isAborted } from '../kernel/abort-listeners.ts';
import { type AsyncContext, captureContext } from '../kernel/async-context.ts';
import { looking } from '../kernel/copies.ts';
import { brief, cutStack, type StopCause } from '../model/error.ts';
import type { TaskId, TaskIds } from '../model/id.ts';
import { type Outcome, OutcomeError, outcomeText } from '../model/outcome.ts';
import { showAs } from '../model/record.ts';
import type { AdmissionPolicy, TaskSettings } from '../model/settings.ts';
import type { Admission, Submission } from '../model/submission.ts';
import type { Run } from '../model/task.ts';
import type { TaskStatus, TaskView, WaitingFor } from '../model/view.ts';
import { type Flight, leaderOf, participantsOf } from '../policy/flight.ts';
import { isQueued, type Place, type SlotEntry } from '../policy/slot-machine.ts';
import type { SubmitCall } from './submit-call.ts';
import { TaskViewRecord, type Viewed, type Work } from './task-view.ts';

/** The watch on a submission's signal, deadline and time in the queue. */
export interface Watch {
  /** The first attempt begins: `queueTimeoutMs` no longer applies. */
  firstAttemptBegins(): void;
  end(): void;
}

export interface SubmissionHost {
  readonly ids: TaskIds;
  now(): number;
  /** How many submissions may wait in a slot. */
  queueLimit(slot: string): number;
  /** What a submission that waits in this slot waits for. */
  waitingFor(slot: string): WaitingFor | undefined;
  cancel(submission: LiveSubmission, by: StopCause, reason: unknown): void;
}

/** What code of the library sees in a submission. */
interface Inside {
  peekOutcome(): Promise<Outcome>;
  whenOwned(onOwned: () => void): void;
}

let lookInside: (value: unknown) => Inside | undefined;

/**
 * Its own object, so that a caller who freezes or writes to it cannot reach the live submission.
 */
class SubmissionHandle implements Submission {
  static {
    showAs(SubmissionHandle, identityOf);
    lookInside = looking(SubmissionHandle, 'submission', (handle) => {
      const live = handle.#live;
      return {
        peekOutcome: () => live.outcome,
        whenOwned: (onOwned) => (live.work === null ? live.listenForOwner(onOwned) : onOwned()),
      };
    });
  }
  readonly #live: LiveSubmission;
  constructor(live: LiveSubmission) {
    this.#live = live;
  }
  get id(): TaskId {
    return this.#live.id;
  }
  get slot(): string {
    return this.#live.slot;
  }
  get name(): string {
    return this.#live.name;
  }
  get admission(): Admission {
    return this.#live.admission;
  }
  get status(): TaskStatus {
    return this.#live.status;
  }
  get outcome(): Promise<Outcome> {
    this.#live.askForOutcome();
    return this.#live.outcome;
  }
  async value(): Promise<unknown> {
    return valueOrThrow(await this.outcome, this.name, this.#live.queueLimit, this.value);
  }
  cancel(reason?: unknown): Promise<Outcome> {
    this.#live.cancel(reason);
    return this.outcome;
  }
  restart(): boolean {
    return this.#live.work?.restart() ?? false;
  }
}

/**
 * The outcome, for code of the library: that it looks does not mean that the user watches the task.
 */
export function peekOutcome<T>(submission: Submission<T>): Promise<Outcome<T>> {
  return (lookInside(submission)?.peekOutcome() ?? submission.outcome) as Promise<Outcome<T>>;
}

/**
 * Calls `onOwned` once the submission owns its slot or shares the body of an owner, at once if it
 * does already. A submission has one such listener, which must not throw.
 */
export function whenOwned(submission: Submission, onOwned: () => void): void {
  lookInside(submission)?.whenOwned(onOwned);
}

/**
 * Listeners of the few submissions that have one. A field would cost each of those that wait 8
 * bytes.
 */
const ownerListeners = new WeakMap<LiveSubmission, () => void>();

/** Bits of what is asked of a submission: the user wants its outcome; it has an owner listener. */
const OUTCOME = 1;
const OWNER = 2;

/** What JSON and the console show of a submission. */
export function identityOf({ id, slot, name, admission, status }: Submission): object {
  return { id, slot, name, admission, status };
}

/** @throws OutcomeError if the outcome is not `completed`. */
export function valueOrThrow(outcome: Outcome, name: string, queueLimit: number, called: object): unknown {
  if (outcome.kind === 'completed') return outcome.value;
  const error = new OutcomeError(`${brief(name)}: ${outcomeText(outcome, queueLimit)}`, outcome, causeOf(outcome));
  cutStack(error, called);
  throw error;
}

/** What user code threw: the body, or the lease store. */
function causeOf(outcome: Outcome): { readonly cause: unknown } | undefined {
  if ('failure' in outcome && outcome.failure?.kind === 'thrown') return { cause: outcome.failure.error };
  return 'error' in outcome ? { cause: outcome.error } : undefined;
}

export class LiveSubmission implements SlotEntry<LiveSubmission>, Viewed {
  readonly number: number;
  readonly run: Run;
  readonly settings: TaskSettings;
  readonly meta: unknown;
  readonly policy: AdmissionPolicy;
  readonly slot: string;
  readonly name: string;
  submittedMs = 0;
  /** The async context of its submitter. Bodies can reach this object, so it holds nothing else. */
  context: AsyncContext | null = null;
  admission: Admission = 'rejected';
  /** By the user and by entry points, as bits. */
  #asked = 0;
  work: Work | null = null;
  watch: Watch | null = null;
  // The slot machine's.
  place: Place = 'new';
  ahead: LiveSubmission | null = null;
  behind: LiveSubmission | null = null;
  flight: Flight<LiveSubmission> | null = null;
  readonly #host: SubmissionHost;
  #id: TaskId | undefined;
  #outcome: Outcome | undefined;
  #promise: Promise<Outcome> | undefined;
  #resolve: ((outcome: Outcome) => void) | undefined;

  constructor(host: SubmissionHost, { number, spec, policy, slot, name }: SubmitCall) {
    this.#host = host;
    this.number = number;
    this.run = spec.run;
    this.settings = spec.settings;
    this.meta = spec.meta;
    this.policy = policy;
    this.slot = slot;
    this.name = name;
  }

  /** Created on each access. Caching it would cost memory for every queued submission. */
  get handle(): Submission {
    return new SubmissionHandle(this);
  }
  get id(): TaskId {
    this.#id ??= this.#host.ids.text(this.number);
    return this.#id;
  }
  /** The caller's signal is aborted. */
  get isSignalAborted(): boolean {
    const { signal } = this.settings;
    return signal !== undefined && isAborted(signal);
  }
  /** The caller's signal is aborted, and the slot has not canceled the submission yet. */
  get isCalledOff(): boolean {
    return this.watch !== null && this.isSignalAborted;
  }
  /** What its slot's queue may hold now. */
  get queueLimit(): number {
    return this.#host.queueLimit(this.slot);
  }
  get ended(): boolean {
    return this.#outcome !== undefined;
  }
  /** How it ended; undefined before. */
  get settledTo(): Outcome | undefined {
    return this.#outcome;
  }
  get finishes(): boolean {
    return this.settings.onShutdown === 'finish';
  }
  get resumes(): boolean {
    return this.settings.restart !== 'never';
  }
  /** How many others share its body and its outcome. */
  get joined(): number {
    return participantsOf(leaderOf<LiveSubmission>(this)) - 1;
  }
  get status(): TaskStatus {
    if (this.#outcome !== undefined) return 'ended';
    return this.work === null ? 'queued' : this.work.status;
  }

  get outcome(): Promise<Outcome> {
    if (this.#outcome !== undefined) this.#promise ??= Promise.resolve(this.#outcome);
    this.#promise ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#promise;
  }

  cancel(reason: unknown): void {
    this.cancelBy('caller', reason);
  }

  cancelBy(by: StopCause, reason: unknown): void {
    this.#host.cancel(this, by, reason);
  }

  /** Called when it owns its slot, or shares the body of an owner. */
  ownedBy(work: Work): void {
    this.work = work;
    if ((this.#asked & OWNER) === 0) return;
    ownerListeners.get(this)?.();
    ownerListeners.delete(this);
  }

  listenForOwner(listener: () => void): void {
    ownerListeners.set(this, listener);
    this.#asked |= OWNER;
  }

  /** By the user. */
  get isOutcomeAsked(): boolean {
    return (this.#asked & OUTCOME) !== 0;
  }
  askForOutcome(): void {
    this.#asked |= OUTCOME;
  }

  /**
   * Called on admission. `deadlineMs` and wait times are measured from here, and the body runs in
   * the async context of this call.
   */
  begin(nowMs: number): void {
    this.submittedMs = nowMs;
    this.context = captureContext();
  }

  /** Called once, by the ledger. */
  settle(outcome: Outcome): void {
    this.#outcome = outcome;
    this.watch?.end();
    this.watch = null;
    this.work = null; // a handle that is kept must not keep the body's memory alive
    this.#resolve?.(outcome);
  }

  /** What it waits for while nothing runs it. */
  get waitingFor(): WaitingFor | undefined {
    const waits = isQueued(leaderOf<LiveSubmission>(this)); // else its slot is about to start it or to turn it away
    return waits ? this.#host.waitingFor(this.slot) : undefined;
  }

  /** `work` is given where `this.work` has been cleared already. */
  view(work: Work | null = this.work): TaskView {
    return new TaskViewRecord(this, work, this.#host.now() - this.submittedMs);
  }
}
