// A lease store that fails, hangs or answers wrongly.

import type { Lease, LeaseAnswer, Outcome, SlotLeases } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { FakeLeaseStore, leaseWith } from '../../support/fake-lease-store.ts';
import { gatedSlot } from '../../support/gated-slot.ts';
import { expectAtRest, grantingSlot, leasedSlot } from '../../support/leased-slot.ts';
import {
  looks,
  type Made,
  mustNotEscape,
  NEVER,
  nothingEscapes,
  raise,
  revoked,
  THROWN,
  trap,
} from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';

describe('a lease store that fails', () => {
  const down = new Error('no route to the store');
  const lost = new AbortController().signal;
  const release = (): void => {};
  const fence = 1n;
  const throwDown = (): never => {
    throw down;
  };
  const nonsense: readonly [string, unknown][] = [
    ['a number', 42],
    ['an empty object', {}],
    ['a lease whose fence is a number', { fence: 1, lost, release }],
    ['a lease without release', { fence, lost }],
    ['a lease without lost', { fence, release }],
    ['a lease whose lost is no signal', { fence, lost: { aborted: false }, release }],
    ['a lease whose revoked is no signal', { fence, lost, revoked: 'no', release }],
    ['a lease with throwing getters', Object.defineProperty({ lost, release }, 'fence', { get: throwDown })],
  ];
  const troubles: readonly [string, (request: unknown) => unknown, unknown][] = [
    ['throws', throwDown, down],
    ['rejects', () => Promise.reject(down), down],
    ['rejects with undefined', () => Promise.reject(undefined), undefined],
    // biome-ignore lint/suspicious/noThenProperty: what a broken store may return
    ['answers with a thenable that throws', () => ({ then: throwDown }), down],
    ['answers in the same turn with undefined', () => undefined, expect.any(TypeError)],
    ...nonsense.flatMap(([what, value]): (typeof troubles)[number][] => [
      [`answers in the same turn with ${what}`, () => value, expect.any(TypeError)],
      [`answers later with ${what}`, () => Promise.resolve(value), expect.any(TypeError)],
    ]),
  ];
  for (const [what, acquire, error] of troubles)
    test(`with a store that ${what} each waiting submission is rejected with leaseUnavailable, and nothing else is affected`, async () => {
      let broken = true;
      const good: Lease = { fence: 7n, lost, release };
      const leases = { acquire: (request) => (broken ? acquire(request) : good) } as SlotLeases;
      const { supervisor, clock } = setup({ leases });
      const run = ({ fence: given }: { fence: bigint }): bigint => given;
      const first = supervisor.submit({ slot: 's', run });
      const behind = supervisor.submit({ slot: 's', run });
      await clock.settle();
      for (const one of [first, behind]) {
        expect(one.status).toBe('ended');
        expect(await one.outcome).toEqual({
          kind: 'rejected',
          reason: 'leaseUnavailable',
          ...(error !== undefined && { error }),
        });
      }
      expect(supervisor.snapshot()).toMatchObject({ slots: [], owners: 0, queued: 0 });
      broken = false;
      expect(await supervisor.submit({ slot: 's', run }).value()).toBe(7n);
    });

  test('the second answer of a store is ignored (S8)', async () => {
    const store = new FakeLeaseStore();
    const made = leasedSlot(store);
    const { clock, gate, put } = made;
    store.respond = (ask) => ({
      // biome-ignore lint/suspicious/noThenProperty: what a broken store may return
      then: (yes: (answer: LeaseAnswer) => void, no: (error: unknown) => void) => {
        ask.promise.then(yes);
        ask.promise.then(() => yes(null)).then(() => no(down));
      },
    });
    const first = put();
    const second = put();
    store.asks[0]?.grant();
    await clock.settle();
    expect(gate.calls.map(({ id }) => id)).toEqual([first.id]);
    expect([first.status, second.status]).toEqual(['running', 'queued']);
    gate.open('one');
    await clock.settle();
    gate.open('two');
    expect(await second.value()).toBe('two');
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
    await expectAtRest(made);
  });

  test('a store that hangs for one slot delays no other slot (S9)', async () => {
    const made = leasedSlot();
    const { supervisor, clock, store, gate, put } = made;
    store.respond = (ask) => {
      if (ask.request.slot !== 's') ask.grant();
    };
    const stuck = put();
    const impatient = put({ queueTimeoutMs: 300 });
    const others = Array.from({ length: 5 }, (_, n) => put({ slot: `other-${n}` }));
    await clock.settle();
    expect(gate.calls.map(({ id }) => id)).toEqual(others.map(({ id }) => id));
    for (const _ of others) gate.open('done');
    expect(await Promise.all(others.map((one) => one.value()))).toEqual(others.map(() => 'done'));
    await clock.advance(300);
    expect(await impatient.outcome).toEqual({ kind: 'rejected', reason: 'queueTimeout' });
    expect(stuck.status).toBe('queued');
    void stuck.cancel();
    expect(await stuck.outcome).toEqual({ kind: 'rejected', reason: 'canceled' });
    expect(supervisor.tasks()).toEqual([]);
    await supervisor.idle();
  });

  test('a store that throws for one slot does not affect another slot (S9)', async () => {
    const { clock, store, put } = leasedSlot();
    store.respond = (ask) => (ask.request.slot === 's' ? throwDown() : ask.grant());
    const rejected = [put(), put()];
    const other = put({ slot: 'other' });
    await clock.settle();
    for (const one of rejected)
      expect(await one.outcome).toEqual({ kind: 'rejected', reason: 'leaseUnavailable', error: down });
    expect(other).toMatchObject({ admission: 'started', status: 'running' });
  });

  for (const [what, onRelease] of [
    ['throws', throwDown],
    ['rejects', () => Promise.reject(down)],
  ] as const)
    test(`a slot continues after a release that ${what}`, async () => {
      const made = grantingSlot();
      const { clock, store, gate, put } = made;
      store.onRelease = onRelease;
      for (const value of ['one', 'two']) {
        const submission = put();
        await clock.settle();
        gate.open(value);
        expect(await submission.value()).toBe(value);
        await clock.settle();
      }
      expect(store.calls).toEqual(['acquire s', 'release s 1', 'acquire s', 'release s 2']);
      await expectAtRest(made);
    });

  test('store calls for one slot never overlap, so a slow release delays the next request of its slot only (S9)', async () => {
    const { clock, store, gate, put } = grantingSlot();
    let finish = (): void => {};
    store.onRelease = ({ slot }) =>
      slot === 's'
        ? new Promise((resolve) => {
            finish = resolve;
          })
        : undefined;
    put();
    await clock.settle();
    gate.open('end');
    await clock.settle();
    const next = put();
    const other = put({ slot: 'other' });
    await clock.advance(60_000);
    expect(next).toMatchObject({ admission: 'waiting', status: 'queued' });
    expect(other.status).toBe('running');
    expect(store.calls).toEqual(['acquire s', 'release s 1', 'acquire other']);
    finish();
    await clock.settle();
    expect(next.status).toBe('running');
  });

  test('a lease request is not made if its submission was canceled during the release before it', async () => {
    const { clock, store, gate, put } = grantingSlot();
    let finish = (): void => {};
    store.onRelease = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    put();
    await clock.settle();
    gate.open('end');
    await clock.settle();
    void put().cancel();
    finish();
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
  });
});

