// A context for a body that is called without a supervisor. The context, its waits and its stop
// reasons are those of a supervisor. Only the attempt behind them is made here.

import type { CanceledError, Clock, StopCause, TaskContext, TaskId } from '../index.ts';
import {
  type AttemptSide,
  aBigInt,
  CancelToken,
  fromCaller,
  LiveTaskContext,
  nameText,
  oneOf,
  parseGiven,
  readClock,
  SystemClock,
  stopReason,
  timeoutReason,
  wholeFrom,
} from '../kit.ts';

/** The options of {@link fakeContext}: the fields of the context, and its clock. */
export interface FakeContextOptions<S = undefined> {
  /** The id of the submission. Default: `fake-1`. */
  readonly id?: string | undefined;
  /** The name of the slot. Default: `name`, or else `id`. */
  readonly slot?: string | undefined;
  /** The label of the task. Default: the slot. */
  readonly name?: string | undefined;
  /** The number of the attempt, from 1. Default: 1. */
  readonly attempt?: number | undefined;
  /** What the spec's `state` would return. */
  readonly state?: S | undefined;
  /** The spec's `meta`. */
  readonly meta?: unknown;
  /** The fence of the slot's lease. Default: `0n`. */
  readonly fence?: bigint | undefined;
  /**
   * The clock that `ctx.sleep` waits on, such as a {@link VirtualClock}. Default: the platform's.
   */
  readonly clock?: Clock | undefined;
}

/**
 * What stops the attempt of a {@link FakeContext}: a {@link StopCause} that a body can see, or
 * `timeout`, for the `TimeoutError` of a timeout or a stall.
 */
export type FakeStopCause =
  | Extract<StopCause, 'caller' | 'replace' | 'slot' | 'signal' | 'deadline' | 'shutdown' | 'leaseLost'>
  | 'timeout';

export const FAKE_CAUSES = [
  'caller',
  'replace',
  'slot',
  'signal',
  'deadline',
  'shutdown',
  'leaseLost',
  'timeout',
] as const satisfies readonly FakeStopCause[];

/** A context, and the attempt behind it as the test sees it. It may be destructured. */
export interface FakeContext<S = undefined> {
  /** Pass it to the body. */
  readonly ctx: TaskContext<S>;
  /**
   * Asks the body to stop. `ctx.canceled` is true at once. Resolves one turn later, when the waits
   * have ended, the signal is aborted and the listeners were called. Only the first call counts.
   * The stop reason is `ctx.signal.reason`.
   *
   * Rejects with an OptionError for an unknown cause.
   *
   * @param reason becomes `reason` of the stop reason. A `TimeoutError` has none.
   * @param by why the task is stopped. Default: `caller`.
   */
  cancel(reason?: unknown, by?: FakeStopCause): Promise<void>;
  /** How often the body has called `ctx.heartbeat`. */
  heartbeats(): number;
  /**
   * What `ctx.onCancel` listeners threw or rejected with, in order. The array grows. A supervisor
   * reports the first one as the failure of the outcome.
   */
  readonly listenerErrors: readonly unknown[];
}

const READERS = {
  id: nameText,
  slot: nameText,
  name: nameText,
  attempt: (field: string, value: unknown) => wholeFrom(field, value, 1, Number.MAX_SAFE_INTEGER),
  state: (_: string, value: unknown) => value,
  meta: (_: string, value: unknown) => value,
  fence: aBigInt,
  clock: readClock,
};

/**
 * Makes a context, to call a body in a test without a supervisor. It behaves as the context of a
 * supervisor does: what differs is that the test, and no supervisor, asks the body to stop.
 *
 * Not promised: what a supervisor does around a body. There is no timeout, no stall, no lost lease
 * and no end of the attempt: a wait that the body drops goes on until `cancel`.
 *
 * @throws OptionError for an invalid option.
 */
export function fakeContext<S = undefined>(options: FakeContextOptions<S> = {}): FakeContext<S> {
  const attempt = new FakeAttempt(fromCaller(fakeContext, () => parseGiven('options', options, READERS)));
  const cancel: FakeContext['cancel'] = async (reason, by = 'caller') => {
    const cause = fromCaller(cancel, () => oneOf('by', by, FAKE_CAUSES));
    attempt.token.cancel(
      cause === 'timeout' ? timeoutReason('timed out') : stopReason(cause, `stopped by ${cause}`, reason),
    );
    await undefined;
    attempt.token.deliver(attempt.listenerFailed);
  };
  return {
    ctx: attempt.context as TaskContext<S>,
    cancel,
    heartbeats: () => attempt.heartbeats,
    listenerErrors: attempt.listenerErrors,
  };
}

/** An attempt that a test stops. It begins, and has no end. */
class FakeAttempt implements AttemptSide {
  readonly host: AttemptSide['host'];
  readonly number: number;
  readonly fence: bigint;
  readonly token = new CancelToken<CanceledError>();
  readonly context = new LiveTaskContext(this);
  readonly listenerErrors: unknown[] = [];
  readonly listenerFailed = (error: unknown): void => void this.listenerErrors.push(error);
  heartbeats = 0;

  constructor(given: Partial<FakeContextOptions<unknown>>) {
    const { id = 'fake-1', attempt = 1, fence = 0n, clock = new SystemClock(), state, meta } = given;
    const slot = given.slot ?? given.name ?? id;
    this.host = { runtime: { clock }, submission: { id: id as TaskId, slot, name: given.name ?? slot, meta } };
    this.number = attempt;
    this.fence = fence;
    this.context.state = state;
  }

  get canceled(): boolean {
    return this.token.canceled;
  }

  onCancel(listener: (reason: CanceledError) => void): () => void {
    return this.token.onCancel(listener, this.listenerFailed);
  }

  get isOver(): boolean {
    return this.token.canceled;
  }

  /** The lease is held. */
  async confirmLease(): Promise<void> {}

  heartbeat(): void {
    this.heartbeats += 1;
  }
}
