// Ended work leaves nothing behind. Each test measures in its own process, where it can call the
// garbage collector.

import { describe, expect, test } from 'vitest';
import { run } from '../process/child.ts';

const long = process.env.SLOTVISOR_LONG === '1';

const COUNTS = long
  ? { waves: 1_000_000, parent: 1_000_000, collected: 10_000, depth: 1_000_000, churn: 200_000, supervisors: 20_000 }
  : { waves: 200_000, parent: 100_000, collected: 1_000, depth: 200_000, churn: 20_000, supervisors: 2_000 };

const TIMEOUT_MS = long ? 900_000 : 120_000;
const MB = 2 ** 20;

/** The facts of a supervisor without work, and of its process. */
const NOTHING = {
  tasks: 0,
  slots: 0,
  owners: 0,
  queued: 0,
  overrun: 0,
  abandonedAlive: 0,
  listeners: 0,
  resources: [],
};

interface Facts {
  readonly grown: number;
  readonly most: number;
  readonly submitted: number;
  readonly share: number;
  readonly early: number;
  readonly late: number;
}

async function measured<F = Facts>(name: keyof typeof COUNTS): Promise<F> {
  const { code, lines, stderr } = await run('process/children/leaks.ts', {
    args: [name, String(COUNTS[name])],
    flags: ['--expose-gc'],
    patienceMs: TIMEOUT_MS,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(lines.at(-1) ?? 'null') as F;
}

describe.concurrent('the memory of ended work', { timeout: TIMEOUT_MS }, () => {
  test(`${COUNTS.waves} submissions through 10,000 slots leave tables, timers and listeners at zero, and the heap within 2 MB`, async () => {
    const facts = await measured('waves');
    expect(facts).toMatchObject({ ...NOTHING, kinds: ['canceled', 'completed', 'failed', 'rejected'] });
    expect(facts.submitted).toBeGreaterThanOrEqual(COUNTS.waves);
    expect(facts).toMatchObject({ ended: facts.submitted });
    expect(facts.grown).toBeLessThan(2 * MB);
  });

  test(`${COUNTS.parent} submissions with one long-lived parent signal leave a flat heap and no listener, and never add more than one`, async () => {
    const facts = await measured('parent');
    expect(facts).toMatchObject({ ...NOTHING, most: 1 });
    expect(facts.submitted).toBeGreaterThanOrEqual(COUNTS.parent);
    expect(facts.grown).toBeLessThan(2 * MB);
  });

  test(`the garbage collector takes at least 99 % of ${COUNTS.collected} submissions of each outcome, with body, result, reason and error`, async () => {
    interface Ending {
      readonly all: number;
      readonly share: number;
    }
    const facts = await measured<{ readonly endings: Readonly<Record<string, Ending>> }>('collected');
    expect(facts).toMatchObject({ ...NOTHING, kept: [COUNTS.collected, COUNTS.collected] });
    const endings = Object.entries(facts.endings);
    expect(endings.length).toBeGreaterThan(12);
    expect(endings.filter(([, { all, share }]) => !(share >= 0.99 && all >= COUNTS.collected))).toEqual([]);
  });

  test(`${COUNTS.depth} synchronous bodies in a row on one slot, queued or each submitted by the last, do not deepen the stack`, async () => {
    const { early, late, ...facts } = await measured('depth');
    expect(facts).toEqual({ ...NOTHING, run: COUNTS.depth });
    expect(early).toBeGreaterThan(2);
    expect(Math.abs(late - early)).toBeLessThan(10);
  });

  test(`objects that are added and removed ${COUNTS.churn} times around one lasting owner leave the heap flat`, async () => {
    const facts = await measured<{ readonly grown: Readonly<Record<string, number>> }>('churn');
    expect(facts).toMatchObject(NOTHING);
    const grown = Object.entries(facts.grown);
    expect(grown.length).toBeGreaterThan(9);
    expect(grown.filter(([, bytes]) => bytes > MB)).toEqual([]);
  });

  test(`${COUNTS.supervisors} supervisors, each shut down while it works, leave no process listener and no timer, and are collected`, async () => {
    const facts = await measured('supervisors');
    expect(facts).toMatchObject({ listeners: 0, processListeners: [0, 0, 0, 0, 0, 0], resources: [] });
    expect(facts.share).toBeGreaterThanOrEqual(0.99);
    expect(facts.grown).toBeLessThan(2 * MB);
  });
});
