import type { FleetLeases } from 'slotvisor/fleet';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { FleetReader } from '../../../src/ext/dashboard/fleet-rows.ts';
import { fleetOf } from '../../support/fleet-client.ts';

/** A fleet whose looks end as the test says. */
function fleet() {
  const clock = new VirtualClock({ wallMs: 1_000 });
  const looks: { readonly q: string; readonly limit: number; end: (outcome: unknown) => void }[] = [];
  const source = {
    look: ({ q, limit }: { q: string; limit: number }) =>
      new Promise<never>((resolve, reject) => {
        const end = (outcome: unknown) => (outcome instanceof Error ? reject(outcome) : resolve(outcome as never));
        looks.push({ q, limit, end });
      }),
  };
  const reader = new FleetReader(source, clock);
  /** Ends the look that is under way, and returns what was asked. */
  const end = async (outcome: unknown): Promise<string | undefined> => {
    await clock.settle();
    expect(looks.length).toBeLessThan(2);
    const look = looks.shift();
    look?.end(outcome);
    await clock.settle();
    return look?.q;
  };
  const asked = async () => {
    await clock.settle();
    return looks.map(({ q }) => q);
  };
  return { clock, reader, looks, end, asked };
}

const PROCESS = { name: 'host:1', isSelf: true, held: 1, waiting: 0, expiresInMs: 9_000 };
const SLOT = { slot: 's', holder: 'host:1', isOurs: true, fence: 2n ** 60n, line: ['host:2'], waiting: 1 };
const seen = (slot: string) => ({ processes: [PROCESS], slots: [{ ...SLOT, slot }], more: false });
const row = (slot: string) => ({ ...SLOT, slot, fence: '1152921504606846976' });

