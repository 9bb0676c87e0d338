// The actor: the loop of attempts of one submission, from owning the slot to its outcome. Gate,
// attempt, decision, wait, and again. policy/restart.ts and retries.ts decide what follows an
// attempt; this file carries it out. At any moment an actor waits for exactly one thing, and a stop
// request ends every wait at once.

import { after } from '../kernel/clock.ts';
import type { Place } from '../kernel/gate.ts';
import type { TurnTaker } from '../kernel/turn-queue.ts';
import { type StopCause, stopReason } from '../model/error.ts';
import type { OverrunAction } from '../model/event.ts';
import type { Failure } from '../model/failure.ts';
import type { Outcome } from '../model/outcome.ts';
import type { TaskStatus } from '../model/view.ts';
import { type AttemptEnd, afterAttempt, intervalDelayMs, type Progress, type StopRequest } from '../policy/restart.ts';
import { Attempt, type AttemptHost, type Proof } from './attempt.ts';
import { attemptEndEvent, type TaskEventData } from './events.ts';
import { Retries } from './retries.ts';
import type { Runtime } from './runtime.ts';
import type { LiveSubmission, Work } from './submission.ts';

export interface ActorHost {
  /** The body has ended or was given up: the slot may go on. */
  actorEnded(actor: Actor, outcome: Outcome): void;
}

type State =
  /**
   * Waits for a place at the gate, or has one and waits for its turn. `place` is undefined where
   * the gate is open.
   */
  | { readonly at: 'gate'; readonly place: Place | undefined }
  | { readonly at: 'attempt'; readonly attempt: Attempt; readonly place: Place | undefined }
  /** An attempt has ended, and what follows is being decided. */
  | { readonly at: 'decision' }
  | { readonly at: 'pause'; readonly status: 'backoff' | 'interval'; readonly dueMs: number; cancel(): void }
  | { readonly at: 'ended' };

const OPEN_GATE: State = { at: 'gate', place: undefined };
const DECISION: State = { at: 'decision' };
const ENDED: State = { at: 'ended' };

export class Actor implements Work, AttemptHost, TurnTaker, Progress {
  readonly submission: LiveSubmission;
  readonly fence: bigint;
  attempts = 0;
  retries = 0;
  lastFailure: Failure | undefined;
  /** A body of this actor was given up and may be alive. */
  abandonedBody = false;
  stop: StopRequest | undefined;
  restartAsked = false;
  /** The submission that its events name. Null once every participant has left. */
  subject: LiveSubmission | null;
  readonly runtime: Runtime;
  readonly #host: ActorHost;
  readonly #startedMs: number;
  #state: State = OPEN_GATE;
  #sinceMs: number;
  #retries: Retries | undefined; // made at the first failure

  constructor(host: ActorHost, runtime: Runtime, submission: LiveSubmission, fence: bigint) {
    this.#host = host;
    this.runtime = runtime;
    this.submission = submission;
    this.subject = submission;
    this.fence = fence;
    this.#startedMs = this.#sinceMs = runtime.clock.now();
  }

  get status(): TaskStatus {
    const state = this.#state;
    if (state.at === 'attempt') return state.attempt.state;
    if (state.at === 'pause') return state.status;
    return state.at === 'ended' ? 'ended' : 'starting';
  }
  get streak(): number {
    return this.#retries?.streak ?? 0;
  }
  get sinceMs(): number {
    return this.runtime.clock.now() - this.#sinceMs;
  }
  get nextAttemptInMs(): number | undefined {
    const state = this.#state;
    return state.at === 'pause' ? Math.max(0, state.dueMs - this.runtime.clock.now()) : undefined;
  }
  get ranMs(): number {
    return this.runtime.clock.now() - this.#startedMs;
  }

