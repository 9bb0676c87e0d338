// The client of a store, over a store in memory, in virtual time.

import { Supervisor } from 'slotvisor';
import { fleetLeases } from 'slotvisor/fleet';
import { describe, expect, test, vi } from 'vitest';
import { FaultyStore, StoreTrouble } from '../../../src/testing/faulty-store.ts';
import { FleetClient, fleetOf } from '../../support/fleet-client.ts';

describe('a request', () => {
  test('for a free slot is granted with a fence, and the lease holds', async () => {
    const { clock, a } = fleetOf(1);
    const asked = a.ask('s');
    await clock.settle();
    expect(asked.lease).toMatchObject({ slot: 's', held: true, contended: false, graceMs: 1_000 });
    expect(asked.lease.lost.aborted).toBe(false);
    await expect(asked.lease.confirm?.()).resolves.toBe(true);
  });

  test('waits in line for a slot of another process, and is granted by the news of its release', async () => {
    const { clock, a, b, granted } = fleetOf(2);
    const first = await granted(a, 's');
    const second = b.ask('s');
    await clock.settle();
    expect(second.isSettled).toBe(false);
    expect(first.lease.contended).toBe(true);
    await first.lease.release();
    await clock.settle();
    expect(second.lease.fence).toBeGreaterThan(first.lease.fence);
  });

  test('is granted by the next beat where the news of the release were lost', async () => {
    const { clock, a, b, granted } = fleetOf(2);
    const first = await granted(a, 's');
    const second = b.ask('s');
    await clock.settle();
    b.store.news = 'lost';
    await first.lease.release();
    await clock.settle();
    expect(second.isSettled).toBe(false);
    await clock.advance(1_000);
    expect(second.lease.fence).toBeGreaterThan(first.lease.fence);
  });

  test('that does not wait is answered null for a slot of another process', async () => {
    const { clock, a, b, granted } = fleetOf(2);
    await granted(a, 's');
    const asked = b.ask('s', 'dropIfRunning');
    await clock.settle();
    expect(asked.answer).toBeNull();
  });

  test('of a replacement revokes the lease of the holder, and is granted before the line', async () => {
    const { clock, a, b, c, granted } = fleetOf(3);
    const first = await granted(a, 's');
    const waits = c.ask('s');
    await clock.settle();
    const replaces = b.ask('s', 'replace');
    await clock.settle();
    expect(first.lease.revoked?.aborted).toBe(true);
    await first.lease.release();
    await clock.settle();
    expect([replaces.isSettled, waits.isSettled]).toEqual([true, false]);
  });

  test('that becomes urgent while the store is being asked goes before the line', async () => {
    const { clock, a, b, c, granted } = fleetOf(3);
    const first = await granted(a, 's');
    c.ask('s');
    await clock.settle();
    b.store.plan('acquire', 'hangAfter');
    const asked = b.ask('s');
    await clock.settle();
    asked.urge();
    b.store.letGo();
    await clock.settle();
    expect(first.lease.revoked?.aborted).toBe(true);
    await first.lease.release();
    await clock.settle();
    expect(asked.isSettled).toBe(true);
  });

  test('of a replacement is superseded by a later one of another process', async () => {
    const { clock, a, b, c, granted } = fleetOf(3);
    await granted(a, 's');
    const earlier = b.ask('s', 'replace');
    await clock.settle();
    c.ask('s', 'replace');
    await clock.settle();
    expect(earlier.answer).toBe('superseded');
  });

  test('that only waits is not superseded by late news of a replacement before it', async () => {
    const { clock, a, b, c, granted } = fleetOf(3);
    await granted(a, 's');
    const earlier = b.ask('s', 'replace');
    await clock.settle();
    b.store.news = 'held';
    c.ask('s', 'replace');
    await clock.settle();
    earlier.cancel();
    await clock.settle();
    const later = b.ask('s');
    await clock.settle();
    b.store.deliverNews();
    await clock.settle();
    expect(earlier.answer).toBeNull();
    expect(later.isSettled).toBe(false);
  });

  test('asks again where the store has lost its place in line', async () => {
    const { clock, fleet, a, b, granted } = fleetOf(2);
    const first = await granted(a, 's');
    const waits = b.ask('s');
    await clock.settle();
    fleet.engine.withdraw(b.leases.stats().session as string, 's');
    await clock.advance(1_000);
    await first.lease.release();
    await clock.settle();
    expect(waits.isSettled).toBe(true);
  });

  test('asks again where the holder is gone, and is granted', async () => {
    const { clock, fleet, a, b, granted } = fleetOf(2);
    await granted(a, 's');
    const waits = b.ask('s');
    await clock.settle();
    a.store.cut(true);
    await clock.advance(6_000 + 1_000);
    expect(waits.isSettled).toBe(true);
    fleet.check();
  });

  test('for a slot that is being asked for is refused, and names the slot', async () => {
    const { clock, a } = fleetOf(1);
    a.store.plan('acquire', 'hangBefore');
    const first = a.ask('s');
    await clock.settle();
    expect(() => a.ask('s')).toThrow('slot "s" is being asked for already');
    a.store.letGo();
    await clock.settle();
    expect(first.isSettled).toBe(true);
  });

  const names: readonly [name: string, rule: string][] = [
    ['\ud800', 'must be well-formed Unicode'],
    ['a\0b', 'must have no NUL'],
    ['é'.repeat(1_001), 'must be at most 2000 bytes of UTF-8'],
  ];
  for (const [name, rule] of names)
    test(`for the name ${JSON.stringify(name.slice(0, 5))} is rejected as leaseUnavailable, because it ${rule}`, async () => {
      const { clock, a } = fleetOf(1);
      const supervisor = new Supervisor({ clock, leases: a.leases });
      const outcome = await supervisor.submit({ slot: name, run: () => {} }).outcome;
      expect(outcome).toMatchObject({ kind: 'rejected', reason: 'leaseUnavailable' });
      expect(String((outcome as { error?: unknown }).error)).toContain(`slot ${rule}`);
      await supervisor.shutdown();
    });
});

