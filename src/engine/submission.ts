// One submission: the entry that its slot links, the one place where its outcome is kept, and the handle that its caller holds.
// It acts on nothing: what its caller asks for goes to the host.

import { isAborted } from '../kernel/abort-fan.ts';
import { type AsyncContext, captureContext } from '../kernel/async-context.ts';
import type { StopCause } from '../model/error.ts';
import type { Failure } from '../model/failure.ts';
import type { TaskId, TaskIds } from '../model/id.ts';
import { type Outcome, OutcomeError, outcomeText } from '../model/outcome.ts';
import type { AdmissionPolicy, TaskSettings } from '../model/settings.ts';
import type { ParsedSpec, Run } from '../model/spec.ts';
import type { TaskStatus, TaskView } from '../model/view.ts';
import type { Place, SlotEntry } from '../policy/slot.ts';

/** What a slot decided about one more submission, known when submit returns. `waiting`: the slot's lease has been asked for. */
export type Admission = 'started' | 'queued' | 'joined' | 'waiting' | 'rejected';

export interface Submission<T = unknown> {
  readonly id: TaskId;
  readonly slot: string;
  readonly name: string;
  readonly admission: Admission;
  readonly status: TaskStatus;
  /** Never rejects; resolves exactly once. Watching is free: not looking at it raises nothing. */
  readonly outcome: Promise<Outcome<T>>;
  /** The value, or a thrown {@link OutcomeError} that carries the outcome. */
  value(): Promise<T>;
  /**
   * Asks it to stop and resolves with the outcome, at proof of end. One that shares its body with others ends at once.
   * A body must not wait for its own: it would wait for its own end.
   */
  cancel(reason?: unknown): Promise<Outcome<T>>;
  /**
   * Ends the running attempt (or the backoff) and starts a fresh one. No failure, and it forgets earlier ones: the retry streak and the
   * restart limit begin anew; whatever the old attempt throws on its way out is dropped. False when there is nothing to restart: waiting, starting, stopping, ended.
   */
  restart(): boolean;
}

/** The run behind a submission that owns or shares a slot. */
export interface Work {
  readonly status: TaskStatus;
  readonly attempts: number;
  readonly retries: number;
  readonly sinceMs: number;
  readonly nextAttemptInMs: number | undefined;
  readonly lastFailure: Failure | undefined;
  restart(): boolean;
}

/** The part of a view that is about the run. */
export function workView(
  work: Work,
): Pick<TaskView, 'status' | 'attempt' | 'retries' | 'sinceMs' | 'nextAttemptInMs' | 'lastFailure'> {
  const { status, attempts, retries, sinceMs, nextAttemptInMs, lastFailure } = work;
  return {
    status,
    attempt: attempts,
    retries,
    sinceMs,
    ...(nextAttemptInMs !== undefined && { nextAttemptInMs }),
    ...(lastFailure !== undefined && { lastFailure }),
  };
}

/** What bounds a submission from outside: its signal, its deadline, its time in the queue. */
export interface Watch {
  /** It waits no longer: the bound on its time in the queue is off. */
  leftQueue(): void;
  end(): void;
}

export interface SubmissionHost {
  readonly ids: TaskIds;
  now(): number;
  cancel(submission: LiveSubmission, by: StopCause, reason: unknown): void;
}

/** Apart from what it is a handle of, so that nothing a caller does to it (freeze it, print it, write to it) reaches the books. */
class SubmissionHandle implements Submission {
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
    return this.#live.outcome;
  }
  async value(): Promise<unknown> {
    const outcome = await this.outcome;
    if (outcome.kind === 'completed') return outcome.value;
    const { failure }: { readonly kind: string; readonly failure?: Failure } = outcome;
    const thrown = failure?.kind === 'thrown' ? { cause: failure.error } : undefined;
    throw new OutcomeError(`${this.name}: ${outcomeText(outcome)}`, outcome, thrown);
  }
  cancel(reason?: unknown): Promise<Outcome> {
    this.#live.cancel(reason);
    return this.outcome;
  }
  restart(): boolean {
    return this.#live.work?.restart() ?? false;
  }
}

export class LiveSubmission implements SlotEntry<LiveSubmission> {
  readonly number: number;
  readonly run: Run;
  readonly settings: TaskSettings;
  readonly meta: unknown;
  readonly policy: AdmissionPolicy;
  readonly slot: string;
  readonly name: string;
  submittedMs = 0;
  /** Its submitter's. An object of its own: bodies can get hold of it, and of nothing else. */
  context: AsyncContext | null = null;
  admission: Admission = 'rejected';
  work: Work | null = null;
  watch: Watch | null = null;
  // The slot machine's.
  place: Place = 'new'; // nowhere: what never comes to its slot stays there
  ahead: LiveSubmission | null = null;
  behind: LiveSubmission | null = null;
  readonly #host: SubmissionHost;
  #id: TaskId | undefined;
  #outcome: Outcome | undefined;
  #promise: Promise<Outcome> | undefined;
  #resolve: ((outcome: Outcome) => void) | undefined;

  constructor(
    host: SubmissionHost,
    number: number,
    spec: ParsedSpec,
    slot: string | undefined,
    policy: AdmissionPolicy,
  ) {
    this.#host = host;
    this.number = number;
    this.run = spec.run;
    this.settings = spec.settings;
    this.meta = spec.meta;
    this.policy = policy;
    this.slot = slot ?? host.ids.text(number); // given none: one of its own, which never contends
    this.name = spec.name ?? this.slot;
  }

  /** Not kept: most callers want no more of it than the outcome. */
  get handle(): Submission {
    return new SubmissionHandle(this);
  }
  get id(): TaskId {
    this.#id ??= this.#host.ids.text(this.number);
    return this.#id;
  }
  /** Its signal has aborted already. */
  get isUnwanted(): boolean {
    const { signal } = this.settings;
    return signal !== undefined && isAborted(signal);
  }
  get ended(): boolean {
    return this.#outcome !== undefined;
  }
  get status(): TaskStatus {
    if (this.#outcome !== undefined) return 'ended';
    return this.work === null ? 'queued' : this.work.status;
  }

  get outcome(): Promise<Outcome> {
    this.#promise ??= this.#outcome === undefined ? this.#toCome() : Promise.resolve(this.#outcome);
    return this.#promise;
  }

  #toCome(): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  cancel(reason: unknown): void {
    this.cancelBy('caller', reason);
  }

  cancelBy(by: StopCause, reason: unknown): void {
    this.#host.cancel(this, by, reason);
  }

  /** It is let in: its time runs from here, and its body will run in the async context of this call. */
  begin(nowMs: number): void {
    this.submittedMs = nowMs;
    this.context = captureContext();
  }

  /** The end; the registry calls it once. */
  settle(outcome: Outcome): void {
    this.#outcome = outcome;
    this.watch?.end();
    this.watch = null;
    this.work = null; // an outcome that somebody keeps keeps nothing else alive
    this.#resolve?.(outcome);
  }

  /** `work` is given where the submission itself has left its run already. */
  view(work: Work | null = this.work): TaskView {
    const { id, name, slot, meta } = this;
    const waiting = { status: this.status, attempt: 0, retries: 0, sinceMs: this.#host.now() - this.submittedMs };
    return { id, name, slot, ...(work === null ? waiting : workView(work)), meta };
  }
}
