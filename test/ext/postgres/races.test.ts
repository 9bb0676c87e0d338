// Many connections at once.

import fc from 'fast-check';
import pg from 'pg';
import type { AskMode, FleetLook } from 'slotvisor/fleet';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { RUNS } from '../../support/effort.ts';
import { MemoryEngine } from '../../support/memory-engine.ts';
import { type Session, TTL_MS, World } from './world.ts';

const GRANTS = Math.min(RUNS.sequences, 10_000);

let world: World;

beforeEach(async () => {
  world = await World.start();
});

/** Sessions that go together in no statement. */
async function sessions(count: number): Promise<Session[]> {
  const pool = new pg.Pool({ connectionString: world.url, max: 5 * count });
  pool.on('error', () => {});
  onTestFinished(() => void pool.end().catch(() => {}));
  return Promise.all(Array.from({ length: count }, () => world.session(world.store({ pool }))));
}

/** Fences by slot, in the order in which PostgreSQL wrote them. */
async function logGrants(): Promise<() => Promise<Map<string, bigint[]>>> {
  await world.sql('create table %.grants (n bigint generated always as identity, name text, fence bigint)');
  await world.sql(`create function %.log_grant() returns trigger language plpgsql as
    $$ begin insert into %.grants (name, fence) values (new.name, new.fence); return null; end $$`);
  await world.sql(
    'create trigger log_grant after update of fence on %.slot for each row execute function %.log_grant()',
  );
  return async () => {
    const all = new Map<string, bigint[]>();
    const rows = await world.sql<{ name: string; fence: string }>('select name, fence from %.grants order by n');
    for (const { name, fence } of rows) all.set(name, [...(all.get(name) ?? []), BigInt(fence)]);
    return all;
  };
}

const isRising = (fences: readonly bigint[]) =>
  fences.every((fence, i) => i === 0 || fence > (fences[i - 1] as bigint));

test(`the fences of a slot grow over ${GRANTS.toLocaleString('en')} grants that race for it`, async () => {
  const grants = await logGrants();
  const all = await sessions(8);
  let left = GRANTS;
  await Promise.all(
    all.map(async (session) => {
      while (left > 0) {
        const answer = await session.ask('s', 'try');
        if (answer.state !== 'granted') continue;
        left -= 1;
        await session.release('s', answer.fence);
      }
    }),
  );
  const fences = (await grants()).get('s') ?? [];
  expect(fences.length).toBeGreaterThanOrEqual(GRANTS);
  expect(isRising(fences)).toBe(true);
});

test('no wake-up is lost: each session that waits gets the slot, without a beat', async () => {
  const all = await sessions(6);
  const rounds = 60;
  const waits = new Map<string, () => void>();
  for (const session of all)
    await session.store.listen(
      session.id,
      (news) => news.kind === 'granted' && waits.get(session.id)?.(),
      () => {},
    );
  await Promise.all(
    all.map(async (session) => {
      for (let i = 0; i < rounds; i++) {
        const granted = new Promise<void>((resolve) => waits.set(session.id, resolve));
        const answer = await session.ask('s');
        if (answer.state !== 'granted') await granted;
        await session.release('s', (await session.holds('s')) as bigint, i % 2 === 0);
      }
    }),
  );
  expect([await world.count('slot'), await world.count('waiter')]).toEqual([0, 0]);
});

test('random calls for many slots at once end without a deadlock, and never two holders', async () => {
  const grants = await logGrants();
  const all = await sessions(6);
  const slots = Array.from({ length: 12 }, (_, i) => `s${i}`);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;
  const errors: unknown[] = [];
  const step = async (session: Session): Promise<void> => {
    const slot = pick(slots);
    const held = await session.holds(slot);
    if (held !== undefined && Math.random() < 0.7) return session.release(slot, held, Math.random() < 0.5);
    if (Math.random() < 0.2) return session.store.withdraw(session.id, slot);
    if (Math.random() < 0.1) return void (await session.beat(...slots));
    await session.ask(slot, pick<AskMode>(['try', 'wait', 'urgent']));
  };
  await Promise.all(
    all.flatMap((session) =>
      Array.from({ length: 6 }, async () => {
        for (let i = 0; i < 60; i++) await step(session).catch((error) => errors.push(error));
      }),
    ),
  );
  expect(errors).toEqual([]);
  for (const [slot, fences] of await grants()) expect([slot, isRising(fences)]).toEqual([slot, true]);
  expect(
    await world.sql(
      `select w.slot from %.waiter w left join %.slot s on s.name = w.slot where coalesce(s.wanted, 0) = 0 or s.session = w.session`,
    ),
  ).toEqual([]);
  await Promise.all(all.map((session) => session.store.end(session.id)));
  expect([await world.count('session'), await world.count('slot'), await world.count('waiter')]).toEqual([0, 0, 0]);
});

test('calls one after the other are answered as by the engine in memory', async () => {
  const call = fc.record({
    who: fc.nat({ max: 3 }),
    slot: fc.constantFrom('s', 't'),
    what: fc.constantFrom('try', 'wait', 'wait', 'urgent', 'release', 'release', 'withdraw', 'beat', 'end'),
  });
  const store = world.store();
  let run = 0; // a run that failed may leave slots behind
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 40 }), async (calls) => {
      run += 1;
      const engine = new MemoryEngine(
        () => 0,
        () => {},
      );
      const all = await Promise.all(Array.from({ length: 4 }, () => world.session(store)));
      for (const { id } of all) engine.open(id, TTL_MS, 'test');
      const fences = new Map<bigint, bigint>(); // of PostgreSQL, by those of the engine
      const same = (known: object | null, got: object | null): void => {
        const shape = (value: object | null) => {
          const plain = JSON.parse(
            JSON.stringify(value, (key, part) =>
              typeof part === 'bigint' ? key : key === 'nextMs' ? undefined : part,
            ),
          );
          plain?.news?.sort((one: object, other: object) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
          return plain;
        };
        expect(shape(got)).toEqual(shape(known));
      };
      for (const { who, slot: name, what } of calls) {
        const slot = `${name}${run}`;
        const session = all[who] as Session;
        const both = [`s${run}`, `t${run}`];
        const known = engine.holdings(session.id, slot).get(slot);
        if (what === 'try' || what === 'wait' || what === 'urgent')
          same(engine.acquire(session.id, { slot, mode: what }), await session.ask(slot, what));
        else if (what === 'release' && known !== undefined) {
          const fence = fences.get(known) ?? ((await session.holds(slot)) as bigint);
          engine.release(session.id, { slot, fence: known, contended: false });
          await session.release(slot, fence);
        } else if (what === 'withdraw') {
          engine.withdraw(session.id, slot);
          await store.withdraw(session.id, slot);
        } else if (what === 'beat') same(engine.beat(session.id, both), await session.beat(...both));
        else if (what === 'end') {
          engine.end(session.id);
          await store.end(session.id);
        }
        const ask = { q: `${run}`, limit: 10, lineLimit: 10 };
        const [modeled, real] = [engine.look(session.id, ask), await store.look(session.id, ask)];
        const withoutFences = ({ slots }: FleetLook) => slots.map((seen) => ({ ...seen, fence: 0n }));
        expect(withoutFences(real)).toEqual(withoutFences(modeled));
        for (const { id } of all)
          expect([...(await store.holdings(id)).keys()].sort()).toEqual([...engine.holdings(id).keys()].sort());
      }
      for (const { id } of all) await store.end(id);
    }),
    { numRuns: 60 },
  );
});
