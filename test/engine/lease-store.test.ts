import { setImmediate as turn } from 'node:timers/promises';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { EventPublisher } from '../../src/engine/events.ts';
import { HeldLease } from '../../src/engine/held-lease.ts';
import { LeaseStore, type RequestListener } from '../../src/engine/lease-store.ts';
import { type Deferred, deferred } from '../../src/kernel/deferred.ts';
import type { OptionError } from '../../src/model/error.ts';
import type { TaskEvent } from '../../src/model/event.ts';
import { createTaskIds } from '../../src/model/id.ts';
import type { Lease, LeaseRequest, SlotLeases } from '../../src/model/lease.ts';

const owner = createTaskIds().text(1);
const aTypeError: unknown = expect.any(TypeError);
const boom = new Error('boom');
const fail = (): never => {
  throw boom;
};
const lease = (release: Lease['release'] = () => {}): Lease => ({
  fence: 1n,
  lost: new AbortController().signal,
  release,
});
const request = (slot = 's', signal = new AbortController().signal): LeaseRequest => ({
  slot,
  owner,
  policy: 'queue',
  urgent: new AbortController().signal,
  signal,
});
const held = (release?: Lease['release']): HeldLease => new HeldLease(lease(release));

/** A store of its own, with the clock and the events of its supervisor. */
function open(leases: SlotLeases) {
  const clock = new VirtualClock();
  const events = new EventPublisher(clock);
  const published: TaskEvent[] = [];
  events.subscribe({ onEvent: (event) => void published.push(event) }, 10, undefined, () => {});
  return { clock, published, store: new LeaseStore(leases, clock, events) };
}
const storeOf = (leases: SlotLeases): LeaseStore => open(leases).store;

/** The answers, in order: a lease, null, 'superseded', or what the store threw. */
function answers(): RequestListener & { readonly got: unknown[] } {
  const got: unknown[] = [];
  return {
    got,
    asked: () => {},
    granted: ({ lease }: HeldLease) => void got.push(lease),
    refused: (error: unknown) => void got.push(error),
  };
}

/** A store that logs its calls and answers when the test resolves them. */
function slowStore() {
  const log: string[] = [];
  const pending: Deferred<Lease | null>[] = [];
  const slow: SlotLeases = {
    acquire: ({ slot }) => {
      log.push(`acquire ${slot}`);
      const answer = deferred<Lease | null>();
      pending.push(answer);
      return answer.promise;
    },
  };
  return { slow, log, pending };
}

describe('a store that answers synchronously', () => {
  const good = lease();
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const rows: readonly [name: string, acquire: () => unknown, answer: unknown][] = [
    ['with a lease', () => good, good],
    ['with null', () => null, null],
    ["with 'superseded'", () => 'superseded', 'superseded'],
    ['by throwing', fail, { error: boom }],
    ['with undefined', () => undefined, { error: aTypeError }],
    ['with an incomplete lease', () => ({ fence: 1, lost: good.lost, release: fail }), { error: aTypeError }],
    [
      'with a lease that cannot be read',
      () => ({
        fence: 1n,
        get lost() {
          return fail();
        },
      }),
      { error: aTypeError },
    ],
    ['with a string', () => 'granted', { error: aTypeError }],
    ['with a lease whose revoked is not a signal', () => ({ ...good, revoked: true }), { error: aTypeError }],
  ];
  for (const [name, acquire, answer] of rows)
    test(`${name} has its answer delivered in the same turn`, () => {
      const to = answers();
      storeOf({ acquire: acquire as SlotLeases['acquire'] }).acquire(request(), to);
      expect(to.got).toEqual([answer]);
    });

  test('has each field of its lease read once, and the lease itself is held', () => {
    const reads: string[] = [];
    const { signal: revoked } = new AbortController();
    const watched = new Proxy(
      { ...good, revoked },
      {
        get: (from, key) => {
          reads.push(String(key));
          return Reflect.get(from, key);
        },
      },
    );
    let held: HeldLease | undefined;
    const to = {
      ...answers(),
      granted: (lease: HeldLease) => {
        held = lease;
      },
    };
    storeOf({ acquire: () => watched }).acquire(request(), to);
    expect(held).toMatchObject({ fence: 1n, lost: good.lost, revoked });
    expect(held?.lease).toBe(watched);
    expect(reads.filter((key) => key !== 'then').sort()).toEqual([
      'confirm',
      'fence',
      'graceMs',
      'lost',
      'release',
      'revoked',
    ]);
  });

  test('is called for a release in the same turn, and for the next request in it, too', () => {
    const log: string[] = [];
    const store = storeOf({ acquire: () => good });
    store.release(
      's',
      held(() => void log.push('released')),
    );
    const to = answers();
    store.acquire(request(), to);
    expect([log, to.got]).toEqual([['released'], [good]]);
  });

  test('with a value that is not a lease gets an error whose cause names the field', () => {
    const causes = (
      [
        { ...good, fence: 1 },
        { ...good, release: undefined },
        { ...good, lost: 'no' },
        { ...good, revoked: true },
        { ...good, graceMs: -1 },
        { ...good, confirm: true },
      ] as unknown[]
    ).map((answer) => {
      const to = answers();
      storeOf({ acquire: () => answer as Lease }).acquire(request(), to);
      const { error } = to.got[0] as { error: TypeError };
      expect(error.message).toBe("the lease store must return a lease, null or 'superseded'");
      return (error.cause as OptionError).message;
    });
    expect(causes).toEqual([
      'fence must be a bigint, got 1',
      'release must be a function, got undefined',
      'lost must be an AbortSignal, got "no"',
      'revoked must be an AbortSignal, got true',
      'graceMs must be a number of ms, 0 or more, got -1',
      'confirm must be a function, got true',
    ]);
  });

  test('with a value that cannot be read is refused, and nothing is thrown', async () => {
    const to = answers();
    storeOf({ acquire: () => proxy as Lease }).acquire(request(), to);
    await turn();
    expect(to.got).toEqual([{ error: aTypeError }]);
  });
});

