// The actor: the loop of attempts of one submission, from owning the slot to its outcome. Gate,
// attempt, decision, wait, and again. policy/restart.ts and retries.ts decide what follows an
// attempt; this file carries it out. At any moment an actor waits for exactly one thing, and a stop
// request ends every wait at once. Over 300 lines because every way from one wait to the next is
// here.

import { afterWait } from '../kernel/clock.ts';
import type { Place } from '../kernel/gate.ts';
import type { TurnTaker } from '../kernel/turn-queue.ts';
import { type StopCause, stopReason } from '../model/error.ts';
import type { OverrunAction } from '../model/event.ts';
import type { Failure } from '../model/failure.ts';
import { Completed, type Outcome } from '../model/outcome.ts';
import { record } from '../model/record.ts';
import { TASK_STATUSES, type TaskStatus, type TaskView, type WaitingFor } from '../model/view.ts';
import {
  type AttemptEnd,
  afterAttempt,
  type Decision,
  intervalDelayMs,
  type Progress,
  type StopRequest,
} from '../policy/restart.ts';
import { Attempt, type AttemptHost, type AttemptStop, type Proof } from './attempt.ts';
import { attemptReport } from './attempt-report.ts';
import { attemptEndEvent, given, type TaskEventData } from './events.ts';
import type { HeldLease } from './held-lease.ts';
import { Retries } from './retries.ts';
import type { Runtime } from './runtime.ts';
import { BACKOFF, INTERVAL, LEFT, OVERRUN, RUNNING, STARTING, STOPPING, SUSPENDED } from './status-counts.ts';
import type { LiveSubmission } from './submission.ts';
import type { Work } from './task-view.ts';

export interface ActorHost {
  /** A shutdown began: `restart()` does nothing. */
  readonly isClosed: boolean;
  /** The participant that its events name; null once all have left. */
  readonly subject: LiveSubmission | null;
  /** The replacement that waits in its slot. */
  readonly successor: LiveSubmission | null;
  /** The body has ended or was given up: the slot may go on. */
  actorEnded(actor: Actor, outcome: Outcome): void;
  /** Its lease was lost, and no body runs. */
  actorSuspended(actor: Actor): void;
  /** It waits at the concurrency gate for its first attempt, or has got its place there. */
  actorWaits(): void;
  /**
   * An attempt is about to begin. What was decided before comes first, and may stop it. Returns
   * false if it has to wait for a decision: the actor then gets another turn.
   */
  mayBegin(actor: Actor): boolean;
  /** Its first attempt begins. */
  actorBegins(): void;
  actorOverran(): void;
}

type State =
  /**
   * Waits for a place at the gate, or has one and waits for its turn. `place` is undefined where
   * the gate is open.
   */
  | { readonly at: 'gate'; readonly place: Place | undefined }
  | Attempt
  /** An attempt has ended, and what follows is being decided. */
  | { readonly at: 'decision' }
  | { readonly at: 'pause'; readonly dueMs: number; cancel(): void }
  /** Its lease was lost, and it has no body. */
  | { readonly at: 'suspended' }
  | { readonly at: 'ended' };

const AT_OPEN_GATE: State = { at: 'gate', place: undefined };
const AT_DECISION: State = { at: 'decision' };
const AT_SUSPENSION: State = { at: 'suspended' };
const AT_END: State = { at: 'ended' };

/** What keeps it at the gate, in the words of a view. */
const WAITS_AT_GATE = { pause: 'supervisorPaused', concurrency: 'gate', rate: 'rate' } as const;

export class Actor implements Work, AttemptHost, TurnTaker, Progress {
  readonly submission: LiveSubmission;
  /** Changes when a lost lease is followed by another one. */
  lease: HeldLease;
  attempts = 0;
  retries = 0;
  lastFailure: Failure | undefined;
  stop: StopRequest | undefined;
  restartAsked = false;
  suspending = false;
  finishing = false;
  readonly runtime: Runtime;
  readonly #host: ActorHost;
  readonly #startedMs: number;
  #state: State = AT_OPEN_GATE;
  /** Where it counts: its status, and whether a participant is left. See status-counts.ts. */
  #place = STARTING;
  #sinceMs: number;
  #retries: Retries | undefined; // made at the first failure