describe('a page of the fleet', () => {
  test('is that of the leases of a fleet, as JSON can hold it', async () => {
    const { clock, a, granted } = fleetOf(1, { name: '<b>"host"' });
    const { lease } = await granted(a, 'sync:\u{1f680}');
    const leases: FleetLeases = a.leases;
    const page = await new FleetReader(leases, clock).page('sync:');
    const slot = {
      slot: 'sync:\u{1f680}',
      holder: '<b>"host"',
      isOurs: true,
      fence: `${lease.fence}`,
      line: [],
      waiting: 0,
    };
    const process = { name: '<b>"host"', isSelf: true, held: 1, waiting: 0, expiresInMs: 6_000 };
    expect(page).toEqual({ processes: [process], slots: [slot], more: false, at: clock.wallNow() });
    expect(JSON.parse(JSON.stringify(page))).toEqual(page);
  });

  test('is read once for all that ask, at most 200 slots, and for 5 s', async () => {
    const { clock, reader, looks, end, asked } = fleet();
    const pages = [reader.page('a'), reader.page('a')];
    expect(await asked()).toEqual(['a']);
    expect(looks[0]?.limit).toBe(200);
    await end(seen('a1'));
    const expected = { ...seen('a1'), slots: [row('a1')], at: 1_000 };
    expect(await Promise.all([...pages, reader.page('a')])).toEqual([expected, expected, expected]);
    await clock.advance(4_999);
    expect(await reader.page('a')).toEqual(expected);
    expect(await asked()).toEqual([]);
    await clock.advance(1);
    await reader.page('a');
    expect(await asked()).toEqual(['a']);
  });

  test('is not read while it is not asked for', async () => {
    const { clock, reader, end, asked } = fleet();
    void reader.page('a');
    await end(seen('a1'));
    await clock.advance(60_000);
    expect([await asked(), clock.timers]).toEqual([[], 0]);
  });

  test('comes at once while it is asked for again and again, and later waits for the read', async () => {
    const { clock, reader, end } = fleet();
    void reader.page('a');
    await end(seen('a1'));
    await clock.advance(6_000);
    expect((await reader.page('a')).slots).toEqual([row('a1')]);
    await end(seen('a2'));
    expect(await reader.page('a')).toMatchObject({ slots: [row('a2')], at: 7_000 });
    await clock.advance(15_000);
    const late = reader.page('a');
    await end(seen('a3'));
    expect((await late).slots).toEqual([row('a3')]);
  });

  test('of each query is its own, and one is read after the other', async () => {
    const { reader, end } = fleet();
    const pages = ['a', 'b', 'c'].map((q) => reader.page(q));
    for (const q of ['a', 'b', 'c']) expect(await end(seen(`${q}1`))).toBe(q);
    expect((await Promise.all(pages)).map(({ slots }) => slots[0]?.slot)).toEqual(['a1', 'b1', 'c1']);
  });

  test('that cannot be read is the last one that could be, with the error until the next one', async () => {
    const { clock, reader, end } = fleet();
    void reader.page('a');
    await end(seen('a1'));
    for (const text of ['no connection', 'no such table']) {
      await clock.advance(20_000);
      const page = reader.page('a');
      await end(new Error(text));
      expect(await page).toEqual({ ...seen('a1'), slots: [row('a1')], at: 1_000, error: text });
    }
    expect(await reader.page('a')).toMatchObject({ error: 'no such table' });
    await clock.advance(20_000);
    const page = reader.page('a');
    await end(seen('a2'));
    expect(await page).toEqual({ ...seen('a2'), slots: [row('a2')], at: 61_000 });
  });

  test('that could never be read is empty, with the error', async () => {
    const { reader, end } = fleet();
    const page = reader.page('a');
    await end(new Error('no pool'));
    expect(await page).toEqual({ processes: [], slots: [], more: false, at: 1_000, error: 'no pool' });
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('q must have no NUL');
      },
      'q must have no NUL',
    ],
    ['rejects with what is no error', () => Promise.reject('away'), 'away'],
    ['answers nothing', () => undefined, expect.stringContaining('undefined')],
  ])('of a store that %s has the error', async (_, look, error) => {
    const reader = new FleetReader({ look: look as never }, new VirtualClock());
    expect(await reader.page('a')).toMatchObject({ slots: [], error });
  });

  test('of a look that gives odd things is JSON, or has an error', async () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    const pageOf = async (look: unknown) =>
      JSON.parse(JSON.stringify(await new FleetReader({ look: () => look } as never, new VirtualClock()).page('')));
    const odd = { ...seen('s'), slots: [{ ...SLOT, holder: 5n }], more: 5n };
    expect(await pageOf(odd)).toMatchObject({ slots: [{ holder: '5', fence: row('s').fence }], more: '5' });
    const none = [undefined, 5, {}, { ...odd, slots: 5 }, { ...odd, slots: [null] }, { ...odd, processes: cycle }];
    for (const look of none) expect(await pageOf(look)).toMatchObject({ slots: [], error: expect.any(String) });
  });

  test('comes within 5 s where a look hangs, which is made once', async () => {
    const { clock, reader, end, asked } = fleet();
    const error = 'the fleet could not be read within 5000 ms';
    const [first, other] = [reader.page('a'), reader.page('b')];
    await clock.advance(5_000);
    expect([await first, await other]).toMatchObject([{ error }, { error }]);
    for (let s = 0; s < 30; s += 1) {
      void reader.page('a');
      await clock.advance(1_000);
      expect(await asked()).toEqual(['a']);
    }
    expect(await reader.page('a')).toMatchObject({ error });
    await end(seen('a1'));
    expect(await reader.page('a')).toEqual({ ...seen('a1'), slots: [row('a1')], at: 36_000 });
    expect(await asked()).toEqual(['b']);
  });

  test('of a look that hangs lets a viewer who asks all the time wait once in 15 s', async () => {
    const { clock, reader } = fleet();
    const first = reader.page('a');
    await clock.advance(5_000);
    await first;
    let answered = 0;
    for (let s = 0; s < 14; s += 1) {
      await clock.advance(1_000);
      void reader.page('a').then(() => {
        answered += 1;
      });
      await clock.settle();
    }
    expect(answered).toBe(14);
  });
});

describe('a reader of the fleet', () => {
  test('keeps 20 queries, and forgets the one that was asked for first', async () => {
    const { reader, end, asked } = fleet();
    for (let i = 0; i < 20; i += 1) {
      void reader.page(`${i}`);
      await end(seen('s'));
    }
    void reader.page('0'); // asked for again
    void reader.page('more');
    await end(seen('s'));
    void reader.page('0');
    expect(await asked()).toEqual([]);
    void reader.page('1');
    expect(await asked()).toEqual(['1']);
  });

  test('reads at most 20 queries, and answers others with an error at once', async () => {
    const { reader } = fleet();
    for (let i = 0; i < 20; i += 1) void reader.page(`${i}`);
    expect(await reader.page('more')).toMatchObject({ error: 'too many different queries at once: ask again' });
  });

  test('that is closed rejects what waits and what comes, looks no more, and leaves no timer', async () => {
    const { clock, reader, end, asked } = fleet();
    const waits = Promise.allSettled([reader.page('a'), reader.page('b')]);
    await clock.settle();
    reader.close();
    reader.close();
    const closed = { status: 'rejected', reason: new Error('the dashboard is closed') };
    expect(await waits).toEqual([closed, closed]);
    await expect(reader.page('a')).rejects.toThrow('the dashboard is closed');
    expect(await end(seen('a1'))).toBe('a');
    expect([await asked(), clock.timers]).toEqual([[], 0]);
  });
});
