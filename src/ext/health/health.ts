// `health`: what a probe says of the supervisors that it watches.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Supervisor } from '../../index.ts';
import { fromCaller } from '../../kit.ts';
import { answer, type HealthRequest, type HealthResponse } from './http.ts';
import { checkLoop, type DelayHistogram, LoopWatch, RESOLUTION_MS } from './loop-delay.ts';
import { type HealthOptions, type HealthSettings, type Named, parseHealthOptions, readNamed } from './options.ts';
import { type HealthReport, reportOf } from './report.ts';
import { fail, type HealthCheck } from './slot-check.ts';
import { Watched } from './watched.ts';

/** What `health` returns. Each function can be passed on alone. */
export interface HealthProbe {
  /** Whether a restart of the process would help. Each call ends a window of the loop's delay. */
  readonly live: () => HealthReport;
  /** Whether the process should get requests. */
  readonly ready: () => HealthReport;
  /** From now on `ready()` fails. Made for `before` of `stopOnSignals`. */
  readonly notReady: () => void;
  /**
   * Answers a request whose path ends with `/livez` or `/readyz`: `GET` and `HEAD` with 200, or 503
   * if the status is `fail`, and any other method with 405. The body is `ok` or `not ok`; with the
   * query `?verbose` it is the report. Returns false for any other path, and does nothing then but
   * to call `next`, if it is given: so it is a middleware of Express, too.
   */
  readonly listener: (request: HealthRequest, response: HealthResponse, next?: () => void) => boolean;
  /** Ends the measurement of the event loop. The probe still answers, and finds no delay. */
  readonly close: () => void;
}

/**
 * Watches supervisors, for the probes of a platform such as Kubernetes. It looks when it is asked.
 *
 * `ready()` fails from `notReady()` on, from the first moment of any shutdown on, and while a check
 * fails. Each slot of `rules` is checked by its rule, and each other vital slot by the default
 * rule: it fails while the slot is dead or its body has overrun its grace, and warns while its
 * owner is in backoff after many failures in a row.
 *
 * `live()` fails only for what a restart can cure: a supervisor that has been closed for longer
 * than `closedMs`, an event loop that is slow for three windows in a row, and a slot that fails a
 * rule with `live`. From `notReady()` or the begin of a shutdown on, only the first of them counts,
 * and not while a supervisor is closing: what ends must not be killed.
 *
 * Promised: it sets no timer, and keeps no process alive, also without `close()`.
 *
 * Not promised: that a vital slot that died before this call is known, unless its supervisor has a
 * `deadFraction`.
 *
 * @param supervisor one, or several by name. A name has no `/`.
 * @throws OptionError for an invalid argument or option.
 */
export function health(
  supervisor: Supervisor | Readonly<Record<string, Supervisor>>,
  options: HealthOptions = {},
): HealthProbe {
  return fromCaller(health, () => {
    const supervisors = readNamed(supervisor);
    const settings = parseHealthOptions(options, supervisors);
    const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    histogram.enable();
    return probeOf(supervisors, settings, histogram);
  });
}

/** With any histogram, so that tests need not wait. */
export function probeOf(
  supervisors: readonly Named[],
  { rules, maxDelayMs, closedMs }: HealthSettings,
  histogram: DelayHistogram & { disable(): unknown },
): HealthProbe {
  const watched = supervisors.map((named) => new Watched(named, rules));
  const watch = new LoopWatch(histogram, maxDelayMs);
  let isReady = true;

  function live(): HealthReport {
    const loop = watch.endWindow();
    const phase = phaseOf(watched);
    const isLeaving = !isReady || phase !== 'open';
    if (isLeaving) return reportOf({ phase, loop }, closedTooLong(watched, closedMs), []);
    const checks = watched.flatMap((one) => [...one.liveChecks()]);
    return reportOf({ phase, loop }, [checkLoop(loop)], checks);
  }

  function ready(): HealthReport {
    const findings = watched.filter(({ phase }) => phase !== 'open').map((one) => fail(`${one.name} is ${one.phase}`));
    if (!isReady) findings.unshift(fail('notReady() was called'));
    const checks = watched.flatMap((one) => [...one.checks()]);
    return reportOf({ phase: phaseOf(watched), loop: watch.now }, findings, checks);
  }

  return {
    live,
    ready,
    notReady: () => {
      isReady = false;
    },
    listener: (request, response, next) => {
      const isMine = answer(request, response, { livez: live, readyz: ready });
      if (!isMine) next?.();
      return isMine;
    },
    close: () => {
      histogram.disable();
      watch.forget();
    },
  };
}

function phaseOf(watched: readonly Watched[]): HealthReport['phase'] {
  const [first, ...others] = new Set(watched.map(({ phase }) => phase));
  return first === undefined || others.length > 0 ? 'closing' : first;
}

function closedTooLong(watched: readonly Watched[], closedMs: number): HealthCheck[] {
  if (watched.some(({ phase }) => phase === 'closing')) return [];
  return watched.flatMap(({ name, closedForMs: ms = -Infinity }) =>
    ms > closedMs ? [fail(`${name} has been closed for ${Math.round(ms)} ms`)] : [],
  );
}
