// Events: ordered, best-effort notifications for logs and metrics. Results are delivered
// separately; see outcome.ts. Over 300 lines because every field of every event is documented here.

import type { StopCause } from './error.ts';
import type { Failure } from './failure.ts';
import type { TaskId } from './id.ts';
import type { FailedBecause, Outcome, RejectReason } from './outcome.ts';
import type { AdmissionPolicy } from './settings.ts';
import type { ShutdownCause } from './view.ts';

/**
 * What is done with a body that has overrun its grace.
 *
 * @inline
 */
export type OverrunAction = 'hold' | 'kill' | 'abandon';

export const OVERRUN_ACTIONS = ['hold', 'kill', 'abandon'] as const satisfies readonly OverrunAction[];

/** The fields of every event. */
export interface EventBase {
  /** Strictly increasing within one supervisor. */
  readonly seq: number;
  /** When it was published, in epoch ms. */
  readonly at: number;
}

/** The fields of every event about one submission. */
export interface TaskEventBase extends EventBase {
  /** The id of the submission. */
  readonly id: TaskId;
  /** The name of its slot. */
  readonly slot: string;
  /** The label of the task: the spec's `name`, or else its slot. */
  readonly name: string;
  /** The spec's `meta`. */
  readonly meta: unknown;
}

/** The fields of every event that ends an attempt. */
export interface AttemptEndBase extends TaskEventBase {
  /** 1 for the first attempt of the submission. */
  readonly attempt: number;
  /** The time since the attempt began, in ms. */
  readonly durationMs: number;
}

/** The fields of every event that ends a failed attempt. */
export interface AttemptFailureBase extends AttemptEndBase {
  /** What failed. Its `kind` matches the type of the event. */
  readonly failure: Failure;
}

/** The fields of every event about one slot. */
export interface SlotEventBase extends EventBase {
  /** The name of the slot. */
  readonly slot: string;
}

/**
 * What a subscriber gets. Events are frozen, because all subscribers get the same objects.
 *
 * The events of one submission come in this order:
 *
 * 1. `submitted`.
 * 2. `queued`, if it waits.
 * 3. `rejected`, which is then its last event; or `joined`; or `started`.
 * 4. For each attempt: `attemptStarted`, the event that ends the attempt, and `backoffScheduled` if
 *   the task waits for another attempt.
 * 5. `finished`, exactly once.
 *
 * `stopRequested` and `overrun` come between `started` or `joined` and `finished`.
 *
 * | type | published when |
 * |---|---|
 * | `submitted` | the submission was made, also if it is then rejected |
 * | `queued` | it waits in its slot |
 * | `joined` | it shares the outcome of an owner or of a waiting submission |
 * | `rejected` | it ended without having owned or shared the slot |
 * | `started` | it owns the slot; its first attempt waits for the concurrency gate |
 * | `attemptStarted` | an attempt begins; the body is called next |
 * | `attemptSucceeded` | the body returned a value, also if it was asked to stop |
 * | `attemptCanceled` | it was stopped and threw, or gave up, or its lease was lost |
 * | `attemptFailed` | the body threw anything else |
 * | `attemptTimedOut` | an attempt that exceeded `timeoutMs` has ended |
 * | `attemptStalled` | an attempt that exceeded `stallMs` has ended |
 * | `backoffScheduled` | the task waits for its next attempt |
 * | `stopRequested` | the task is asked to stop; not for a timeout, a stall or a `restart` |
 * | `overrun` | the grace of a stopped attempt is over, and its body has not ended |
 * | `finished` | the submission has its outcome |
 * | `slotPaused`, `slotResumed` | a slot was paused or resumed |
 * | `leaseStalled` | the lease store has not answered for its `ttlMs`; once a call |
 * | `shutdownStarted` | the shutdown began |
 * | `shutdownFinished` | every task has ended or was abandoned; subscribers get their last events |
 * | `subscriberFailed` | another subscriber or a probe threw or rejected |
 * | `eventsDropped` | the queue of this subscriber was full; published for it alone |
 *
 * An attempt ends when its body has ended, was killed or was abandoned. Its events name the owner
 * of the slot. Once a canceled owner has left a body that others joined, they name the first that
 * remains. Once no submission remains, no event of the attempt is published.
 */
