// The reference model of an owner: the gate, its attempts, what follows each, and how it is
// stopped.

import type { StopCause } from 'slotvisor';
import type { Reference } from './reference.ts';
import { type Body, type Flight, PLAIN, TIMES, type Wait } from './reference-nouns.ts';

export class Attempts {
  /** The bodies that have not ended, those that were given up included. */
  bodies: Body[] = [];
  /** The number and the fence of each call of a body, in order. */
  readonly started: string[] = [];
  /** Attempts that failed, by kind, and attempts whose grace is over. */
  readonly failures = { thrown: 0, timedOut: 0 };
  overruns = 0;
  #isPaused = false;
  readonly #all: Reference;
  readonly #inside: Flight[] = [];
  readonly #atGate: Flight[] = [];
  /** The turn that begins the next attempt of an owner. */
  readonly #turns = new Map<Flight, () => void>();

  constructor(all: Reference) {
    this.#all = all;
  }

  get gateIsOpen(): boolean {
    return this.#hasRoom && this.#atGate.length === 0;
  }

  get #hasRoom(): boolean {
    return !this.#isPaused && this.#inside.length < this.#all.setting.concurrency;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resumeAll(): void {
    this.#isPaused = false;
    this.#letNextIn();
  }

  /** An owner that waits for its first attempt. */
  isPending(flight: Flight): boolean {
    return flight.attempts === 0 && (this.#atGate.includes(flight) || flight.isSuspended);
  }

  enter(flight: Flight, wait: Wait): void {
    flight.wait = wait;
    if (this.gateIsOpen) this.#letIn(flight);
    else this.#atGate.push(flight);
  }

  #letIn(flight: Flight): void {
    this.#inside.push(flight);
    const turn = () => {
      if (this.#turns.get(flight) === turn) this.#begin(flight);
    };
    this.#turns.set(flight, turn);
    this.#all.time.soon(turn);
  }

  #leaveGate(flight: Flight): void {
    this.#turns.delete(flight);
    remove(this.#atGate, flight);
    if (remove(this.#inside, flight)) this.#letNextIn();
  }

  #letNextIn(): void {
    while (this.#hasRoom && this.#atGate.length > 0) this.#letIn(this.#atGate.shift() as Flight);
  }

  #publish(flight: Flight, event: string): void {
    flight.participants[0]?.events.push(event);
  }

  #begin(flight: Flight): void {
    const { time } = this.#all;
    const { leader, plan } = flight;
    this.#turns.delete(flight);
    if (flight.lease?.isExpired === true) {
      this.#all.leases.lose(this.#all.place(plan.slot));
      return;
    }
    flight.attempts += 1;
    if (flight.isFinishing) this.#all.see('a finisher has its first attempt');
    if (flight.attempts === 1) for (const task of flight.participants) time.drop(task.queueTimer);
    const body: Body = {
      flight,
      task: leader,
      attempt: flight.attempts,
      startedAt: time.now,
      lease: flight.lease,
      stopRequest: undefined,
      overran: false,
      abandoned: false,
      timeout: undefined,
      grace: undefined,
    };
    flight.body = body;
    this.started.push(`${leader.number}/${flight.lease?.fence ?? 0}`);
    const waited = flight.attempts === 1 ? ` after ${time.now - flight.first.submittedAt}` : '';
    this.#publish(flight, `attemptStarted ${flight.attempts}${waited}`);
    if (plan.timed === 'timeout') body.timeout = time.after(TIMES.timeout, () => this.#requestStop(body, 'timeout'));
    this.bodies.push(body);
    const { onStart } = plan.script;
    if (onStart === 'return') this.end(body, 'value');
    else if (onStart === 'throw') this.end(body, 'error');
    else if (onStart !== 'nothing') this.#all.submit({ ...PLAIN, slot: plan.slot, policy: onStart });
  }

  restart(flight: Flight): void {
    if (flight.stop !== undefined) return;
    if (flight.body !== undefined) this.#requestStop(flight.body, 'restart');
    else if (flight.pause !== undefined) {
      this.#stopWaiting(flight);
      flight.streak = 0;
      this.enter(flight, 'restart');
    }
  }

  stop(flight: Flight, by: StopCause): void {
    if (flight.stop !== undefined) return;
    flight.stop = by;
    const { replacement } = this.#all.place(flight.plan.slot);
    const successor = by === 'replace' && replacement !== undefined ? ` ${replacement.first.number}` : '';
    this.#publish(flight, `stopRequested ${by}${successor}`);
    if (flight.body !== undefined) this.#requestStop(flight.body, 'stop');
    else {
      this.#stopWaiting(flight);
      this.#finish(flight, `canceled ${by} ${flight.attempts}`, 'canceled');
    }
  }

  /** Its lease is lost. It has no attempt until it is resumed. */
  suspend(flight: Flight): void {
    this.#all.see('an owner is suspended');
    flight.isSuspended = true;
    this.#publish(flight, 'stopRequested leaseLost');
    if (flight.body !== undefined) this.#requestStop(flight.body, 'leaseLost');
    else {
      this.#stopWaiting(flight);
      this.#suspended(flight);
    }
  }

  /** A loss is no failure: the streak begins again, as after `restart()`. */
  #suspended(flight: Flight): void {
    flight.streak = 0;
    this.#all.leases.ownerSuspended(flight);
  }

  resume(flight: Flight): void {
    this.#all.see('an owner is resumed');
    flight.isSuspended = false;
    this.enter(flight, flight.attempts === 0 ? 'first' : 'suspension');
  }

  /** A shutdown lets it end its attempt, or gives it its first one. Nothing follows. */
  letFinish(flight: Flight): void {
    if (flight.isFinishing) return;
    flight.isFinishing = true;
    this.#all.see('an owner is asked to finish');
    if (flight.body !== undefined || flight.attempts === 0) return;
    if (flight.wait !== 'failure') {
      this.stop(flight, 'shutdown');
      return;
    }
    this.#all.see('a finisher waits for an attempt in vain');
    this.#stopWaiting(flight);
    this.#fail(flight, 'shuttingDown');
  }

  #stopWaiting(flight: Flight): void {
    this.#all.time.drop(flight.pause);
    flight.pause = undefined;
    this.#leaveGate(flight);
  }

  /** After a loss no other process has the slot for this long. */
  limitGrace({ body }: Flight, ms: number): void {
    const { time } = this.#all;
    if (body?.grace === undefined || body.overran || body.grace.due <= time.now + ms) return;
    time.drop(body.grace);
    body.grace = time.after(ms, () => this.#overrun(body));
  }

  /** Gives the body its stop request, once. */
  #requestStop(body: Body, request: NonNullable<Body['stopRequest']>): void {
    if (body.stopRequest !== undefined) return;
    const { time } = this.#all;
    body.stopRequest = request;
    time.drop(body.timeout);
    time.soon(() => {
      if (this.bodies.includes(body)) this.#receiveStop(body);
    });
    body.grace = time.after(TIMES.grace, () => this.#overrun(body));
  }

  #receiveStop(body: Body): void {
    const { time } = this.#all;
    const { slot, script } = body.task.plan;
    const endSoon = (how: 'value' | 'error' | 'reason') => time.endSoon(() => this.#endIfAlive(body, how));
    const endLate = (how: 'value' | 'error') => time.after(TIMES.late, () => this.#endIfAlive(body, how));
    if (script.onStop === 'resubmit') this.#all.submit({ ...PLAIN, slot, policy: 'queue' });
    if (script.onStop === 'reject' || script.onStop === 'resubmit') endSoon('reason');
    if (script.onStop === 'return') endSoon('value');
    if (script.onStop === 'throw') endSoon('error');
    if (script.onStop === 'lateReturn') endLate('value');
    if (script.onStop === 'lateThrow') endLate('error');
  }

  #endIfAlive(body: Body, how: 'value' | 'error' | 'reason'): void {
    if (this.bodies.includes(body)) this.end(body, how);
  }

  /** Ends the body, with a value, its own error or the stop reason. */
  end(body: Body, how: 'value' | 'error' | 'reason'): void {
    remove(this.bodies, body);
    if (body.abandoned) this.#all.leases.givenUpBodyEnded(body);
    else this.#ended(body, how);
  }

  #overrun(body: Body): void {
    body.overran = true;
    this.overruns += 1;
    const { onOverrun } = body.task.plan;
    this.#publish(body.flight, `overrun ${onOverrun} of ${body.attempt}`);
    this.#all.closing.lookSoon();
    if (onOverrun === 'abandon') this.#abandon(body);
  }

  #abandon(body: Body): void {
    body.abandoned = true;
    this.#ended(body, 'abandoned');
  }

  /** The end of a shutdown's grace. */
  force(): void {
    if (this.bodies.some(({ abandoned }) => !abandoned)) this.#all.see('a grace ends with bodies');
    for (const body of [...this.bodies])
      if (!body.abandoned) {
        if (!body.overran) this.overruns += 1;
        this.#publish(body.flight, `overrun abandon of ${body.attempt}`);
        this.#abandon(body);
      }
  }

  #ended(body: Body, how: 'value' | 'error' | 'reason' | 'abandoned'): void {
    const { flight, stopRequest } = body;
    const { time } = this.#all;
    time.drop(body.timeout);
    time.drop(body.grace);
    flight.body = undefined;
    this.#leaveGate(flight);
    const failed = stopRequest === undefined ? how === 'error' : stopRequest === 'timeout';
    if (failed) {
      flight.lastFailure = stopRequest === 'timeout' ? 'timedOut' : 'thrown';
      this.failures[flight.lastFailure] += 1;
    }
    this.#publish(flight, `${endEvent(flight, body, how)} ${body.attempt}`);
    if (flight.stop !== undefined) this.#endStopped(flight, flight.stop, body, how);
    else if (flight.isSuspended) this.#suspended(flight);
    else if (stopRequest === 'restart') this.#afterRestart(flight, how);
    else if (failed) this.#afterFailure(flight, body);
    else if (flight.plan.restart === 'always' && !flight.isFinishing) {
      flight.streak = 0;
      this.#pause(flight, TIMES.interval, 'success');
    } else this.#finish(flight, `completed ${flight.attempts}`, 'completed');
  }

  #endStopped(flight: Flight, by: StopCause, { stopRequest }: Body, how: string): void {
    const failure = stopRequest === 'timeout' ? 'timedOut' : how === 'error' ? 'its own error' : undefined;
    this.#cancel(flight, by, how, failure === undefined ? '' : ` with ${failure}`);
  }

  /** A value that came after the stop request is kept, unless the lease was lost. */
  #cancel(flight: Flight, by: StopCause, how: string, failure = ''): void {
    const outcome = `${by} ${flight.attempts}`;
    if (how === 'abandoned') this.#finish(flight, `abandoned ${outcome}`, 'abandoned');
    else if (how !== 'value' || flight.isSuspended) this.#finish(flight, `canceled ${outcome}${failure}`, 'canceled');
    else {
      this.#all.see('a canceled one has the value of its body');
      this.#finish(flight, `canceled ${outcome}${failure} and a value`, 'canceled');
    }
  }

  /** What the old attempt returned or threw is dropped, unless it was the last one. */
  #afterRestart(flight: Flight, how: string): void {
    flight.streak = 0;
    if (flight.isFinishing) this.#cancel(flight, 'shutdown', how);
    else this.enter(flight, 'restart');
  }

  /** An attempt that ran for long before it failed ends the streak. A timeout never does. */
  #afterFailure(flight: Flight, { startedAt, stopRequest }: Body): void {
    const { restart, maxRetries, stableMs } = flight.plan;
    if (flight.streak > 0 && this.#all.time.now - startedAt >= stableMs) {
      this.#all.see(stopRequest === 'timeout' ? 'a timeout ends no streak' : 'a stable attempt ends a streak');
      if (stopRequest !== 'timeout') flight.streak = 0;
    }
    if (restart === 'never') this.#fail(flight, 'policy');
    else if (flight.streak >= maxRetries) this.#fail(flight, 'maxRetries');
    else if (flight.isFinishing) this.#fail(flight, 'shuttingDown');
    else {
      flight.streak += 1;
      this.#pause(flight, TIMES.backoff * 2 ** (flight.streak - 1), 'failure');
    }
  }

  #pause(flight: Flight, ms: number, after: 'failure' | 'success'): void {
    this.#publish(flight, `backoffScheduled ${ms} ${after}`);
    flight.wait = after;
    flight.pause = this.#all.time.after(ms, () => {
      flight.pause = undefined;
      this.enter(flight, after);
    });
  }

  #fail(flight: Flight, because: string): void {
    this.#finish(flight, `failed ${flight.lastFailure} ${because} ${flight.attempts}`, 'failed');
  }

  #finish(flight: Flight, outcome: string, kind: string): void {
    this.#all.ended(flight, outcome, kind);
  }
}

/** The value of an attempt that a lost lease interrupted is dropped, like a throw. */
function endEvent(flight: Flight, { stopRequest }: Body, how: string): string {
  if (stopRequest === 'timeout') return 'attemptTimedOut';
  if (stopRequest === undefined && how === 'error') return 'attemptFailed';
  const isLost = flight.isSuspended || flight.stop === 'leaseLost';
  return how === 'value' && !isLost ? 'attemptSucceeded' : 'attemptCanceled';
}

/** Returns whether it was there. */
function remove<T>(list: T[], one: T): boolean {
  const at = list.indexOf(one);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}