describe('a grant that is heard', () => {
  test('while the store is asked counts if the answer shows that it is a later one', async () => {
    const { clock, a, b, granted } = fleetOf(2);
    const first = await granted(a, 's');
    b.store.plan('acquire', 'hangAfter');
    const second = b.ask('s');
    await clock.settle();
    await first.lease.release();
    await clock.settle(); // the news of the grant come before the answer 'waiting'
    b.store.letGo();
    await clock.settle();
    expect(second.lease.fence).toBeGreaterThan(first.lease.fence);
  });

  for (const when of ['while the store is asked', 'while the request waits'] as const)
    test(`late, of an earlier lease of this process, grants nothing ${when}`, async () => {
      const { clock, a, b, granted } = fleetOf(2);
      const holder = await granted(a, 's');
      const second = b.ask('s');
      await clock.settle();
      b.store.news = 'held';
      await holder.lease.release();
      await clock.advance(1_000); // b reads with its beat that it has the slot
      expect(second.isSettled).toBe(true);
      const third = a.ask('s');
      await clock.settle();
      await second.lease.release();
      await clock.settle();
      expect(third.isSettled).toBe(true);
      if (when === 'while the store is asked') b.store.plan('acquire', 'hangAfter');
      const fourth = b.ask('s');
      await clock.settle();
      b.store.deliverNews();
      b.store.letGo();
      await clock.settle();
      expect(fourth.isSettled).toBe(false);
      expect(third.lease.held).toBe(true);
    });

  test('of a slot for which nothing waits here any more is given back', async () => {
    const { clock, fleet, a, granted } = fleetOf(1);
    const lasting = new Error('permission denied');
    const b = new FleetClient(fleet, { clock, ttlMs: 6_000 }, (store) => withPermanent(store, lasting));
    const first = await granted(a, 's');
    const second = b.ask('s');
    await clock.settle();
    b.store.plan('acquire', 'failBefore', { error: lasting });
    second.urge();
    await clock.settle();
    expect(second.error).toBe(lasting); // its place in line is still there
    await first.lease.release();
    await clock.settle();
    expect(fleet.holderOf('s')).toBeUndefined();
    expect(b.leases.stats().strays).toBe(1);
  });

  test('by a session that was given up meanwhile is given back at once', async () => {
    const { clock, a, b } = fleetOf(2);
    a.store.plan('acquire', 'hangAfter');
    const first = a.ask('s');
    await clock.settle();
    const second = b.ask('s');
    await clock.settle();
    a.store.plan('beat', 'failBefore', { times: 100 });
    await clock.advance(3_000);
    a.store.letGo();
    await clock.settle();
    expect(second.isSettled).toBe(true);
    expect(first.isSettled).toBe(false);
  });
});

