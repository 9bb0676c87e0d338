// What it costs to watch: probes, the channel, subscribers, and the entry points that watch, each
// beside the same done by hand in the body. Figures are CPU time.

import { tracingChannel } from 'node:diagnostics_channel';
import { context, metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { pino } from 'pino';
import { Counter, Histogram, Registry } from 'prom-client';
import { type Probe, Supervisor, type SupervisorOptions } from 'slotvisor';
import { health } from 'slotvisor/health';
import { logTo } from 'slotvisor/log';
import { otel } from 'slotvisor/otel';
import { prometheus } from 'slotvisor/prometheus';
import type { Contestant, Scenario } from './harness.ts';
import { atRate, inMs, lazily, once, repeated } from './measure.ts';

const SUBMISSIONS = 5_000;
const nothing = (): void => {};

/** Watches a supervisor, and returns the end of it. */
type Watch = (supervisor: Supervisor) => () => unknown;

interface Watched {
  readonly watch?: Watch;
  readonly options?: SupervisorOptions;
  readonly body?: () => unknown;
}

/**
 * As `standBy` of peers.ts: objects of every kind that a watched attempt makes, for the life of the
 * process. Here they are the infos, reports and events of some attempts, and an attempt that lasts.
 */
const standing: unknown[] = [];

async function standBy(): Promise<void> {
  if (standing.length > 0) return;
  const supervisor = new Supervisor();
  const keep = (one: unknown): void => void standing.push(supervisor, one);
  const unhear = hearing(keep);
  supervisor.instrument({
    attempt: (info) => {
      keep(info);
      return { run: (body) => body(), ended: keep };
    },
  });
  supervisor.subscribe(keep);
  otel(supervisor);
  supervisor.submit({ slot: 'standing by', run: () => new Promise<never>(nothing) });
  for (let n = 0; n < 3; n += 1) await supervisor.submit({ slot: `s:${n}`, run: nothing }).outcome;
  unhear();
}

/** Submits tasks with a synchronous body, each to its own slot of some hundred, and awaits them. */
function submitting(name: string, { watch, options, body = nothing }: Watched): Contestant {
  const prepare = () => {
    const supervisor = new Supervisor({ ...options, slotDefaults: { queueLimit: Infinity } });
    const end = watch?.(supervisor);
    const run = async () => {
      const outcomes: Promise<unknown>[] = [];
      for (let n = 0; n < SUBMISSIONS; n += 1)
        outcomes.push(supervisor.submit({ slot: SLOTS[n % SLOTS.length] as string, run: body }).outcome);
      await Promise.all(outcomes);
    };
    return { run, end: () => end?.() };
  };
  return { name, measure: repeated(SUBMISSIONS, prepare) };
}

const SLOTS = Array.from({ length: 500 }, (_, n) => `group${n % 10}:${n}`);

const declining: Probe = { attempt: () => undefined };
const measuring: Probe = { attempt: () => ({ run: (body) => body(), ended: nothing }) };

function hearing(hear: (message: unknown) => void = nothing): () => void {
  const channel = tracingChannel('slotvisor:attempt');
  const handlers = { asyncEnd: hear } as never;
  channel.subscribe(handlers);
  return () => channel.unsubscribe(handlers);
}

async function attempts(): Promise<Contestant[]> {
  await standBy();
  return [
    submitting('unwatched', {}),
    submitting('a probe that declines', { watch: (supervisor) => supervisor.instrument(declining) }),
    submitting('a probe with run and ended', { watch: (supervisor) => supervisor.instrument(measuring) }),
    submitting('a subscriber of the channel', { watch: () => hearing() }),
    submitting('otel, without an SDK', { watch: (supervisor) => otel(supervisor) }),
    submitting('aroundAttempt', { options: { aroundAttempt: (_, next) => next() } }),
    submitting('a subscriber', { watch: (supervisor) => supervisor.subscribe(nothing) }),
  ];
}

/** Takes spans as they end, and keeps none. */
const nowhere: SpanExporter = {
  export: (_, done) => done({ code: 0 }),
  shutdown: () => Promise.resolve(),
};

/** Registers an SDK for as long as it is watched. */
function withSdk(watch: Watch): Watch {
  return (supervisor) => {
    const reader = new PeriodicExportingMetricReader({
      exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
      exportIntervalMillis: 2 ** 30,
    });
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(nowhere)] }));
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    const end = watch(supervisor);
    return () => {
      end();
      trace.disable();
      metrics.disable();
    };
  };
}

