// The nouns of the reference model: what is submitted, who shares a body, what lives in a slot.
// Plain data, without a rule.

import type { AdmissionPolicy, RestartPolicy, StopCause } from 'slotvisor';

/**
 * What a body does. `onStart` happens inside its call. A body that does not end by itself waits
 * until the test ends it.
 */
export interface Script {
  /** With a policy the body submits a plain body to its own slot. */
  readonly onStart: 'nothing' | 'return' | 'throw' | AdmissionPolicy;
  readonly onStop: 'reject' | 'ignore' | 'return' | 'throw' | 'lateReturn' | 'lateThrow' | 'resubmit';
}

export interface Plan {
  readonly slot: string;
  readonly policy: AdmissionPolicy;
  readonly script: Script;
  readonly restart: RestartPolicy;
  readonly maxRetries: number;
  readonly stableMs: number;
  readonly onOverrun: 'hold' | 'abandon';
  readonly timed: 'no' | 'timeout' | 'queueTimeout' | 'deadline';
  readonly onShutdown: 'stop' | 'finish';
  readonly stage: number;
  readonly vital: boolean;
}

/** The supervisor of one sequence. */
export interface Setting {
  /**
   * `local`: no store. `asked`: the test answers each request. `prompt`: each is granted within the
   * call, and leases have a grace.
   */
  readonly leases: 'local' | 'asked' | 'prompt';
  readonly concurrency: number;
  readonly pending: number;
  readonly deadFraction: number;
  readonly keepEnded: number;
}

/** What happens seldom by chance, and must happen often in a random test. */
export const CASES = [
  'a join of a waiting flight',
  'a leader leaves a waiting flight',
  'a joined one leaves a waiting flight',
  'the last of a joined flight leaves it waiting',
  'a leader leaves its body to others',
  'a waiting flight of several is rejected',
  'a replacement supersedes a waiting keepLatest',
  'a queue timeout while queued',
  'a queue timeout at the gate or suspended',
  'a resource limit at the gate',
  'an owner is asked to finish',
  'a finisher has its first attempt',
  'a finisher waits for an attempt in vain',
  'the next stage begins early',
  'the next stage begins by time',
  'a shutdown is hastened',
  'the finish time ends with finishers',
  'a grace ends with bodies',
  'a stable attempt ends a streak',
  'a timeout ends no streak',
  'a canceled one has the value of its body',
  'a vital slot is dead',
  'too many vital slots are dead',
  'an owner is suspended',
  'an owner is resumed',
  'a second request is refused',
  'a suspended owner ends, and its request is passed on',
  'a lost lease ends its owner',
  'a lease is kept for the next',
  'a lease is set aside',
  'a lease that was set aside is released',
  'a request is called off',
  'a request is called off, and granted',
  'a request becomes urgent',
  'a waiting replacement is superseded elsewhere',
  'a lease is revoked',
] as const;

// No two sums of these are equal, so no two timers of a slot are due at the same moment.
export const TIMES = {
  late: 7,
  grace: 31,
  timeout: 211,
  queueTimeout: 307,
  deadline: 503,
  backoff: 101,
  interval: 53,
  stable: 29,
  shutdown: 1_009.5,
  finish: 907.25,
  leaseTtl: 30_000,
  leaseGrace: 13,
  storeClose: 5_000,
} as const;

export const PLAIN: Omit<Plan, 'slot' | 'policy'> = {
  script: { onStart: 'nothing', onStop: 'reject' },
  restart: 'never',
  maxRetries: 0,
  stableMs: Infinity,
  onOverrun: 'hold',
  timed: 'no',
  onShutdown: 'stop',
  stage: 0,
  vital: false,
};

export interface Timer {
  readonly due: number;
  readonly fire: () => void;
}

