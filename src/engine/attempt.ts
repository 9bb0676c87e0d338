// One attempt: a call of the body (call-body.ts), raced with its timeout, the stall watch and the
// stop request. Whatever comes first, it WAITS for the body's end, kills or gives up an overrun,
// and reports a value. It never throws, and it does not decide what follows. Over 300 lines because
// every way to ask for the end, and to know of it, is here.

import { callIn } from '../kernel/async-context.ts';
import { CancelToken } from '../kernel/cancel-token.ts';
import { after, hasRealTimers } from '../kernel/clock.ts';
import type { Place } from '../kernel/gate.ts';
import type { TurnTaker } from '../kernel/turn-queue.ts';
import { CanceledError, type StopCause, TimeoutError, timeoutReason } from '../model/error.ts';
import type { OverrunAction } from '../model/event.ts';
import { type Failure, stalledFailure, thrownFailure, timedOutFailure } from '../model/failure.ts';
import { field } from '../model/foreign.ts';
import { ProbedRecord } from '../model/probe.ts';
import type { AttemptInfo } from '../model/task.ts';
import type { AttemptEnd } from '../policy/restart.ts';
import { type BodyCall, type BodyEnd, callBody, type Thrown } from './call-body.ts';
import type { HeldLease } from './held-lease.ts';
import { KillCalls, type KilledAttempt } from './kill-calls.ts';
import type { Watches } from './probes.ts';
import { type StallWatch, watchForStall } from './stall-watch.ts';
import { type AttemptOwner, attemptHasEnded, LiveTaskContext } from './task-context.ts';

/**
 * How the end is known: `settled` (the body returned or threw), `killed` (its `kill` resolved),
 * `abandoned` (neither; the body was given up).
 */
export type Proof = 'settled' | 'killed' | 'abandoned';

export interface AttemptHost extends AttemptOwner {
  readonly lease: HeldLease;
  attemptStops(stop: AttemptStop): void;
  attemptOverran(attempt: Attempt, stop: AttemptStop, action: OverrunAction): void;
  attemptEnded(attempt: Attempt, end: AttemptEnd, proof: Proof): void;
}

/**
 * What becomes of a stop request. It is made by the request: with these fields of its own, an
 * attempt would hold 72 bytes more while it runs (measured).
 */
export class AttemptStop {
  readonly sinceMs: number;
  /** Only the first request counts. */
  readonly by: StopCause;
  /**
   * Set when the attempt timed out or stalled. It is then the result, whatever the body returns or
   * throws.
   */
  readonly failure: Failure | undefined;
  listenerFailure: { readonly error: unknown } | undefined;
  /** Undefined until the grace has a timer. */
  stopGrace: (() => void) | undefined;
  kill: KillCalls | undefined;
  /** The body was given up, and has not ended since. */
  isGivenUp = false;

  constructor(sinceMs: number, by: StopCause, failure: Failure | undefined) {
    this.sinceMs = sinceMs;
    this.by = by;
    this.failure = failure;
  }
}

export class Attempt implements TurnTaker, BodyCall, KilledAttempt {
  readonly host: AttemptHost;
  readonly number: number;
  /** At the gate. Undefined where the gate was open. */
  readonly place: Place | undefined;
  readonly startedMs: number;
  readonly context: LiveTaskContext;
  /** Its own: the next attempt may have another one. */
  readonly #lease: HeldLease;
  state: 'running' | 'stopping' | 'overrun' | 'ended' = 'running';
  /** Undefined until it is asked to stop. */
  stop: AttemptStop | undefined;
  #token: CancelToken<CanceledError> | undefined;
  /** When its body was called. Undefined: it was not, or the task has no `stableMs`. */
  #calledMs: number | undefined;
  /** When its body threw, or gave its last heartbeat before a stall. Undefined: at its end. */
  #failedMs: number | undefined;
  #graceEndsMs: number | undefined;
  #stopTimeout: (() => void) | undefined;
  #stallWatch: StallWatch | undefined;
  /** How long it could have begun and did not. Undefined where no probe is attached. */
  waitedMs: number | undefined;
  watches: Watches | undefined;

  constructor(host: AttemptHost, number: number, place: Place | undefined) {
    this.host = host;
    this.number = number;
    this.place = place;
    this.#lease = host.lease;
    this.startedMs = host.runtime.clock.now();
    this.context = new LiveTaskContext(this);
  }

  /** It is the state of its actor until it ends. An object around it would cost 48 bytes more. */
  get at(): 'attempt' {
    return 'attempt';
  }

  /**
   * Made when the body first looks at it, or on a stop request: a body that does neither costs no
   * token.
   */
  get token(): CancelToken<CanceledError> {
    if (this.#token === undefined) {
      this.#token = new CancelToken();
      if (this.state === 'ended') this.#token.close(attemptHasEnded);
    }
    return this.#token;
  }

