// Which slots are vital, and which of them are alive.

import type { Supervisor } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { CONSTANT_BACKOFF, never, polite } from '../../support/bodies.ts';
import { UncheckedLeaseStore } from '../../support/fake-lease-store.ts';
import { gateBody } from '../../support/gate.ts';
import { setup } from '../../support/setup.ts';

const fails = () => {
  throw new Error('dead');
};
const alive = [{ slot: 's', alive: true }];
const dead = [{ slot: 's', alive: false, lastOutcome: 'failed' }];

/** What `vitalSlots` and the slot's view say. They must agree. */
function stateOf(supervisor: Supervisor): 'alive' | 'dead' | 'not vital' {
  const [listed] = supervisor.vitalSlots().filter(({ slot }) => slot === 's');
  const { vital } = supervisor.slot('s').view();
  expect(vital).toBe(listed && (listed.alive ? 'alive' : 'dead'));
  return vital ?? 'not vital';
}

describe('a slot is vital', () => {
  test('from the admission of a vital submission until its owner completed', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    supervisor.submit({ slot: 's', run: never });
    supervisor.submit({ slot: 'other', vital: true, run: body.body });
    await clock.settle();
    expect(supervisor.vitalSlots()).toEqual([{ slot: 'other', alive: true }]);
    expect(supervisor.snapshot().slots.map(({ vital }) => vital)).toEqual([undefined, 'alive']);
    body.open('done');
    await clock.settle();
    expect(supervisor.vitalSlots()).toEqual([]);
  });

  test('also while its submission waits, joined another one, or waits in a paused slot', async () => {
    const { supervisor, clock } = setup();
    const owner = supervisor.submit({ slot: 's', run: polite });
    supervisor.submit({ slot: 's', vital: true, run: polite });
    supervisor.submit({ slot: 'joined', run: polite });
    supervisor.submit({ slot: 'joined', vital: true, admission: 'join', run: polite });
    supervisor.slot('paused').pause();
    supervisor.submit({ slot: 'paused', vital: true, run: polite });
    await clock.settle();
    const slots = ['s', 'joined', 'paused'].map((slot) => ({ slot, alive: true }));
    expect(supervisor.vitalSlots()).toEqual(slots);
    await owner.cancel();
    expect(supervisor.vitalSlots()[0]).toEqual({ slot: 's', alive: true, lastOutcome: 'canceled' });
  });

  test.for(['slotBusy', 'queueFull', 'canceled'] as const)('not because of a submission that is rejected %s', (why) => {
    const { supervisor } = setup({ slotDefaults: { queueLimit: 0 } });
    supervisor.submit({ slot: 's', run: never });
    const spec = {
      slotBusy: { admission: 'dropIfRunning' },
      queueFull: {},
      canceled: { signal: AbortSignal.abort() },
    } as const;
    expect(supervisor.submit({ slot: 's', vital: true, run: never, ...spec[why] }).admission).toBe('rejected');
    expect(stateOf(supervisor)).toBe('not vital');
  });

  test('not after its submission was canceled while it waited, with nothing else there', async () => {
    const { supervisor } = setup();
    supervisor.slot('s').pause();
    const waiting = supervisor.submit({ slot: 's', vital: true, run: never });
    expect(stateOf(supervisor)).toBe('alive');
    await waiting.cancel();
    expect(stateOf(supervisor)).toBe('not vital');
  });

  test('not after a replacement that is not vital completed, however its first owner ended', async () => {
    const { supervisor, clock } = setup();
    const first = supervisor.submit({ slot: 's', vital: true, run: polite });
    await clock.settle();
    supervisor.submit({ slot: 's', admission: 'replace', run: () => 'done' });
    expect((await first.outcome).kind).toBe('canceled');
    await clock.settle();
    expect(stateOf(supervisor)).toBe('not vital');
  });
});

describe('a vital slot is alive', () => {
  test('in backoff, at the gate, and while its owner is stopping', async () => {
    const { supervisor, clock } = setup({ concurrency: 1 });
    const body = gateBody();
    const retried = supervisor.submit({ slot: 's', vital: true, backoff: CONSTANT_BACKOFF, run: fails });
    await clock.settle();
    expect([retried.status, stateOf(supervisor)]).toEqual(['backoff', 'alive']);
    supervisor.submit({ run: body.body });
    await clock.advance(100);
    expect([retried.status, stateOf(supervisor)]).toEqual(['starting', 'alive']);
    body.open('done');
    await retried.cancel();
    const stopping = supervisor.submit({ slot: 's', vital: true, run: never });
    await clock.settle();
    void stopping.cancel();
    expect([stopping.status, stateOf(supervisor)]).toEqual(['stopping', 'alive']);
  });

  test('while it waits for a lease, and while its owner is suspended', async () => {
    const store = new UncheckedLeaseStore();
    const { supervisor, clock } = setup({ leases: store });
    const submission = supervisor.submit({ slot: 's', vital: true, run: polite });
    await clock.settle();
    expect([submission.status, stateOf(supervisor)]).toEqual(['queued', 'alive']);
    store.asks[0]?.grant();
    await clock.settle();
    store.leases[0]?.lose();
    await clock.settle();
    expect([submission.status, stateOf(supervisor)]).toEqual(['suspended', 'alive']);
  });
});

