// `prometheus`: makes the parts of one supervisor, and attaches the probe that measures attempts.

import type { Probe, Supervisor } from '../../index.ts';
import { checkSupervisor, fromCaller, Groups, ignored, printable } from '../../kit.ts';
import { COUNTED, DURATION, SLOT_METRICS, WAIT } from './metrics.ts';
import { type PrometheusOptions, type PrometheusSettings, readOptions } from './options.ts';
import { CounterPart, GaugePart, HistogramPart, type Part } from './part.ts';

/**
 * Shows a supervisor in a registry of `prom-client`, until the returned function is called.
 *
 * Promised: every counter and gauge is exact at each scrape, and counts from the start of the
 * supervisor. No counter goes down, unless the registry is reset. Every word of a label with a
 * closed set of words is present from the first scrape on, as 0. Slot names are shown only for the
 * option `slots`, task names and ids never. A scrape costs the same however many slots and
 * submissions there are. Several supervisors may share a registry.
 *
 * The histograms have the attempts that began after this call. If the function `group` throws, it
 * is published as `subscriberFailed`, and that attempt is in no histogram.
 *
 * The returned function removes all series of the supervisor, and the metrics themselves with the
 * last supervisor. A shutdown does not: `slotvisor_open` is 0 from then on. Once the shutdown has
 * ended, this function registers nothing.
 *
 * @throws OptionError for an invalid option, for a `name` that a supervisor in the registry has,
 *   and for a metric name that other code has registered. Nothing is registered then.
 */
export function prometheus(supervisor: Supervisor, options: PrometheusOptions = {}): () => void {
  return fromCaller(prometheus, () => attach(supervisor, options));
}

function attach(supervisor: Supervisor, options: unknown): () => void {
  checkSupervisor(supervisor);
  const settings = readOptions(options);
  if (supervisor.phase === 'closed') return () => {};
  const duration = new HistogramPart(settings, DURATION);
  const wait = new HistogramPart(settings, WAIT);
  const parts: readonly Part[] = [
    ...countedParts(supervisor, settings),
    duration,
    wait,
    ...slotParts(supervisor, settings),
  ];
  for (const part of parts) part.check();
  for (const part of parts) part.join();
  const { group, maxGroups } = settings;
  const groups = new Groups({ group: (slot) => ignored(group(slot)), maxGroups });
  const detach = supervisor.instrument(probeOf(groups, duration, wait));
  return () => {
    detach();
    for (const part of parts) part.leave();
  };
}

function countedParts(supervisor: Supervisor, settings: PrometheusSettings): Part[] {
  return COUNTED.map((metric) => {
    const PartOf = metric.type === 'counter' ? CounterPart : GaugePart;
    return new PartOf(settings, metric, () => metric.rows(supervisor.stats()));
  });
}

function slotParts(supervisor: Supervisor, settings: PrometheusSettings): Part[] {
  if (settings.slots.length === 0) return [];
  const slots = settings.slots.map((name) => supervisor.slot(name));
  return SLOT_METRICS.map(
    (metric) =>
      new GaugePart(settings, metric, () =>
        slots.map((slot) => [{ slot: printable(slot.name) }, metric.read(slot.view({ queued: 0 }))]),
      ),
  );
}

function probeOf(groups: Groups, duration: HistogramPart, wait: HistogramPart): Probe {
  return {
    name: 'prometheus',
    attempt({ slot, waitedMs }) {
      const group = printable(groups.of(slot));
      wait.observe(group, waitedMs);
      return { ended: ({ end, durationMs }) => duration.observe(group, durationMs, end) };
    },
  };
}
