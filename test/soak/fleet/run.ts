// `npm run soak:fleet -- [--store postgres|redis] [--seconds 300] [--seed N] [--mutant NAME]`: runs
// the chaos, first half of the time with PostgreSQL and then with Redis where it is installed, and
// prints a summary. Exits with 1 if a promise was broken.

import { parseArgs } from 'node:util';
import pg from 'pg';
import { PostgresServer } from '../../support/postgres-server.ts';
import { isRedisHere } from '../../support/redis-server.ts';
import { type Course, chaos, FAULTS, type FaultName, type Report } from './chaos.ts';
import { MUTANTS, type MutantName } from './mutants.ts';

const { values } = parseArgs({
  options: {
    store: { type: 'string' },
    seconds: { type: 'string', default: '300' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    mutant: { type: 'string' },
    faults: { type: 'string', default: FAULTS.join() },
    processes: { type: 'string', default: '6' },
    slots: { type: 'string', default: '50' },
  },
});
const stores = values.store === undefined ? (['postgres', 'redis'] as const) : [values.store as Course['store']];
const faults = values.faults.split(',') as FaultName[];
const isUsable =
  stores.every((store) => ['postgres', 'redis'].includes(store)) &&
  Number(values.seconds) > 0 &&
  Number.isInteger(Number(values.seed)) &&
  faults.every((fault) => FAULTS.includes(fault)) &&
  (values.mutant === undefined || values.mutant in MUTANTS);
if (!isUsable) {
  console.error(`usage: npm run soak:fleet -- [--store postgres|redis] [--seconds 300] [--seed N] [--mutant NAME]
  mutants: ${Object.keys(MUTANTS).join(', ')}
  --faults, by commas: ${FAULTS.join(', ')}`);
  process.exit(2);
}

const here = stores.filter((store) => store === 'postgres' || isRedisHere());
for (const store of stores) if (!here.includes(store)) console.log(`${store} is left out: it is not installed`);
const resource = await PostgresServer.start();
try {
  for (const store of here) {
    const report = await chaos({
      store,
      seconds: Number(values.seconds) / here.length,
      seed: Number(values.seed),
      processes: Number(values.processes),
      slots: Number(values.slots),
      ttlMs: 4_000,
      resourceUrl: await emptyDatabase(resource, store),
      judgesSilence: true,
      faults,
      mutant: values.mutant as MutantName | undefined,
    });
    for (const line of linesOf(store, report)) console.log(line);
    if (Object.values(report.counts).some((count) => count > 0)) process.exitCode = 1;
  }
} finally {
  await resource.remove();
}

async function emptyDatabase(server: PostgresServer, name: string): Promise<string> {
  const client = new pg.Client(server.url());
  await client.connect();
  await client.query(`create database ${name}_resource`);
  await client.end();
  return server.url(`${name}_resource`);
}

function linesOf(store: string, { counts, figures, faults, words }: Report): string[] {
  return [
    `${store}, seed ${values.seed}`,
    ...table(figures),
    'faults',
    ...table(faults),
    'broken promises',
    ...table(counts),
    ...words.map((line) => `  ! ${line}`),
  ];
}

function table(numbers: Readonly<Record<string, number>>): string[] {
  return Object.entries(numbers).map(
    ([name, value]) => `  ${name.padEnd(32)}${Math.round(value).toLocaleString('en').padStart(14)}`,
  );
}
