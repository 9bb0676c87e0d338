// The measuring process: selects, runs, prints. --only NAME,NAME   these scenarios only
// --rounds N   measured rounds, default 7        --json FILE   the results as data
// --schedules   the scenarios of slotvisor/cron instead of the others
// --watching   the scenarios of what watches a supervisor instead of the others
// --fleet   the scenarios of slots over a fleet instead of the others

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Copy, type Report, type Result, runScenario } from './harness.ts';
import { type Kind, scenarios, standBy } from './scenarios.ts';
import { table } from './table.ts';

const PEERS: Readonly<Record<Kind, readonly string[]>> = {
  common: ['p-queue', 'p-limit', 'fastq', 'async-mutex', 'async-lock', 'bottleneck', 'rxjs', 'effect'],
  schedules: ['croner', 'node-cron'],
  watching: [
    '@opentelemetry/api',
    '@opentelemetry/sdk-trace-base',
    '@opentelemetry/sdk-metrics',
    'prom-client',
    'pino',
  ],
  fleet: ['pg', 'ioredis', 'redis-semaphore', '@sesamecare-oss/redlock', 'bullmq'],
};
/** Fewer rounds do not give a median that decides. */
const ENOUGH_ROUNDS = 7;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: `${ENOUGH_ROUNDS}` },
    json: { type: 'string' },
    schedules: { type: 'boolean', default: false },
    watching: { type: 'boolean', default: false },
    fleet: { type: 'boolean', default: false },
    against: { type: 'string' }, // run.ts has made the copy of it
  },
});

const kind = (['schedules', 'watching', 'fleet'] as const).find((one) => values[one]) ?? 'common';
const all = scenarios[kind];
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds must be a whole number from 1, got ${values.rounds}`);
const wanted = values.only?.split(',') ?? all.map(({ name }) => name);
const unknown = wanted.filter((name) => !all.some((scenario) => scenario.name === name));
if (unknown.length > 0)
  throw new Error(`no scenario is called ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`);

const versions = Object.fromEntries(PEERS[kind].map((name) => [name, installedVersion(name)]));
const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
console.log(`node ${machine.node} on ${machine.cores} x ${machine.cpu}`);
console.log(
  `${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}\n`,
);
if (rounds < ENOUGH_ROUNDS) console.log(`${rounds} rounds are too few to decide anything: take ${ENOUGH_ROUNDS}\n`);

const builds = await Promise.all(
  (['control', ...(values.against === undefined ? [] : ['against' as const])] as const).map(load),
);
const standing = [standBy(), ...builds.map((build) => build.standBy())];
const began = performance.now();
const results: Result[] = [];
for (const scenario of all) {
  if (!wanted.includes(scenario.name)) continue;
  const copies = builds.map((build) => build.copyOf(scenario.name));
  const result = await runScenario(scenario, copies, rounds);
  results.push(result);
  console.log(table(result));
}

const verdicts = results.flatMap(({ verdicts }) => verdicts);
const missed = verdicts.filter(({ met }) => !met);
const seconds = Math.round((performance.now() - began) / 1_000);
console.log(
  `${results.length} scenarios in ${seconds} s; ${missed.length} of ${verdicts.length} reaches missed, ` +
    `${missed.filter(({ close }) => close).length} of these within the spread`,
);
const report: Report = { machine, versions, results };
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
if (standing.length === 0) throw new Error('nothing stood by'); // alive until here
process.exit(); // some contestants leave timers and connections; the servers of a fleet end with this process

/** The folders of the builds lie side by side (run.ts). */
async function load(name: Copy['name']) {
  const module = new URL(`../../../${name}/test/bench/scenarios.js`, import.meta.url).href;
  const build = (await import(module)) as typeof import('./scenarios.ts');
  return {
    standBy: build.standBy,
    copyOf(wanted: string): Copy {
      const scenario = build.scenarios[kind].find((one) => one.name === wanted);
      if (scenario === undefined) throw new Error(`no scenario of ${name} is called ${wanted}`);
      return { name, scenario };
    },
  };
}

function installedVersion(name: string): string {
  const folder = ['test/bench/node_modules', 'node_modules'].find((parent) => existsSync(`${parent}/${name}`));
  const manifest = readFileSync(`${folder}/${name}/package.json`, 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
