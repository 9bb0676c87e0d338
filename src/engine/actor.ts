// The actor: the loop of attempts of one submission, from owning the slot to its outcome. Gate, attempt, decision, wait, and again.
// What follows an attempt is decided in policy/restart; this file carries it out. At any moment it waits for exactly one thing,
// and every wait ends at once on a stop request.

import { after } from '../kernel/clock.ts';
import type { Leave } from '../kernel/gate.ts';
import type { Job } from '../kernel/pump.ts';
import { type StopCause, stopReason } from '../model/error.ts';
import type { Failure } from '../model/failure.ts';
import type { Outcome } from '../model/outcome.ts';
import type { TaskStatus } from '../model/view.ts';
import { type AttemptEnd, afterAttempt, intervalDelayMs, type Progress, type StopRequest } from '../policy/restart.ts';
import { Attempt, type AttemptHost, type OverrunAction, type Proof } from './attempt.ts';
import { attemptEndNews, type TaskNews } from './news.ts';
import { Retries } from './retries.ts';
import type { Runtime } from './runtime.ts';
import type { LiveSubmission, Work } from './submission.ts';

export interface ActorHost {
  /** Proof of end, or giving up: the slot may go on. */
  actorEnded(actor: Actor, outcome: Outcome): void;
}

type Wait = 'starting' | 'backoff' | 'interval';

/** Between two attempts. */
interface Pause {
  readonly dueMs: number;
  readonly cancel: () => void;
}

export class Actor implements Work, AttemptHost, Job, Progress {
  readonly submission: LiveSubmission;
  readonly fence: bigint;
  attempts = 0;
  retries = 0;
  lastFailure: Failure | undefined;
  /** A body of it was given up and may be alive. */
  leftBody = false;
  stop: StopRequest | undefined;
  restartAsked = false;
  /** Whom its events are about; null once everybody has left. */
  subject: LiveSubmission | null;
  readonly runtime: Runtime;
  readonly #host: ActorHost;
  readonly #startedMs: number;
  #wait: Wait | 'ended' = 'starting';
  #sinceMs: number;
  #attempt: Attempt | undefined;
  #leaveGate: Leave | undefined;
  #pause: Pause | undefined;
  #retries: Retries | undefined; // made with the first failure

  constructor(host: ActorHost, runtime: Runtime, submission: LiveSubmission, fence: bigint) {
    this.#host = host;
    this.runtime = runtime;
    this.submission = submission;
    this.subject = submission;
    this.fence = fence;
    this.#startedMs = this.#sinceMs = runtime.clock.now();
  }

  get status(): TaskStatus {
    return this.#attempt?.state ?? this.#wait;
  }
  get streak(): number {
    return this.#retries?.streak ?? 0;
  }
  get sinceMs(): number {
    return this.runtime.clock.now() - this.#sinceMs;
  }
  get nextAttemptInMs(): number | undefined {
    return this.#pause && Math.max(0, this.#pause.dueMs - this.runtime.clock.now());
  }