/** A span and two figures an attempt, as a user would write them into each body. */
function byHandWithOtel(): unknown {
  const began = performance.now();
  const meter = metrics.getMeter('by hand');
  return trace.getTracer('by hand').startActiveSpan('attempt', { root: true, attributes: { slot: 's' } }, (span) => {
    try {
      nothing();
    } catch (error) {
      span.recordException(error as Error);
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
      const seconds = (performance.now() - began) / 1_000;
      meter.createHistogram('duration').record(seconds, { group: 'g', outcome: 'succeeded' });
      meter.createHistogram('wait').record(seconds, { group: 'g' });
    }
  });
}

async function spans(): Promise<Contestant[]> {
  await standBy();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return [
    submitting('unwatched', { watch: withSdk(() => nothing) }),
    submitting('by hand', { watch: withSdk(() => nothing), body: byHandWithOtel }),
    submitting('slotvisor/otel', { watch: withSdk((supervisor) => otel(supervisor)) }),
  ];
}

/** A histogram and counters of attempts, written in each body. */
function byHandWithPrometheus() {
  const registers = [new Registry()];
  const duration = new Histogram({ name: 'duration', help: 'by hand', labelNames: ['group', 'outcome'], registers });
  const wait = new Histogram({ name: 'wait', help: 'by hand', labelNames: ['group'], registers });
  const count = new Counter({ name: 'attempts', help: 'by hand', labelNames: ['outcome'], registers });
  return (): void => {
    const began = performance.now();
    wait.observe({ group: 'g' }, 0);
    nothing();
    duration.observe({ group: 'g', outcome: 'succeeded' }, (performance.now() - began) / 1_000);
    count.inc({ outcome: 'succeeded' });
  };
}

async function histograms(): Promise<Contestant[]> {
  await standBy();
  return [
    submitting('unwatched', {}),
    submitting('by hand', { body: byHandWithPrometheus() }),
    submitting('slotvisor/prometheus', { watch: (supervisor) => prometheus(supervisor, { register: new Registry() }) }),
  ];
}

const logger = (level: string) => pino({ level }, { write: nothing });

/** The fields that a user would pick, of every event. */
function byHandWithPino(level: string): Watch {
  const log = logger(level);
  return (supervisor) =>
    supervisor.subscribe((event) => {
      const slot = 'slot' in event ? event.slot : undefined;
      if (event.type === 'attemptFailed')
        log.warn({ event: event.type, slot, failure: event.failure }, 'attempt failed');
      else log.debug({ event: event.type, slot, at: event.at }, event.type);
    });
}

async function lines(): Promise<Contestant[]> {
  await standBy();
  return [
    submitting('a subscriber', { watch: (supervisor) => supervisor.subscribe(nothing) }),
    submitting('by hand, written', { watch: byHandWithPino('debug') }),
    submitting('slotvisor/log, written', { watch: (supervisor) => logTo(supervisor, logger('debug')) }),
    submitting('by hand, off', { watch: byHandWithPino('warn') }),
    submitting('slotvisor/log, off', { watch: (supervisor) => logTo(supervisor, logger('warn')) }),
  ];
}

// A busy process: 10,000 attempts a second. What it takes of a core.

const A_SECOND = 10_000;
const SECONDS = 2;

const atFullRate = (name: string, watch?: Watch): Contestant => ({
  name,
  async measure() {
    const supervisor = new Supervisor({ slotDefaults: { queueLimit: Infinity } });
    const end = watch?.(supervisor);
    let next = 0;
    const { cpuNs, wallNs } = await atRate(A_SECOND, SECONDS, () => {
      supervisor.submit({ slot: SLOTS[next] as string, run: nothing });
      next = (next + 1) % SLOTS.length;
    });
    await supervisor.idle();
    await end?.();
    return { figure: (cpuNs / wallNs) * 100 };
  },
});

async function rate(): Promise<Contestant[]> {
  await standBy();
  return [
    atFullRate('nothing watches'),
    atFullRate('slotvisor/otel, without an SDK', (supervisor) => otel(supervisor)),
    atFullRate(
      'slotvisor/otel',
      withSdk((supervisor) => otel(supervisor)),
    ),
    atFullRate('slotvisor/prometheus', (supervisor) => prometheus(supervisor, { register: new Registry() })),
    atFullRate('slotvisor/log, written', (supervisor) => logTo(supervisor, logger('debug'))),
    atFullRate('slotvisor/log, off', (supervisor) => logTo(supervisor, logger('warn'))),
  ];
}

// To be asked costs the same, however much there is.

const LIVE = 10_000;
const WAITING = 1_000_000;

/** A supervisor with many slots, and many submissions that wait in one of them. */
async function crowded(slots: number, waiting: number): Promise<Supervisor> {
  const supervisor = new Supervisor({
    slotDefaults: { queueLimit: Infinity },
    defaults: { graceMs: 0, onOverrun: 'abandon' },
  });
  const body = () => new Promise<never>(nothing);
  for (let n = 0; n < slots; n += 1) supervisor.submit({ slot: `sync:${n}`, vital: n < 10, run: body });
  for (let n = 0; n < waiting; n += 1) supervisor.submit({ slot: 'sync:0', run: body });
  await new Promise(setImmediate);
  return supervisor;
}