test('a lease whose `contended` throws is kept from owner to owner', async () => {
  let acquired = 0;
  const contended = () => {
    throw new Error('no answer');
  };
  const acquire: SlotLeases['acquire'] = () => {
    acquired += 1;
    return Object.defineProperty(leaseWith({}), 'contended', { get: contended });
  };
  const { submit, clock, gate } = gatedSlot({ leases: { acquire } });
  const both = [submit(), submit()];
  for (const one of both) {
    await clock.settle();
    gate.open('done');
    expect(await one.value()).toBe('done');
  }
  expect(acquired).toBe(1);
});

describe('a hostile lease store', () => {
  const unreadable = (name: string, get: () => unknown = trap): object =>
    Object.defineProperty(leaseWith() as object, name, { get });

  test.each<readonly [name: string, answer: () => unknown, outcome: Outcome['kind']]>([
    ['undefined', () => undefined, 'rejected'],
    ['text', () => 'granted', 'rejected'],
    ['an empty object', () => ({}), 'rejected'],
    ['a lease with a number for a fence', () => leaseWith({ fence: 1 }), 'rejected'],
    ['a lease without a release', () => leaseWith({ release: undefined }), 'rejected'],
    ['a lease whose `lost` is no signal', () => leaseWith({ lost: { aborted: false } }), 'rejected'],
    ['a lease whose `revoked` is no signal', () => leaseWith({ revoked: { aborted: false } }), 'rejected'],
    ['a lease whose `fence` throws', () => unreadable('fence'), 'rejected'],
    ['a lease whose `lost` throws', () => unreadable('lost'), 'rejected'],
    ['a lease whose `revoked` throws', () => unreadable('revoked'), 'rejected'],
    ['a lease whose `release` throws', () => unreadable('release'), 'rejected'],
    ['a lease whose `contended` throws', () => unreadable('contended'), 'completed'],
    [
      'a lease whose `fence` throws on the second read',
      () =>
        unreadable(
          'fence',
          looks(() => 1n, trap),
        ),
      'completed',
    ],
    ['a lease that is already lost', () => leaseWith({ lost: AbortSignal.abort() }), 'rejected'],
    ['a revoked proxy', () => revoked(), 'rejected'],
  ])('a store that answers with %s lets nothing escape', async (_, answer, kind) => {
    for (const acquire of [answer, () => new Promise((yes) => setImmediate(() => yes(answer())))]) {
      const { outcome } = await mustNotEscape({
        options: { leases: { acquire: acquire as never } },
        spec: { run: (ctx) => ctx.sleep(5) },
        outcome: kind,
        witness: kind,
      });
      if (outcome.kind === 'rejected') expect(outcome.reason).toBe('leaseUnavailable');
    }
  });

  test.each([...THROWN.map(([name, make]): Made => [`throws ${name}`, () => raise(make())]), ...NEVER])(
    'a shutdown ends with this result of close() of the lease store: %s',
    async (_, close) => {
      await nothingEscapes(async () => {
        const { supervisor, clock } = setup({ leases: { acquire: () => leaseWith(), close: close as never } });
        await supervisor.submit({ run: () => 'value' }).outcome;
        const closed = supervisor.shutdown();
        await clock.advance(60_000);
        expect(await closed).toMatchObject({ clean: true });
        expect(clock.timers).toBe(0);
      });
    },
  );
});
