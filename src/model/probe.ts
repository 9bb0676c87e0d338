// What watches attempts from within: a probe, what it learns, and what it may do.

import type { Failure } from './failure.ts';
import { recordClass } from './record.ts';
import type { RestartPolicy, TaskSettings } from './settings.ts';
import type { AttemptInfo } from './task.ts';

/**
 * Watches the attempts of a supervisor from within. `supervisor.instrument` attaches it. In
 * contrast to a subscriber it is called synchronously, and it misses no attempt. Use it to measure
 * and to trace. Use `aroundAttempt` to change what an attempt does.
 *
 * Promised: a probe that throws harms no task. The error is published as `subscriberFailed`.
 * Not promised: that a slow probe costs nothing. Its time is time of the event loop.
 */
export interface Probe {
  /** Names it in `subscriberFailed`. Default: `probe-1`, `probe-2` and so on. */
  readonly name?: string;
  /**
   * Called once for each attempt, right before its `state` and its body are called, in the async
   * context of its submitter. Returns what watches this attempt, or `undefined`: nothing does.
   */
  attempt(info: ProbedAttempt): AttemptProbe | undefined;
}

/** The attempt that a probe is asked to watch. A frozen object. */
export interface ProbedAttempt extends AttemptInfo {
  /**
   * How long it was ready to run and did not. The first attempt: since `submit`. A later one: since
   * its backoff or interval was over. In ms.
   */
  readonly waitedMs: number;
  /** The restart policy of the task. */
  readonly restart: RestartPolicy;
  /** The timeout of an attempt of the task, in ms. `Infinity` without one. */
  readonly timeoutMs: number;
  /** The fencing token of the attempt's lease. `0n` where leases are local. */
  readonly fence: bigint;
  /**
   * The task is meant to run on and on: it is `vital`, or has a finite `stableMs`. One of its
   * attempts may last for weeks.
   */
  readonly resident: boolean;
}

interface ProbedTask extends Pick<AttemptInfo, 'id' | 'slot' | 'name' | 'meta'> {
  readonly settings: Pick<TaskSettings, 'restart' | 'timeoutMs' | 'vital' | 'stableMs'>;
}

/** Gathered here: gathered before, in two objects, it cost a watched attempt a tenth (measured). */
export const ProbedRecord = recordClass<
  [task: ProbedTask, attempt: { readonly number: number; readonly fence: bigint }, waitedMs: number],
  ProbedAttempt
>(function ({ id, slot, name, meta, settings }, { number, fence }, waitedMs) {
  this.id = id;
  this.slot = slot;
  this.name = name;
  this.attempt = number;
  this.meta = meta;
  this.waitedMs = waitedMs;
  this.restart = settings.restart;
  this.timeoutMs = settings.timeoutMs;
  this.fence = fence;
  this.resident = settings.vital || settings.stableMs !== Infinity;
});

/** Watches one attempt. Both parts may be left out. */
export interface AttemptProbe {
  /**
   * Called right before the body. Calls `body` once, before it returns, inside whatever it sets up,
   * and returns what `body` returned. `body` is the attempt: its `state`, `aroundAttempt` and the
   * body, each up to its first `await`. If `run` does not call it, it is called all the same. The
   * result of `run` is not looked at.
   */
  run?<R>(body: () => R): R;
  /**
   * Called exactly once, when the attempt has ended: the body has ended, was killed, or was given
   * up. Called within no call of the API. All that the supervisor shows is up to date by then.
   */
  ended?(report: AttemptReport): void;
}

/**
 * How an attempt ended: the words of its event, and `killed` or `abandoned` where the body did not
 * end by itself. `canceled`: the attempt was asked to stop and threw, or it gave up, or its lease
 * was lost.
 */
export type AttemptEndKind = 'succeeded' | 'failed' | 'timedOut' | 'stalled' | 'canceled' | 'killed' | 'abandoned';

/** The end of an attempt, for its probe. A frozen object. */
export interface AttemptReport {
  /** How it ended. */
  readonly end: AttemptEndKind;
  /** From its start to its end, in ms. */
  readonly durationMs: number;
  /**
   * What went wrong. Also of a `killed` or `abandoned` attempt that had timed out or stalled, and
   * of an attempt that was asked to stop, and threw an error of its own.
   */
  readonly failure?: Failure;
}

type Report = [end: AttemptEndKind, durationMs: number, failure: Failure | undefined];

export const AttemptReportRecord = recordClass<Report, AttemptReport>(function (end, durationMs, failure) {
  this.end = end;
  this.durationMs = durationMs;
  if (failure !== undefined) this.failure = failure;
});
