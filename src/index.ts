/**
 * slotvisor: an in-process admission-control slot scheduler and task supervisor for Node backends.
 *
 * A slot has at most one body alive, always: it is freed by proof that the old body has ended, never by the request to stop it.
 * Submit work to a named {@link Supervisor.slot}; its {@link AdmissionPolicy} says what happens when the slot is busy, its restart policy what
 * happens when it fails, and its {@link Outcome} how it ended. src/ARCHITECTURE.md says where to read on.
 *
 * @module
 */

export { backoffDelayMs } from './engine/backoff-delay.ts';
export type { RunOptions, ShutdownOptions } from './engine/call-options.ts';
export type { RateOptions, SupervisorOptions } from './engine/options.ts';
export type { AroundAttempt } from './engine/runtime.ts';
export type { Slot } from './engine/slot-handle.ts';
export type { Admission, Submission } from './engine/submission.ts';
export { Supervisor, type ValueOf } from './engine/supervisor.ts';
export type { Clock } from './kernel/clock.ts';
export type { Backoff, Jitter } from './model/backoff.ts';
export { once, periodic, restartable } from './model/builders.ts';
export { reading, readOptions, refuse } from './model/check.ts';
export {
  CanceledError,
  ClosedError,
  ExitError,
  FatalError,
  RetryError,
  SpecError,
  type StopCause,
  TimeoutError,
} from './model/error.ts';
export type { SubscribeOptions, Subscriber, TaskEvent, TaskEventType } from './model/event.ts';
export type { Failure } from './model/failure.ts';
export type { TaskId } from './model/id.ts';
export type { Lease, LeaseRequest, SlotLeases } from './model/lease.ts';
export { type FailedBecause, type Outcome, OutcomeError, type RejectReason } from './model/outcome.ts';
export type { AdmissionPolicy, RestartLimit, RestartPolicy } from './model/settings.ts';
export type { SlotOptions } from './model/slot-options.ts';
export type { TaskDefaults, TaskSpec } from './model/spec.ts';
export type { AttemptInfo, KillableTask, TaskBody, TaskContext } from './model/task.ts';
export type {
  RunReport,
  ShutdownCause,
  ShutdownReport,
  SlotView,
  Snapshot,
  TaskStatus,
  TaskView,
  TotalName,
} from './model/view.ts';
