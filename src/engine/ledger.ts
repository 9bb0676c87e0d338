// The ledger of one supervisor: which submissions are live, exact totals, what was killed or
// abandoned, and the one place where an outcome is settled (S3). It starts and stops nothing.

import { type Deferred, deferred } from '../kernel/deferred.ts';
import { SequenceMap } from '../kernel/sequence-map.ts';
import type { Failure } from '../model/failure.ts';
import type { TaskIds } from '../model/id.ts';
import { type Outcome, REJECT_REASONS, type Rejection, type RejectReason } from '../model/outcome.ts';
import { record } from '../model/record.ts';
import type { Submission } from '../model/submission.ts';
import type { TaskView, TotalName } from '../model/view.ts';
import { EndedSubmissions } from './ended-submissions.ts';
import { type EventPublisher, finishedEvent, rejectedEvent } from './events.ts';
import { StatusCounts } from './status-counts.ts';
import type { LiveSubmission } from './submission.ts';
import type { SubmitCall } from './submit-call.ts';
import type { Work } from './task-view.ts';

export interface LedgerListener {
  /** No submission is live, and no owner's body runs. Abandoned bodies do not count. */
  emptied(): void;
}

export class Ledger {
  readonly totals: Record<TotalName, number> = {
    submitted: 0,
    started: 0,
    attempts: 0,
    retries: 0,
    overruns: 0,
    dropped: 0,
    completed: 0,
    failed: 0,
    fatal: 0,
    canceled: 0,
    killed: 0,
    abandoned: 0,
    rejected: 0,
  };
  readonly rejections = Object.fromEntries(REJECT_REASONS.map((reason) => [reason, 0])) as Record<RejectReason, number>;
  readonly failures: Record<Failure['kind'], number> = { thrown: 0, timedOut: 0, stalled: 0, exited: 0 };
  /** Owners by status. */
  readonly statuses = new StatusCounts();
  /** Submissions that wait in a slot. */
  queued = 0;
  /** Those that waited, are rejected, and have no outcome yet. */
  unsettled = 0;
  /** Owners that wait for their first attempt. */
  toBegin = 0;
  /** Owners that have not ended. */
  owners = 0;
  /** The tasks whose body was killed since the record began. */
  readonly killed: TaskView[] = [];
  /** The same for bodies that were abandoned. */
  readonly #abandoned: TaskView[] = [];
  /** Attempts that were abandoned before, and whose bodies have not ended. */
  readonly #abandonedBefore = new Map<object, TaskView>();
  readonly #live = new SequenceMap<LiveSubmission>();
  /** Abandoned attempts whose bodies have not ended. */
  readonly #abandonedAlive = new Set<object>();
  readonly #events: EventPublisher;
  readonly #ids: TaskIds;
  readonly #listener: LedgerListener;
  #whenIdle: Deferred<void> | undefined;
  #keepsRecord = false;
  readonly #ended: EndedSubmissions | undefined;

  constructor(events: EventPublisher, ids: TaskIds, listener: LedgerListener, keepEnded = 0) {
    this.#events = events;
    this.#ids = ids;
    this.#listener = listener;
    this.#ended = keepEnded === 0 ? undefined : new EndedSubmissions(keepEnded);
  }

