// The options of `prometheus`: their types, defaults and readers.

import { type OpenMetricsContentType, type Registry, register } from 'prom-client';
import {
  ATTEMPT_BUCKETS,
  anObjectWith,
  GROUP_DEFAULTS,
  GROUP_READERS,
  type GroupOptions,
  nameText,
  parse,
  printable,
  type Readers,
  reading,
  refuse,
} from '../../kit.ts';

/** The options of `prometheus`. An option given as `undefined` counts as absent. */
export interface PrometheusOptions extends GroupOptions {
  /** Where the metrics are registered. Default: the global registry of `prom-client`. */
  readonly register?: Registry | Registry<OpenMetricsContentType> | undefined;
  /**
   * The value of the label `supervisor`. It tells the supervisors of one registry apart: each needs
   * another one. 1 to 1,024 UTF-16 units, without a comma. Default `'default'`.
   */
  readonly name?: string | undefined;
  /**
   * What the name of each metric begins with: letters, digits and `_`. Default `'slotvisor_'`.
   */
  readonly prefix?: string | undefined;
  /**
   * The upper bounds of the buckets of both histograms, in seconds, in rising order. Supervisors
   * that share a registry and a prefix share them. Default: 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
   * 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800.
   */
  readonly buckets?: readonly number[] | undefined;
  /**
   * The slots that are watched by name: each gets three gauges. At most 100. They need not be live.
   * Default: none.
   */
  readonly slots?: readonly string[] | undefined;
}

export type PrometheusSettings = { readonly [K in keyof PrometheusOptions]-?: NonNullable<PrometheusOptions[K]> };

const MAX_SLOTS = 100;

const DEFAULTS: PrometheusSettings = {
  ...GROUP_DEFAULTS,
  register,
  name: 'default',
  prefix: 'slotvisor_',
  buckets: ATTEMPT_BUCKETS,
  slots: [],
};

const READERS: Readers<PrometheusSettings> = {
  ...GROUP_READERS,
  register: readRegister,
  name: readName,
  prefix: readPrefix,
  buckets: readBuckets,
  slots: readSlots,
};

export function readOptions(options: unknown): PrometheusSettings {
  return parse('options', options, READERS, DEFAULTS);
}

const REGISTRY_METHODS = ['registerMetric', 'getSingleMetric', 'removeSingleMetric'];

function readRegister(field: string, value: unknown): PrometheusSettings['register'] {
  for (const method of REGISTRY_METHODS) anObjectWith(method, field, 'must be a Registry of prom-client', value);
  return value as Registry;
}

function readName(field: string, value: unknown): string {
  const name = nameText(field, value);
  // prom-client finds a series by its label values, joined by commas. `supervisor` is the last of
  // them, and all others but one are words. So without a comma here no two series are mixed up.
  if (name.includes(',')) return refuse(field, 'must not have a comma', value);
  return printable(name);
}

function readPrefix(field: string, value: unknown): string {
  // A colon is legal too. By convention it is for the rules of Prometheus itself.
  if (typeof value === 'string' && /^[a-z_][a-z0-9_]*$/i.test(value)) return value;
  return refuse(field, "must be letters, digits and '_', and must not begin with a digit", value);
}

/** prom-client neither sorts nor checks them. */
function readBuckets(field: string, value: unknown): readonly number[] {
  const bounds = listOf(field, value);
  const isRising = bounds.every(
    (bound, i) =>
      Number.isFinite(bound) && (bound as number) >= 0 && (i === 0 || (bound as number) > Number(bounds[i - 1])),
  );
  if (isRising && bounds.length > 0) return bounds as number[];
  return refuse(field, 'must be an array of seconds, 0 or more, each more than the one before', value);
}

function readSlots(field: string, value: unknown): readonly string[] {
  const slots = new Set(listOf(field, value).map((slot, i) => nameText(`${field}[${i}]`, slot)));
  if (slots.size > MAX_SLOTS)
    return refuse(field, `must name at most ${MAX_SLOTS} slots (the groups show all slots)`, slots.size);
  return [...slots];
}

function listOf(field: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return refuse(field, 'must be an array', value);
  return reading(field, value, () => [...value]);
}