describe('a request that is called off', () => {
  test('leaves the line, and the next in line is granted', async () => {
    const { clock, fleet, a, b, c, granted } = fleetOf(3);
    const first = await granted(a, 's');
    const second = b.ask('s');
    await clock.settle();
    const third = c.ask('s');
    await clock.settle();
    second.cancel();
    await clock.settle();
    expect(second.answer).toBeNull();
    await first.lease.release();
    await clock.settle();
    expect(third.isSettled).toBe(true);
    fleet.check();
  });

  test('before its answer is withdrawn after the answer, not before it', async () => {
    const { clock, fleet, a } = fleetOf(1);
    a.store.plan('acquire', 'hangBefore');
    const asked = a.ask('s');
    await clock.settle();
    asked.cancel();
    await clock.settle();
    expect(a.store.calls).not.toContain('withdraw s');
    expect(asked.isSettled).toBe(false);
    a.store.letGo();
    await clock.settle();
    expect(asked.answer).toBeNull();
    expect(fleet.holderOf('s')).toBeUndefined();
  });

  test('while the store is away is answered at once, and asks no more', async () => {
    const { clock, a } = fleetOf(1);
    a.store.cut(true);
    const asked = a.ask('s');
    await clock.advance(500);
    asked.cancel();
    await clock.settle();
    expect(asked.answer).toBeNull();
    await clock.advance(3_000);
    const { length } = a.store.calls;
    await clock.advance(60_000);
    expect(a.store.calls).toHaveLength(length);
    expect(clock.timers).toBe(0);
  });

  test('delays the next one for its slot until the store knows', async () => {
    const { clock, a, b, granted } = fleetOf(2);
    await granted(a, 's');
    const first = b.ask('s');
    await clock.settle();
    b.store.plan('withdraw', 'hangBefore');
    first.cancel();
    await clock.settle();
    const second = b.ask('s');
    await clock.settle();
    expect(b.store.calls.filter((call) => call.startsWith('acquire'))).toHaveLength(1);
    b.store.letGo();
    await clock.settle();
    expect(first.answer).toBeNull();
    expect(b.store.calls.at(-1)).toBe('acquire s wait');
    second.cancel();
    await clock.settle();
  });

  test('before it was made does not call the store', async () => {
    const { clock, a } = fleetOf(1);
    const signal = AbortSignal.abort();
    const request = { slot: 's', owner: 'owner-1', policy: 'queue', signal, urgent: signal };
    await expect(a.leases.acquire(request as never)).resolves.toBeNull();
    await clock.settle();
    expect(a.store.calls).toEqual([]);
  });
});