export type TaskEvent =
  | (TaskEventBase & {
      readonly type: 'submitted';
      /** The admission policy that applies. */
      readonly policy: AdmissionPolicy;
    })
  | (TaskEventBase & {
      readonly type: 'queued';
      /** How many submissions wait in the slot, this one and a waiting replacement included. */
      readonly depth: number;
    })
  | (TaskEventBase & {
      readonly type: 'joined';
      /** The submission whose outcome it shares: the first participant that has not left. */
      readonly leader: TaskId;
    })
  | (TaskEventBase & {
      readonly type: 'rejected';
      /** Why it was rejected. */
      readonly reason: RejectReason;
      /** The submission that took its place or that has the slot, if there is one. */
      readonly by?: TaskId;
    })
  | (TaskEventBase & {
      readonly type: 'started';
      /** The time from `submit` until it owned the slot, in ms. */
      readonly waitedMs: number;
      /** The fencing token of the slot's lease. `0n` where leases are local. */
      readonly fence: bigint;
    })
  | (TaskEventBase & {
      readonly type: 'attemptStarted';
      /** 1 for the first attempt of the submission. */
      readonly attempt: number;
      /**
       * How long the submission waited for its first attempt, in ms: in the queue, for the lease,
       * at the concurrency gate, and while it was suspended. Present for the first attempt only.
       */
      readonly waitedMs?: number;
    })
  | (AttemptEndBase & { readonly type: 'attemptSucceeded' })
  | (AttemptEndBase & { readonly type: 'attemptCanceled' })
  | (AttemptFailureBase & { readonly type: 'attemptFailed' })
  | (AttemptFailureBase & { readonly type: 'attemptTimedOut' })
  | (AttemptFailureBase & { readonly type: 'attemptStalled' })
  | (TaskEventBase & {
      readonly type: 'backoffScheduled';
      /** The attempt that has ended. */
      readonly attempt: number;
      /** The time until the next attempt, in ms. */
      readonly delayMs: number;
      /**
       * `failure`: the delay is a backoff. `success`: it is the interval, and `intervalMs` is more
       * than 0.
       */
      readonly after: 'success' | 'failure';
    })
  | (TaskEventBase & {
      readonly type: 'stopRequested';
      /** What caused the stop request. */
      readonly by: StopCause;
      /**
       * The submission that takes the place of this one. Present for `replace` where the
       * replacement waits in this process.
       */
      readonly successor?: TaskId;
    })
  | (TaskEventBase & {
      readonly type: 'overrun';
      /** The attempt that has not ended. */
      readonly attempt: number;
      /**
       * `hold`: the body keeps its slot. `kill`: its `kill` is called; if that fails, a second
       * event says `hold`. `abandon`: the body is given up, and the slot goes on.
       */
      readonly action: OverrunAction;
      /** The time since the attempt was asked to stop, in ms. */
      readonly sinceMs: number;
    })
  | (TaskEventBase & {
      readonly type: 'finished';
      /** The kind of the outcome. */
      readonly outcome: Outcome['kind'];
      /** `failed`: which rule forbade another attempt. */
      readonly because?: FailedBecause;
      /** `canceled`, `killed`, `abandoned`: what caused the first stop request. */
      readonly by?: StopCause | 'overrun';
      /** `canceled`: the reason that the caller gave. Absent where none was given. */
      readonly reason?: unknown;
      /**
       * `failed`, `fatal`: the failure of the last attempt. `canceled`: what failed while it was
       * stopping, if anything did.
       */
      readonly failure?: Failure;
      /** Attempts begun. */
      readonly attempts: number;
      /**
       * The time since the slot was owned, in ms. For a joined submission: since its owner owned
       * it.
       */
      readonly ranMs: number;
    })
  | (SlotEventBase & { readonly type: 'slotPaused' })
  | (SlotEventBase & { readonly type: 'slotResumed' })
  | (SlotEventBase & {
      readonly type: 'leaseStalled';
      /** The call: a canceled `acquire`, or a `release`. */
      readonly what: 'acquire' | 'release';
      /** The time since the cancel or the call, in ms. */
      readonly sinceMs: number;
    })
  | (EventBase & {
      readonly type: 'shutdownStarted';
      /** What began the shutdown. */
      readonly cause: ShutdownCause;
      /** The time that all owners together have to end, in ms. */
      readonly graceMs: number;
      /** The part of it in which finishers may go on, in ms. */
      readonly finishMs: number;
    })
  | (EventBase & {
      readonly type: 'shutdownFinished';
      /**
       * No body had to be killed or given up in the shutdown, and none that was given up before is
       * alive.
       */
      readonly clean: boolean;
      /** The names of the tasks that the report lists as `abandoned`. */
      readonly stuck: readonly string[];
    })
  | (EventBase & {
      readonly type: 'subscriberFailed';
      /** The name of the subscriber that failed. */
      readonly subscriber: string;
      /** What it threw or rejected with. */
      readonly error: unknown;
    })
  | (EventBase & {
      readonly type: 'eventsDropped';
      /** The name of the subscriber that lost events. */
      readonly subscriber: string;
      /** How many events it lost since the last `eventsDropped`. */
      readonly count: number;
    });