/** A question, as often as a figure needs. */
interface Question {
  readonly times: number;
  ask(supervisor: Supervisor): () => unknown;
}

function asking(name: string, slots: number, waiting: number, { times, ask }: Question): Contestant {
  const made = lazily(async () => ask(await crowded(slots, waiting)));
  return {
    name,
    async measure() {
      const question = await made();
      return inMs(await once(times, () => repeat(times, question)));
    },
  };
}

async function repeat(times: number, work: () => unknown): Promise<void> {
  for (let n = 0; n < times; n += 1) await work();
}

const scraping: Question = {
  times: 100,
  ask(supervisor) {
    const register = new Registry();
    prometheus(supervisor, { register, slots: Array.from({ length: 10 }, (_, n) => `sync:${n}`) });
    return () => register.metrics();
  },
};

const readiness: Question = { times: 2_000, ask: (supervisor) => health(supervisor).ready };

/** What a user would look at. */
const byHandReady: Question = {
  times: 2_000,
  ask: (supervisor) => () =>
    supervisor.phase === 'open' &&
    supervisor
      .vitalSlots()
      .every(({ slot, alive }) => alive && supervisor.slot(slot).view({ queued: 0 }).owner?.status !== 'overrun'),
};

const stats: Question = { times: 20_000, ask: (supervisor) => () => supervisor.stats() };

const questions = (): Contestant[] => [
  asking('scrape, 10 slots', 10, 0, scraping),
  asking('scrape, 10,000 slots and 1,000,000 waiting', LIVE, WAITING, scraping),
  asking('readiness by hand, 10 slots', 10, 0, byHandReady),
  asking('ready(), 10 slots', 10, 0, readiness),
  asking('stats(), 10 slots', 10, 0, stats),
  asking('stats(), 10,000 slots and 1,000,000 waiting', LIVE, WAITING, stats),
  asking('ready(), 10,000 slots and 1,000,000 waiting', LIVE, WAITING, readiness),
];

const unwatched = 'the same without anything that watches';

export const watching: readonly Scenario[] = [
  {
    name: 'attempts',
    title: 'submit a task with a synchronous body, and await it',
    unit: 'ns',
    floor: unwatched,
    reaches: [
      { who: 'a probe that declines', atMost: 1.15, of: 'unwatched' },
      { who: 'otel, without an SDK', atMost: 1.15, of: 'unwatched' },
      { who: 'a probe with run and ended', atMost: 0.8, of: 'a subscriber' },
    ],
    contestants: attempts,
  },
  {
    name: 'spans',
    title: 'the same with a span and two figures an attempt',
    unit: 'ns',
    floor: unwatched,
    reaches: [{ who: 'slotvisor/otel', atMost: 1.5, of: 'by hand' }],
    contestants: spans,
  },
  {
    name: 'histograms',
    title: 'the same with two histograms an attempt',
    unit: 'ns',
    floor: unwatched,
    reaches: [{ who: 'slotvisor/prometheus', atMost: 2, of: 'by hand' }],
    contestants: histograms,
  },
  {
    name: 'lines',
    title: 'the same with a line an event, written with pino or off its level',
    unit: 'ns',
    floor: 'a subscriber that does nothing',
    reaches: [
      { who: 'slotvisor/log, written', atMost: 2, of: 'by hand, written' },
      { who: 'slotvisor/log, off', atMost: 1.1, of: 'by hand, off' },
    ],
    contestants: lines,
  },
  {
    name: 'rate',
    title: 'share of a core for 10,000 attempts a second of a task with a synchronous body',
    unit: '%',
    floor: 'the same without anything that watches',
    reaches: [
      { who: 'nothing watches', atMost: 10 },
      { who: 'slotvisor/otel, without an SDK', atMost: 1.15, of: 'nothing watches' },
      { who: 'slotvisor/otel', atMost: 30 },
      { who: 'slotvisor/prometheus', atMost: 20 },
      { who: 'slotvisor/log, off', atMost: 20 },
    ],
    contestants: rate,
  },
  {
    name: 'questions',
    title: 'scrape the metrics, and ask for readiness',
    unit: 'ms',
    floor: 'a scrape of a small supervisor',
    reaches: [
      { who: 'scrape, 10,000 slots and 1,000,000 waiting', atMost: 20 },
      { who: 'stats(), 10,000 slots and 1,000,000 waiting', atMost: 0.1 },
      { who: 'ready(), 10,000 slots and 1,000,000 waiting', atMost: 2 },
      { who: 'ready(), 10 slots', atMost: 2, of: 'readiness by hand, 10 slots' },
    ],
    contestants: questions,
  },
];
