// For the entry points only: how options are read and passed on, how texts of the caller are cut,
// how what the caller's code throws or returns is taken, how a timer is set, what keeps moments in
// order, how a turn of the event loop is waited for, what a context is made of, how a submission
// and a shutdown are watched, what copies of the package share, how a duration is said, and how an
// object is shown. An entry point may import this file and `index.ts`. It is not exported from the
// package.

export { SUBSCRIBE_READERS } from './api/call-options.ts';
export { onShutdown } from './api/supervisor.ts';
export { readClock } from './api/supervisor-options.ts';
export { peekOutcome, whenOwned } from './engine/submission.ts';
export { type AttemptSide, LiveTaskContext } from './engine/task-context.ts';
export { isAborted, onAbort } from './kernel/abort-listeners.ts';
export { bare } from './kernel/bare.ts';
export { CancelToken } from './kernel/cancel-token.ts';
export { after, SystemClock } from './kernel/clock.ts';
export { looking, shared } from './kernel/copies.ts';
export { type Deferred, deferred, ignore, ignored } from './kernel/deferred.ts';
export { eventLoopTurn } from './kernel/event-loop.ts';
export { Heap, HeapNode } from './kernel/heap.ts';
export { systemRandom } from './kernel/random.ts';
export { warn } from './kernel/warning.ts';
export { ATTEMPT_BUCKETS } from './model/buckets.ts';
export {
  aBigInt,
  aBoolean,
  aFunction,
  aNumber,
  anObject,
  count,
  durationMs,
  finiteMs,
  finiteNumber,
  nameText,
  numberFrom,
  oneOf,
  positiveMs,
  refuse,
  wholeFrom,
} from './model/check.ts';
export { brief, briefPath, fromCaller, show, specAt, stopReason, timeoutReason } from './model/error.ts';
export { EVENT_TYPES } from './model/event.ts';
export { levelOf } from './model/event-level.ts';
export { sentenceOf, subjectOf } from './model/event-text.ts';
export { span } from './model/explain.ts';
export { FewWords } from './model/few-words.ts';
export { describe, field, isUnreachable } from './model/foreign.ts';
export { GROUP_DEFAULTS, GROUP_READERS, type GroupOptions, Groups } from './model/groups.ts';
export {
  anObjectWith,
  checkSupervisor,
  parse,
  parseGiven,
  type Readers,
  readFields,
  reading,
} from './model/options.ts';
export { OUTCOME_KINDS, REJECT_REASONS } from './model/outcome.ts';
export { cut, printable } from './model/printable.ts';
export { isError, plainPart, record, showAs } from './model/record.ts';
export { RESTARTABLE, SPEC_KEYS, type StateOption } from './model/spec.ts';
export { readSupervisors } from './model/supervisors.ts';
export { SEEN_OF_QUEUE } from './model/view.ts';
