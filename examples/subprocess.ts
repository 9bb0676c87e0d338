// Shows: a replacement kills a process and its child, both of which ignore SIGTERM.
// Run: node --import tsx examples/subprocess.ts

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Supervisor } from 'slotvisor';
import { subprocessTask } from 'slotvisor/subprocess';

const folder = mkdtempSync(join(tmpdir(), 'slotvisor-'));
const ticks = join(folder, 'ticks');
const ticked = (): number => (existsSync(ticks) ? readFileSync(ticks).length : 0);
const supervisor = new Supervisor({ defaults: { graceMs: 100 } }); // then SIGKILL

// A kill of the shell alone would leave its child alive, and writing. Here the whole group is
// killed. The next revision starts when no process of the group is left.
const STUBBORN = `
  trap '' TERM # children inherit this
  while :; do printf . >> "$TICKS"; sleep 0.01; done &
  echo ready
  wait`;

let lines = 0;

function start(revision: number, script: string) {
  const submission = supervisor.submit({
    slot: 'converter',
    admission: 'replace',
    restart: 'never',
    run: subprocessTask('sh', ['-c', script], {
      env: { TICKS: ticks },
      inheritEnv: ['PATH'],
      onLine: (line) => {
        lines += 1;
        console.log(`revision ${revision} says: ${line}`);
      },
    }),
  });
  console.log(`revision ${revision}: ${submission.admission}`);
  return submission;
}

const first = start(1, STUBBORN);
while (lines === 0 || ticked() === 0) await sleep(1);

const second = start(2, 'for page in 1 2 3; do echo "page $page"; done');
console.log(`revision 1: ${(await first.outcome).kind}`);
const before = ticked();
console.log(`revision 2: ${(await second.outcome).kind}`);

await sleep(50);
console.log(`ticks of revision 1 after its end: ${ticked() - before}`);
rmSync(folder, { recursive: true });
