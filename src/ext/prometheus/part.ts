// The part of one supervisor in one metric of a registry. Supervisors share a metric: its label
// `supervisor` names them. The first part makes the metric. The last part to leave takes the metric
// out of the registry. The metric itself keeps its parts: a registry that the user clears forgets
// both.

import { Counter, Gauge, Histogram } from 'prom-client';
import { refuse, shared } from '../../kit.ts';
import type { Definition, Labels, Row } from './metrics.ts';
import type { PrometheusSettings } from './options.ts';

/** Where the parts of one supervisor are. */
export type Place = Pick<PrometheusSettings, 'register' | 'prefix' | 'name' | 'buckets'>;

type Metric = Counter | Gauge | Histogram;

/** What a metric is made from. */
interface Config {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: PrometheusSettings['register'][];
  readonly collect: () => void;
}

/** The parts of a metric, by the name of their supervisor. */
const partsOf = shared('prometheus', () => new WeakMap<object, Map<string, Part>>());

export abstract class Part<M extends Metric = Metric> {
  protected readonly place: Place;
  readonly #definition: Definition;
  readonly #name: string;
  #metric: M | undefined;

  constructor(place: Place, definition: Definition) {
    this.place = place;
    this.#definition = definition;
    this.#name = place.prefix + definition.id;
  }

  /** @throws OptionError if `join` would take what belongs to others. */
  check(): void {
    const { register, prefix, name } = this.place;
    const metric = register.getSingleMetric(this.#name);
    if (metric === undefined) return;
    const others = partsOf.get(metric);
    if (others === undefined)
      refuse('prefix', `must give free names, and other code has registered ${this.#name}`, prefix);
    if (others.has(name)) refuse('name', 'must be unique in the registry, where a supervisor has this name', name);
    for (const other of others.values()) this.checkBeside(other);
  }

  /** Call it after `check`. */
  join(): void {
    const { register, name } = this.place;
    const metric = (register.getSingleMetric(this.#name) as M | undefined) ?? this.#make();
    partsOf.get(metric)?.set(name, this);
    this.#metric = metric;
  }

  /** Takes the series of the supervisor away, and the metric with its last part. */
  leave(): void {
    const metric = this.#metric;
    if (metric === undefined) return;
    this.#metric = undefined;
    for (const labels of this.series()) metric.remove(this.#own(labels));
    const { register, name } = this.place;
    const parts = partsOf.get(metric);
    parts?.delete(name);
    if (parts?.size === 0 && register.getSingleMetric(this.#name) === metric) register.removeSingleMetric(this.#name);
  }

  #make(): M {
    const parts = new Map<string, Part>();
    const { help, labels } = this.#definition;
    const metric = this.make({
      name: this.#name,
      help,
      labelNames: ['supervisor', ...labels],
      registers: [this.place.register],
      collect: () => {
        for (const part of parts.values()) part.collect();
      },
    });
    partsOf.set(metric, parts);
    return metric;
  }

  /** After the end nothing is written: a series would come back. */
  protected write(labels: Labels, value: number): void {
    if (this.#metric !== undefined) this.put(this.#metric, this.#own(labels), value);
  }

  #own(labels: Labels): Record<string, string> {
    return { supervisor: this.place.name, ...labels };
  }

  protected abstract make(config: Config): M;
  protected abstract put(metric: M, labels: Record<string, string>, value: number): void;
  /** The label values of every series that there may be. */
  protected abstract series(): Iterable<Labels>;
  /** Called at each scrape. */
  protected collect(): void {}
  protected checkBeside(_other: Part): void {}
}

/** A part whose values are read at each scrape. */
abstract class ReadPart<M extends Metric> extends Part<M> {
  readonly #rows: () => readonly Row[];

  constructor(place: Place, definition: Definition, rows: () => readonly Row[]) {
    super(place, definition);
    this.#rows = rows;
  }

  protected override collect(): void {
    for (const [labels, value] of this.#rows()) this.write(labels, value);
  }
  protected override *series(): Iterable<Labels> {
    for (const [labels] of this.#rows()) yield labels;
  }
}

export class GaugePart extends ReadPart<Gauge> {
  protected override make(config: Config): Gauge {
    return new Gauge(config);
  }
  protected override put(gauge: Gauge, labels: Record<string, string>, value: number): void {
    gauge.set(labels, value);
  }
}

/**
 * A counter of prom-client can only be increased, so it gets the difference to the last scrape. If
 * the user resets it, it starts again from 0, as counters may.
 */
export class CounterPart extends ReadPart<Counter> {
  readonly #last = new Map<string, number>();

  protected override make(config: Config): Counter {
    return new Counter(config);
  }
  protected override put(counter: Counter, labels: Record<string, string>, total: number): void {
    const series = Object.values(labels).join();
    counter.inc(labels, total - (this.#last.get(series) ?? 0));
    this.#last.set(series, total);
  }
}

/** The attempts of a supervisor in one histogram. */
export class HistogramPart extends Part<Histogram> {
  readonly #groups = new Set<string>();
  readonly #outcomes = new Set<string>();

  observe(group: string, ms: number, outcome?: string): void {
    this.#groups.add(group);
    if (outcome !== undefined) this.#outcomes.add(outcome);
    this.write(outcome === undefined ? { group } : { group, outcome }, ms / 1_000);
  }

  protected override make(config: Config): Histogram {
    return new Histogram({ ...config, buckets: [...this.place.buckets] });
  }
  protected override put(histogram: Histogram, labels: Record<string, string>, seconds: number): void {
    histogram.observe(labels, seconds);
  }
  protected override *series(): Iterable<Labels> {
    for (const group of this.#groups) {
      if (this.#outcomes.size === 0) yield { group };
      for (const outcome of this.#outcomes) yield { group, outcome };
    }
  }
  protected override checkBeside(other: Part): void {
    const theirs = (other as HistogramPart).place.buckets.join(', ');
    if (this.place.buckets.join(', ') === theirs) return;
    refuse('buckets', `must be those of the other supervisors in the registry (${theirs})`, this.place.buckets);
  }
}
