import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type HeldLease, LeaseStore } from '../../src/engine/lease-store.ts';
import { type Deferred, deferred } from '../../src/kernel/deferred.ts';
import type { OptionError } from '../../src/model/error.ts';
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
  signal,
});

/** What was answered, in order: a lease, null, or what the store threw. */
function answers() {
  const got: unknown[] = [];
  return {
    got,
    granted: ({ lease }: HeldLease) => void got.push(lease),
    refused: (why: unknown) => void got.push(why),
  };
}

/** A store that answers when the test says so, and logs its calls. */
function slowStore() {
  const log: string[] = [];
  const pending: Deferred<Lease | null>[] = [];
  const store: SlotLeases = {
    acquire: ({ slot }) => {
      log.push(`acquire ${slot}`);
      const answer = deferred<Lease | null>();
      pending.push(answer);
      return answer.promise;
    },
  };
  return { store, log, pending };
}

describe('a store that answers at once', () => {
  const good = lease();
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const rows: readonly [name: string, acquire: () => unknown, answer: unknown][] = [
    ['with a lease', () => good, good],
    ['with null', () => null, null],
    ['by throwing', fail, { error: boom }],
    ['with undefined', () => undefined, { error: aTypeError }],
    ['with half a lease', () => ({ fence: 1, lost: good.lost, release: fail }), { error: aTypeError }],
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
    ['with a text', () => 'granted', { error: aTypeError }],
    ['with a lease revoked by no signal', () => ({ ...good, revoked: true }), { error: aTypeError }],
  ];
  for (const [name, acquire, answer] of rows)
    test(`${name} is heard in the same turn`, () => {
      const to = answers();
      new LeaseStore({ acquire: acquire as SlotLeases['acquire'] }).acquire(request(), to);
      expect(to.got).toEqual([answer]);
    });

  test('has each field of its lease read once, and is released by the lease itself', () => {
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
      granted: (one: HeldLease) => {
        held = one;
      },
    };
    new LeaseStore({ acquire: () => watched }).acquire(request(), to);
    expect(held).toMatchObject({ fence: 1n, lost: good.lost, revoked });
    expect(held?.lease).toBe(watched);
    expect(reads.filter((key) => key !== 'then').sort()).toEqual(['fence', 'lost', 'release', 'revoked']);
  });

  test('is told of a release in the same turn, and may be asked again in it', () => {
    const log: string[] = [];
    const desk = new LeaseStore({ acquire: () => good });
    desk.release(
      's',
      lease(() => void log.push('released')),
    );
    const to = answers();
    desk.acquire(request(), to);
    expect([log, to.got]).toEqual([['released'], [good]]);
  });

  test('with what is no lease is told so, and which field is to blame', () => {
    const blamed = (
      [
        { ...good, fence: 1 },
        { ...good, release: undefined },
        { ...good, lost: 'no' },
        { ...good, revoked: true },
      ] as unknown[]
    ).map((answer) => {
      const to = answers();
      new LeaseStore({ acquire: () => answer as Lease }).acquire(request(), to);
      const { error } = to.got[0] as { error: TypeError };
      expect(error.message).toBe('the lease store must return a lease or null');
      return (error.cause as OptionError).message;
    });
    expect(blamed).toEqual([
      'fence must be a bigint, got 1',
      'release must be a function, got undefined',
      'lost must be an AbortSignal, got "no"',
      'revoked must be an AbortSignal, got true',
    ]);
  });

  test('with what cannot be looked at at all is refused, and nothing is thrown', async () => {
    const to = answers();
    new LeaseStore({ acquire: () => proxy as Lease }).acquire(request(), to);
    await turn();
    expect(to.got).toEqual([{ error: aTypeError }]);
  });
});

