// A small model of the supervisor, written from the public promises alone. It uses plain arrays,
// one slot at a time, and no code of the library. For a sequence of steps it gives the owner and
// the queue of each slot, and the order, outcome and events of each submission.

import type { AdmissionPolicy, RejectReason, RestartPolicy, StopCause } from 'slotvisor';

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
  readonly onOverrun: 'hold' | 'abandon';
  readonly onShutdown: 'stop' | 'finish';
  readonly timed: 'no' | 'timeout' | 'queueTimeout' | 'deadline';
}

// No two sums of these are equal, so no two timers of a slot are due at the same moment.
export const TIMES = {
  late: 7,
  grace: 31,
  timeout: 211,
  queueTimeout: 307,
  deadline: 503,
  backoff: 101,
  interval: 53,
  finish: 397,
  shutdown: 1_009,
} as const;

export const PLAIN: Omit<Plan, 'slot' | 'policy'> = {
  script: { onStart: 'nothing', onStop: 'reject' },
  restart: 'never',
  maxRetries: 0,
  onOverrun: 'hold',
  onShutdown: 'stop',
  timed: 'no',
};

/** One submission. `events` and `outcome` are text, so that a difference is readable. */
export class Task {
  readonly number: number;
  readonly plan: Plan;
  readonly events: string[] = [];
  admission = 'rejected';
  outcome: string | undefined;
  /** The task whose body it shares: itself, unless it joined another one. */
  leader: Task = this;
  /** Of a leader: the tasks that share its place and its body, and have not left. */
  readonly members: Task[] = [this];
  queueTimer: Timer | undefined;
  deadline: Timer | undefined;

  constructor(number: number, plan: Plan) {
    this.number = number;
    this.plan = plan;
  }
}

interface Timer {
  readonly due: number;
  readonly fire: () => void;
}

/** The attempts of an owner. */
class Run {
  readonly leader: Task;
  attempts = 0;
  streak = 0;
  /** A shutdown began, and nothing follows its attempt. */
  finishing = false;
  lastFailure: 'timedOut' | 'thrown' = 'thrown';
  stop: StopCause | undefined;
  body: Body | undefined;
  wait: Timer | undefined;
  begin: (() => void) | undefined;
  constructor(leader: Task) {
    this.leader = leader;
  }
}

/** A call of a body that has not ended. */
export interface Body {
  readonly run: Run;
  readonly task: Task;
  readonly attempt: number;
  stopRequest: 'stop' | 'restart' | 'timeout' | undefined;
  overran: boolean;
  abandoned: boolean;
  timeout: Timer | undefined;
  grace: Timer | undefined;
}

class Place {
  owner: Run | undefined;
  replacement: Task | undefined;
  queue: Task[] = [];
  paused = false;
  /** Orders the slots as the supervisor's table does: an idle slot leaves it. */
  liveSince = 0;
  get isIdle(): boolean {
    return this.owner === undefined && !this.paused && this.waiting.length === 0;
  }
  get waiting(): Task[] {
    return this.replacement === undefined ? this.queue : [this.replacement, ...this.queue];
  }
}

export class Reference {
  readonly tasks: Task[] = [];
  readonly bodies: Body[] = [];
  readonly places = new Map<string, Place>();
  readonly started: number[] = [];
  now = 0;
  #queueLimit = new Map<string, number>();
  #dropOldest = new Set<string>();
  timers: Timer[] = [];
  #jobs: (() => void)[] = [];
  #closed = false;
  #nextStep: Timer | undefined;
  #lives = 0;

  place(slot: string): Place {
    let place = this.places.get(slot);
    if (place === undefined) {
      place = new Place();
      this.places.set(slot, place);
    }
    return place;
  }