/** One submission. `events` and `outcome` are text, so that a difference is readable. */
export class Task {
  readonly number: number;
  readonly plan: Plan;
  readonly submittedAt: number;
  readonly events: string[] = [];
  admission = 'rejected';
  outcome: string | undefined;
  /** What it leads or has joined, until its outcome. */
  flight: Flight | undefined;
  queueTimer: Timer | undefined;
  deadline: Timer | undefined;

  constructor(number: number, plan: Plan, submittedAt: number) {
    this.number = number;
    this.plan = plan;
    this.submittedAt = submittedAt;
  }
}

/** What an owner without a body waits for, and why its next attempt comes. */
export type Wait = 'first' | 'failure' | 'success' | 'restart' | 'suspension';

/** A leader's entry and those who joined it: it waits in a slot, then owns it. */
export class Flight {
  readonly leader: Task;
  /** Who is left of it, the leader first. */
  readonly participants: Task[];
  attempts = 0;
  streak = 0;
  lastFailure: 'thrown' | 'timedOut' = 'thrown';
  stop: StopCause | undefined;
  /** A shutdown has reached it. */
  isTold = false;
  /** It was asked to finish: nothing follows its attempt. */
  isFinishing = false;
  /** Its lease is lost, and it has no attempt before the next one. */
  isSuspended = false;
  wait: Wait = 'first';
  body: Body | undefined;
  /** The backoff or the interval. */
  pause: Timer | undefined;
  lease: Lease | undefined;

  constructor(leader: Task) {
    this.leader = leader;
    this.participants = [leader];
  }

  get plan(): Plan {
    return this.leader.plan;
  }
  get finishes(): boolean {
    return this.plan.onShutdown === 'finish';
  }
  /** Who stands for it in events, in views and as `by`. */
  get first(): Task {
    return this.participants[0] ?? this.leader;
  }
  get status(): string {
    const { body } = this;
    if (body !== undefined) return body.overran ? 'overrun' : body.stopRequest === undefined ? 'running' : 'stopping';
    if (this.isSuspended) return 'suspended';
    return this.pause === undefined ? 'starting' : this.wait === 'failure' ? 'backoff' : 'interval';
  }
}

/** A call of a body that has not ended. */
export interface Body {
  readonly flight: Flight;
  readonly task: Task;
  readonly attempt: number;
  readonly startedAt: number;
  readonly lease: Lease | undefined;
  stopRequest: 'stop' | 'restart' | 'timeout' | 'leaseLost' | undefined;
  overran: boolean;
  abandoned: boolean;
  timeout: Timer | undefined;
  grace: Timer | undefined;
}

export interface Lease {
  readonly slot: string;
  readonly fence: number;
  state: 'held' | 'lost' | 'revoked';
  isExpired: boolean;
  contended: boolean;
}

/** A request for a slot's lease that the store has not answered. */
export interface Ask {
  readonly slot: string;
  readonly policy: AdmissionPolicy;
  readonly owner: number;
  readonly asker: Flight;
  urgent: boolean;
  calledOff: boolean;
  stalled: Timer | undefined;
}

export class Place {
  readonly slot: string;
  owner: Flight | undefined;
  replacement: Flight | undefined;
  queue: Flight[] = [];
  paused = false;
  ask: Ask | undefined;

  constructor(slot: string) {
    this.slot = slot;
  }

  get waiting(): Flight[] {
    return this.replacement === undefined ? this.queue : [this.replacement, ...this.queue];
  }
  get phase(): string {
    if (this.owner !== undefined) return this.owner.stop === undefined ? 'running' : 'stopping';
    return this.ask === undefined ? 'idle' : 'waiting';
  }
  /** An owner is told with the lowest stage among itself and the finishers that wait here. */
  get stage(): number {
    const stages = this.queue.filter(({ finishes }) => finishes).map(({ plan }) => plan.stage);
    if (this.replacement?.finishes) stages.push(this.replacement.plan.stage);
    if (this.owner !== undefined) stages.push(this.owner.plan.stage);
    return Math.min(...stages);
  }
}