describe('a session', () => {
  test('that gets no answer for half of its ttl loses its leases, and they say so where timers are late', async () => {
    const { clock, a, granted } = fleetOf(1);
    const asked = await granted(a, 's');
    a.store.cut(true);
    clock.block(2_999);
    expect(asked.lease.held).toBe(true);
    clock.block(1);
    expect(asked.lease.held).toBe(false);
    expect(asked.lease.lost.aborted).toBe(true);
  });

  test('tells its leases by a timer where nothing asks', async () => {
    const { clock, a, granted } = fleetOf(1);
    const asked = await granted(a, 's');
    a.store.cut(true);
    await clock.advance(2_999);
    expect(asked.lease.lost.aborted).toBe(false);
    await clock.advance(1);
    expect(asked.lease.lost.aborted).toBe(true);
    expect(String(asked.lease.lost.reason)).toContain('the lease of slot "s" is lost: no beat was answered in time');
  });

  test('counts from the sending of a beat, not from its answer', async () => {
    const { clock, a, granted } = fleetOf(1);
    const asked = await granted(a, 's');
    a.store.latencyMs = 1_500;
    await clock.advance(1_000); // sends a beat, which is answered 1,500 ms later
    await clock.advance(1_500);
    a.store.cut(true);
    await clock.advance(1_499);
    expect(asked.lease.held).toBe(true);
    await clock.advance(1);
    expect(asked.lease.held).toBe(false);
  });

  test('that was given up is not revived by a late answer', async () => {
    const { clock, a, granted } = fleetOf(1);
    const asked = await granted(a, 's');
    a.store.plan('beat', 'hangAfter');
    await clock.advance(1_000);
    clock.block(2_000);
    a.store.letGo();
    await clock.settle();
    expect(asked.lease.held).toBe(false);
    expect(asked.lease.lost.aborted).toBe(true);
  });

  test('expires too when the wall clock shows that the machine slept', async () => {
    const { clock, a, granted } = fleetOf(1);
    const asked = await granted(a, 's');
    clock.setWall(clock.wallNow() + 3_000);
    expect(asked.lease.held).toBe(false);
  });

  test('is not shortened by a wall clock that is set back', async () => {
    const { clock, a, granted } = fleetOf(1);
    const asked = await granted(a, 's');
    clock.setWall(0);
    await clock.advance(10_000);
    expect(asked.lease.held).toBe(true);
  });

  test('that the store does not know is replaced, and what waits waits on under the next one', async () => {
    const { clock, fleet, a, b, granted } = fleetOf(2);
    const holder = await granted(a, 's');
    const waits = b.ask('s');
    await clock.settle();
    const { session } = b.leases.stats();
    fleet.engine.end(session as string);
    await clock.advance(1_000);
    expect(b.leases.stats().session).not.toBe(session);
    await holder.lease.release();
    await clock.settle();
    expect(waits.isSettled).toBe(true);
  });

  test('that was lost gives its slots back when their bodies have ended, before the store would', async () => {
    const { clock, a, b, granted } = fleetOf(2);
    const first = await granted(a, 's');
    const waits = b.ask('s');
    await clock.settle();
    a.store.cut(true);
    await clock.advance(3_000);
    expect(first.lease.lost.aborted).toBe(true);
    a.store.cut(false);
    void first.lease.release();
    await clock.settle();
    expect(waits.isSettled).toBe(true);
  });

  test('that holds and asks for nothing ends after its ttl, and leaves no timer', async () => {
    const { clock, fleet, a, granted } = fleetOf(1);
    const asked = await granted(a, 's');
    await asked.lease.release();
    await clock.advance(5_000);
    expect(fleet.isEmpty).toBe(false);
    await clock.advance(5_000);
    expect(fleet.isEmpty).toBe(true);
    expect(clock.timers).toBe(0);
    expect((await granted(a, 's')).lease.held).toBe(true);
  });

  test('that is idle holds no process, and holds it from the next request on', async () => {
    const { fleet, clock, a, granted } = fleetOf(1);
    await granted(a, 's');
    const b = new FleetClient(fleet, { ttlMs: 1_000 }); // on the clocks of the platform
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const first = b.ask('t');
    await vi.waitFor(() => first.lease);
    await first.lease.release();
    const { beats } = b.leases.stats();
    await vi.waitFor(() => expect(b.leases.stats().beats).toBeGreaterThan(beats));
    const idle = timers();
    b.ask('s');
    await clock.settle();
    const waiting = timers();
    await b.leases.close();
    expect([idle, waiting]).toEqual([timers(), timers() + 1]);
  });

  test('grants a second lease of a slot whose body was given up, and gives the slot back with the last', async () => {
    const { clock, fleet, a, b, granted } = fleetOf(2);
    const first = await granted(a, 's');
    const second = await granted(a, 's');
    expect(second.lease.fence).toBeGreaterThan(first.lease.fence);
    const waits = b.ask('s');
    await clock.settle();
    await second.lease.release();
    await clock.settle();
    expect(waits.isSettled).toBe(false);
    expect(first.lease.held).toBe(true);
    await first.lease.release();
    await clock.settle();
    expect(waits.isSettled).toBe(true);
    fleet.check();
  });

  test('does not take a request to stop an earlier lease as one for the present one', async () => {
    const { clock, a, b, granted } = fleetOf(2);
    const first = await granted(a, 's');
    a.store.news = 'held';
    const replaces = b.ask('s', 'replace');
    await clock.settle();
    replaces.cancel();
    await clock.settle();
    await first.lease.release();
    const second = await granted(a, 's');
    a.store.deliverNews();
    await clock.settle();
    expect(second.lease.revoked?.aborted).toBe(false);
  });
});