/** The `type` of a {@link TaskEvent}. */
export type TaskEventType =
  | 'submitted'
  | 'queued'
  | 'joined'
  | 'rejected'
  | 'started'
  | 'attemptStarted'
  | 'attemptSucceeded'
  | 'attemptCanceled'
  | 'attemptFailed'
  | 'attemptTimedOut'
  | 'attemptStalled'
  | 'backoffScheduled'
  | 'stopRequested'
  | 'overrun'
  | 'finished'
  | 'slotPaused'
  | 'slotResumed'
  | 'leaseStalled'
  | 'shutdownStarted'
  | 'shutdownFinished'
  | 'subscriberFailed'
  | 'eventsDropped';

/** The event of one type, or of one of several. */
export type EventOf<Type extends TaskEventType> = Extract<TaskEvent, { readonly type: Type }>;

/** What a subscriber to these types gets: `eventsDropped` is always delivered. */
export type DeliveredEvent<Type extends TaskEventType> = EventOf<Type | 'eventsDropped'>;

export const EVENT_TYPES = Object.keys({
  submitted: true,
  queued: true,
  joined: true,
  rejected: true,
  started: true,
  attemptStarted: true,
  attemptSucceeded: true,
  attemptCanceled: true,
  attemptFailed: true,
  attemptTimedOut: true,
  attemptStalled: true,
  backoffScheduled: true,
  stopRequested: true,
  overrun: true,
  finished: true,
  slotPaused: true,
  slotResumed: true,
  leaseStalled: true,
  shutdownStarted: true,
  shutdownFinished: true,
  subscriberFailed: true,
  eventsDropped: true,
} satisfies Record<TaskEventType, true>) as readonly TaskEventType[];

/**
 * Receives events, one at a time. A subscriber that throws or rejects keeps its subscription: the
 * error is published as `subscriberFailed` for the other subscribers. If that happens while it
 * handles a `subscriberFailed` event, no further event is published.
 */
export interface Subscriber<Type extends TaskEventType = TaskEventType> {
  /** Its name in `subscriberFailed` and `eventsDropped`. Default `subscriber-<n>`. */
  readonly name?: string;
  /**
   * Called once for each event. If it returns a promise, the next event of this subscriber waits
   * until the promise has settled. Other subscribers do not wait.
   */
  onEvent(event: DeliveredEvent<Type>): void | PromiseLike<void>;
}

/** The options of `supervisor.subscribe` and `supervisor.events`. */
export interface SubscribeOptions<Type extends TaskEventType = TaskEventType> {
  /**
   * How many events may wait for this subscriber. When its queue is full, new events are dropped
   * and counted. A whole number, 1 or more. Default 65,536.
   */
  readonly capacity?: number | undefined;
  /**
   * Deliver only events of these types. `eventsDropped` is always delivered. Default: all types.
   */
  readonly types?: readonly Type[] | undefined;
  /** Aborting it ends the subscription. Default none. */
  readonly signal?: AbortSignal | undefined;
}