describe('a store that takes its time', () => {
  test('is answered for later, with the lease, null, or what it rejects with', async () => {
    const good = lease();
    for (const [settle, answer] of [
      [(one: Deferred<Lease | null>) => one.resolve(good), good],
      [(one: Deferred<Lease | null>) => one.resolve(null), null],
      [(one: Deferred<Lease | null>) => one.reject(boom), { error: boom }],
      [(one: Deferred<Lease | null>) => one.resolve(7 as never), { error: aTypeError }],
    ] as const) {
      const { store, pending } = slowStore();
      const to = answers();
      new LeaseStore(store).acquire(request(), to);
      await turn();
      expect(to.got).toEqual([]);
      for (const one of pending) settle(one);
      await turn();
      expect(to.got).toEqual([answer]);
    }
  });

  test('has one call at a time for a slot: the next waits for the answer, other slots do not', async () => {
    const { store, log, pending } = slowStore();
    const desk = new LeaseStore(store);
    const [first, second] = [answers(), answers()];
    desk.acquire(request('a'), first);
    desk.acquire(request('a'), second);
    desk.acquire(request('b'), answers());
    await turn();
    expect(log).toEqual(['acquire a', 'acquire b']);
    pending[0]?.resolve(null);
    await turn();
    expect([first.got, log]).toEqual([[null], ['acquire a', 'acquire b', 'acquire a']]);
    pending[2]?.resolve(null);
    await turn();
    expect(second.got).toEqual([null]);
  });

  test('is not asked any more for a request that was called off while it waited', async () => {
    const { store, log, pending } = slowStore();
    const desk = new LeaseStore(store);
    const off = new AbortController();
    const to = answers();
    desk.acquire(request(), answers());
    desk.acquire(request('s', off.signal), to);
    off.abort();
    pending[0]?.resolve(null);
    await turn();
    expect([log, to.got]).toEqual([['acquire s'], [null]]);
  });

  test('is asked for a slot only once its release has ended, well or badly', async () => {
    for (const settle of [(one: Deferred<void>) => one.resolve(), (one: Deferred<void>) => one.reject(boom)]) {
      const { store, log } = slowStore();
      const desk = new LeaseStore(store);
      const released = deferred<void>();
      desk.release(
        's',
        lease(() => released.promise),
      );
      desk.acquire(request(), answers());
      await turn();
      expect(log).toEqual([]);
      settle(released);
      await turn();
      expect(log).toEqual(['acquire s']);
    }
  });

  test('a release waits for the call before it, and what it throws harms nobody', async () => {
    const { store, log, pending } = slowStore();
    const desk = new LeaseStore(store);
    desk.release('s', lease(fail));
    desk.acquire(request(), answers());
    desk.release(
      's',
      lease(() => {
        log.push('release');
        return fail();
      }),
    );
    await turn();
    expect(log).toEqual(['acquire s']);
    pending[0]?.resolve(null);
    await desk.idle();
    expect(log).toEqual(['acquire s', 'release']);
  });
});

describe('the end', () => {
  test('is idle after every talk, the ones begun meanwhile too; then the store is closed', async () => {
    const { store, log, pending } = slowStore();
    const released = deferred<void>();
    const desk = new LeaseStore({ ...store, close: async () => void log.push('close') });
    const to = {
      ...answers(),
      refused: () =>
        desk.release(
          's',
          lease(() => released.promise),
        ),
    };
    desk.acquire(request(), to);
    const idle = desk.idle().then(() => log.push('idle'));
    await turn();
    expect(log).toEqual(['acquire s']);
    pending[0]?.resolve(null);
    await turn();
    expect(log).toEqual(['acquire s']);
    released.resolve();
    await idle;
    await desk.close();
    expect(log).toEqual(['acquire s', 'idle', 'close']);
  });

  test('needs no store that can be closed, nor one that closes well', async () => {
    for (const close of [undefined, fail, () => Promise.reject(boom)]) {
      const desk = new LeaseStore({ acquire: () => null, ...(close && { close }) });
      await expect(desk.close()).resolves.toBeUndefined();
    }
  });
});
