// Random supervisors with slots in every state, and what a page of them shows: a plain filter and
// sort of all views at one moment.

import fc from 'fast-check';
import type { SlotView, Supervisor, TaskSpec } from 'slotvisor';
import type { SlotQuery } from '../../../src/ext/dashboard/query.ts';
import { SLOT_STATES, type SlotState, SORTS } from '../../../src/ext/dashboard/wire.ts';
import type { Setup } from '../../support/setup.ts';

const SLOTS = ['sync:acme', 'sync:beta', 'feed:ACME', 'feed', 'mail:1', 'mail:2', ':x', 'job:\ud800', '__proto__', 'z'];
const TEXTS = ['', 'acme', 'sync', 'FAIL', 'feed', 'revision 1', 'no such text', '503', '__proto__'];

const BODIES: Readonly<Record<string, Partial<TaskSpec>>> = {
  lives: { run: (ctx) => ctx.sleep(Infinity) },
  ends: { run: (ctx) => ctx.sleep(50) },
  fails: { backoff: { firstMs: 20, maxMs: 400 }, run: () => Promise.reject(new Error('failed with 503')) },
  pauses: { restart: 'always', intervalMs: 200, run: () => {} },
  hangs: { graceMs: 30, run: () => new Promise(() => {}) },
  isSlow: { graceMs: 60_000, run: () => new Promise(() => {}) },
  dies: { vital: true, restart: 'never', run: () => Promise.reject(new Error('dead')) },
  isVital: { vital: true, run: (ctx) => ctx.sleep(Infinity) },
};

const slot = fc.constantFrom(...SLOTS);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      slot,
      body: fc.constantFrom(...Object.keys(BODIES)),
      name: fc.constantFrom('revision 1', 'Revision 2'),
      admission: fc.constantFrom('queue' as const, 'queue' as const, 'join' as const, 'replace' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const, 'cancel' as const), slot }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 30, 300, 11_000) }) },
);

const query: fc.Arbitrary<SlotQuery> = fc
  .record({
    q: fc.oneof(fc.constant(''), fc.constantFrom(...TEXTS)),
    group: fc.option(fc.constantFrom('sync', 'feed', 'mail', ''), { nil: undefined, freq: 3 }),
    states: fc.oneof(fc.constant([]), fc.subarray([...SLOT_STATES], { maxLength: 3 })),
    sort: fc.constantFrom(...SORTS),
    offset: fc.nat(5),
    limit: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ group, ...rest }) => ({ ...rest, ...(group !== undefined && { group }) }));

export const worlds = fc.record({ steps: fc.array(step, { minLength: 5, maxLength: 60 }), query });

type Step = (typeof step)['generate'] extends (...args: never[]) => { readonly value: infer S } ? S : never;

export async function take({ supervisor, clock }: Setup, steps: readonly Step[]): Promise<void> {
  supervisor.vitalSlots(); // from the first call on it keeps the dead ones
  for (const one of steps) {
    if (one.do === 'wait') await clock.advance(one.ms);
    else if (one.do === 'submit') {
      const { slot, name, admission, body } = one;
      supervisor.submit({ slot, name, admission, ...BODIES[body] } as TaskSpec);
    } else void supervisor.slot(one.slot)[one.do]();
  }
  await clock.advance(0);
}

/** What the table has: the live slots, and those that are dead and not live. */
export function viewsOf(supervisor: Supervisor): SlotView[] {
  const live = supervisor.snapshot().slots;
  const dead = supervisor.vitalSlots().filter((one) => !one.alive && live.every(({ name }) => name !== one.slot));
  return [...live, ...dead.map((one) => supervisor.slot(one.slot).view())];
}

/** The words of the documentation, one a line. */
export const IS: Readonly<Record<SlotState, (view: SlotView) => boolean>> = {
  starting: ({ owner }) => owner?.status === 'starting',
  running: ({ owner }) => owner?.status === 'running',
  backoff: ({ owner }) => owner?.status === 'backoff',
  interval: ({ owner }) => owner?.status === 'interval',
  suspended: ({ owner }) => owner?.status === 'suspended',
  stopping: ({ owner }) => owner?.status === 'stopping',
  overrun: ({ owner }) => owner?.status === 'overrun',
  lease: ({ phase, owner }) => (phase === 'waiting' && !owner) || owner?.waitingFor === 'lease',
  paused: ({ paused }) => paused,
  waiting: ({ queued }) => queued.some(({ waitingFor }) => waitingFor === 'owner' || waitingFor === 'slotPaused'),
  failing: ({ owner }) => (owner?.streak ?? 0) >= 5,
  dead: ({ vital }) => vital === 'dead',
};

const RANKED: readonly ((view: SlotView) => boolean)[] = [
  IS.dead,
  IS.overrun,
  (view) => IS.stopping(view) && (view.owner?.sinceMs ?? 0) >= 10_000,
  IS.failing,
  IS.backoff,
  IS.suspended,
  (view) => view.paused && view.queued.length > 0,
  IS.waiting,
  IS.starting,
  IS.lease,
  IS.stopping,
  IS.paused,
  () => true,
];

const rank = (view: SlotView): number => RANKED.findIndex((is) => is(view));
const age = ({ owner, queued: [first] }: SlotView): number => Math.round((owner ?? first)?.sinceMs ?? -1);

/** The numbers that come first, the smaller before the larger. The name decides the rest. */
const KEYS: Readonly<Record<SlotQuery['sort'], (view: SlotView) => readonly number[]>> = {
  attention: (view) => [rank(view) === 12 && IS.interval(view) ? 13 : rank(view), -age(view)],
  since: (view) => [-age(view)],
  waiting: ({ queued }) => [-queued.length],
  retries: ({ owner }) => [-(owner?.retries ?? 0)],
  name: () => [],
};

export function plainPage(supervisor: Supervisor, { q, group, states, sort, offset, limit }: SlotQuery) {
  const all = viewsOf(supervisor);
  const text = q.toLowerCase();
  const hits = all.filter((view) => {
    const { name, owner } = view;
    const texts = [name, owner?.name ?? '', owner?.lastFailure?.message ?? ''].map((one) => one.toLowerCase());
    if (text !== '' && !texts.some((one) => one.includes(text))) return false;
    if (group !== undefined && name.split(':')[0] !== group) return false;
    return states.length === 0 || states.some((state) => IS[state](view));
  });
  const sorted = hits.sort((one, other) => {
    const keys = KEYS[sort](one).map((key, i) => key - (KEYS[sort](other)[i] as number));
    return keys.find((difference) => difference !== 0) ?? (one.name < other.name ? -1 : 1);
  });
  return { total: hits.length, of: all.length, names: sorted.slice(offset, offset + limit).map(({ name }) => name) };
}
