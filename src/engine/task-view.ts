// The view of a submission. A sweep over all slots makes one for each owner, so it is filled by a
// constructor: to spread its parts into a literal took more than half of its time
// (measured).

import type { Failure } from '../model/failure.ts';
import { recordClass } from '../model/record.ts';
import type { TaskStatus, TaskView, WaitingFor } from '../model/view.ts';

/** What runs a submission that owns or shares a slot. */
export interface Work {
  readonly status: TaskStatus;
  readonly attempts: number;
  readonly retries: number;
  readonly streak: number;
  readonly failingMs: number | undefined;
  readonly sinceMs: number;
  /** The time since the slot was owned. */
  readonly ranMs: number;
  readonly nextAttemptInMs: number | undefined;
  readonly lastFailure: Failure | undefined;
  readonly waitingFor: WaitingFor | undefined;
  readonly stopping: TaskView['stop'];
  restart(): boolean;
}

/** The part of a view that comes from the submission itself. */
export interface Viewed extends Pick<TaskView, 'id' | 'name' | 'slot' | 'policy' | 'status' | 'meta'> {
  readonly joined: number;
  /** Asked while nothing runs it. */
  readonly waitingFor: WaitingFor | undefined;
}

/** `work` is null while nothing runs it: it has waited for as long as it exists. */
export const TaskViewRecord = recordClass<[of: Viewed, work: Work | null, ageMs: number], TaskView>(
  function (of, work, ageMs) {
    this.id = of.id;
    this.name = of.name;
    this.slot = of.slot;
    this.policy = of.policy;
    const { status, waitingFor } = work ?? of;
    this.status = status;
    if (waitingFor !== undefined) this.waitingFor = waitingFor;
    const stop = work?.stopping;
    if (stop !== undefined) this.stop = stop;
    this.attempt = work?.attempts ?? 0;
    this.retries = work?.retries ?? 0;
    this.streak = work?.streak ?? 0;
    const failingMs = work?.failingMs;
    if (failingMs !== undefined) this.failingMs = failingMs;
    this.sinceMs = work?.sinceMs ?? ageMs;
    const nextAttemptInMs = work?.nextAttemptInMs;
    if (nextAttemptInMs !== undefined) this.nextAttemptInMs = nextAttemptInMs;
    const lastFailure = work?.lastFailure;
    if (lastFailure !== undefined) this.lastFailure = lastFailure;
    this.ageMs = ageMs;
    const { joined } = of;
    if (joined > 0) this.joined = joined;
    this.meta = of.meta;
  },
);