  constructor(host: ActorHost, runtime: Runtime, submission: LiveSubmission, lease: HeldLease) {
    this.#host = host;
    this.runtime = runtime;
    this.submission = submission;
    this.lease = lease;
    this.#startedMs = this.#sinceMs = runtime.clock.now();
    runtime.ledger.statuses.add(STARTING, 1);
  }

  get status(): TaskStatus {
    return TASK_STATUSES[this.#place % LEFT] as TaskStatus;
  }
  get waitingFor(): WaitingFor | undefined {
    const state = this.#state;
    if (state.at === 'pause') return this.#place % LEFT === BACKOFF ? 'backoff' : 'interval';
    if (state.at === 'suspended') return 'lease';
    if (state.at !== 'gate' || state.place?.at !== 'queue') return undefined;
    const { obstacle } = this.runtime.gate;
    return obstacle && WAITS_AT_GATE[obstacle];
  }
  get stopping(): TaskView['stop'] {
    const state = this.#state;
    if (state.at !== 'attempt') return undefined;
    const { stop } = state;
    return stop && { by: this.stop?.by ?? stop.by, sinceMs: this.runtime.clock.now() - stop.sinceMs };
  }
  /** It waits for its first attempt: at the concurrency gate, or for a lease after a loss. */
  get waitsToBegin(): boolean {
    const state = this.#state;
    if (this.attempts > 0) return false;
    return state.at === 'suspended' || (state.at === 'gate' && state.place?.at === 'queue');
  }
  get streak(): number {
    return this.#retries?.streak ?? 0;
  }
  get failingMs(): number | undefined {
    return this.#retries?.failingMs;
  }
  get sinceMs(): number {
    return this.runtime.clock.now() - this.#sinceMs;
  }
  get nextAttemptInMs(): number | undefined {
    const state = this.#state;
    return state.at === 'pause' ? Math.max(0, state.dueMs - this.runtime.clock.now()) : undefined;
  }
  /** The whole length of the wait that it is in. */
  get #pauseMs(): number | undefined {
    return this.#state.at === 'pause' ? this.#state.dueMs - this.#sinceMs : undefined;
  }
  get ranMs(): number {
    return this.runtime.clock.now() - this.#startedMs;
  }

