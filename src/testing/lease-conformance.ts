// The conformance suite for lease stores that others write.

import type { LeaseStore } from '../ext/fleet/index.ts';
import { aBoolean, aFunction, fromCaller, numberFrom, parse, type Readers } from '../kit.ts';
import { type Case, CaseWorld } from './case-world.ts';
import { clientCases } from './client-cases.ts';
import type { ConformanceRule, LeaseWorld } from './lease-world.ts';
import { newsCases, storeCases } from './store-cases.ts';

/** The options of {@link leaseConformance}. */
export interface ConformanceOptions {
  /** Makes a world of its own for one case, such as a fresh schema or key prefix. */
  open(): Promise<LeaseWorld>;
  /**
   * Whether news come between two beats. `false` for a store that leaves all news to the beat.
   * Default `true`.
   */
  readonly listens?: boolean | undefined;
  /**
   * The ttl of the sessions that expire in a case, in ms. A longer one makes the suite slower, and
   * less sensitive to a busy machine. From 1,000 to 60,000. Default 1,000.
   */
  readonly ttlMs?: number | undefined;
}

/** One case of the suite. */
export interface ConformanceCase {
  /** A claim about the store, in one sentence. No two cases have the same name. */
  readonly name: string;
  /** The rule of a store that the case is about. */
  readonly rule: ConformanceRule;
  /**
   * Runs the case in a world of its own. Rejects with an error that says what the store did. In
   * real time a case takes up to 4 `ttlMs` on a quiet machine, and gives up after 60: choose the
   * limit of the test runner accordingly. A call that never settles is left to that limit.
   */
  run(): Promise<void>;
}

interface Settings {
  readonly open: ConformanceOptions['open'] | undefined;
  readonly listens: boolean;
  readonly ttlMs: number;
}

const READERS: Readers<Settings> = {
  open: aFunction,
  listens: aBoolean,
  ttlMs: (field, value) => numberFrom(field, value, 1_000, 60_000),
};
const DEFAULTS: Settings = { open: undefined, listens: true, ttlMs: 1_000 };

/**
 * The cases that a {@link LeaseStore} must pass, for any test runner.
 *
 * Cases are independent of each other, and may run at the same time. What they do not prove: that
 * the store survives the loss of its engine's writes, and that it is fast.
 *
 * @example
 * ```ts
 * import { test } from 'node:test';
 * import { type LeaseWorld, leaseConformance } from 'slotvisor/testing';
 *
 * declare function open(): Promise<LeaseWorld>;
 *
 * for (const { rule, name, run } of leaseConformance({ open })) test(`${rule}: ${name}`, run);
 * ```
 *
 * @throws OptionError for an invalid option.
 */
export function leaseConformance(options: ConformanceOptions): readonly ConformanceCase[] {
  const { open, listens, ttlMs } = fromCaller(leaseConformance, () => readOptions(options));
  const cases = [...storeCases, ...(listens ? newsCases : []), ...clientCases];
  return cases.map((one) => ({ name: one.name, rule: one.rule, run: () => runIn(open, ttlMs, one) }));
}

function readOptions(options: ConformanceOptions) {
  const { open, ...rest } = parse('options', options as Settings, READERS, DEFAULTS);
  return { open: aFunction<ConformanceOptions['open']>('open', open), ...rest };
}

async function runIn(open: () => Promise<LeaseWorld>, ttlMs: number, one: Case): Promise<void> {
  const world = new CaseWorld(await open(), ttlMs);
  try {
    await one.run(world);
    await world.expectEmpty();
  } catch (error) {
    await world.close().catch(() => {}); // the first error says more
    throw error;
  }
  await world.close();
}
