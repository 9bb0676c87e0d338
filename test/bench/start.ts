// What it costs to import a package: CPU time of a process that does nothing else, above that of a
// process that imports nothing.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Contestant, Scenario } from './harness.ts';
import type { Measured } from './measure.ts';

/** From here every package is found, and 'slotvisor' is the build that this file belongs to. */
const cwd = fileURLToPath(new URL('.', import.meta.url));
/** One import takes some 20 ms, and a process starts with a jitter of some ms. */
const TIMES = 3;

function cpuMsOfImporting(name: string): number {
  const program = `await import('${name}'); const { user, system } = process.cpuUsage(); console.log(user + system);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd,
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return Number(stdout) / 1e3;
}

const importing = (name: string): Contestant => ({
  name,
  async measure(): Promise<Measured> {
    let ms = 0;
    for (let n = 0; n < TIMES; n += 1) ms += cpuMsOfImporting(name) - cpuMsOfImporting('data:text/javascript,');
    return { figure: ms / TIMES };
  },
});

export const start: readonly Scenario[] = [
  {
    name: 'import',
    title: 'import a package: CPU of the process, less that of a process without imports',
    unit: 'ms',
    floor: 'p-queue, which slotvisor brings along',
    reaches: [{ atMost: 2, of: 'p-queue' }],
    contestants: () => [importing('p-queue'), importing('slotvisor'), importing('bottleneck')],
  },
];