  #enliven(place: Place): void {
    if (!place.isIdle) return;
    this.#lives += 1;
    place.liveSince = this.#lives;
  }

  get #live(): Place[] {
    return [...this.places.values()].sort((a, b) => a.liveSince - b.liveSince);
  }

  submit(plan: Plan): Task | undefined {
    if (this.#closed) return undefined;
    this.#enliven(this.place(plan.slot));
    const task = new Task(this.tasks.length + 1, plan);
    this.tasks.push(task);
    task.events.push('submitted');
    this.#admit(task);
    if (task.outcome === undefined) {
      if (plan.timed === 'deadline') task.deadline = this.#after(TIMES.deadline, () => this.#cancel(task, 'deadline'));
      if (plan.timed === 'queueTimeout' && !this.#hasBegun(task))
        task.queueTimer = this.#after(TIMES.queueTimeout, () => this.#cancel(task, 'queueTimeout'));
    }
    return task;
  }

  #admit(task: Task): void {
    const place = this.place(task.plan.slot);
    const { policy } = task.plan;
    const idle = place.owner === undefined && !place.paused;
    if (idle) {
      task.admission = 'started';
      this.#own(place, task);
      return;
    }
    const leader = place.owner?.stop === undefined ? (place.owner?.leader ?? place.waiting[0]) : place.waiting[0];
    if (policy === 'join' && leader !== undefined) {
      task.admission = 'joined';
      task.leader = leader;
      leader.members.push(task);
      task.events.push(`joined ${leader.members[0]?.number}`);
      return;
    }
    const occupant = place.owner?.leader ?? place.waiting[0];
    if (policy === 'dropIfRunning' && occupant !== undefined) {
      this.#reject(task, 'slotBusy', occupant.members[0]);
      return;
    }
    if (policy === 'replace') {
      const latest = place.queue.find((other) => other.plan.policy === 'keepLatest');
      if (place.replacement !== undefined) this.#reject(place.replacement, 'superseded', task);
      if (latest !== undefined) this.#reject(latest, 'superseded', task);
      place.replacement = task;
      if (place.owner !== undefined) this.#stop(place.owner, 'replace');
    } else {
      const earlier = place.queue.findIndex((other) => other.plan.policy === 'keepLatest');
      if (policy === 'keepLatest' && earlier >= 0) {
        this.#reject(place.queue[earlier] as Task, 'superseded', task, earlier);
      } else {
        const limit = this.#queueLimit.get(task.plan.slot) ?? 1_000;
        if (place.queue.length >= limit) {
          if (limit === 0 || !this.#dropOldest.has(task.plan.slot)) {
            this.#reject(task, 'queueFull');
            return;
          }
          while (place.queue.length >= limit) this.#reject(place.queue[0] as Task, 'queueFull', task);
        }
        place.queue.push(task);
      }
    }
    // An owner between two attempts ends at once, so its replacement starts in the same step.
    task.admission = place.waiting.includes(task) ? 'queued' : 'started';
    if (task.admission === 'queued') task.events.push(`queued ${place.waiting.length}`);
  }

  /** The run of the body that it shares; undefined while it waits. */
  #runOf({ leader }: Task): Run | undefined {
    const { owner } = this.place(leader.plan.slot);
    return owner?.leader === leader ? owner : undefined;
  }

  #hasBegun(task: Task): boolean {
    return (this.#runOf(task)?.attempts ?? 0) > 0;
  }

  /**
   * Rejects all that share the place of the task. `replacedAt`: the place in the queue that the new
   * task takes.
   */
  #reject(task: Task, reason: RejectReason, by?: Task, replacedAt?: number): void {
    const place = this.place(task.plan.slot);
    if (place.replacement === task) place.replacement = undefined;
    const at = place.queue.indexOf(task);
    if (at >= 0) place.queue.splice(at, 1, ...(replacedAt !== undefined && by !== undefined ? [by] : []));
    for (const member of task.members.splice(0)) this.#rejectOne(member, reason, by);
  }

  #rejectOne(task: Task, reason: RejectReason, by?: Task): void {
    task.events.push(`rejected ${reason}${by === undefined ? '' : ` ${by.number}`}`);
    this.#settle(task, `rejected ${reason}${by === undefined ? '' : ` ${by.number}`}`);
    this.#endShutdown();
  }

  /** It leaves a place in which no body has begun. The place stays for the others. */
  #withdraw(task: Task, reason: RejectReason): boolean {
    const { leader } = task;
    if (!this.place(task.plan.slot).waiting.includes(leader)) return false;
    if (leader.members.length === 1) this.#reject(leader, reason);
    else this.#rejectOne(leader.members.splice(leader.members.indexOf(task), 1)[0] as Task, reason);
    return true;
  }

  #settle(task: Task, outcome: string): void {
    task.outcome = outcome;
    this.#drop(task.deadline);
    this.#drop(task.queueTimer);
  }

  cancel(number: number): void {
    const task = this.tasks[number - 1];
    if (task !== undefined && task.outcome === undefined) this.#cancel(task, 'caller');
  }

  #cancel(task: Task, by: 'caller' | 'deadline' | 'queueTimeout'): void {
    if (task.outcome !== undefined || this.#withdraw(task, by === 'caller' ? 'canceled' : by)) return;
    const run = this.#runOf(task);
    if (run === undefined) return;
    const { members } = run.leader;
    if (members.length === 1 && run.leader === task) {
      this.#stop(run, by);
      return;
    }
    members.splice(members.indexOf(task), 1);
    task.events.push(`finished canceled ${run.attempts}`);
    this.#settle(task, `canceled ${run.stop ?? by} ${run.attempts}`);
    if (members.length === 0) this.#stop(run, by);
  }

  cancelSlot(slot: string): void {
    const place = this.place(slot);
    for (const task of [...place.waiting]) this.#reject(task, 'canceled');
    if (place.owner !== undefined) this.#stop(place.owner, 'slot');
  }

  pause(slot: string): void {
    this.#enliven(this.place(slot));
    this.place(slot).paused = true;
  }

  resume(slot: string): void {
    const place = this.place(slot);
    place.paused = false;
    if (place.owner === undefined) this.#startNext(place);
  }

  configure(slot: string, queueLimit: number, dropOldest: boolean): void {
    this.#queueLimit.set(slot, queueLimit);
    if (dropOldest) this.#dropOldest.add(slot);
    else this.#dropOldest.delete(slot);
  }

  restart(number: number): boolean {
    const task = this.tasks[number - 1];
    const run = task && task.outcome === undefined ? this.#runOf(task) : undefined;
    if (run === undefined || run.stop !== undefined || this.#closed) return false;
    if (run.body !== undefined) {
      if (run.body.stopRequest !== undefined) return false;
      this.#requestStop(run.body, 'restart');
      return true;
    }
    if (run.wait === undefined) return false;
    this.#drop(run.wait);
    run.wait = undefined;
    run.streak = 0;
    this.#enter(run);
    return true;
  }

  shutdown(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { waiting } of this.#live)
      for (const task of [...waiting]) if (task.plan.onShutdown === 'stop') this.#reject(task, 'shuttingDown');
    for (const { owner } of this.#live) if (owner !== undefined) this.#tell(owner);
    this.#nextStep = this.#after(TIMES.finish, () => this.#endFinish());
    this.#endShutdown();
  }

  /** The shutdown reaches an owner. */
  #tell(run: Run): void {
    if (run.leader.plan.onShutdown === 'stop') {
      this.#stop(run, 'shutdown');
      return;
    }
    if (run.stop !== undefined) return;
    run.finishing = true;
    if (run.attempts === 0 || run.body !== undefined) return;
    if (run.streak === 0) this.#stop(run, 'shutdown');
    else {
      this.#stopWaiting(run);
      this.#finish(run, `failed ${run.lastFailure} shuttingDown ${run.attempts}`, 'failed');
    }
  }

  #endFinish(): void {
    this.#nextStep = this.#after(TIMES.shutdown - TIMES.finish, () => this.#force());
    for (const { waiting, owner } of this.#live) {
      for (const task of [...waiting]) this.#reject(task, 'shuttingDown');
      if (owner?.finishing === true) this.#stop(owner, 'shutdown');
    }
    this.#endShutdown();
  }

  /** Ends the body, with a value, its own error or the stop reason. */
  end(body: Body, how: 'value' | 'error' | 'reason'): void {
    this.bodies.splice(this.bodies.indexOf(body), 1);
    if (!body.abandoned) this.#ended(body, how);
  }

  advance(ms: number): void {
    const end = this.now + ms;
    this.settle();
    for (;;) {
      const timer = this.timers
        .filter(({ due }) => due <= end)
        .reduce<Timer | undefined>(
          (first, one) => (first === undefined || one.due < first.due ? one : first),
          undefined,
        );
      if (timer === undefined) break;
      this.now = timer.due;
      this.#drop(timer);
      timer.fire();
      this.settle();
    }
    this.now = end;
  }

  /** Runs the consequences of a step, in the order in which they were caused. */
  settle(): void {
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) job();
  }

  #own(place: Place, task: Task): void {
    if (place.replacement === task) place.replacement = undefined;
    const at = place.queue.indexOf(task);
    if (at >= 0) place.queue.splice(at, 1);
    const run = new Run(task);
    run.finishing = this.#closed; // then only finishers wait
    place.owner = run;
    this.#publish(run, 'started');
    this.#enter(run);
  }

  #enter(run: Run): void {
    const begin = () => {
      if (run.begin === begin) this.#begin(run);
    };
    run.begin = begin;
    this.#jobs.push(begin);
  }

  #publish(run: Run, event: string): void {
    run.leader.members[0]?.events.push(event);
  }

  #begin(run: Run): void {
    run.begin = undefined;
    run.attempts += 1;
    const { leader } = run;
    for (const { queueTimer } of leader.members) this.#drop(queueTimer);
    const body: Body = {
      run,
      task: leader,
      attempt: run.attempts,
      stopRequest: undefined,
      overran: false,
      abandoned: false,
      timeout: undefined,
      grace: undefined,
    };
    run.body = body;
    this.started.push(leader.number);
    this.#publish(run, `attemptStarted ${run.attempts}`);
    if (leader.plan.timed === 'timeout')
      body.timeout = this.#after(TIMES.timeout, () => this.#requestStop(body, 'timeout'));
    this.bodies.push(body);
    const { onStart } = leader.plan.script;
    if (onStart === 'return') this.end(body, 'value');
    else if (onStart === 'throw') this.end(body, 'error');
    else if (onStart !== 'nothing') this.submit({ ...PLAIN, slot: leader.plan.slot, policy: onStart });
  }

  #stop(run: Run, by: StopCause): void {
    if (run.stop !== undefined) return;
    run.stop = by;
    this.#publish(run, `stopRequested ${by}`);
    if (run.body !== undefined) {
      this.#requestStop(run.body, 'stop');
      return;
    }
    this.#stopWaiting(run);
    this.#finish(run, `canceled ${by} ${run.attempts}`, 'canceled');
  }

  #stopWaiting(run: Run): void {
    this.#drop(run.wait);
    run.wait = undefined;
    run.begin = undefined;
  }

  /** Gives the body its stop request, once. */
  #requestStop(body: Body, request: NonNullable<Body['stopRequest']>): void {
    if (body.stopRequest !== undefined) return;
    body.stopRequest = request;
    this.#drop(body.timeout);
    this.#jobs.push(() => {
      if (this.bodies.includes(body)) this.#receiveStop(body);
    });
    body.grace = this.#after(TIMES.grace, () => this.#overrun(body));
  }

  #receiveStop(body: Body): void {
    const { onStop } = body.task.plan.script;
    switch (onStop) {
      case 'ignore':
        return;
      case 'reject':
        this.#jobs.push(() => this.#endIfAlive(body, 'reason'));
        return;
      case 'return':
        this.#jobs.push(() => this.#endIfAlive(body, 'value'));
        return;
      case 'throw':
        this.#jobs.push(() => this.#endIfAlive(body, 'error'));
        return;
      case 'lateReturn':
        this.#after(TIMES.late, () => this.#endIfAlive(body, 'value'));
        return;
      case 'lateThrow':
        this.#after(TIMES.late, () => this.#endIfAlive(body, 'error'));
        return;
      case 'resubmit':
        this.submit({ ...PLAIN, slot: body.task.plan.slot, policy: 'queue' });
        this.#jobs.push(() => this.#endIfAlive(body, 'reason'));
    }
  }

  #endIfAlive(body: Body, how: 'value' | 'error' | 'reason'): void {
    if (this.bodies.includes(body)) this.end(body, how);
  }

  #overrun(body: Body): void {
    body.overran = true;
    const { onOverrun } = body.task.plan;
    this.#publish(body.run, `overrun ${onOverrun}`);
    if (onOverrun === 'abandon') this.#abandon(body);
  }

  #abandon(body: Body): void {
    body.abandoned = true;
    this.#ended(body, 'abandoned');
  }

  /** Ends the grace of a shutdown. */
  #force(): void {
    for (const body of [...this.bodies])
      if (!body.abandoned) {
        this.#publish(body.run, 'overrun abandon');
        this.#abandon(body);
      }
  }

  #ended(body: Body, how: 'value' | 'error' | 'reason' | 'abandoned'): void {
    const { run } = body;
    const { plan } = run.leader;
    const failed = body.stopRequest === undefined ? how === 'error' : body.stopRequest === 'timeout';
    this.#drop(body.timeout);
    this.#drop(body.grace);
    run.body = undefined;
    if (body.stopRequest === 'timeout') this.#publish(run, `attemptTimedOut ${body.attempt}`);
    else if (failed) this.#publish(run, `attemptFailed ${body.attempt}`);
    else this.#publish(run, `${how === 'value' ? 'attemptSucceeded' : 'attemptCanceled'} ${body.attempt}`);

    if (run.stop !== undefined) {
      if (how === 'abandoned') this.#finish(run, `abandoned ${run.stop} ${run.attempts}`, 'abandoned');
      else {
        const threw = how === 'error' && body.stopRequest !== 'timeout' ? ' with its own error' : '';
        const failure = body.stopRequest === 'timeout' ? ' with timedOut' : threw;
        this.#finish(run, `canceled ${run.stop} ${run.attempts}${failure}`, 'canceled');
      }
    } else if (body.stopRequest === 'restart' && run.finishing) {
      const kind = how === 'abandoned' ? 'abandoned' : 'canceled';
      this.#finish(run, `${kind} shutdown ${run.attempts}`, kind);
    } else if (body.stopRequest === 'restart') {
      run.streak = 0;
      this.#enter(run);
    } else if (failed) this.#afterFailure(run, body.stopRequest === 'timeout' ? 'timedOut' : 'thrown');
    else if (plan.restart === 'always' && !run.finishing) {
      run.streak = 0;
      this.#publish(run, `backoffScheduled ${TIMES.interval} success`);
      this.#wait(run, TIMES.interval);
    } else this.#finish(run, `completed ${run.attempts}`, 'completed');
  }

  #afterFailure(run: Run, kind: 'timedOut' | 'thrown'): void {
    const { restart, maxRetries } = run.leader.plan;
    if (restart === 'never') this.#finish(run, `failed ${kind} policy ${run.attempts}`, 'failed');
    else if (run.streak >= maxRetries) this.#finish(run, `failed ${kind} maxRetries ${run.attempts}`, 'failed');
    else if (run.finishing) this.#finish(run, `failed ${kind} shuttingDown ${run.attempts}`, 'failed');
    else {
      run.lastFailure = kind;
      const delay = TIMES.backoff * 2 ** run.streak;
      run.streak += 1;
      this.#publish(run, `backoffScheduled ${delay} failure`);
      this.#wait(run, delay);
    }
  }

  #wait(run: Run, ms: number): void {
    run.wait = this.#after(ms, () => {
      run.wait = undefined;
      this.#enter(run);
    });
  }

  #finish(run: Run, outcome: string, kind: string): void {
    const place = this.place(run.leader.plan.slot);
    place.owner = undefined;
    for (const task of run.leader.members.splice(0)) {
      task.events.push(`finished ${kind} ${run.attempts}`);
      this.#settle(task, outcome);
    }
    this.#startNext(place);
    this.#endShutdown();
  }

  /** Drops the timer of the shutdown when no owner is left and nothing waits. */
  #endShutdown(): void {
    const isOver = ({ owner, waiting }: Place) => owner === undefined && waiting.length === 0;
    if (this.#closed && this.#live.every(isOver)) this.#drop(this.#nextStep);
  }

  #startNext(place: Place): void {
    const next = place.waiting[0];
    if (next !== undefined && !place.paused) this.#own(place, next);
  }

  #after(ms: number, fire: () => void): Timer {
    const timer: Timer = { due: this.now + ms, fire };
    this.timers.push(timer);
    return timer;
  }

  #drop(timer: Timer | undefined): void {
    if (timer === undefined) return;
    const at = this.timers.indexOf(timer);
    if (at >= 0) this.timers.splice(at, 1);
  }
}