describe('a dead slot', () => {
  const died = async () => {
    const world = setup();
    expect(world.supervisor.vitalSlots()).toEqual([]); // from here on the dead are kept
    world.supervisor.submit({ slot: 's', vital: true, restart: 'never', run: fails });
    await world.clock.settle();
    expect(world.supervisor.vitalSlots()).toEqual(dead);
    return world;
  };

  test('is kept while it is idle, and takes no place among the live slots', async () => {
    const { supervisor, clock } = await died();
    await clock.advance(30);
    expect(supervisor.slot('s').view()).toEqual({
      name: 's',
      phase: 'idle',
      paused: false,
      queuedCount: 0,
      queued: [],
      vital: 'dead',
      deadMs: 30,
    });
    expect(supervisor.snapshot().slots).toEqual([]);
    supervisor.slot('s').pause();
    expect(stateOf(supervisor)).toBe('dead');
    expect(supervisor.slot('s').view()).toMatchObject({ paused: true, deadMs: 30 });
    supervisor.slot('s').resume();
    expect(stateOf(supervisor)).toBe('dead');
  });

  test('is alive again with an owner, and not vital after that has completed', async () => {
    const { supervisor, clock } = await died();
    const body = gateBody();
    supervisor.submit({ slot: 's', run: body.body });
    await clock.settle();
    expect(supervisor.vitalSlots()).toEqual([{ slot: 's', alive: true, lastOutcome: 'failed' }]);
    body.open('done');
    await clock.settle();
    expect(stateOf(supervisor)).toBe('not vital');
  });

  test('is dead again when what waited there is canceled', async () => {
    const { supervisor } = await died();
    supervisor.slot('s').pause();
    const waiting = supervisor.submit({ slot: 's', run: never });
    expect(stateOf(supervisor)).toBe('alive');
    await waiting.cancel();
    expect(stateOf(supervisor)).toBe('dead');
  });

  test('is not known where it died before the first call, without a deadFraction', async () => {
    const { supervisor, clock } = setup();
    supervisor.submit({ slot: 's', vital: true, restart: 'never', run: fails });
    await clock.settle();
    expect(stateOf(supervisor)).toBe('not vital');
  });

  test('is known at the first call with a deadFraction', async () => {
    const { supervisor, clock } = setup({ deadFraction: 1 });
    supervisor.submit({ slot: 'other', vital: true, run: polite });
    supervisor.submit({ slot: 's', vital: true, restart: 'never', run: fails });
    await clock.settle();
    expect(supervisor.vitalSlots()).toEqual([{ slot: 'other', alive: true }, ...dead]);
  });
});

test('the vital slots are a copy', () => {
  const { supervisor } = setup();
  supervisor.submit({ slot: 's', vital: true, run: never });
  const copy = supervisor.vitalSlots();
  (copy as object[]).length = 0;
  expect(supervisor.vitalSlots()).toEqual(alive);
});

test('a submission that a lease was refused kills only its own slot, and only if it is vital', async () => {
  const store = new UncheckedLeaseStore();
  const { supervisor, clock } = setup({ leases: store });
  supervisor.vitalSlots();
  supervisor.submit({ slot: 's', vital: true, run: never });
  supervisor.submit({ slot: 's', run: never });
  await clock.settle();
  store.asks[0]?.fail(new Error('the store is away'));
  await clock.settle();
  expect(supervisor.vitalSlots()).toEqual([{ slot: 's', alive: true, lastOutcome: 'rejected' }]);
  store.asks[1]?.fail(new Error('the store is away'));
  await clock.settle();
  expect(stateOf(supervisor)).toBe('dead');
  supervisor.submit({ slot: 'other', run: never });
  await clock.settle();
  store.asks[2]?.fail(new Error('the store is away'));
  await clock.settle();
  expect(supervisor.vitalSlots()).toMatchObject([{ slot: 's' }]);
});

test('a vital slot is vital no more when a submission that is not vital is refused its lease', async () => {
  const store = new UncheckedLeaseStore();
  const { supervisor, clock } = setup({ leases: store });
  supervisor.vitalSlots();
  supervisor.submit({ slot: 's', vital: true, restart: 'never', run: polite });
  supervisor.submit({ slot: 's', run: never });
  await clock.settle();
  store.asks[0]?.grant();
  await clock.settle();
  store.leases[0]?.lose();
  await clock.settle();
  expect(supervisor.vitalSlots()).toEqual([{ slot: 's', alive: true, lastOutcome: 'canceled' }]);
  store.asks[1]?.fail(new Error('the store is away'));
  await clock.settle();
  expect(stateOf(supervisor)).toBe('not vital');
});
