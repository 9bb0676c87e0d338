/**
 * slotvisor: an in-process admission-control slot scheduler and task supervisor for Node backends.
 *
 * A named slot runs at most one body. A slot is free only when its body has ended, never when it
 * was asked to stop. Submit a task with {@link Supervisor.submit}. Its {@link AdmissionPolicy} says
 * what happens when the slot is busy, its {@link RestartPolicy} what follows an attempt, and its
 * {@link Outcome} how it ended. [SEMANTICS.md](./SEMANTICS.md) lists every promise.
 *
 * @module slotvisor
 */

export { backoffDelayMs } from './api/backoff-delay.ts';
export { once, periodic, restartable } from './api/builders.ts';
export type { RunOptions, ShutdownOptions, StopOnSignalsOptions, ViewOptions } from './api/call-options.ts';
export { type KillableBody, killable } from './api/killable.ts';
export type { Slot } from './api/slot.ts';
export { stopOnSignals } from './api/stop-on-signals.ts';
export { type Submissions, Supervisor, type ValueOf } from './api/supervisor.ts';
export type { GateOptions, RateOptions, SupervisorOptions } from './api/supervisor-options.ts';
export type { AroundAttempt } from './engine/runtime.ts';
export type { Clock } from './kernel/clock.ts';
export type { Backoff, Jitter } from './model/backoff.ts';
export {
  CanceledError,
  ClosedError,
  ExitError,
  FatalError,
  OptionError,
  RetryError,
  type StopCause,
  TimeoutError,
} from './model/error.ts';
export type {
  AttemptEndBase,
  AttemptFailureBase,
  DeliveredEvent,
  EventBase,
  EventOf,
  SlotEventBase,
  SubscribeOptions,
  Subscriber,
  TaskEvent,
  TaskEventBase,
  TaskEventType,
} from './model/event.ts';
export { type EventRecord, type EventRecordOptions, eventRecord } from './model/event-record.ts';
export { eventText } from './model/event-text.ts';
export type { Failure } from './model/failure.ts';
export type { TaskId } from './model/id.ts';
export type { Lease, LeaseAnswer, LeaseRequest, SlotLeases } from './model/lease.ts';
export { type FailedBecause, type Outcome, OutcomeError, type RejectReason } from './model/outcome.ts';
export type { AttemptEndKind, AttemptProbe, AttemptReport, Probe, ProbedAttempt } from './model/probe.ts';
export type { AdmissionPolicy, OnOverrun, OnShutdown, RestartLimit, RestartPolicy } from './model/settings.ts';
export { slotGroup } from './model/slot-group.ts';
export type { OnFull, SlotOptions } from './model/slot-options.ts';
export type { BuilderOptions, SpecInSlot, Specs, TaskDefaults, TaskSpec } from './model/spec.ts';
export type { Admission, Submission } from './model/submission.ts';
export type { AttemptInfo, KillableTask, TaskBody, TaskContext } from './model/task.ts';
export type {
  RunReport,
  ShutdownCause,
  ShutdownReport,
  SlotView,
  Snapshot,
  Stats,
  TaskStatus,
  TaskView,
  TotalName,
  VitalSlot,
  WaitingFor,
} from './model/view.ts';