  get fence(): bigint {
    return this.#lease.fence;
  }

  /** The body asks. A lost lease asks it to stop, also where its timer comes late. */
  get canceled(): boolean {
    return this.stop !== undefined || (this.state === 'running' && !this.#lease.check());
  }

  get isOver(): boolean {
    return this.canceled || this.state === 'ended';
  }

  confirmLease(): Promise<unknown> {
    return this.#lease.confirm();
  }

  /** Calls the body, in the async context of its submitter. */
  begin(): void {
    const { settings, context } = this.host.submission;
    const { timeoutMs, stallMs } = settings;
    if (timeoutMs !== Infinity || stallMs !== Infinity) this.#watch(timeoutMs, stallMs); // most attempts have neither, and make no closure
    callIn(context, callBody, this);
  }

  #watch(timeoutMs: number, stallMs: number): void {
    const { clock } = this.host.runtime;
    this.#stopTimeout = after(clock, timeoutMs, () => this.#fail(timedOutFailure(timeoutMs)));
    if (stallMs !== Infinity)
      this.#stallWatch = watchForStall(clock, stallMs, (lastHeartbeatMs) => {
        this.#failedMs = lastHeartbeatMs;
        this.#fail(stalledFailure(stallMs));
      });
  }

  #fail(failure: Failure): void {
    this.interrupt(timeoutReason(failure.message), failure);
  }

  heartbeat(): void {
    this.#stallWatch?.heartbeat();
  }

  onCancel(listener: (reason: CanceledError) => void): () => void {
    return this.token.onCancel(listener, (error) => this.#listenerFailed(error));
  }

  #listenerFailed(error: unknown): void {
    if (this.stop !== undefined) this.stop.listenerFailure ??= { error };
  }

  info(): AttemptInfo {
    const { id, slot, name, meta } = this.host.submission;
    return { id, slot, name, attempt: this.number, meta };
  }

  openWatches(): Watches | undefined {
    const { host, waitedMs } = this;
    if (waitedMs !== undefined)
      this.watches = host.runtime.probes.open(Object.freeze(new ProbedRecord(host.submission, this, waitedMs)));
    return this.watches;
  }

  bodyBegins(): void {
    if (this.state !== 'running') throw this.token.reason;
    const { submission, runtime } = this.host;
    if (submission.settings.stableMs !== Infinity) this.#calledMs = runtime.clock.now();
  }

  bodyThrew(): void {
    this.#failedMs ??= this.host.runtime.clock.now();
  }

  /** Asks the body to stop. Only the first reason counts. */
  interrupt(reason: CanceledError, failure?: Failure): void {
    if (this.state !== 'running') return;
    const { clock, turns } = this.host.runtime;
    this.state = 'stopping';
    this.stop = new AttemptStop(clock.now(), reason.by, failure);
    this.token.cancel(reason);
    this.#stopWatching();
    turns.push(this);
    this.host.attemptStops(this.stop);
  }

  /**
   * Delivers the stop request. On a turn of its own, so no listener of a body runs inside a call of
   * the API. The grace begins here. Its timer is set a little later: most bodies end at once.
   */
  onTurn(): void {
    const { submission, runtime } = this.host;
    callIn(submission.context, deliver, this);
    if (this.state !== 'stopping') return;
    this.#limitGrace(submission.settings.graceMs);
    if (hasRealTimers(runtime.clock)) runtime.graces.add(this);
    else this.watchGrace();
  }

  /** The grace ends in `ms` at the latest, also if it has begun. */
  limitGrace(ms: number): void {
    if (!this.#limitGrace(ms) || this.stop?.stopGrace === undefined) return;
    this.stop.stopGrace();
    this.watchGrace();
  }

  /** Returns false if it ends sooner anyway. */
  #limitGrace(ms: number): boolean {
    const endsMs = this.host.runtime.clock.now() + ms;
    if (endsMs >= (this.#graceEndsMs ?? Infinity)) return false;
    this.#graceEndsMs = endsMs;
    return true;
  }

  /** Sets the timer of the grace, unless the body has ended meanwhile. */
  watchGrace(): void {
    const { state, stop } = this;
    if (state !== 'stopping' || stop === undefined) return;
    const { clock } = this.host.runtime;
    const leftMs = (this.#graceEndsMs ?? Infinity) - clock.now();
    stop.stopGrace = after(clock, leftMs, () => this.#overrun(stop));
  }

  deliver(): void {
    this.token.deliver((error) => this.#listenerFailed(error));
  }

  #overrun(stop: AttemptStop): void {
    if (this.state === 'stopping') this.#endGrace(stop, this.host.submission.settings.onOverrun);
  }

  /** The end of a shutdown's grace: a killable body is killed, any other is given up. */
  force(): void {
    const { stop } = this;
    if (stop !== undefined && stop.kill?.isPending !== true) this.#endGrace(stop, 'abandon'); // else a kill is under way
  }

  #endGrace(stop: AttemptStop, unkillable: 'hold' | 'abandon'): void {
    this.state = 'overrun';
    const { kill } = this.host.submission.settings;
    const action = kill === undefined ? unkillable : 'kill';
    this.host.attemptOverran(this, stop, action);
    if (kill !== undefined) {
      stop.kill ??= new KillCalls(this, kill);
      stop.kill.call();
    } else if (action === 'abandon') this.abandon();
  }

  killSucceeded(): void {
    this.ended(undefined);
  }

  /** A failed kill proves nothing: the slot stays occupied. */
  killFailed(error: unknown, isFirst: boolean): void {
    this.#listenerFailed(error);
    if (isFirst && this.stop !== undefined) this.host.attemptOverran(this, this.stop, 'hold');
  }

  /** Gives the body up: the attempt ends without proof. */
  abandon(): void {
    if (this.stop === undefined) return;
    this.stop.isGivenUp = true;
    this.#lease.bodyGivenUp();
    this.#finish(undefined);
  }

  endedLater(body: BodyEnd): void {
    const { turns } = this.host.runtime;
    const began = turns.begin();
    try {
      this.ended(body);
    } finally {
      if (began) turns.end();
    }
  }

  /** Proof of end: how the body ended, or `undefined` when its kill resolved. */
  ended(body: BodyEnd | undefined): void {
    if (this.state !== 'ended') this.#finish(body);
    else if (this.stop?.isGivenUp === true) this.#givenUpBodyEnded(this.stop);
  }

  #givenUpBodyEnded(stop: AttemptStop): void {
    stop.isGivenUp = false; // a second proof changes nothing
    this.host.runtime.ledger.bodyEndedAfterAttempt(this);
    this.#lease.bodyEnded();
  }

  #finish(body: BodyEnd | undefined): void {
    const { stop } = this;
    this.state = 'ended';
    this.#stopWatching();
    stop?.stopGrace?.();
    stop?.kill?.stop();
    // No wait of a body outlives it. A body that was given up may still wait for its stop request.
    if (stop?.isGivenUp !== true) this.#token?.close(attemptHasEnded);
    this.host.attemptEnded(this, this.#endOf(body), this.#proof);
  }

  get #proof(): Proof {
    if (this.stop?.isGivenUp === true) return 'abandoned';
    return this.stop?.kill?.isPending === true ? 'killed' : 'settled';
  }

  #stopWatching(): void {
    this.#stopTimeout?.();
    this.#stallWatch?.stop();
  }

  #endOf(body: BodyEnd | undefined): AttemptEnd {
    const { stop } = this;
    if (stop === undefined) return this.#unaskedEnd(body as BodyEnd); // only a body that was asked to stop is killed or given up
    if (stop.failure === undefined) return body?.kind === 'value' ? body : this.#stoppedEnd(stop, body);
    const returned = body?.kind === 'value' && { value: body.value };
    return { kind: 'failure', failure: stop.failure, ranMs: this.#ranMs, ...returned };
  }

  #unaskedEnd(body: BodyEnd): AttemptEnd {
    if (body.kind === 'value') return body;
    const { error } = body;
    // Only an error that the body made itself counts as giving up. The stop reason of another task
    // is an ordinary failure here.
    const gaveUp = error instanceof CanceledError && !(error instanceof TimeoutError) && field(error, 'by') === 'task';
    return gaveUp
      ? { kind: 'gaveUp', reason: field(error, 'reason') }
      : { kind: 'failure', failure: thrownFailure(error), ranMs: this.#ranMs };
  }

  /** How long its body ran until it failed. */
  get #ranMs(): number {
    return (this.#failedMs ?? this.host.runtime.clock.now()) - (this.#calledMs ?? Infinity);
  }

  #stoppedEnd({ listenerFailure }: AttemptStop, body: Thrown | undefined): AttemptEnd {
    const thrown = body !== undefined && !this.#isOwnReason(body.error) ? body : listenerFailure;
    return { kind: 'stopped', failure: thrown && thrownFailure(thrown.error) };
  }

  /**
   * The stop request's reason itself, or an error that has it as its cause, as the platform's
   * AbortError does.
   */
  #isOwnReason(error: unknown): boolean {
    const { reason } = this.token;
    return error === reason || field(error, 'cause') === reason;
  }
}

const deliver = (attempt: Attempt): void => attempt.deliver();
