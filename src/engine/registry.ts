// The books: which submissions live, how many of what there have been, and who waits for all of it to end. Outcomes are settled here.

import { type Deferred, deferred } from '../kernel/deferred.ts';
import { SequenceMap } from '../kernel/sequence-map.ts';
import type { TaskIds } from '../model/id.ts';
import type { Outcome } from '../model/outcome.ts';
import type { TaskView, TotalName } from '../model/view.ts';
import { Actor, type ActorHost } from './actor.ts';
import type { Attempt } from './attempt.ts';
import type { Runtime } from './runtime.ts';
import type { LiveSubmission } from './submission.ts';

export interface RegistryHost {
  /** The slot may go on: the owner's body has ended, or has been given up. */
  ownerEnded(actor: Actor, outcome: Outcome): void;
}

export class Registry implements ActorHost {
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
  /** Owners that were killed, and bodies that were given up, in the order in which it happened. */
  readonly killed: TaskView[] = [];
  readonly #abandoned = new Map<Attempt, TaskView>();
  readonly #live = new SequenceMap<LiveSubmission>();
  /** Bodies that were given up and have not ended. */
  readonly #astray = new Set<Attempt>();
  readonly #runtime: Runtime;
  readonly #ids: TaskIds;
  readonly #host: RegistryHost;
  #whenIdle: Deferred<void> | undefined;
  #keepsRecord = false;
  onEmpty: () => void = () => {};
  onDead: () => void = () => {};

  constructor(runtime: Runtime, ids: TaskIds, host: RegistryHost) {
    this.#runtime = runtime;
    this.#ids = ids;
    this.#host = host;
  }

  get empty(): boolean {
    return this.#live.size === 0 && this.running === 0;
  }
  get abandonedAlive(): number {
    return this.#astray.size;
  }
  get abandonedViews(): TaskView[] {
    return [...this.#abandoned.values()];
  }

  /** The first that is heard of it, whatever becomes of it. */
  submitted(submission: LiveSubmission): void {
    this.totals.submitted += 1;
    const { news } = this.#runtime;
    if (news.heard) news.about(submission, { type: 'submitted', policy: submission.policy });
  }

  /** It waits, owns or shares: from here on it can be found by its id. */
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

  /** From here on an abandoned body stays named, though it may end after all, and the killed are kept: a shutdown will report them. */
  keepRecord(): void {
    this.#keepsRecord = true;
  }

  start(submission: LiveSubmission, fence: bigint): Actor {
    const actor = new Actor(this, this.#runtime, submission, fence);
    this.running += 1;
    this.totals.started += 1;
    submission.work = actor;
    actor.start();
    return actor;
  }

  /** Exactly one outcome: whoever comes second is ignored. Told last of all, when the books are in order. */
  settle(submission: LiveSubmission, outcome: Outcome, actor?: Actor): void {
    if (submission.ended) return;
    this.#live.delete(submission.number);
    this.totals[outcome.kind] += 1;
    const { news } = this.#runtime;
    if (outcome.kind === 'rejected') {
      if (outcome.reason === 'slotBusy') this.totals.dropped += 1;
      if (news.heard) {
        const { reason, by } = outcome; // `by` is left out where there is none, as the event will
        news.about(submission, by === undefined ? { type: 'rejected', reason } : { type: 'rejected', reason, by });
      }
    } else if (news.heard)
      news.about(submission, {
        type: 'finished',
        outcome: outcome.kind,
        attempts: outcome.attempts,
        ranMs: actor?.ranMs ?? 0,
      });
    submission.settle(outcome);
    this.#tellIfEmpty();
  }

  /** A body whose submissions have all left still counts: nothing may run when this is told. */
  #tellIfEmpty(): void {
    if (!this.empty) return;
    this.#whenIdle?.resolve();
    this.#whenIdle = undefined;
    this.onEmpty();
  }

  attemptStarted(): void {
    this.totals.attempts += 1;
  }
  retryScheduled(): void {
    this.totals.retries += 1;
  }

  abandoned(actor: Actor, attempt: Attempt): void {
    this.#astray.add(attempt);
    this.#abandoned.set(attempt, { ...actor.submission.view(actor), status: 'overrun' });
  }

  /** Of one that was not given up there is nothing to delete. */
  endedAfterAll(attempt: Attempt): void {
    this.#astray.delete(attempt);
    if (!this.#keepsRecord) this.#abandoned.delete(attempt);
  }

  actorEnded(actor: Actor, outcome: Outcome): void {
    if (this.#keepsRecord && outcome.kind === 'killed') this.killed.push(actor.submission.view(actor));
    this.running -= 1;
    const died = outcome.kind === 'failed' || outcome.kind === 'fatal';
    if (died) this.dead += 1;
    this.#host.ownerEnded(actor, outcome);
    this.#tellIfEmpty();
    if (died) this.onDead();
  }
}
