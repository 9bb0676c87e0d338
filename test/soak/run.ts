// `npm run soak [minutes] [seed]`: runs the soak (default: ten minutes of load) and prints its
// report. Exits with 1 if the supervisor broke a promise.

import { WRONGS } from './monitor.ts';
import { megabytes, type Report, soak } from './world.ts';

const [minutes = '10', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
if (!(Number(minutes) > 0) || globalThis.gc === undefined) {
  console.error('usage: node --expose-gc --import tsx test/soak/run.ts [minutes] [seed]');
  process.exit(2);
}

const SLOTS = 1_000;
console.log(`soak: ${minutes} minutes, ${SLOTS} slots, seed ${seed}`);
const report = await soak({
  seed: Number(seed),
  minutes: Number(minutes),
  slots: SLOTS,
  mostGrownBytes: 2 ** 20,
  progress: console.log,
});
for (const line of linesOf(report)) console.log(line);
if (!report.findings.sound) process.exitCode = 1;

function linesOf({ findings, heapBytes, grownBytes, outcomes, faults, ...load }: Report): string[] {
  const { rounds, seconds, submissions, bodies, events, longestTurnMs } = load;
  return [
    '',
    ...table({
      rounds,
      seconds,
      submissions,
      'submissions a second': submissions / seconds,
      bodies,
      events,
      'longest turn of the loop, ms': longestTurnMs,
    }),
    '',
    'outcomes of the long-lived supervisor',
    ...table(outcomes),
    '',
    'faults',
    ...table(faults),
    '',
    'heap after each round, when everything has ended',
    `  ${heapBytes.map(megabytes).join(', ')}`,
    `  growth after the warm-up: ${megabytes(grownBytes)}`,
    '',
    'broken promises',
    ...table(Object.fromEntries(WRONGS.map((wrong) => [wrong, findings.counts[wrong]]))),
    ...findings.words.map((words) => `  ! ${words}`),
    '',
    findings.sound ? 'sound' : 'NOT SOUND',
  ];
}

function table(numbers: Readonly<Record<string, number>>): string[] {
  return Object.entries(numbers).map(
    ([name, value]) => `  ${name.padEnd(32)}${Math.round(value).toLocaleString('en').padStart(14)}`,
  );
}
