/**
 * `slotvisor/prometheus`: the metrics of a supervisor, in a registry of `prom-client`.
 *
 * Counters and gauges are read from `supervisor.stats()` at each scrape, so they are exact, and
 * cost nothing between two scrapes. Two histograms, of how long attempts ran and waited, are filled
 * by a probe. No label grows with the number of slots: slots are shown by their groups, and by name
 * only where the option `slots` names them.
 *
 * @privateRemarks
 * Reading order: `options.ts`, `metrics.ts` (which metrics there are, and where their values come
 * from), `part.ts` (how supervisors share the metrics of a registry), `attach.ts`.
 *
 * @module slotvisor/prometheus
 * @document README.md
 */

export { prometheus } from './attach.ts';
export type { PrometheusOptions } from './options.ts';
