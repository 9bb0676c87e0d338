// A look at the fleet by the client of a store.

import { type FleetLook, fleetLeases, type LeaseStore } from 'slotvisor/fleet';
import { describe, expect, test } from 'vitest';
import { StoreTrouble } from '../../../src/testing/faulty-store.ts';
import { fleetOf } from '../../support/fleet-client.ts';

const LOOK: FleetLook = { processes: [], slots: [], more: false };

/** The leases of a process whose store answers a look as `look` does, and what it is asked. */
function over(look: (...asked: unknown[]) => unknown) {
  const { clock, fleet } = fleetOf(0);
  const asked: unknown[][] = [];
  const store = Object.assign(fleet.store() as LeaseStore, {
    look: (...args: unknown[]) => {
      asked.push(args);
      return look(...args);
    },
  });
  return { clock, asked, leases: fleetLeases(store, { ttlMs: 6_000, clock }) };
}

/** What a promise that has settled rejected with. */
const errorOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable('it resolved'),
    (error: Error) => error,
  );

describe('a look', () => {
  test('shows which process this is, which slots are its own, and who waits', async () => {
    const { clock, a, b, granted } = fleetOf(2, { name: 'host:1' });
    const { lease } = await granted(a, 's');
    b.ask('s');
    await clock.advance(500);
    const slot = { slot: 's', holder: 'host:1', fence: lease.fence, line: ['host:1'], waiting: 1 };
    const look = await a.leases.look();
    expect(look.slots).toEqual([{ ...slot, isOurs: true }]);
    expect(look.processes.filter(({ isSelf }) => isSelf)).toEqual([
      { name: 'host:1', isSelf: true, held: 1, waiting: 0, expiresInMs: 5_500 },
    ]);
    expect((await b.leases.look()).slots).toEqual([{ ...slot, isOurs: false }]);
  });

  test('opens no session where there is none, and calls nothing else', async () => {
    const { clock, fleet, a, b, granted } = fleetOf(2);
    await granted(a, 's');
    const look = await b.leases.look();
    await clock.advance(10_000);
    expect([look.processes.map(({ isSelf }) => isSelf), look.slots.length]).toEqual([[false], 1]);
    expect([b.store.calls, b.leases.stats().session, clock.timers]).toEqual([['look'], undefined, 2]);
    expect(fleet.isEmpty).toBe(false);
  });

  test('shows the fleet to a process that has lost its session, which is not shown as its own', async () => {
    const { clock, a, b, granted } = fleetOf(2);
    await granted(a, 's');
    const own = await granted(b, 'own');
    b.store.plan('beat', 'failBefore', { times: 1_000 });
    await clock.advance(3_000);
    expect([own.lease.held, b.leases.stats().session]).toEqual([false, undefined]);
    const { processes, slots } = await b.leases.look();
    expect(processes.map(({ isSelf }) => isSelf)).toEqual([false, false]);
    expect(slots.map(({ slot, isOurs }) => [slot, isOurs])).toEqual([
      ['own', false],
      ['s', false],
    ]);
  });

  test('asks the store once, rejects with its error, and reports it nowhere else', async () => {
    const { clock, a } = fleetOf(1);
    const error = new StoreTrouble('no such table', true);
    a.store.plan('look', 'failBefore', { times: 5, error });
    expect(await errorOf(a.leases.look())).toBe(error);
    await clock.advance(20_000);
    expect([a.store.calls, a.troubles, a.leases.stats().errors, clock.timers]).toEqual([['look'], [], 0, 0]);
  });

  test('rejects after a ttl where the store does not answer, and ignores what comes later', async () => {
    const { clock, a } = fleetOf(1);
    a.store.plan('look', 'hangBefore');
    const rejected = errorOf(a.leases.look());
    await clock.advance(6_000);
    expect((await rejected).message).toBe('the lease store has not answered within 6000 ms');
    a.store.cut(true); // the late answer is an error
    a.store.letGo();
    await clock.settle();
    expect(clock.timers).toBe(0);
  });

  test('rejects once the lease store is closed', async () => {
    const { asked, leases } = over(async () => LOOK);
    await leases.close();
    expect((await errorOf(leases.look())).message).toBe('the lease store is closed');
    expect(asked).toEqual([]);
  });

  test('asks for all slots, at most 50, and for 20 names of each line, unless it says otherwise', async () => {
    const { asked, leases } = over(async () => LOOK);
    await leases.look();
    await leases.look({ q: undefined, limit: undefined });
    await leases.look({ q: 'sync:', limit: 200 });
    const all = [undefined, { q: '', limit: 50, lineLimit: 20 }];
    expect(asked).toEqual([all, all, [undefined, { q: 'sync:', limit: 200, lineLimit: 20 }]]);
  });

  test.each([
    [{ limit: 0 }, 'limit must be a whole number from 1 to 200, got 0'],
    [{ limit: 201 }, 'limit must be a whole number from 1 to 200, got 201'],
    [{ limit: 1.5 }, 'limit must be a whole number from 1 to 200, got 1.5'],
    [{ q: 7 }, 'q must be a string, got 7'],
    [{ q: 'a\0' }, 'q must have no NUL to be shared by processes'],
    [{ q: '\ud800' }, 'q must be well-formed Unicode to be shared by processes'],
    [{ q: 'x'.repeat(2_001) }, 'q must be at most 2000 bytes of UTF-8 to be shared by processes'],
    [{ query: 'a' }, 'query is not an option (known: q, limit)'],
    [null, 'options must be an object, got null'],
  ])('is refused with %j', (options, message) => {
    const { asked, leases } = over(async () => LOOK);
    expect(() => leases.look(options as never)).toThrow(message);
    expect(asked).toEqual([]);
  });

  const PROCESS = { name: 'a', isSelf: false, held: 0, waiting: 0, expiresInMs: 1 };
  const SLOT = { slot: 's', isOurs: false, fence: 1n, line: [], waiting: 0 };
  test.each([
    ['nothing', undefined],
    ['no process', { ...LOOK, processes: [null] }],
    ['no list', { ...LOOK, slots: 3 }],
    ['a process without a name', { ...LOOK, processes: [{ ...PROCESS, name: undefined }] }],
    ['a count that is none', { ...LOOK, processes: [{ ...PROCESS, held: 'many' }] }],
    ['a fence that is a number', { ...LOOK, slots: [{ ...SLOT, fence: 1 }] }],
    ['a slot without a line', { ...LOOK, slots: [{ ...SLOT, line: undefined }] }],
    ['no word of more', { processes: [PROCESS], slots: [SLOT] }],
  ])('rejects where the store answers %s', async (_, answer) => {
    const { clock, leases } = over(async () => answer);
    const error = await errorOf(leases.look());
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/^a store must answer a look with processes, slots and more, got /);
    expect(clock.timers).toBe(0);
  });

  test('is what the store answers, also without a promise', async () => {
    const answer = { processes: [PROCESS], slots: [SLOT], more: true };
    expect(await over(() => answer).leases.look()).toBe(answer);
  });

  test('rejects where the store throws', async () => {
    const { clock, leases } = over(() => {
      throw new Error('no pool');
    });
    expect((await errorOf(leases.look())).message).toBe('no pool');
    expect(clock.timers).toBe(0);
  });
});