  /** Called once the actor owns its slot. */
  start(): void {
    if (this.#listening)
      this.#publish({ type: 'started', waitedMs: this.#startedMs - this.submission.submittedMs, fence: this.fence });
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
    if (this.#listening) this.#publish({ type: 'stopRequested', by });
    if (state.at === 'attempt') {
      state.attempt.interrupt(stopReason(by, `stopped by ${by}`, reason));
      return;
    }
    if (state.at === 'pause') state.cancel();
    else if (state.at === 'gate' && state.place !== undefined) this.runtime.gate.leave(state.place);
    this.#end({ kind: 'canceled', by, ...given(reason), attempts: this.attempts });
  }

  restart(): boolean {
    const state = this.#state;
    if (state.at === 'attempt' && state.attempt.state === 'running') {
      this.restartAsked = true;
      state.attempt.interrupt(stopReason('caller', 'restarted'));
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
    if (this.#state.at === 'attempt') this.#state.attempt.force();
  }

  /** Gives up a killed body that did not end in time. */
  abandon(): void {
    if (this.#state.at === 'attempt') this.#state.attempt.abandon();
  }

  #nextAttempt(): void {
    this.#sinceMs = this.runtime.clock.now();
    this.#enterGate();
  }

  #enterGate(): void {
    const { gate, turns } = this.runtime;
    this.#state = OPEN_GATE;
    if (gate.open) turns.push(this);
    else this.#state = { at: 'gate', place: gate.enter(this.submission.settings.priority, () => turns.push(this)) };
  }

  onTurn(): void {
    const state = this.#state;
    if (state.at !== 'gate') return; // stopped meanwhile
    if (state.place === undefined && !this.runtime.gate.open)
      this.#enterGate(); // paused or limited meanwhile
    else this.#beginAttempt(state.place);
  }

  #beginAttempt(place: Place | undefined): void {
    this.runtime.gate.begin(place);
    this.attempts += 1;
    this.runtime.ledger.totals.attempts += 1;
    const attempt = new Attempt(this, this.attempts);
    this.#state = { at: 'attempt', attempt, place };
    this.#sinceMs = attempt.startedMs;
    if (this.#listening) this.#publish({ type: 'attemptStarted', attempt: attempt.number });
    attempt.begin();
  }

  attemptInterrupted(attempt: Attempt): void {
    this.#sinceMs = attempt.interruptedMs;
  }

  attemptOverran(attempt: Attempt, action: OverrunAction): void {
    const now = this.runtime.clock.now();
    this.#sinceMs = now;
    if (this.#listening) this.#publish({ type: 'overrun', action, sinceMs: now - attempt.interruptedMs });
  }

  attemptEnded(attempt: Attempt, end: AttemptEnd, proof: Proof): void {
    if (proof === 'abandoned') {
      this.abandonedBody = true;
      this.runtime.ledger.abandoned(attempt, { ...this.submission.view(this), status: 'overrun' });
    }
    if (this.#state.at === 'attempt') this.runtime.gate.leave(this.#state.place);
    this.#state = DECISION;
    if (end.kind === 'failure') this.lastFailure = end.failure;
    if (this.#listening) this.#publish(attemptEndEvent(attempt.number, end, this.#ranSince(attempt)));
    this.#follow(attempt, end, proof);
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
        this.#end({ kind: 'completed', value: decision.value, attempts });
        return;
      case 'cancel': {
        const { by, reason, failure } = decision;
        if (proof === 'settled')
          this.#end({ kind: 'canceled', by, ...given(reason), ...(failure && { failure }), attempts });
        else this.#end({ kind: proof, by, attempts });
        return;
      }
      case 'fail':
        this.#end({ kind: 'failed', failure: decision.failure, attempts, because: decision.because });
        return;
      case 'fatal':
        this.#end({ kind: 'fatal', failure: decision.failure, attempts });
        return;
      case 'freshAttempt':
        this.#startAfresh();
        return;
      case 'afterInterval': {
        this.#retries?.succeeded();
        const delayMs = intervalDelayMs(settings.intervalMs, this.#ranSince(attempt));
        if (settings.intervalMs > 0) this.#publishWait(delayMs, 'success');
        this.#pauseFor('interval', delayMs);
        return;
      }
      case 'retry':
        this.#retry(decision.failure);
    }
  }

  #startAfresh(): void {
    this.restartAsked = false;
    this.#retries?.forget();
    this.#nextAttempt();
  }

  #retry(failure: Failure): void {
    this.#retries ??= new Retries(this.runtime, this.submission.settings);
    const verdict = this.#retries.failed(failure);
    if (this.#state.at === 'ended') return; // `retryIf` itself canceled the task
    if ('refused' in verdict) {
      this.#end({ kind: 'failed', failure, attempts: this.attempts, ...verdict.refused });
      return;
    }
    this.retries += 1;
    this.runtime.ledger.totals.retries += 1;
    this.#publishWait(verdict.afterMs, 'failure');
    this.#pauseFor('backoff', verdict.afterMs);
  }

  #publishWait(delayMs: number, cause: 'success' | 'failure'): void {
    if (this.#listening) this.#publish({ type: 'backoffScheduled', attempt: this.attempts, delayMs, after: cause });
  }

  #pauseFor(status: 'backoff' | 'interval', ms: number): void {
    if (ms === 0) {
      this.#nextAttempt();
      return;
    }
    const { clock } = this.runtime;
    this.#sinceMs = clock.now();
    const pause: State = {
      at: 'pause',
      status,
      dueMs: this.#sinceMs + ms,
      cancel: after(clock, ms, () => {
        if (this.#state === pause) this.#nextAttempt(); // else it has ended, and its cancel was lost
      }),
    };
    this.#state = pause;
  }

  get #listening(): boolean {
    return this.runtime.events.listening !== undefined;
  }

  #publish(data: TaskEventData): void {
    if (this.subject !== null) this.runtime.events.publishFor(this.subject, data);
  }

  #end(outcome: Outcome): void {
    this.#state = ENDED;
    this.#host.actorEnded(this, outcome);
  }
}

/** A reason that was not given is left out, not shown as `undefined`. */
export function given(reason: unknown): { readonly reason?: unknown } {
  return reason === undefined ? {} : { reason };
}