describe('a store that answers later', () => {
  test('has its answer delivered later: the lease, null, or its rejection', async () => {
    const good = lease();
    for (const [settle, answer] of [
      [(call: Deferred<Lease | null>) => call.resolve(good), good],
      [(call: Deferred<Lease | null>) => call.resolve(null), null],
      [(call: Deferred<Lease | null>) => call.reject(boom), { error: boom }],
      [(call: Deferred<Lease | null>) => call.resolve(7 as never), { error: aTypeError }],
    ] as const) {
      const { slow, pending } = slowStore();
      const to = answers();
      storeOf(slow).acquire(request(), to);
      await turn();
      expect(to.got).toEqual([]);
      for (const call of pending) settle(call);
      await turn();
      expect(to.got).toEqual([answer]);
    }
  });

  test('has one call at a time for each slot, and the call for another slot does not wait', async () => {
    const { slow, log, pending } = slowStore();
    const store = storeOf(slow);
    const [first, second] = [answers(), answers()];
    store.acquire(request('a'), first);
    store.acquire(request('a'), second);
    store.acquire(request('b'), answers());
    await turn();
    expect(log).toEqual(['acquire a', 'acquire b']);
    pending[0]?.resolve(null);
    await turn();
    expect([first.got, log]).toEqual([[null], ['acquire a', 'acquire b', 'acquire a']]);
    pending[2]?.resolve(null);
    await turn();
    expect(second.got).toEqual([null]);
  });

  test('is not called for a request that was withdrawn while it waited', async () => {
    const { slow, log, pending } = slowStore();
    const store = storeOf(slow);
    const withdrawn = new AbortController();
    const to = answers();
    store.acquire(request(), answers());
    store.acquire(request('s', withdrawn.signal), to);
    withdrawn.abort();
    pending[0]?.resolve(null);
    await turn();
    expect([log, to.got]).toEqual([['acquire s'], [null]]);
  });

  test('is called for a slot only once the release of that slot has resolved or rejected', async () => {
    for (const settle of [(call: Deferred<void>) => call.resolve(), (call: Deferred<void>) => call.reject(boom)]) {
      const { slow, log } = slowStore();
      const store = storeOf(slow);
      const released = deferred<void>();
      store.release(
        's',
        held(() => released.promise),
      );
      store.acquire(request(), answers());
      await turn();
      expect(log).toEqual([]);
      settle(released);
      await turn();
      expect(log).toEqual(['acquire s']);
    }
  });

  test('is called for a release only once the call before it has ended, and an error of the release is ignored', async () => {
    const { slow, log, pending } = slowStore();
    const store = storeOf(slow);
    store.release('s', held(fail));
    store.acquire(request(), answers());
    store.release(
      's',
      held(() => {
        log.push('release');
        return fail();
      }),
    );
    await turn();
    expect(log).toEqual(['acquire s']);
    pending[0]?.resolve(null);
    await store.idle();
    expect(log).toEqual(['acquire s', 'release']);
  });
});

