// Real views, made on virtual time, against rules.

import type { SupervisorOptions, TaskSpec } from 'slotvisor';
import { describe, expect, it, test } from 'vitest';
import { DEFAULT_RULE, type Rule } from '../../../src/ext/health/options.ts';
import { checkSlot, type HealthCheck } from '../../../src/ext/health/slot-check.ts';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { type Setup, setup } from '../../support/setup.ts';

interface State {
  readonly options?: () => SupervisorOptions;
  readonly spec?: Partial<TaskSpec>;
  /** What happens after the submission. */
  readonly come?: (world: Setup) => unknown;
}

const forever: TaskSpec['run'] = (ctx) => ctx.sleep(Infinity);
const stubborn: TaskSpec['run'] = () => new Promise(() => {});
const failing: TaskSpec['run'] = () => Promise.reject(new Error('no\nanswer'));

/** The body has ignored a stop request, and its grace ended `ms` ago. */
const overrunFor = (ms: number): State => ({
  spec: { graceMs: 100, run: stubborn },
  come: async ({ supervisor, clock }) => {
    await clock.settle();
    void supervisor.slot('s').cancel();
    await clock.advance(100 + ms);
  },
});

/** It has failed `failures` times in a row, 100 ms apart, and the last of them `ms` ago. */
const backoffAfter = (failures: number, ms: number): State => ({
  spec: { run: failing, backoff: { firstMs: 100, factor: 1, jitter: 'none' } },
  come: ({ clock }) => clock.advance((failures - 1) * 100 + ms),
});

const STATES = {
  'never used': { spec: { slot: 'other' } },
  running: { spec: { run: forever } },
  completed: {},
  'completed, and vital': { spec: { vital: true } },
  failed: { spec: { restart: 'never', run: failing } },
  dead: { spec: { vital: true, restart: 'never', run: failing } },
  'dead without a lease': {
    options: () => ({ leases: { acquire: () => Promise.reject(new Error('the store is away')) } }),
    spec: { vital: true },
  },
  'waits for its lease': {
    options: () => ({ leases: new FakeLeaseStore() }),
    come: ({ clock }) => clock.advance(200),
  },
  'waits at the gate': {
    options: () => ({ concurrency: 1 }),
    spec: { slot: 'other', run: forever },
    come: ({ supervisor, clock }) => {
      supervisor.submit({ slot: 's', run: forever });
      return clock.advance(200);
    },
  },
  'waits behind its owner': {
    spec: { run: forever },
    come: ({ supervisor, clock }) => {
      supervisor.submit({ slot: 's', run: forever });
      return clock.advance(200);
    },
  },
  'overrun for 0 ms': overrunFor(0),
  'overrun for 49 ms': overrunFor(49),
  'overrun for 50 ms': overrunFor(50),
  'backoff after 1 retry': backoffAfter(1, 50),
  'backoff after 4 failures': backoffAfter(4, 50),
  'backoff after 5 failures': backoffAfter(5, 50),
  'backoff for 80 ms': backoffAfter(1, 80),
  'waits for the next interval': {
    spec: { restart: 'always', intervalMs: 1_000 },
    come: ({ clock }) => clock.advance(500),
  },
} satisfies Readonly<Record<string, State>>;

type StateName = keyof typeof STATES;

async function check(state: State, rule: Partial<Rule>): Promise<HealthCheck> {
  const world = setup(state.options?.());
  const { supervisor, clock } = world;
  supervisor.vitalSlots();
  supervisor.submit({ slot: 's', run: () => 1, ...state.spec });
  await clock.settle();
  await state.come?.(world);
  const vital = supervisor.vitalSlots().find(({ slot }) => slot === 's');
  return checkSlot(supervisor.slot('s').view({ queued: 1 }), { ...DEFAULT_RULE, ...rule }, vital?.lastOutcome);
}

/** The states in which a rule fails or warns. In all others it passes. */
const TABLE: readonly (readonly [rule: Partial<Rule>, found: Partial<Record<StateName, 'warn' | 'fail'>>])[] = [
  [
    {},
    {
      'never used': 'fail',
      completed: 'fail',
      'completed, and vital': 'fail',
      failed: 'fail',
      dead: 'fail',
      'dead without a lease': 'fail',
      'overrun for 0 ms': 'fail',
      'overrun for 49 ms': 'fail',
      'overrun for 50 ms': 'fail',
      'backoff after 5 failures': 'warn',
    },
  ],
  [
    { owned: false },
    {
      'overrun for 0 ms': 'fail',
      'overrun for 49 ms': 'fail',
      'overrun for 50 ms': 'fail',
      'backoff after 5 failures': 'warn',
    },
  ],
  [{ owned: false, overrunMs: 50, failures: Infinity }, { 'overrun for 50 ms': 'fail' }],
  [{ owned: false, overrunMs: Infinity, failures: Infinity }, {}],
  [
    { owned: false, overrunMs: Infinity, failures: 1 },
    {
      'backoff after 1 retry': 'warn',
      'backoff after 4 failures': 'warn',
      'backoff after 5 failures': 'warn',
      'backoff for 80 ms': 'warn',
    },
  ],
  [{ owned: false, overrunMs: Infinity, failures: Infinity, backoffMs: 80 }, { 'backoff for 80 ms': 'warn' }],
  [
    { owned: false, overrunMs: Infinity, failures: Infinity, waitingMs: 200 },
    { 'waits for its lease': 'fail', 'waits at the gate': 'fail', 'waits behind its owner': 'fail' },
  ],
  [{ owned: false, overrunMs: Infinity, failures: Infinity, waitingMs: 201 }, {}],
];

describe('a rule finds exactly these states', () => {
  for (const [rule, found] of TABLE)
    test(JSON.stringify(rule), async () => {
      const statuses = Object.entries(STATES).map(
        async ([name, state]) => [name, (await check(state, rule)).status] as const,
      );
      const notPassed = (await Promise.all(statuses)).filter(([, status]) => status !== 'pass');
      expect(Object.fromEntries(notPassed)).toEqual(found);
    });
});

describe('what was found', () => {
  const texts: readonly (readonly [StateName, Partial<Rule>, string])[] = [
    ['never used', {}, 'nothing owns it'],
    ['dead', {}, 'it is dead: its owner ended failed'],
    ['dead without a lease', {}, 'it is dead: it got no lease'],
    ['overrun for 49 ms', {}, 'its body has overrun its grace, 49 ms ago'],
    ['waits for its lease', { waitingMs: 1 }, 'a task has waited for 200 ms (lease)'],
    ['waits at the gate', { waitingMs: 1 }, 'a task has waited for 200 ms (gate)'],
    ['waits behind its owner', { waitingMs: 1 }, 'a task has waited for 200 ms (owner)'],
    ['backoff after 5 failures', {}, 'it is in backoff after 5 failures in a row: no\\u000aanswer'],
  ];
  for (const [name, rule, why] of texts)
    it(`is one line of text: ${name}`, async () => {
      expect(await check(STATES[name], rule)).toMatchObject({ why });
    });
});
