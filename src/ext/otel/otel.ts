// `otel`: one probe, and one set of instruments, for one supervisor.

import type { Supervisor } from '../../index.ts';
import { checkSupervisor, fromCaller } from '../../kit.ts';
import { AttemptProbes } from './attempt-probe.ts';
import { type OtelOptions, parseOtelOptions } from './options.ts';

/**
 * Watches a supervisor for OpenTelemetry, until the returned function is called: a span for each
 * attempt that begins from now on, and metrics. Several calls for one supervisor are independent.
 *
 * Promised: each span that it began is ended exactly once, at the end of the attempt, also of an
 * attempt that was killed or abandoned, and also after the returned function was called. The
 * counters are those of `supervisor.stats()`. Slot names, task ids, task names and error messages
 * are attributes of spans, and never of metrics. `meta` is an attribute of neither.
 *
 * Not promised: a span of a submission, or of the time that it waits. Retries are found by
 * `slotvisor.task.id`. An attempt for which `spans` or `group` throws has no span and is in no
 * histogram; the error is published as `subscriberFailed`. After a shutdown this does nothing.
 *
 * @throws OptionError for an invalid option.
 */
export function otel(supervisor: Supervisor, options: OtelOptions = {}): () => void {
  const settings = fromCaller(otel, () => {
    checkSupervisor(supervisor);
    return parseOtelOptions(options);
  });
  if (supervisor.phase === 'closed') return () => {};
  const probes = new AttemptProbes(supervisor, settings);
  const detach = supervisor.instrument(probes);
  return () => {
    detach();
    probes.end();
  };
}
