// News: ordered, best effort, for people and monitors. Results travel on another road (outcome.ts).

import type { StopCause } from './error.ts';
import type { Failure } from './failure.ts';
import type { TaskId } from './id.ts';
import type { Outcome, RejectReason } from './outcome.ts';
import type { AdmissionPolicy } from './settings.ts';
import type { ShutdownCause } from './view.ts';

export interface EventBase {
  /** Strictly increasing within one supervisor. */
  readonly seq: number;
  /** Epoch ms. */
  readonly at: number;
}

export interface TaskEventBase extends EventBase {
  readonly id: TaskId;
  readonly slot: string;
  readonly name: string;
  readonly meta: unknown;
}

/**
 * In the order in which they happen to one submission: `submitted`, then `rejected` | `joined` | `queued`... `started`, then per attempt
 * `attemptStarted` and one of `attemptSucceeded|Failed|TimedOut|Stalled|Canceled`, then `backoffScheduled` or the end;
 * `stopRequested` when it is told to stop; `finished` last, exactly once for whatever started or joined. A rejection has no `finished`.
 */
export type TaskEvent =
  | (TaskEventBase & { readonly type: 'submitted'; readonly policy: AdmissionPolicy })
  | (TaskEventBase & { readonly type: 'queued'; readonly depth: number })
  | (TaskEventBase & { readonly type: 'joined'; readonly leader: TaskId })
  | (TaskEventBase & { readonly type: 'rejected'; readonly reason: RejectReason; readonly by?: TaskId })
  | (TaskEventBase & { readonly type: 'started'; readonly waitedMs: number; readonly fence: bigint })
  | (TaskEventBase & { readonly type: 'attemptStarted'; readonly attempt: number })
  | (TaskEventBase & {
      readonly type: 'attemptSucceeded' | 'attemptCanceled';
      readonly attempt: number;
      readonly durationMs: number;
    })
  | (TaskEventBase & {
      readonly type: 'attemptFailed' | 'attemptTimedOut' | 'attemptStalled';
      readonly attempt: number;
      readonly durationMs: number;
      readonly failure: Failure;
    })
  | (TaskEventBase & {
      readonly type: 'backoffScheduled';
      readonly attempt: number;
      readonly delayMs: number;
      readonly after: 'success' | 'failure';
    })
  | (TaskEventBase & { readonly type: 'stopRequested'; readonly by: StopCause })
  | (TaskEventBase & {
      readonly type: 'overrun';
      readonly action: 'hold' | 'kill' | 'abandon';
      readonly sinceMs: number;
    })
  | (TaskEventBase & {
      readonly type: 'finished';
      readonly outcome: Outcome['kind'];
      readonly attempts: number;
      readonly ranMs: number;
    })
  | (EventBase & { readonly type: 'slotPaused' | 'slotResumed'; readonly slot: string })
  | (EventBase & { readonly type: 'shutdownStarted'; readonly cause: ShutdownCause; readonly graceMs: number })
  | (EventBase & {
      readonly type: 'shutdownFinished';
      readonly withinGrace: boolean;
      readonly stuck: readonly string[];
    })
  | (EventBase & { readonly type: 'subscriberFailed'; readonly subscriber: string; readonly error: unknown })
  | (EventBase & { readonly type: 'eventsDropped'; readonly subscriber: string; readonly count: number });

export type TaskEventType = TaskEvent['type'];

export const EVENT_TYPES: readonly TaskEventType[] = [
  'submitted',
  'queued',
  'joined',
  'rejected',
  'started',
  'attemptStarted',
  'attemptSucceeded',
  'attemptCanceled',
  'attemptFailed',
  'attemptTimedOut',
  'attemptStalled',
  'backoffScheduled',
  'stopRequested',
  'overrun',
  'finished',
  'slotPaused',
  'slotResumed',
  'shutdownStarted',
  'shutdownFinished',
  'subscriberFailed',
  'eventsDropped',
];

/** Watches events. It cannot hurt the runtime: what it throws goes to the others as `subscriberFailed`. */
export interface Subscriber {
  readonly name?: string;
  /** A promise holds back this subscriber's next event until it settles, and nobody else's. */
  onEvent(event: TaskEvent): void | PromiseLike<void>;
}

export interface SubscribeOptions {
  /** Events that may wait for this subscriber. Past it the newest is dropped and counted. Default 1,024. */
  readonly capacity?: number | undefined;
  /** Only these. `eventsDropped` is told in any case: loss is never silent. */
  readonly types?: readonly TaskEventType[] | undefined;
  /** Aborting it ends the subscription. */
  readonly signal?: AbortSignal | undefined;
}
