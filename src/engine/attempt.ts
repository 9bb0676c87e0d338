// One attempt: a call of the body (body.ts), raced with the deadline, the watch for silence and the stop. It WAITS for the body's end
// whatever came first, kills or gives up an overrun, and hands a value up. It never throws and decides nothing about what follows.

import { callIn } from '../kernel/async-context.ts';
import { CancelToken } from '../kernel/cancel-token.ts';
import { after } from '../kernel/clock.ts';
import type { Job } from '../kernel/pump.ts';
import { field } from '../model/brand.ts';
import { CanceledError, TimeoutError, timeoutReason } from '../model/error.ts';
import { type Failure, stalledFailure, thrownFailure, timedOutFailure } from '../model/failure.ts';
import type { Kill } from '../model/settings.ts';
import type { Run } from '../model/spec.ts';
import type { AttemptInfo } from '../model/task.ts';
import type { AttemptEnd } from '../policy/restart.ts';
import { type BodyEnd, type Call, callBody, callKill, type Thrown } from './body.ts';
import { BodyContext } from './body-context.ts';
import type { AroundAttempt, Runtime } from './runtime.ts';
import { type SilenceWatch, watchSilence } from './silence.ts';
import type { LiveSubmission } from './submission.ts';

/** What proves, or will prove, the end: the body settles; its kill says that it is dead; or nothing does, and it is given up. */
export type Proof = 'settled' | 'killed' | 'abandoned';

export type OverrunAction = 'hold' | 'kill' | 'abandon';

export interface AttemptHost {
  readonly runtime: Runtime;
  readonly submission: LiveSubmission;
  readonly fence: bigint;
  attemptInterrupted(attempt: Attempt): void;
  attemptOverran(attempt: Attempt, action: OverrunAction): void;
  attemptEnded(attempt: Attempt, end: AttemptEnd, proof: Proof): void;
}

export class Attempt implements Job, Call {
  readonly number: number;
  readonly startedMs: number;
  readonly context: BodyContext;
  state: 'running' | 'stopping' | 'overrun' | 'ended' = 'running';
  /** When it was told to stop. */
  interruptedMs = 0;
  readonly #host: AttemptHost;
  #token: CancelToken<CanceledError> | undefined;
  /** What it comes to whatever its body does: it was told to stop because it timed out or stalled. */
  #failure: Failure | undefined;
  #proof: Proof = 'settled';
  #listenerFailure: { readonly error: unknown } | undefined;
  #stopTimeout: (() => void) | undefined;
  #stopGrace: (() => void) | undefined;
  #silence: SilenceWatch | undefined;

  constructor(host: AttemptHost, number: number) {
    this.#host = host;
    this.number = number;
    this.startedMs = host.runtime.clock.now();
    this.context = new BodyContext(this);
  }

  get runtime(): Runtime {
    return this.#host.runtime;
  }
  get submission(): LiveSubmission {
    return this.#host.submission;
  }
  get fence(): bigint {
    return this.#host.fence;
  }

  /** Made when the body first looks, or when it is told to stop: a body that does neither costs no token. */
  get token(): CancelToken<CanceledError> {
    if (this.#token === undefined) {
      this.#token = new CancelToken();
      if (this.state === 'ended') this.#token.close(attemptHasEnded);
    }
    return this.#token;
  }

  get body(): Run {
    return this.submission.run;
  }

  get makeState(): (() => unknown) | undefined {
    return this.submission.settings.state;
  }

  get around(): AroundAttempt | undefined {
    return this.runtime.aroundAttempt;
  }

  get canceled(): boolean {
    return this.#token?.canceled === true;
  }

  /** Calls the body, in the async context of its submitter. */
  begin(): void {
    const { timeoutMs, stallMs } = this.submission.settings;
    if (timeoutMs !== Infinity || stallMs !== Infinity) this.#watch(timeoutMs, stallMs); // what is not bounded costs no closure
    callIn(this.submission.context, callBody, this);
  }

