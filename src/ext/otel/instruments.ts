// The metrics of one supervisor. The counters are read from `supervisor.stats()`, once for each
// collection. Only the two histograms are written by attempts.

import {
  type Attributes,
  type BatchObservableResult,
  type Histogram,
  type Meter,
  type MetricOptions,
  type Observable,
  ValueType,
} from '@opentelemetry/api';
import type { AttemptReport, ProbedAttempt, Stats, Supervisor } from '../../index.ts';
import { ATTEMPT_BUCKETS, FewWords, OUTCOME_KINDS } from '../../kit.ts';
import { ATTEMPT_OUTCOMES } from './attempt-span.ts';
import { errorType, OTHER_TYPE } from './error-type.ts';

/** How many values of `error.type` the metrics tell apart. */
const MAX_ERROR_TYPES = 50;

interface Described {
  readonly unit: string;
  readonly description: string;
  /** Its value goes up and down. */
  readonly isLevel?: true;
}

/** `by`: the attribute that tells several values apart. */
type Counted = Described &
  (
    | { readonly by?: undefined; read(stats: Stats): number }
    | { readonly by: string; read(stats: Stats): Readonly<Record<string, number>> }
  );

const COUNTED: Readonly<Record<string, Counted>> = {
  'slotvisor.submissions': {
    unit: '{submission}',
    description: 'Submissions, rejected ones included',
    read: ({ totals }) => totals.submitted,
  },
  'slotvisor.outcomes': {
    unit: '{submission}',
    description: 'Ended submissions, by the kind of their outcome',
    by: 'slotvisor.outcome',
    read: ({ totals }) => Object.fromEntries(OUTCOME_KINDS.map((kind) => [kind, totals[kind]])),
  },
  'slotvisor.rejections': {
    unit: '{submission}',
    description: 'Rejected submissions, by reason',
    by: 'slotvisor.reason',
    read: ({ rejections }) => rejections,
  },
  'slotvisor.attempts': {
    unit: '{attempt}',
    description: 'Attempts begun',
    read: ({ totals }) => totals.attempts,
  },
  'slotvisor.retries': {
    unit: '{retry}',
    description: 'Retries after failures',
    read: ({ totals }) => totals.retries,
  },
  'slotvisor.overruns': {
    unit: '{overrun}',
    description: 'Attempts whose body overran its grace',
    read: ({ totals }) => totals.overruns,
  },
  'slotvisor.attempt.failures': {
    unit: '{attempt}',
    description: 'Failed attempts, by the kind of their failure',
    by: 'slotvisor.failure',
    read: ({ failures }) => failures,
  },
  'slotvisor.events.dropped': {
    unit: '{event}',
    description: 'Events that were dropped or not delivered',
    read: ({ eventsDropped }) => eventsDropped,
  },
  'slotvisor.tasks': {
    unit: '{task}',
    description: 'Live submissions, by status',
    isLevel: true,
    by: 'slotvisor.state',
    read: ({ tasks }) => tasks,
  },
  'slotvisor.tasks.abandoned': {
    unit: '{task}',
    description: 'Abandoned bodies that have not ended',
    isLevel: true,
    read: ({ abandonedAlive }) => abandonedAlive,
  },
  'slotvisor.slots': {
    unit: '{slot}',
    description: 'Slots that have an owner, have waiting submissions, or are paused',
    isLevel: true,
    read: ({ slotCount }) => slotCount,
  },
};

export class Instruments {
  readonly #name: string;
  readonly #duration: Histogram;
  readonly #waitTime: Histogram;
  readonly #errorTypes = new FewWords(MAX_ERROR_TYPES, OTHER_TYPE);
  readonly #stopObserving: () => void;

  constructor(meter: Meter, supervisor: Supervisor, name: string) {
    this.#name = name;
    const seconds = { unit: 's', advice: { explicitBucketBoundaries: [...ATTEMPT_BUCKETS] } };
    this.#duration = meter.createHistogram('slotvisor.attempt.duration', {
      ...seconds,
      description: 'The time from the start of an attempt to its end',
    });
    this.#waitTime = meter.createHistogram('slotvisor.attempt.wait_time', {
      ...seconds,
      description: 'The time for which an attempt was ready to run and did not',
    });
    this.#stopObserving = observe(meter, { 'slotvisor.supervisor.name': name }, () => supervisor.stats());
  }

  /** Written out: a literal that begins with a spread takes 1,000 ns, not 40 (measured). */
  began({ waitedMs }: ProbedAttempt, group: string): void {
    this.#waitTime.record(waitedMs / 1_000, { 'slotvisor.supervisor.name': this.#name, 'slotvisor.group': group });
  }

  ended(report: AttemptReport, group: string): void {
    const type = errorType(report);
    this.#duration.record(report.durationMs / 1_000, {
      'slotvisor.supervisor.name': this.#name,
      'slotvisor.group': group,
      'slotvisor.attempt.outcome': ATTEMPT_OUTCOMES[report.end],
      ...(type !== undefined && { 'error.type': this.#errorTypes.of(type) }),
    });
  }

  end(): void {
    this.#stopObserving();
  }
}

/** Observes all counters with one look. Returns what stops it. */
function observe(meter: Meter, own: Attributes, look: () => Stats): () => void {
  const all = Object.entries(COUNTED).map(([name, counted]) => ({ counted, observable: make(meter, name, counted) }));
  const callback = (result: BatchObservableResult): void => {
    const stats = look();
    for (const { counted, observable } of all)
      if (counted.by === undefined) result.observe(observable, counted.read(stats), own);
      else
        for (const [word, count] of Object.entries(counted.read(stats)))
          result.observe(observable, count, { ...own, [counted.by]: word });
  };
  const observables = all.map(({ observable }) => observable);
  meter.addBatchObservableCallback(callback, observables);
  return () => meter.removeBatchObservableCallback(callback, observables);
}

function make(meter: Meter, name: string, { unit, description, isLevel }: Counted): Observable {
  const options: MetricOptions = { unit, description, valueType: ValueType.INT };
  return isLevel ? meter.createObservableUpDownCounter(name, options) : meter.createObservableCounter(name, options);
}
