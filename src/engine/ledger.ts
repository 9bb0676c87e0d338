// The ledger of one supervisor: which submissions are live, exact totals, what was killed or
// abandoned, and the one place where an outcome is settled (S3). It starts and stops nothing.

import { type Deferred, deferred } from '../kernel/deferred.ts';
import { SequenceMap } from '../kernel/sequence-map.ts';
import type { TaskIds } from '../model/id.ts';
import type { Outcome } from '../model/outcome.ts';
import type { TaskView, TotalName } from '../model/view.ts';
import { EndedSubmissions } from './ended-submissions.ts';
import { type EventPublisher, finishedEvent } from './events.ts';
import type { LiveSubmission, Submission, Work } from './submission.ts';

export interface LedgerListener {
  /** No submission is live, and no owner's body runs. Abandoned bodies do not count. */
  emptied(): void;
  /** An owner ended `failed` or `fatal`, and its slot has gone on. */
  ownerDied(): void;
}

export class Ledger {
  readonly totals: Record<TotalName, number> = {
    submitted: 0,
    started: 0,
    attempts: 0,
    retries: 0,
    dropped: 0,
    completed: 0,
    failed: 0,
    fatal: 0,
    canceled: 0,
    killed: 0,
    abandoned: 0,
    rejected: 0,
  };
  /** Owners that have not ended. */
  running = 0;
  /** Owners that ended `failed` or `fatal`. */
  dead = 0;
  readonly killed: TaskView[] = [];
  readonly #abandoned = new Map<object, TaskView>();
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
    return this.#live.size === 0 && this.running === 0;
  }
  get abandonedAlive(): number {
    return this.#abandonedAlive.size;
  }
  get abandonedViews(): TaskView[] {
    return [...this.#abandoned.values()];
  }

  /**
   * Counts a submission and publishes `submitted`. Called once for every submission, a rejected one
   * included.
   */
  submitted(submission: LiveSubmission): void {
    this.totals.submitted += 1;
    this.#events.listening?.publishFor(submission, { type: 'submitted', policy: submission.policy });
  }

  /** From here on the submission can be found by its id. */
  enter(submission: LiveSubmission): void {
    this.#live.set(submission.number, submission);
  }

  get(id: string): LiveSubmission | undefined {
    return this.#live.get(this.#ids.number(id) ?? 0); // no submission has the number 0
  }

  /** One that has ended, and was kept. */
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
   * Called when a shutdown begins, for its report: from here on killed tasks are kept, and
   * abandoned ones stay listed after their end.
   */
  keepRecord(): void {
    this.#keepsRecord = true;
  }

  started(): void {
    this.running += 1;
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
    if (outcome.kind === 'rejected' && outcome.reason === 'slotBusy') this.totals.dropped += 1;
    if (this.#events.listening) this.#publishEnd(submission, outcome, work?.ranMs ?? 0);
    submission.settle(outcome);
    if (submission.admission !== 'rejected') this.#ended?.add(submission, outcome);
    this.#checkEmpty();
  }

  #publishEnd(submission: LiveSubmission, outcome: Outcome, ranMs: number): void {
    if (outcome.kind !== 'rejected') {
      this.#events.publishFor(submission, finishedEvent(outcome, ranMs));
      return;
    }
    const { reason, by } = outcome;
    this.#events.publishFor(
      submission,
      by === undefined ? { type: 'rejected', reason } : { type: 'rejected', reason, by },
    );
  }

  abandoned(attempt: object, view: TaskView): void {
    this.#abandonedAlive.add(attempt);
    this.#abandoned.set(attempt, view);
  }

  /**
   * The body of an attempt ended after the attempt was over. Counts only for an abandoned attempt.
   */
  bodyEndedAfterAttempt(attempt: object): void {
    this.#abandonedAlive.delete(attempt);
    if (!this.#keepsRecord) this.#abandoned.delete(attempt);
  }

  /** The owner has ended. Called before its slot goes on. */
  ownerEnded(outcome: Outcome, owner: LiveSubmission, work: Work): void {
    if (this.#keepsRecord && outcome.kind === 'killed') this.killed.push(owner.view(work));
    this.running -= 1;
    if (hasDied(outcome)) this.dead += 1;
  }

  /** The owner has ended. Called once its slot has gone on. */
  ownerGone(outcome: Outcome): void {
    this.#checkEmpty();
    if (hasDied(outcome)) this.#listener.ownerDied();
  }

  /** A body without participants still counts, until it has ended or was abandoned. */
  #checkEmpty(): void {
    if (!this.empty) return;
    this.#whenIdle?.resolve();
    this.#whenIdle = undefined;
    this.#listener.emptied();
  }
}

const hasDied = ({ kind }: Outcome): boolean => kind === 'failed' || kind === 'fatal';
