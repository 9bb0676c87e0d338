// The examples of slots that processes share, each with a server.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXAMPLES, linesOf, ROOT, serverOf, startExample } from '../support/example.ts';
import { freshSchema, postgresUrl } from '../support/postgres.ts';
import { ioredisClient, redisUrl, withRedis } from '../support/redis.ts';

/** The complete output of each example. */
const WITH_POSTGRES: Readonly<Record<string, readonly string[]>> = {
  'fleet-failover.ts': [
    'first: runs',
    'second: waiting',
    'second: runs beside the first: false',
    'first: killed',
    'second: runs, with a greater fence: true',
  ],
  'fleet-cron.ts': [
    'first: makes the reports',
    'both: each of the next two dates was made',
    'first: killed',
    'second: makes the reports',
    'dates that ran twice: 0',
  ],
  'fenced-writer.ts': [
    'first: owns the slot, and is frozen before its write',
    'second: its fenced write changed the row: true',
    'first: its fenced write changed the row: false',
    'first: assertOwned threw SV001',
    'the text is from the second',
  ],
};
const WITH_REDIS: Readonly<Record<string, readonly string[]>> = {
  'durable-bullmq.ts': [
    ...[1, 2, 3, 4, 5, 6].flatMap((n) => [`revision ${n}: began`, `revision ${n}: ended`]),
    [...Array(5).fill('canceled by replace'), 'completed'].join(', '),
  ],
};

test('this file runs every example that needs a server', () => {
  const needing = (server: string) => EXAMPLES.filter((name) => serverOf(name) === server).sort();
  expect(needing('DATABASE_URL')).toEqual(Object.keys(WITH_POSTGRES).sort());
  expect(needing('REDIS_URL')).toEqual(Object.keys(WITH_REDIS).sort());
});

/** Time is not stretched: the servers have clocks of their own. */
async function run(name: string, env: NodeJS.ProcessEnv) {
  const { code, stdout, stderr } = await startExample(name, 1, env).ended;
  return { code, stderr, lines: linesOf(stdout) };
}

/** The schema or the prefix of an example. Other tests have others. */
const placeOf = (name: string): string =>
  /^const (?:schema|prefix) = '(.+?)'/m.exec(readFileSync(join(ROOT, 'examples', name), 'utf8'))?.[1] ?? 'none';

describe('with PostgreSQL', () => {
  for (const [name, lines] of Object.entries(WITH_POSTGRES))
    test(`${name} prints exactly its expected lines, exits with 0, and leaves no schema behind`, async () => {
      expect(await run(name, { DATABASE_URL: postgresUrl() })).toEqual({ code: 0, stderr: '', lines });
      const { pool } = await freshSchema();
      const { rows } = await pool.query('select 1 from pg_namespace where nspname = $1', [placeOf(name)]);
      expect(rows).toEqual([]);
    });
});

withRedis('with Redis', () => {
  for (const [name, lines] of Object.entries(WITH_REDIS))
    test(`${name} prints exactly its expected lines, exits with 0, and leaves no key behind`, async () => {
      expect(await run(name, { REDIS_URL: redisUrl() })).toEqual({ code: 0, stderr: '', lines });
      expect(await ioredisClient().keys(`*${placeOf(name)}*`)).toEqual([]);
    });
});
