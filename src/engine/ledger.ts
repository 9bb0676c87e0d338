// The ledger of one supervisor: which submissions are live, exact counts, what was killed or abandoned, and the one place where an outcome
// is settled (S3). It starts and stops nothing.

import { type Deferred, deferred } from '../kernel/deferred.ts';
import { SequenceMap } from '../kernel/sequence-map.ts';
import type { TaskIds } from '../model/id.ts';
import type { Outcome } from '../model/outcome.ts';
import type { TaskView, TotalName } from '../model/view.ts';
import type { News } from './news.ts';
import type { LiveSubmission } from './submission.ts';

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
  /** Attempts that were abandoned and whose bodies have not ended. */
  readonly #abandonedAlive = new Set<object>();
  readonly #news: News;
  readonly #ids: TaskIds;
  #whenIdle: Deferred<void> | undefined;
  #keepsRecord = false;
  onEmpty: () => void = () => {};
  onDead: () => void = () => {};

  constructor(news: News, ids: TaskIds) {
    this.#news = news;
    this.#ids = ids;
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

  submitted(submission: LiveSubmission): void {
    this.totals.submitted += 1;
    if (this.#news.heard) this.#news.about(submission, { type: 'submitted', policy: submission.policy });
  }

  /** From here on it can be found by its id. */
  enter(submission: LiveSubmission): void {
    this.#live.set(submission.number, submission);
  }

  get(id: string): LiveSubmission | undefined {
    return this.#live.get(this.#ids.number(id) ?? 0); // nobody: they are counted from 1
  }

  all(): IterableIterator<LiveSubmission> {
    return this.#live.values();
  }

  idle(): Promise<void> {
    if (this.empty) return Promise.resolve();
    this.#whenIdle ??= deferred();
    return this.#whenIdle.promise;
  }

  /** From here on, killed tasks are kept and abandoned ones stay listed even if they end: a shutdown will report them. */
  keepRecord(): void {
    this.#keepsRecord = true;
  }

  started(): void {
    this.running += 1;
    this.totals.started += 1;
  }

  /** Exactly one outcome: a second call is ignored. The outcome's promise resolves last, when everything else is in order. */
  settle(submission: LiveSubmission, outcome: Outcome, ranMs = 0): void {
    if (submission.ended) return;
    this.#live.delete(submission.number);
    this.totals[outcome.kind] += 1;
    if (outcome.kind === 'rejected' && outcome.reason === 'slotBusy') this.totals.dropped += 1;
    if (this.#news.heard) this.#announce(submission, outcome, ranMs);
    submission.settle(outcome);
    this.#checkEmpty();
  }

  #announce(submission: LiveSubmission, outcome: Outcome, ranMs: number): void {
    if (outcome.kind !== 'rejected') {
      const { kind, attempts } = outcome;
      this.#news.about(submission, { type: 'finished', outcome: kind, attempts, ranMs });
      return;
    }
    const { reason, by } = outcome;
    this.#news.about(submission, by === undefined ? { type: 'rejected', reason } : { type: 'rejected', reason, by });
  }

  abandoned(attempt: object, view: TaskView): void {
    this.#abandonedAlive.add(attempt);
    this.#abandoned.set(attempt, view);
  }

  /** An attempt that was abandoned earlier has ended. For any other attempt nothing changes. */
  endedLate(attempt: object): void {
    this.#abandonedAlive.delete(attempt);
    if (!this.#keepsRecord) this.#abandoned.delete(attempt);
  }

  /** The owner has ended: before its slot goes on. */
  ownerEnded(outcome: Outcome, view: () => TaskView): void {
    if (this.#keepsRecord && outcome.kind === 'killed') this.killed.push(view());
    this.running -= 1;
    if (hasDied(outcome)) this.dead += 1;
  }

  /** The same, once its slot has gone on. */
  ownerGone(outcome: Outcome): void {
    this.#checkEmpty();
    if (hasDied(outcome)) this.onDead();
  }

  /** A body whose submissions have all left still counts: nothing may run when this is announced. */
  #checkEmpty(): void {
    if (!this.empty) return;
    this.#whenIdle?.resolve();
    this.#whenIdle = undefined;
    this.onEmpty();
  }
}

const hasDied = ({ kind }: Outcome): boolean => kind === 'failed' || kind === 'fatal';
