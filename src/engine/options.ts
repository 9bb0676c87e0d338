// What a supervisor is built with: read once, checked, completed.

import type { Clock } from '../kernel/clock.ts';
import { LONGEST_TIMER_MS, systemClock } from '../kernel/clock.ts';
import { systemRandom } from '../kernel/random.ts';
import { aFunction, anObject, count, durationMs, nameText, reading, readOptions, refuse } from '../model/check.ts';
import type { SlotLeases } from '../model/lease.ts';
import { DEFAULT_SETTINGS, parseDefaults, type TaskSettings } from '../model/settings.ts';
import { DEFAULT_SLOT_SETTINGS, parseSlotOptions, type SlotOptions, type SlotSettings } from '../model/slot-options.ts';
import type { TaskDefaults } from '../model/spec.ts';
import { localLeases } from './local-leases.ts';
import type { AroundAttempt } from './runtime.ts';

export interface RateOptions {
  readonly limit: number;
  readonly intervalMs: number;
}

export interface SupervisorOptions {
  /** For what a spec leaves out. */
  readonly defaults?: TaskDefaults | undefined;
  /** Configuration of slots by name. */
  readonly slots?: Readonly<Record<string, SlotOptions>> | undefined;
  readonly slotDefaults?: SlotOptions | undefined;
  /** Bodies alive at once, over all slots. Default `Infinity`. */
  readonly concurrency?: number | undefined;
  /** Attempt starts within a window, over all slots; measured on the platform's clock. Default none. */
  readonly rate?: RateOptions | undefined;
  /** From a stop request to an overrun, and of a shutdown. Default 60,000. */
  readonly graceMs?: number | undefined;
  /** How long a shutdown waits for all subscribers together. Default 5,000. */
  readonly subscriberGraceMs?: number | undefined;
  /** Live slots, and submissions waiting over all slots: past them a submission is rejected `resourceLimit`. Default none. */
  readonly limits?: { readonly slots?: number | undefined; readonly pending?: number | undefined } | undefined;
  /** 0 to 1: shut down once a task ended `failed` or `fatal` and these make up at least this share of all started ones. Default none. */
  readonly deadFraction?: number | undefined;
  readonly clock?: Clock | undefined;
  /** In [0, 1); for jitter. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** For slots that several processes share. Default: local ones. */
  readonly leases?: SlotLeases | undefined;
  /** Wraps every attempt: tracing, logging context. It must call `next` and wait for it; its own throw fails an attempt that had succeeded. */
  readonly aroundAttempt?: AroundAttempt | undefined;
}

export interface SupervisorSettings {
  readonly defaults: TaskSettings;
  readonly slots: ReadonlyMap<string, SlotSettings>;
  readonly slotDefaults: SlotSettings;
  readonly concurrency: number;
  readonly rate: RateOptions | undefined;
  readonly graceMs: number;
  readonly subscriberGraceMs: number;
  readonly limits: { readonly slots: number; readonly pending: number };
  readonly deadFraction: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly leases: SlotLeases;
  readonly aroundAttempt: AroundAttempt | undefined;
}

const KEYS: readonly (keyof SupervisorOptions)[] = [
  'defaults',
  'slots',
  'slotDefaults',
  'concurrency',
  'rate',
  'graceMs',
  'subscriberGraceMs',
  'limits',
  'deadFraction',
  'clock',
  'random',
  'leases',
  'aroundAttempt',
];

export function parseOptions(value: unknown): SupervisorSettings {
  const given = readOptions('options', value, KEYS);
  const take = <T>(key: keyof SupervisorOptions, parse: (field: string, value: unknown) => T, otherwise: T): T => {
    const got = given[key];
    return got === undefined ? otherwise : reading(key, got, () => parse(key, got));
  };
  const graceMs = take('graceMs', durationMs, DEFAULT_SETTINGS.graceMs);
  const slotDefaults = take(
    'slotDefaults',
    (field, got) => parseSlotOptions(field, got, DEFAULT_SLOT_SETTINGS),
    DEFAULT_SLOT_SETTINGS,
  );
  const base: TaskSettings = { ...DEFAULT_SETTINGS, graceMs };
  return Object.freeze({
    defaults: take('defaults', (field, got) => parseDefaults(field, got, base), base),
    slots: take('slots', (field, got) => parseSlots(field, got, slotDefaults), new Map<string, SlotSettings>()),
    slotDefaults,
    concurrency: take('concurrency', (field, got) => count(field, got, 1), Infinity),
    rate: take<RateOptions | undefined>('rate', parseRate, undefined),
    graceMs,
    subscriberGraceMs: take('subscriberGraceMs', durationMs, 5_000),
    limits: take('limits', parseLimits, { slots: Infinity, pending: Infinity }),
    deadFraction: take('deadFraction', parseFraction, Infinity),
    clock: take('clock', parseClock, systemClock),
    random: take('random', parseRandom, systemRandom),
    leases: take('leases', parseLeases, localLeases),
    aroundAttempt: take<AroundAttempt | undefined>('aroundAttempt', aFunction, undefined),
  });
}

function parseSlots(field: string, value: unknown, base: SlotSettings): Map<string, SlotSettings> {
  const slots = new Map<string, SlotSettings>();
  for (const [name, options] of Object.entries(readOptions(field, value)))
    slots.set(nameText(`${field} name`, name), parseSlotOptions(`${field}.${name}`, options, base));
  return slots;
}

function parseRate(field: string, value: unknown): RateOptions {
  const given = readOptions(field, value, ['limit', 'intervalMs']);
  const limit = count(`${field}.limit`, given.limit, 1);
  const intervalMs = durationMs(`${field}.intervalMs`, given.intervalMs, 'aboveZero');
  // The window runs on one platform timer, which would fire a longer delay at once.
  if (intervalMs > LONGEST_TIMER_MS) refuse(`${field}.intervalMs`, `must be at most ${LONGEST_TIMER_MS}`, intervalMs);
  return Object.freeze({ limit, intervalMs });
}

function parseLimits(field: string, value: unknown): SupervisorSettings['limits'] {
  const { slots = Infinity, pending = Infinity } = readOptions(field, value, ['slots', 'pending']);
  return Object.freeze({ slots: count(`${field}.slots`, slots, 0), pending: count(`${field}.pending`, pending, 0) });
}

function parseFraction(field: string, value: unknown): number {
  const fits = typeof value === 'number' && value >= 0 && (value <= 1 || value === Infinity);
  return fits ? (value as number) : refuse(field, 'must be a number from 0 to 1 (Infinity says none)', value);
}

function parseClock(field: string, value: unknown): Clock {
  const { now, wallNow, setTimer } = anObject(field, value) as Partial<Clock>;
  aFunction(`${field}.now`, now);
  aFunction(`${field}.wallNow`, wallNow);
  aFunction(`${field}.setTimer`, setTimer);
  return value as Clock;
}

/** A source that throws or leaves [0, 1) must not reach into the arithmetic: the platform's takes its place for that draw. */
function parseRandom(field: string, value: unknown): () => number {
  const draw = aFunction<() => unknown>(field, value);
  return () => {
    try {
      const drawn = draw();
      if (typeof drawn === 'number' && drawn >= 0 && drawn < 1) return drawn;
    } catch {
      // as below
    }
    return systemRandom();
  };
}

function parseLeases(field: string, value: unknown): SlotLeases {
  const { acquire, close } = anObject(field, value) as Partial<SlotLeases>;
  aFunction(`${field}.acquire`, acquire);
  if (close !== undefined) aFunction(`${field}.close`, close);
  return value as SlotLeases;
}