  #watch(timeoutMs: number, stallMs: number): void {
    const { clock } = this.runtime;
    this.#stopTimeout = after(clock, timeoutMs, () => this.#fail(timedOutFailure(timeoutMs)));
    // An endless silence would never be told, but be watched for.
    if (stallMs !== Infinity) this.#silence = watchSilence(clock, stallMs, () => this.#fail(stalledFailure(stallMs)));
  }

  #fail(failure: Failure): void {
    this.interrupt(timeoutReason(failure.message), failure);
  }

  beat(): void {
    this.#silence?.beat();
  }

  onCancel(listener: (reason: CanceledError) => void): () => void {
    return this.token.onCancel(listener, (error) => this.#listenerFailed(error));
  }

  #listenerFailed(error: unknown): void {
    this.#listenerFailure ??= { error };
  }

  info(): AttemptInfo {
    const { id, slot, name, meta } = this.submission;
    return { id, slot, name, attempt: this.number, meta };
  }

  mustBeOn(): void {
    if (this.state !== 'running') throw this.token.reason;
  }

  /** Tells the body to stop. The first reason counts; a second one changes nothing here. */
  interrupt(reason: CanceledError, failure?: Failure): void {
    if (this.state !== 'running') return;
    this.state = 'stopping';
    this.#failure = failure;
    this.interruptedMs = this.runtime.clock.now();
    this.#stopWatching();
    this.token.cancel(reason);
    this.runtime.pump.push(this);
    this.#host.attemptInterrupted(this);
  }

  /** On a turn of its own: no listener of a body runs inside a call of the API. The grace begins when the body is told. */
  run(): void {
    callIn(this.submission.context, deliver, this);
    if (this.state === 'stopping')
      this.#stopGrace = after(this.runtime.clock, this.submission.settings.graceMs, () => this.#overrun());
  }

  deliver(): void {
    this.token.deliver((error) => this.#listenerFailed(error));
  }

  #overrun(): void {
    if (this.state === 'stopping') this.#endGrace(this.submission.settings.onOverrun);
  }

  /** Ends a shutdown's grace: kills what can be killed, gives up the rest. It comes after the body was told to stop. */
  force(): void {
    if (this.#proof !== 'killed') this.#endGrace('abandon'); // else it is being killed already
  }

  #endGrace(unkillable: 'hold' | 'abandon'): void {
    this.state = 'overrun';
    const { kill } = this.submission.settings;
    const action = kill === undefined ? unkillable : 'kill';
    this.#host.attemptOverran(this, action);
    if (kill !== undefined) this.#kill(kill);
    else if (action === 'abandon') this.abandon();
  }

  #kill(kill: Kill): void {
    this.#proof = 'killed';
    const ask = () =>
      callKill(
        kill,
        this.context,
        () => this.ended(undefined),
        (error) => this.#notDead(error),
      );
    callIn(this.submission.context, ask, undefined);
  }

  /** A kill that failed proves nothing: the slot stays blocked until the body itself ends. */
  #notDead(error: unknown): void {
    if (this.state === 'ended') return;
    this.#proof = 'settled';
    this.#listenerFailed(error);
    this.#host.attemptOverran(this, 'hold');
  }

  abandon(): void {
    this.#proof = 'abandoned';
    this.#finish(undefined);
  }

  endedLater(body: BodyEnd): void {
    const { pump } = this.runtime;
    const ours = pump.begin();
    try {
      this.ended(body);
    } finally {
      if (ours) pump.end();
    }
  }

  /** Proof of end: what the body came to, or nothing when its kill says that it is dead. */
  ended(body: BodyEnd | undefined): void {
    if (this.state !== 'ended') this.#finish(body);
    else this.runtime.ledger.endedLate(this); // of a body that was given up, or the second proof of one that was killed
  }

  #finish(body: BodyEnd | undefined): void {
    this.state = 'ended';
    this.#stopWatching();
    this.#stopGrace?.();
    // Nothing that a body left waiting outlives it. One that was given up may listen for its stop still.
    if (this.#proof !== 'abandoned') this.#token?.close(attemptHasEnded);
    this.#host.attemptEnded(this, this.#endOf(body), this.#proof);
  }

  #stopWatching(): void {
    this.#stopTimeout?.();
    this.#silence?.stop();
  }

  #endOf(body: BodyEnd | undefined): AttemptEnd {
    if (this.#failure !== undefined) return { kind: 'failure', failure: this.#failure };
    if (!this.canceled) return endOfItself(body as BodyEnd); // killed or given up is only what was told to stop
    return body?.kind === 'value' ? body : this.#stoppedEnd(body);
  }

  #stoppedEnd(body: Thrown | undefined): AttemptEnd {
    const thrown = body !== undefined && !this.#isOwnReason(body.error) ? body : this.#listenerFailure;
    return { kind: 'stopped', failure: thrown && thrownFailure(thrown.error) };
  }

  /** The stop's own reason, bare or as the cause of what the platform made of it (an AbortError). */
  #isOwnReason(error: unknown): boolean {
    const { reason } = this.token;
    return error === reason || field(error, 'cause') === reason;
  }
}

const deliver = (attempt: Attempt): void => attempt.deliver();
const attemptHasEnded = (): Error => new Error('the attempt that waited for this has ended');

function endOfItself(body: BodyEnd): AttemptEnd {
  if (body.kind === 'value') return body;
  const { error } = body;
  // Only an error of the body's own making counts as giving up: the stop of another task, or its timeout, is an ordinary failure here.
  const gaveUp = error instanceof CanceledError && !(error instanceof TimeoutError) && field(error, 'by') === 'task';
  return gaveUp
    ? { kind: 'gaveUp', reason: field(error, 'reason') }
    : { kind: 'failure', failure: thrownFailure(error) };
}