describe('at the end', () => {
  test('the lease store is idle once every call has ended, also the calls that began meanwhile, and is then closed', async () => {
    const { slow, log, pending } = slowStore();
    const released = deferred<void>();
    const store = storeOf({ ...slow, close: async () => void log.push('close') });
    const to = {
      ...answers(),
      refused: () =>
        store.release(
          's',
          held(() => released.promise),
        ),
    };
    store.acquire(request(), to);
    const idle = store.idle().then(() => log.push('idle'));
    await turn();
    expect(log).toEqual(['acquire s']);
    pending[0]?.resolve(null);
    await turn();
    expect(log).toEqual(['acquire s']);
    released.resolve();
    await idle;
    await store.close();
    expect(log).toEqual(['acquire s', 'idle', 'close']);
  });

  test('a store without close, or whose close fails, is closed all the same', async () => {
    for (const close of [undefined, fail, () => Promise.reject(boom)]) {
      const store = storeOf({ acquire: () => null, ...(close && { close }) });
      await expect(store.close()).resolves.toBeUndefined();
    }
  });
});

describe('a call that the store does not answer', () => {
  const hangs = (): Promise<never> => new Promise(() => {});

  test('is published once as leaseStalled after ttlMs: a release since its call', async () => {
    const { clock, published, store } = open({ acquire: () => null, ttlMs: 50 });
    store.release('s', held(hangs));
    await clock.advance(49);
    expect(published).toEqual([]);
    await clock.advance(10_000);
    expect(published).toMatchObject([{ type: 'leaseStalled', slot: 's', what: 'release', sinceMs: 50 }]);
    expect(clock.timers).toBe(0);
  });

  test('has 30 s by default, and without limit with Infinity', async () => {
    for (const [ttlMs, count] of [
      [undefined, 1],
      [Infinity, 0],
    ] as const) {
      const { clock, published, store } = open({ acquire: () => null, ttlMs });
      store.watch('s', 'acquire');
      await clock.advance(29_999);
      expect(published).toEqual([]);
      await clock.advance(1);
      expect(published).toHaveLength(count);
    }
  });

  test('is not published when it is answered in time, and leaves no timer', async () => {
    const { clock, published, store } = open({ acquire: () => null, ttlMs: 50 });
    const released = deferred<void>();
    store.release(
      's',
      held(() => released.promise),
    );
    const answered = store.watch('s', 'acquire');
    await clock.advance(49);
    released.reject(boom);
    answered();
    await clock.settle();
    expect([clock.timers, published]).toEqual([0, []]);
  });

  test('is not watched any more once the store is closed, nor is a call that follows', async () => {
    const { clock, published, store } = open({ acquire: () => null, ttlMs: 50 });
    store.release('s', held(hangs));
    await store.close();
    store.releaseAside('s', held(hangs));
    expect(clock.timers).toBe(0);
    await clock.advance(1_000);
    expect(published).toEqual([]);
  });

  test.for([0, -1, Number.NaN, '5', null])('ttlMs must be a number of ms above 0, and %s is refused', (ttlMs) => {
    expect(() => open({ acquire: () => null, ttlMs: ttlMs as number })).toThrow(/^leases\.ttlMs must be/);
  });

  test('has its ttlMs read once', () => {
    let reads = 0;
    const ttlMs = (): number => {
      reads += 1;
      return 5;
    };
    open(Object.defineProperty({ acquire: () => null }, 'ttlMs', { get: ttlMs }));
    expect(reads).toBe(1);
  });
});

test('a lease that was set aside is released while another call for its slot is pending', async () => {
  const { slow, log } = slowStore();
  const store = storeOf(slow);
  store.acquire(request(), answers());
  store.releaseAside(
    's',
    held(() => void log.push('released')),
  );
  expect(log).toEqual(['acquire s', 'released']);
  expect(() => store.releaseAside('s', held(fail))).not.toThrow();
});
