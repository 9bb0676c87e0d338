// The measuring process: selects, runs, prints. --only NAME,NAME   these scenarios only
// --rounds N   measured rounds, default 7        --json FILE   the results as data
// --schedules   the scenarios of slotvisor/cron instead of the others
// --watching   the scenarios of what watches a supervisor instead of the others
// --fleet   the scenarios of slots over a fleet instead of the others

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { fleet } from './fleet.ts';
import { type Report, type Result, runScenario, type Scenario } from './harness.ts';
import { standBy } from './peers.ts';
import { policies } from './policies.ts';
import { queueing } from './queueing.ts';
import { scale } from './scale.ts';
import { schedules } from './schedules.ts';
import { table } from './table.ts';
import { watching } from './watching.ts';

const PEERS = ['p-queue', 'p-limit', 'fastq', 'async-mutex', 'async-lock', 'bottleneck', 'rxjs', 'effect'];
const SCHEDULE_PEERS = ['croner', 'node-cron'];
const WATCHING_PEERS = [
  '@opentelemetry/api',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/sdk-metrics',
  'prom-client',
  'pino',
];
const FLEET_PEERS = ['pg', 'ioredis', 'redis-semaphore', '@sesamecare-oss/redlock', 'bullmq'];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    json: { type: 'string' },
    schedules: { type: 'boolean', default: false },
    watching: { type: 'boolean', default: false },
    fleet: { type: 'boolean', default: false },
  },
});

function choose(): { readonly scenarios: readonly Scenario[]; readonly peers: readonly string[] } {
  if (values.schedules) return { scenarios: schedules, peers: SCHEDULE_PEERS };
  if (values.watching) return { scenarios: watching, peers: WATCHING_PEERS };
  if (values.fleet) return { scenarios: fleet, peers: FLEET_PEERS };
  return { scenarios: [...queueing, ...policies, ...scale], peers: PEERS };
}

const chosen = choose();
const all = chosen.scenarios;
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds must be a whole number from 1, got ${values.rounds}`);
const wanted = values.only?.split(',') ?? all.map(({ name }) => name);
const unknown = wanted.filter((name) => !all.some((scenario) => scenario.name === name));
if (unknown.length > 0)
  throw new Error(`no scenario is called ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`);

const versions = Object.fromEntries(chosen.peers.map((name) => [name, installedVersion(name)]));
const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
console.log(`node ${machine.node} on ${machine.cores} x ${machine.cpu}`);
console.log(
  `${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}\n`,
);

const standing = standBy();
const began = performance.now();
const results: Result[] = [];
for (const scenario of all) {
  if (!wanted.includes(scenario.name)) continue;
  const result = await runScenario(scenario, rounds);
  results.push(result);
  console.log(table(result));
}

const missed = results.flatMap(({ name, verdicts }) =>
  verdicts.filter(({ met }) => !met).map(({ reach }) => `${name}: ${reach}`),
);
globalThis.setImmediate(() => standing); // alive until here
const seconds = Math.round((performance.now() - began) / 1_000);
console.log(`${results.length} scenarios in ${seconds} s; ${missed.length} reaches missed`);
const report: Report = { machine, versions, results };
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
if (values.fleet) process.exit(); // connections of the peers are open; the servers end with this process

function installedVersion(name: string): string {
  const folder = ['test/bench/node_modules', 'node_modules'].find((parent) => existsSync(`${parent}/${name}`));
  const manifest = readFileSync(`${folder}/${name}/package.json`, 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