describe('a store in trouble', () => {
  test('is called again until it answers, and each error is reported once', async () => {
    const { clock, a } = fleetOf(1);
    a.store.plan('listen', 'failBefore');
    a.store.plan('open', 'failAfter', { times: 2 });
    a.store.plan('acquire', 'failAfter');
    const asked = a.ask('s');
    await clock.advance(5_000);
    expect(asked.lease.held).toBe(true);
    // Both calls of `open` failed with the same error.
    expect(a.troubles).toEqual(['open: failBefore', 'open: failAfter', 'acquire: failAfter']);
  });

  test('with an error that lasts rejects the request with it', async () => {
    const { clock, fleet } = fleetOf(0);
    const lasting = new Error('no such table');
    const a = new FleetClient(fleet, { clock, ttlMs: 6_000 }, (store) => withPermanent(store, lasting));
    a.store.plan('open', 'failBefore', { error: lasting });
    const asked = a.ask('s');
    await clock.settle();
    expect(asked.error).toBe(lasting);
  });

  test('makes a request that does not wait fail after its patience, and takes it back', async () => {
    const { clock, fleet, a } = fleetOf(1);
    a.store.plan('acquire', 'hangBefore');
    const asked = a.ask('s', 'dropIfRunning');
    await clock.advance(1_999);
    expect(asked.isSettled).toBe(false);
    await clock.advance(1);
    expect(String(asked.error)).toBe('Error: the lease store has not answered within 2000 ms');
    a.store.letGo();
    await clock.settle();
    expect(fleet.holderOf('s')).toBeUndefined();
  });

  test('makes a request that does not wait fail with the latest error since it was made', async () => {
    const { clock, a } = fleetOf(1);
    a.store.plan('acquire', 'failBefore', { error: new StoreTrouble('an earlier error') });
    a.ask('r');
    await clock.advance(1_000);
    a.store.plan('acquire', 'hangBefore');
    const asked = a.ask('s', 'dropIfRunning');
    await clock.advance(2_000);
    expect((asked.error as Error).cause).toBeUndefined();
    a.store.letGo();
    await clock.settle();

    const error = new StoreTrouble('the store is away');
    a.store.plan('acquire', 'failBefore', { times: 99, error });
    const another = a.ask('t', 'dropIfRunning');
    await clock.advance(2_000);
    const said = another.error as Error;
    expect([said.message, said.cause]).toEqual([
      'the lease store has not answered within 2000 ms: the store is away',
      error,
    ]);
  });

  test('that is away is dialled by one loop, however many wait', async () => {
    const { clock, a } = fleetOf(1);
    a.store.cut(true);
    for (let n = 0; n < 100; n += 1) a.ask(`s${n}`);
    await clock.advance(10_000);
    expect(a.store.calls.length).toBeLessThan(30);
    a.store.cut(false);
    await clock.advance(1_000);
    expect(a.leases.stats().held).toBe(100);
  });

  test('that forgot a slot makes its lease lost with the next beat', async () => {
    const { clock, fleet, a, granted } = fleetOf(1);
    const [first, second] = [await granted(a, 'one'), await granted(a, 'two')];
    const session = a.leases.stats().session as string;
    fleet.engine.release(session, { slot: 'one', fence: first.lease.fence, contended: false });
    await clock.advance(1_000);
    expect([first.lease.held, second.lease.held]).toEqual([false, true]);
    expect(first.lease.lost.aborted).toBe(true);
    expect(a.leases.stats().lost).toBe(1);
  });

  test('that says with confirm that the slot is not held is believed', async () => {
    const { fleet, a, granted } = fleetOf(1);
    const { lease } = await granted(a, 's');
    fleet.engine.release(a.leases.stats().session as string, { slot: 's', fence: lease.fence, contended: false });
    await expect(lease.confirm?.()).resolves.toBe(false);
  });

  test('that holds a slot of which the process does not know gets it back within two beats', async () => {
    const { clock, fleet, a, granted } = fleetOf(1);
    await granted(a, 'one');
    const session = a.leases.stats().session as string;
    fleet.engine.acquire(session, { slot: 'stray', mode: 'wait' });
    await clock.advance(2_000);
    expect(fleet.holderOf('stray')).toBeUndefined();
    expect(a.leases.stats()).toMatchObject({ held: 1, strays: 1 });
  });

  test('is read by a beat at once when news may have been lost', async () => {
    const { clock, a, b, granted } = fleetOf(2);
    const first = await granted(a, 's');
    const second = b.ask('s');
    await clock.settle();
    b.store.news = 'lost';
    await first.lease.release();
    b.store.news = 'pass';
    b.store.cut(true);
    b.store.cut(false);
    await clock.advance(1);
    expect(second.isSettled).toBe(true);
  });

  test('whose release is lost repeats it until the store knows', async () => {
    const { clock, a, b, granted } = fleetOf(2);
    const first = await granted(a, 's');
    const second = b.ask('s');
    await clock.settle();
    a.store.plan('release', 'failBefore', { times: 3 });
    void first.lease.release();
    await clock.advance(1_000);
    expect(second.isSettled).toBe(true);
  });

  test('does not end the process by an onTrouble that throws', async () => {
    const { clock, a } = fleetOf(1, {
      onTrouble: () => {
        throw new Error('the log is away');
      },
    });
    a.store.plan('acquire', 'failBefore');
    const asked = a.ask('s');
    await clock.advance(1_000);
    expect(asked.isSettled).toBe(true);
  });
});

