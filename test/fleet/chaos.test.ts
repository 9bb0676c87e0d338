// Real processes and real servers that are killed, frozen, cut off and restarted under load.
// Nothing is judged that depends on how fast the machine is.

import { describe, expect, it } from 'vitest';
import { type Course, chaos } from '../soak/fleet/chaos.ts';
import { RULES } from '../soak/fleet/history.ts';
import { SEED } from '../support/effort.ts';
import { freshSchema } from '../support/postgres.ts';
import { withRedis } from '../support/redis.ts';

async function expectSound(store: Course['store'], seconds: number): Promise<void> {
  const { pool, schema, url } = await freshSchema();
  await pool.query(`create schema ${schema}`);
  const resource = new URL(url);
  resource.searchParams.set('options', `-c search_path=${schema}`);
  const course = { store, seconds, seed: SEED, processes: 4, slots: 12, ttlMs: 4_000, resourceUrl: resource.href };
  const { counts, words, figures } = await chaos(course);
  expect(words).toEqual([]);
  expect(counts).toEqual(Object.fromEntries(RULES.map((rule) => [rule, 0])));
  // The load was real.
  expect(figures.bodies).toBeGreaterThan(20);
  expect(figures.steps).toBeGreaterThan(200);
  expect(figures.writes).toBeGreaterThan(20);
}

const claim = 'run at most one body a slot, take no stale step, and leave nothing behind';

describe('processes that share slots in PostgreSQL', () => {
  it(`${claim}, in 14 s of faults (seed ${SEED})`, () => expectSound('postgres', 14));
});

withRedis('processes that share slots in Redis', () => {
  it(`${claim}, in 8 s of faults (seed ${SEED})`, () => expectSound('redis', 8));
});
