// Random operations of several sessions, in lockstep with the engine in memory.

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { AskMode, FleetLook, LeaseNews } from 'slotvisor/fleet';
import { expect, it } from 'vitest';
import { MemoryEngine } from '../../support/memory-engine.ts';
import { overBothClients, TTL_MS, World } from './world.ts';

const SLOTS = ['x', 'y'] as const;
const SESSIONS = 4;

type Step =
  | { readonly op: 'acquire'; readonly by: number; readonly slot: string; readonly mode: AskMode }
  | { readonly op: 'release' | 'withdraw'; readonly by: number; readonly slot: string }
  | { readonly op: 'beat' | 'end' | 'holdings'; readonly by: number };

const by = fc.nat(SESSIONS - 1);
const slot = fc.constantFrom(...SLOTS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('acquire' as const),
      by,
      slot,
      mode: fc.constantFrom<AskMode>('try', 'wait', 'urgent'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constantFrom('release' as const, 'withdraw' as const), by, slot }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom('beat' as const, 'holdings' as const), by }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('end' as const), by }) },
);

/** Both draw fences of their own. Equal places in the history must have equal pairs. */
class Pairs {
  readonly #byModel = new Map<bigint, bigint>();

  expectPair(model: bigint, real: bigint): void {
    const known = this.#byModel.get(model);
    if (known === undefined) {
      expect([...this.#byModel.values()]).not.toContain(real);
      this.#byModel.set(model, real);
    } else expect(real).toBe(known);
  }
}

overBothClients('the store in Redis', (kind) => {
  it('does what the engine in memory does, and keeps nothing afterwards', async () => {
    const world = await World.open(kind);
    const { store } = world;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const model = new MemoryEngine(
          () => 0,
          () => {},
        );
        const pairs = new Pairs();
        const left = await world.keys();
        if (left.length > 0) await world.admin.del(...left.map((key) => world.key(key))); // of a run that failed
        const ids = Array.from({ length: SESSIONS }, () => randomUUID() as string);
        /** What each session asked for and has not heard to be over, as a client knows it. */
        const asked = ids.map(() => new Set<string>());
        for (const id of ids) {
          const name = `host:${id}`;
          model.open(id, TTL_MS, name);
          await store.open(id, name, TTL_MS);
        }

        const same = <T>(modeled: T, real: T): void => {
          const shape = (value: unknown): string =>
            JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? 'fence' : part));
          expect(shape(real)).toBe(shape(modeled));
        };
        const sorted = (news: readonly LeaseNews[]): LeaseNews[] =>
          [...news].sort((a, b) => (`${a.kind} ${a.slot}` < `${b.kind} ${b.slot}` ? -1 : 1));

        const play = async (step: Step): Promise<void> => {
          const id = ids[step.by] as string;
          const mine = asked[step.by] as Set<string>;
          if (step.op === 'acquire') {
            const modeled = model.acquire(id, step);
            const real = await store.acquire(id, step);
            same(modeled, real);
            if ('fence' in modeled && 'fence' in real) pairs.expectPair(modeled.fence, real.fence);
            if (real.state === 'waiting') mine.add(step.slot);
            else mine.delete(step.slot);
          } else if (step.op === 'release') {
            const fence = model.holdings(id).get(step.slot) ?? 0n;
            const realFence = (await store.holdings(id)).get(step.slot) ?? 0n;
            if (fence !== 0n) mine.delete(step.slot); // it has heard of the grant
            model.release(id, { slot: step.slot, fence, contended: false });
            await store.release(id, { slot: step.slot, fence: realFence, contended: false });
          } else if (step.op === 'withdraw') {
            mine.delete(step.slot);
            model.withdraw(id, step.slot);
            await store.withdraw(id, step.slot);
          } else if (step.op === 'end') {
            model.end(id);
            await store.end(id);
          } else if (step.op === 'holdings') {
            const [modeled, real] = [model.holdings(id), await store.holdings(id)];
            expect([...real.keys()].sort()).toEqual([...modeled.keys()].sort());
            for (const [name, fence] of modeled) pairs.expectPair(fence, real.get(name) as bigint);
          } else {
            const waiting = [...mine];
            const [modeled, real] = [model.beat(id, waiting), await store.beat(id, waiting)];
            expect(real === null).toBe(modeled === null);
            if (modeled === null || real === null) return;
            expect(real.held).toBe(modeled.held);
            const [expected, heard] = [sorted(modeled.news), sorted(real.news)];
            same(expected, heard);
            for (const [i, news] of expected.entries()) {
              const other = heard[i] as LeaseNews;
              if ('fence' in news && 'fence' in other) pairs.expectPair(news.fence, other.fence);
              if (news.kind === 'granted' || news.kind === 'superseded') mine.delete(news.slot);
            }
          }
        };
        const sameLook = async (id: string): Promise<void> => {
          const ask = { q: '', limit: 10, lineLimit: 10 };
          const [modeled, real] = [model.look(id, ask), await store.look(id, ask)];
          same(modeled.slots, real.slots);
          const helds = (look: FleetLook) => look.processes.map(({ isSelf, held }) => `${isSelf} ${held}`).sort();
          expect(helds(real)).toEqual(helds(modeled));
        };
        for (const step of steps) {
          await play(step);
          await sameLook(ids[step.by] as string);
        }
        for (const id of ids) await store.end(id);
        expect((await world.keys()).filter((key) => !['clock', 'fence', 'seq'].includes(key))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