describe('the close of a lease store', () => {
  test('gives everything back at once, closes the store, and leaves no timer', async () => {
    const { clock, fleet, a } = fleetOf(1);
    const supervisor = new Supervisor({ clock, leases: a.leases });
    supervisor.submit({ slot: 's', run: (ctx) => ctx.sleep(Infinity) });
    await clock.settle();
    expect(fleet.holderOf('s')).toBeDefined();
    const end = supervisor.shutdown();
    await clock.settle();
    await end;
    expect(fleet.isEmpty).toBe(true);
    expect(a.store.isClosed).toBe(true);
    expect(clock.timers).toBe(0);
  });

  test('keeps the slot of a body that was given up until the body has ended', async () => {
    const { clock, fleet, a } = fleetOf(1);
    const supervisor = new Supervisor({ clock, leases: a.leases });
    let end: () => void = () => {};
    const run = () =>
      new Promise<void>((resolve) => {
        end = resolve;
      });
    supervisor.submit({ slot: 's', run });
    await clock.settle();
    const closed = supervisor.shutdown({ graceMs: 100 });
    await clock.advance(100);
    await closed;
    expect(fleet.holderOf('s')).toBeDefined();
    end();
    await clock.settle();
    expect(fleet.holderOf('s')).toBeUndefined();
    expect(clock.timers).toBe(0);
  });

  test('with a store that is away resolves, and rejects what asks later', async () => {
    const { clock, a, granted } = fleetOf(1);
    const asked = await granted(a, 's');
    a.store.cut(true);
    const released = asked.lease.release();
    await clock.settle();
    const closed = a.leases.close();
    await clock.advance(10_000);
    await Promise.all([released, closed]);
    expect(() => a.ask('t')).toThrow('the lease store is closed');
    expect(clock.timers).toBe(0);
  });
});

describe('fleetLeases', () => {
  test('serves one supervisor, and refuses a second', () => {
    const { a } = fleetOf(1);
    new Supervisor({ leases: a.leases });
    expect(() => new Supervisor({ leases: a.leases })).toThrow(
      expect.objectContaining({
        name: 'OptionError',
        field: 'leases',
        message: expect.stringContaining('must be of one supervisor: make a lease store for each'),
      }),
    );
  });

  const store = new FaultyStore({} as never);
  const rows: readonly [options: unknown, field: string, rule: RegExp][] = [
    [{ ttlMs: 999 }, 'ttlMs', /must be a number from 1000 to 3600000, got 999/],
    [{ ttlMs: '15s' }, 'ttlMs', /must be a number/],
    [{ name: '' }, 'name', /must not be empty/],
    [{ patienceMs: 0 }, 'patienceMs', /must be a number from 1/],
    [{ onTrouble: 'log' }, 'onTrouble', /must be a function/],
    [{ clock: {} }, 'clock.now', /must be a function/],
    [{ ttlms: 1_000 }, 'ttlms', /is not an option \(did you mean ttlMs\?\)/],
  ];
  for (const [options, field, rule] of rows)
    test(`refuses ${JSON.stringify(options)} and names the field ${field}`, () => {
      expect(() => fleetLeases(store, options as never)).toThrow(
        expect.objectContaining({ name: 'OptionError', field, message: expect.stringMatching(rule) }),
      );
    });

  for (const value of [null, {}, 'redis://localhost'])
    test(`refuses ${JSON.stringify(value)} as a store`, () => {
      expect(() => fleetLeases(value as never)).toThrow(/^store must have the operation open, got/);
    });
});

function withPermanent(store: FaultyStore | unknown, lasting: Error): never {
  return new Proxy(store as object, {
    get: (target, key) => {
      if (key === 'isPermanent') return (error: unknown) => error === lasting;
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as never;
}