  /** Owns its slot from here on: waits for a place at the gate, then for its turn. */
  start(): void {
    if (this.#heard)
      this.#tell({ type: 'started', waitedMs: this.#startedMs - this.submission.submittedMs, fence: this.fence });
    this.#enterGate();
  }

  /** Comes once at most: the slot machine asks no owner twice. Between attempts there is nothing to wait for: it ends at once. */
  requestStop(by: StopCause, reason: unknown): void {
    if (this.#wait === 'ended') return; // its slot is about to hear of it
    this.stop = { by, reason };
    if (this.#heard) this.#tell({ type: 'stopRequested', by });
    if (this.#attempt !== undefined) {
      this.#attempt.interrupt(stopReason(by, `stopped by ${by}`, reason));
      return;
    }
    this.#stopWaiting();
    this.#end({ kind: 'canceled', by, ...given(reason), attempts: this.attempts });
  }

  restart(): boolean {
    if (this.#attempt !== undefined) {
      if (this.#attempt.state !== 'running') return false;
      this.restartAsked = true;
      this.#attempt.interrupt(stopReason('caller', 'restarted'));
      return true;
    }
    if (this.#pause === undefined) return false;
    this.#stopWaiting();
    this.#startAnew();
    return true;
  }

  /** The end of a shutdown's grace. Who was told to stop and has not ended is in an attempt. */
  force(): void {
    (this.#attempt as Attempt).force();
  }

  /** A killed body that does not die in time is given up like any other. */
  giveUp(): void {
    (this.#attempt as Attempt).abandon();
  }

  #nextAttempt(): void {
    this.#become('starting');
    this.#enterGate();
  }

  #enterGate(): void {
    const { gate, pump } = this.runtime;
    if (gate.open) pump.push(this);
    else this.#leaveGate = gate.enter(this.submission.settings.priority, () => pump.push(this));
  }

  /** Its turn has come, unless it was stopped meanwhile. */
  run(): void {
    if (this.#wait !== 'starting') return;
    if (this.#leaveGate === undefined && !this.runtime.gate.open)
      this.#enterGate(); // paused meanwhile
    else this.#beginAttempt();
  }

  #beginAttempt(): void {
    this.attempts += 1;
    this.runtime.ledger.totals.attempts += 1;
    const attempt = new Attempt(this, this.attempts);
    this.#attempt = attempt;
    this.#sinceMs = attempt.startedMs;
    if (this.#heard) this.#tell({ type: 'attemptStarted', attempt: attempt.number });
    attempt.begin();
  }

  attemptInterrupted(attempt: Attempt): void {
    this.#sinceMs = attempt.interruptedMs;
  }

  attemptOverran(attempt: Attempt, action: OverrunAction): void {
    const now = this.runtime.clock.now();
    this.#sinceMs = now;
    if (this.#heard) this.#tell({ type: 'overrun', action, sinceMs: now - attempt.interruptedMs });
  }

  attemptEnded(attempt: Attempt, end: AttemptEnd, proof: Proof): void {
    if (proof === 'abandoned') {
      this.leftBody = true;
      this.runtime.ledger.abandoned(attempt, { ...this.submission.view(this), status: 'overrun' });
    }
    this.#attempt = undefined;
    this.#leaveGate?.();
    this.#leaveGate = undefined;
    if (end.kind === 'failure') this.lastFailure = end.failure;
    if (this.#heard) this.#tell(attemptEndNews(attempt.number, end, this.#ranMs(attempt)));
    this.#follow(attempt, end, proof);
  }

  #ranMs(attempt: Attempt): number {
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
        this.#startAnew();
        return;
      case 'afterInterval': {
        this.#retries?.succeeded();
        const delay = intervalDelayMs(settings.intervalMs, this.#ranMs(attempt));
        if (settings.intervalMs > 0) this.#tellWait(delay, 'success');
        this.#waitFor('interval', delay);
        return;
      }
      case 'retry':
        this.#retry(decision.failure);
    }
  }

  #startAnew(): void {
    this.restartAsked = false;
    this.#retries?.forget();
    this.#nextAttempt();
  }

  #retry(failure: Failure): void {
    this.#retries ??= new Retries(this.runtime, this.submission.settings);
    const verdict = this.#retries.failed(failure);
    if (this.#wait === 'ended') return; // the predicate itself has canceled it
    if ('refused' in verdict) {
      this.#end({ kind: 'failed', failure, attempts: this.attempts, ...verdict.refused });
      return;
    }
    this.retries += 1;
    this.runtime.ledger.totals.retries += 1;
    this.#tellWait(verdict.afterMs, 'failure');
    this.#waitFor('backoff', verdict.afterMs);
  }

  #tellWait(delay: number, cause: 'success' | 'failure'): void {
    if (this.#heard) this.#tell({ type: 'backoffScheduled', attempt: this.attempts, delayMs: delay, after: cause });
  }

  #waitFor(wait: 'backoff' | 'interval', ms: number): void {
    if (ms === 0) {
      this.#nextAttempt();
      return;
    }
    this.#become(wait);
    const cancel = after(this.runtime.clock, ms, () => {
      this.#pause = undefined;
      this.#nextAttempt();
    });
    this.#pause = { dueMs: this.#sinceMs + ms, cancel };
  }

  #stopWaiting(): void {
    this.#pause?.cancel();
    this.#pause = undefined;
    this.#leaveGate?.();
    this.#leaveGate = undefined;
  }

  #become(wait: Wait): void {
    this.#wait = wait;
    this.#sinceMs = this.runtime.clock.now();
  }

  get #heard(): boolean {
    return this.runtime.news.heard;
  }

  #tell(news: TaskNews): void {
    if (this.subject !== null) this.runtime.news.about(this.subject, news);
  }

  #end(outcome: Outcome): void {
    this.#wait = 'ended';
    this.#host.actorEnded(this, outcome);
  }

  get ranMs(): number {
    return this.runtime.clock.now() - this.#startedMs;
  }
}

/** A reason that was not given is not shown as undefined. */
function given(reason: unknown): { readonly reason?: unknown } {
  return reason === undefined ? {} : { reason };
}