  /** Every change of its status comes here, so that the counts by status are exact. */
  #become(status: number): void {
    this.#moveTo(this.#place < LEFT ? status : LEFT + status);
  }

  /** No participant is left. */
  left(): void {
    if (this.#place < LEFT) this.#moveTo(LEFT + this.#place);
  }

  #moveTo(place: number): void {
    this.runtime.ledger.statuses.move(this.#place, place);
    this.#place = place;
  }

  /** Called once it has ended: its submissions are about to get their outcome. */
  leaveCounts(): void {
    this.runtime.ledger.statuses.add(this.#place, -1);
  }

  /** Called once the actor owns its slot. */
  start(): void {
    const { subject } = this.#host;
    if (this.#listening && subject !== null)
      this.runtime.events.started(subject, this.#startedMs - subject.submittedMs, this.lease.fence);
    this.#enterGate();
  }

  /**
   * Called at most once: the slot machine stops an owner once. Outside an attempt the actor ends at
   * once.
   */
  requestStop(by: StopCause, reason: unknown): void {
    const state = this.#state;
    if (state.at === 'ended') return; // its slot is about to learn of the end
    this.stop = { by, reason };
    if (this.#listening) this.#publishStop(by);
    if (state.at === 'attempt') {
      state.interrupt(stopReason(by, `stopped by ${by}`, reason));
      return;
    }
    this.#stopWaiting();
    this.#end({ kind: 'canceled', by, ...given(reason), attempts: this.attempts });
  }

  /** A replacement that waits is the cause: it stops an owner that was not asked before. */
  #publishStop(by: StopCause): void {
    const { successor } = this.#host;
    this.#publish(
      successor === null ? { type: 'stopRequested', by } : { type: 'stopRequested', by, successor: successor.id },
    );
  }

  #stopWaiting(): void {
    const state = this.#state;
    if (state.at === 'pause') state.cancel();
    else if (state.at === 'gate' && state.place !== undefined) this.runtime.gate.leave(state.place);
  }

  /** The lease was lost. No attempt begins until `resume`. */
  suspend(): void {
    const { at } = this.#state;
    if (at === 'ended' || this.stop !== undefined) return;
    this.suspending = true;
    if (this.#listening) this.#publish({ type: 'stopRequested', by: 'leaseLost' });
    if (this.#state.at === 'attempt') {
      this.#state.interrupt(stopReason('leaseLost', 'the lease of the slot was lost'));
      return;
    }
    this.#stopWaiting();
    this.#suspended();
  }

  #suspended(): void {
    this.#state = AT_SUSPENSION;
    this.#become(SUSPENDED);
    this.#sinceMs = this.runtime.clock.now();
    this.#host.actorSuspended(this);
  }

  /** The slot has another lease. */
  resume(lease: HeldLease): void {
    if (this.#state.at !== 'suspended') return;
    this.suspending = false;
    this.lease = lease;
    this.#startAfresh();
  }

  /** No other process can have the slot for this long: the body has to end within it. */
  limitGrace(ms: number): void {
    if (this.#state.at === 'attempt') this.#state.limitGrace(ms);
  }

  /**
   * A shutdown lets it end its attempt, or gives it its first one. Nothing follows that attempt, so
   * a wait for another one ends at once.
   */
  finish(): void {
    this.finishing = true;
    const { at } = this.#state;
    if (this.attempts === 0 || (at !== 'gate' && at !== 'pause')) return;
    const { lastFailure, streak } = this;
    if (lastFailure === undefined || streak === 0) {
      this.requestStop('shutdown', undefined);
      return;
    }
    this.#stopWaiting();
    this.#end({ kind: 'failed', failure: lastFailure, attempts: this.attempts, because: 'shuttingDown' });
  }

  restart(): boolean {
    if (this.#host.isClosed) return false;
    const state = this.#state;
    if (state.at === 'attempt' && state.state === 'running') {
      this.restartAsked = true;
      state.interrupt(stopReason('caller', 'restarted'));
      return true;
    }
    if (state.at !== 'pause') return false;
    state.cancel();
    this.#startAfresh();
    return true;
  }

  /**
   * The end of a shutdown's grace. An owner that was asked to stop and has not ended is in an
   * attempt.
   */
  force(): void {
    if (this.#state.at === 'attempt') this.#state.force();
  }

  /** Gives up a killed body that did not end in time. */
  abandon(): void {
    if (this.#state.at === 'attempt') this.#state.abandon();
  }

  #nextAttempt(): void {
    this.#sinceMs = this.runtime.clock.now();
    this.#enterGate();
  }

  #enterGate(): void {
    const { gate, turns } = this.runtime;
    this.#state = AT_OPEN_GATE;
    this.#become(STARTING);
    if (gate.open) {
      turns.push(this);
      return;
    }
    const place = gate.enter(this.submission.settings.priority, () => {
      turns.push(this);
      if (this.attempts === 0) this.#host.actorWaits(); // it has a place, and waits no more
    });
    this.#state = { at: 'gate', place };
    if (this.waitsToBegin) this.#host.actorWaits();
  }

  onTurn(): void {
    const state = this.#state;
    if (state.at !== 'gate' || !this.lease.check()) return; // stopped or suspended meanwhile
    const mayBegin = this.#host.mayBegin(this);
    if (!mayBegin || this.#state !== state) return; // stopped by that, or by the lease store, which was just asked
    if (state.place === undefined) {
      if (this.runtime.gate.open) this.#beginAttempt(undefined);
      else this.#enterGate(); // paused or limited meanwhile
    } else if (state.place.at === 'inside') this.#beginAttempt(state.place); // else: the turn of an earlier wait
  }

  #beginAttempt(place: Place | undefined): void {
    this.runtime.gate.begin(place);
    this.attempts += 1;
    this.runtime.ledger.totals.attempts += 1;
    const attempt = new Attempt(this, this.attempts, place);
    if (this.runtime.probes.active) attempt.waitedMs = this.#waitedMs(attempt);
    this.#state = attempt;
    this.#become(RUNNING);
    if (attempt.number === 1) this.#host.actorBegins();
    this.#sinceMs = attempt.startedMs;
    if (this.#listening) this.#publishBegin(attempt);
    attempt.begin();
  }

  #publishBegin(attempt: Attempt): void {
    const { number } = attempt;
    const { subject } = this.#host;
    if (subject === null) return;
    this.runtime.events.attemptStarted(subject, number, number === 1 ? this.#waitedMs(attempt) : undefined);
  }

  #publishEnd({ number }: Attempt, end: AttemptEnd, durationMs: number): void {
    const { subject } = this.#host;
    if (end.kind !== 'value') this.#publish(attemptEndEvent(number, end, durationMs));
    else if (subject !== null) this.runtime.events.attemptSucceeded(subject, number, durationMs);
  }

  /** The first attempt is ready from the submit on, a later one from the end of its pause on. */
  #waitedMs({ number, startedMs }: Attempt): number {
    return startedMs - (number === 1 ? this.#shown.submittedMs : this.#sinceMs);
  }

  attemptStops({ sinceMs }: AttemptStop): void {
    this.#become(STOPPING);
    this.#sinceMs = sinceMs;
  }

  attemptOverran(attempt: Attempt, stop: AttemptStop, action: OverrunAction): void {
    const now = this.runtime.clock.now();
    // Else its kill has failed, or it is given up after all.
    if (this.#place % LEFT !== OVERRUN) {
      this.runtime.ledger.totals.overruns += 1;
      this.#become(OVERRUN);
      this.#sinceMs = now;
    }
    const sinceMs = now - stop.sinceMs;
    if (this.#listening) this.#publish({ type: 'overrun', attempt: attempt.number, action, sinceMs });
    if (action === 'hold') this.runtime.unwatched?.overrunHeld(this.submission, attempt.number, sinceMs);
    this.#host.actorOverran();
  }

  attemptEnded(attempt: Attempt, bodyEnd: AttemptEnd, proof: Proof): void {
    // A value counts only if the slot was surely owned when it was returned. An owner that will not
    // go on has it in its outcome.
    const isLost = this.suspending || this.stop?.by === 'leaseLost';
    const shown = isLost && bodyEnd.kind === 'value' ? STOPPED : bodyEnd;
    const end = this.suspending ? shown : bodyEnd;
    if (end.kind === 'failure') this.#failed(end.failure);
    this.#record(attempt, proof);
    if (this.#state.at === 'attempt') this.runtime.gate.leave(this.#state.place);
    this.#state = AT_DECISION;
    const { watches } = attempt;
    const durationMs = this.#listening || watches !== undefined ? this.#ranSince(attempt) : 0; // else of no use
    if (this.#listening) this.#publishEnd(attempt, shown, durationMs);
    const { unwatched } = this.runtime;
    const sighting =
      end.kind === 'failure' ? unwatched?.failed(this.submission, attempt.number, end.failure) : undefined;
    this.#follow(attempt, end, proof);
    sighting?.decided(this.#pauseMs);
    // Last: a probe is code of the user, and may look at anything.
    watches?.ended(attemptReport(shown, proof, durationMs));
  }

  #record(attempt: Attempt, proof: Proof): void {
    const { ledger } = this.runtime;
    if (proof === 'killed') ledger.bodyKilled(this.#shown, this);
    if (proof === 'abandoned') ledger.abandoned(attempt, this.#shown.view(this));
  }

  #failed(failure: Failure): void {
    this.lastFailure = failure;
    this.runtime.ledger.failures[failure.kind] += 1;
  }

  #ranSince(attempt: Attempt): number {
    return this.runtime.clock.now() - attempt.startedMs;
  }

  #follow(attempt: Attempt, end: AttemptEnd, proof: Proof): void {
    const { settings } = this.submission;
    const { attempts } = this;
    const decision = afterAttempt(end, this, settings);
    switch (decision.next) {
      case 'complete':
        this.#settle(new Completed(decision.value, attempts));
        return;
      case 'cancel': {
        const { by, reason, failure } = decision;
        const returned = 'value' in decision && { value: decision.value };
        if (proof === 'settled')
          this.#end({ kind: 'canceled', by, ...given(reason), ...(failure && { failure }), ...returned, attempts });
        else this.#end({ kind: proof, by, attempts });
        return;
      }
      case 'fail':
        this.#end({ kind: 'failed', failure: decision.failure, attempts, because: decision.because });
        return;
      case 'fatal':
        this.#end({ kind: 'fatal', failure: decision.failure, attempts });
        return;
      case 'suspend':
        this.#suspended();
        return;
      case 'freshAttempt':
        this.#startAfresh();
        return;
      case 'afterInterval': {
        this.#retries?.endStreak();
        const delayMs = intervalDelayMs(settings.intervalMs, this.#ranSince(attempt));
        if (settings.intervalMs > 0) this.#publishWait(delayMs, 'success');
        this.#pauseFor(INTERVAL, delayMs);
        return;
      }
      case 'retry':
        this.#retry(decision);
    }
  }

  #startAfresh(): void {
    this.restartAsked = false;
    this.#retries?.forget();
    this.#nextAttempt();
  }

  #retry({ failure, newStreak }: Extract<Decision, { next: 'retry' }>): void {
    this.#become(STARTING); // `retryIf` may look at it
    this.#retries ??= new Retries(this.runtime, this.submission.settings);
    if (newStreak) this.#retries.endStreak();
    const verdict = this.#retries.failed(failure);
    if (this.#state !== AT_DECISION) return; // `retryIf` itself canceled the task or lost its lease
    if ('refused' in verdict) {
      this.#end({ kind: 'failed', failure, attempts: this.attempts, ...verdict.refused });
      return;
    }
    if (this.finishing) {
      this.#end({ kind: 'failed', failure, attempts: this.attempts, because: 'shuttingDown' });
      return;
    }
    this.retries += 1;
    this.runtime.ledger.totals.retries += 1;
    this.#publishWait(verdict.afterMs, 'failure');
    this.#pauseFor(BACKOFF, verdict.afterMs);
  }

  #publishWait(delayMs: number, cause: 'success' | 'failure'): void {
    if (this.#listening) this.#publish({ type: 'backoffScheduled', attempt: this.attempts, delayMs, after: cause });
  }

  #pauseFor(status: number, ms: number): void {
    if (ms === 0) {
      this.#nextAttempt();
      return;
    }
    const { clock } = this.runtime;
    this.#sinceMs = clock.now();
    const pause: State = {
      at: 'pause',
      dueMs: this.#sinceMs + ms,
      cancel: afterWait(clock, ms, () => {
        if (this.#state === pause) this.#nextAttempt(); // else it has ended, and its cancel was lost
      }),
    };
    this.#state = pause;
    this.#become(status);
  }

  get #listening(): boolean {
    return this.runtime.events.listening !== undefined;
  }

  #publish(data: TaskEventData): void {
    const { subject } = this.#host;
    if (subject !== null) this.runtime.events.publishFor(subject, data);
  }

  /** The submission that views name. */
  get #shown(): LiveSubmission {
    return this.#host.subject ?? this.submission;
  }

  #end(outcome: Outcome): void {
    this.#settle(record(outcome));
  }

  #settle(outcome: Outcome): void {
    this.#state = AT_END;
    this.#host.actorEnded(this, outcome);
  }
}

const STOPPED: AttemptEnd = { kind: 'stopped', failure: undefined };