  get empty(): boolean {
    return this.#live.size === 0 && this.owners === 0;
  }
  /** How many submissions are live. */
  get size(): number {
    return this.#live.size;
  }
  /** Submissions that wait for their first attempt. */
  get pending(): number {
    return this.queued + this.toBegin;
  }
  get abandonedAlive(): number {
    return this.#abandonedAlive.size;
  }
  get abandonedViews(): TaskView[] {
    return [...this.#abandonedBefore.values(), ...this.#abandoned];
  }
  /** The record of a shutdown names no body. */
  get clean(): boolean {
    return this.killed.length === 0 && this.abandonedViews.length === 0;
  }

  /**
   * Counts an admitted submission, and publishes `submitted`. From here on it can be found by its
   * id.
   */
  enter(submission: LiveSubmission): void {
    this.totals.submitted += 1;
    this.#live.set(submission.number, submission);
    this.#events.listening?.submitted(submission, submission.policy);
  }

  /** Counts a submission that was turned away, and publishes both of its events. */
  turnedAway({ number, slot, name, policy, spec }: SubmitCall, rejection: Rejection): void {
    this.totals.submitted += 1;
    this.totals.rejected += 1;
    this.#countRejection(rejection.reason);
    const { listening } = this.#events;
    if (listening === undefined) return;
    const subject = { id: this.#ids.text(number), slot, name, meta: spec.meta };
    listening.submitted(subject, policy);
    listening.publishFor(subject, rejectedEvent(rejection));
  }

  get(id: string): LiveSubmission | undefined {
    return this.#live.get(this.#ids.number(id) ?? 0); // no submission has the number 0
  }

  /** A submission that has ended, and was kept. */
  ended(id: string): Submission | undefined {
    return this.#ended?.get(this.#ids.number(id) ?? 0);
  }

  all(): IterableIterator<LiveSubmission> {
    return this.#live.values();
  }

  idle(): Promise<void> {
    if (this.empty) return Promise.resolve();
    this.#whenIdle ??= deferred();
    return this.#whenIdle.promise;
  }

  /**
   * Called when a shutdown begins, for its report: from here on every body that is killed or
   * abandoned is listed, also after its end.
   */
  keepRecord(): void {
    this.#keepsRecord = true;
  }

  started(): void {
    this.owners += 1;
    this.totals.started += 1;
  }

  /**
   * Settles the outcome. A second call is ignored. The outcome's promise resolves last, when all
   * else is up to date.
   */
  settle(submission: LiveSubmission, outcome: Outcome, work?: { readonly ranMs: number }): void {
    if (submission.ended) return;
    this.#live.delete(submission.number);
    this.totals[outcome.kind] += 1;
    if (outcome.kind === 'rejected') this.#countRejection(outcome.reason);
    if (this.#events.listening) this.#publishEnd(submission, outcome, work?.ranMs ?? 0);
    submission.settle(outcome);
    if (submission.admission !== 'rejected') this.#ended?.add(submission, outcome);
    this.#checkEmpty();
  }

  #countRejection(reason: RejectReason): void {
    this.rejections[reason] += 1;
    if (reason === 'slotBusy') this.totals.dropped += 1;
  }

  #publishEnd(submission: LiveSubmission, outcome: Outcome, ranMs: number): void {
    const events = this.#events;
    if (outcome.kind === 'completed') events.completed(submission, outcome.attempts, ranMs);
    else if (outcome.kind === 'rejected') events.publishFor(submission, rejectedEvent(outcome));
    else events.publishFor(submission, finishedEvent(outcome, ranMs));
  }

  bodyKilled(owner: LiveSubmission, work: Work): void {
    if (this.#keepsRecord) this.killed.push(endedView(owner.view(work)));
  }

  abandoned(attempt: object, view: TaskView): void {
    this.#abandonedAlive.add(attempt);
    if (this.#keepsRecord) this.#abandoned.push(view);
    else this.#abandonedBefore.set(attempt, view);
  }

  /**
   * The body of an attempt ended after the attempt was over. Counts only for an abandoned attempt.
   */
  bodyEndedAfterAttempt(attempt: object): void {
    this.#abandonedAlive.delete(attempt);
    this.#abandonedBefore.delete(attempt);
  }

  /** The owner has ended. Called before its slot goes on. */
  ownerEnded(): void {
    this.owners -= 1;
  }

  /** The owner has ended. Called once its slot has gone on. */
  ownerGone(): void {
    this.#checkEmpty();
  }

  /** A body without participants still counts, until it has ended or was abandoned. */
  #checkEmpty(): void {
    if (!this.empty) return;
    this.#whenIdle?.resolve();
    this.#whenIdle = undefined;
    this.#listener.emptied();
  }
}

/** Of a body that is dead: it is not being stopped any more. */
const endedView = ({ stop: _, ...view }: TaskView): TaskView => record({ ...view, status: 'ended' });
