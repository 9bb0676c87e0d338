// What the charts draw: heights, paths and the words for them.

import type { AttemptRow, SeriesField, SeriesView } from '../wire.ts';
import { count, counted, duration, seconds } from './format.ts';

/** A chart has at least so many steps: the first seconds of a process are not one broad bar. */
const MIN_STEPS = 20;
/** From so many steps on it is known which of them are a rush. */
const RUSH_STEPS = 20;

/** The drawing is this high, whatever the height of the chart. */
export const HEIGHT = 100;

export interface Columns {
  /** One for each step, and empty ones before the first where there are few. */
  readonly steps: number;
  /** How many of the first steps are empty, as nothing is known of them. */
  readonly unknown: number;
  /** What the full height stands for. */
  readonly top: number;
  /** The highest step. More than `top`: it is cut off. */
  readonly peak: number;
}

/** Without the second that is not over: its counts would look like a fall. */
export function whole(series: SeriesView, now: number): SeriesView {
  const count = series.fields.succeeded.length;
  if (series.step !== 'second' || series.from + count * series.stepMs <= now) return series;
  const fields = Object.entries(series.fields).map(([name, values]) => [name, values.slice(0, -1)]);
  return { ...series, fields: Object.fromEntries(fields) };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * One rush does not flatten the rest: the height stands for at most 1.5 times what 97 % of the
 * steps stay below.
 */
export function columnsOf(values: readonly number[], atLeast: number): Columns {
  const sorted = [...values].sort((a, b) => a - b);
  const peak = sorted.at(-1) ?? 0;
  const most = sorted.length < RUSH_STEPS ? peak : (sorted[Math.floor((sorted.length - 1) * 0.97)] ?? 0);
  const usual = most * 1.5;
  const top = Math.max(atLeast, Math.min(peak, usual > 0 ? usual : peak));
  return {
    steps: Math.max(MIN_STEPS, values.length),
    unknown: Math.max(0, MIN_STEPS - values.length),
    top,
    peak,
  };
}

export interface Mark {
  /** A full hour by the reader's clock. */
  readonly at: number;
  /** Where it is, in percent of the width. */
  readonly left: number;
}

/** Full hours under a chart by minutes: each third one where there are many. */
export function marksOf({ step, stepMs, from, fields }: SeriesView, { steps, unknown }: Columns): Mark[] {
  if (step !== 'minute') return [];
  const { length } = fields.succeeded;
  const everyHours = length > 8 * 60 ? 3 : 1;
  const times = Array.from({ length }, (_, i) => ({
    at: from + i * stepMs,
    left: round(((unknown + i) / steps) * 100),
  }));
  return times.filter(({ at, left }) => {
    const date = new Date(at);
    // Not where the words at the ends of the axis are.
    return date.getMinutes() === 0 && date.getHours() % everyHours === 0 && left > 12 && left < 92;
  });
}

/** Bars of `values` that stand on `below`: one path, 1 wide each, from `HEIGHT` upwards. */
export function barsPath(values: readonly number[], below: readonly number[], { unknown, top }: Columns): string {
  const height = (value: number): number => Math.min(1, value / top) * HEIGHT;
  let path = '';
  values.forEach((value, i) => {
    if (value === 0) return;
    const foot = height(below[i] ?? 0);
    // Seen even if it is little beside the rest, and cut off.
    const head = Math.max(foot + 2, height(value + (below[i] ?? 0)));
    const from = Math.min(foot, HEIGHT - 2);
    path += `M${unknown + i + 0.08} ${round(HEIGHT - from)}V${round(HEIGHT - Math.min(head, HEIGHT))}h.84V${round(HEIGHT - from)}z`;
  });
  return path;
}

/** A line through the middle of each step. It is broken where nothing was measured: at 0. */
export function linePath(values: readonly number[], { unknown, top }: Columns): string {
  let path = '';
  let isOn = false;
  values.forEach((value, i) => {
    if (value > 0) {
      const y = round(HEIGHT - Math.min(1, value / top) * (HEIGHT - 2));
      path += `${isOn ? 'L' : 'M'}${unknown + i + 0.5} ${y}${isOn ? '' : 'h.01'}`;
    }
    isOn = value > 0;
  });
  return path;
}

const round = (value: number): number => Math.round(value * 10) / 10;

export const ENDS = ['succeeded', 'failed', 'canceled'] as const satisfies readonly SeriesField[];

/** How many attempts ended in each step. */
export const endedIn = ({ fields }: SeriesView): number[] =>
  fields.succeeded.map((value, i) => value + (fields.failed[i] ?? 0) + (fields.canceled[i] ?? 0));

/** The chart of the attempts in a sentence. */
export function endsSentence({ fields, step }: SeriesView): string {
  const parts = ENDS.map((end) => `${count(sum(fields[end]))} ${end}`).join(', ');
  const peak = Math.max(0, ...endedIn({ fields } as SeriesView));
  return `Attempts that ended: ${parts}; at most ${count(peak)} in a ${step}.`;
}

/** The chart of the event loop in a sentence. */
export function delaySentence({ fields: { loopDelayMs }, step }: SeriesView): string {
  const now = loopDelayMs.at(-1) ?? 0;
  return `Longest delay of the event loop in each ${step}: ${duration(now)} in the last, at most ${duration(Math.max(0, ...loopDelayMs))}.`;
}

export const totalOf = ({ fields }: SeriesView, field: SeriesField): number => sum(fields[field]);

/** What happened in one step, in words. */
export function stepText({ fields, from, stepMs }: SeriesView, index: number, clock: (at: number) => string): string {
  const at = (field: SeriesField): number => fields[field][index] ?? 0;
  const words: [SeriesField, string][] = [
    ['succeeded', 'succeeded'],
    ['failed', 'failed'],
    ['canceled', 'canceled'],
    ['rejected', 'turned away'],
    ['overruns', 'overran'],
  ];
  const happened = words.filter(([field]) => at(field) > 0).map(([field, word]) => `${count(at(field))} ${word}`);
  const delay = at('loopDelayMs') > 0 ? `loop delay ${duration(at('loopDelayMs'))}` : 'nothing measured';
  return [clock(from + index * stepMs), ...(happened.length > 0 ? happened : ['nothing ended']), delay].join(' · ');
}

/** A bar of the attempts chart, in percent of its width. */
export interface Bar {
  readonly x: number;
  readonly width: number;
}

/** The attempts of a slot, over the time from the first of them until now. */
export function attemptBars(attempts: readonly AttemptRow[], now: number): { readonly from: number; bars: Bar[] } {
  const from = Math.min(attempts[0]?.from ?? now, now - 10_000);
  const share = (at: number): number => ((Math.min(at, now) - from) / (now - from)) * 100;
  const bars = attempts.map((attempt) => {
    const x = Math.min(share(attempt.from), 99.2);
    return { x: round(x), width: Math.max(0.8, round(share(attempt.to ?? now) - x)) };
  });
  return { from, bars };
}

/** The attempts chart in a sentence. */
export function attemptsSentence(attempts: readonly AttemptRow[], now: number): string {
  const last = attempts.at(-1);
  if (last === undefined) return 'No attempt is remembered.';
  const failed = attempts.filter(({ end }) => end === 'failed' || end === 'timedOut' || end === 'stalled').length;
  const state =
    last.end === null
      ? `the last has run for ${seconds(now - last.from)}`
      : `the last ended ${ENDED_AS[last.end]} after ${duration((last.to ?? now) - last.from)}`;
  return `${counted(attempts.length, 'attempt')}, ${count(failed)} of them failed; ${state}.`;
}

export const ENDED_AS = {
  succeeded: 'succeeded',
  failed: 'failed',
  timedOut: 'timed out',
  stalled: 'stalled',
  canceled: 'canceled',
} as const;
