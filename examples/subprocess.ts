// A process that does not want to end, replaced in flight. It heeds no SIGTERM, and it has a child that heeds none either: a kill of the process
// alone would leave that child behind, writing. Here the whole group is killed, and the newer revision begins when no process of it is left.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Supervisor } from 'slotvisor';
import { subprocessTask } from 'slotvisor/subprocess';

const folder = mkdtempSync(join(tmpdir(), 'slotvisor-'));
const ticks = join(folder, 'ticks');
const ticked = (): number => (existsSync(ticks) ? readFileSync(ticks).length : 0);
const supervisor = new Supervisor({ graceMs: 100 }); // then SIGKILL

const STUBBORN = `
  trap '' TERM # children inherit that
  while :; do printf . >> "$TICKS"; sleep 0.01; done &
  echo ready
  wait`;

let said = 0;

function start(revision: number, script: string) {
  const submission = supervisor.submit({
    slot: 'converter',
    admission: 'replace',
    restart: 'never',
    run: subprocessTask('sh', ['-c', script], {
      env: { TICKS: ticks },
      inheritEnv: ['PATH'],
      onLine: (line) => {
        said += 1;
        console.log(`revision ${revision} says: ${line}`);
      },
    }),
  });
  console.log(`revision ${revision}: ${submission.admission}`);
  return submission;
}

const first = start(1, STUBBORN);
while (said === 0 || ticked() === 0) await sleep(1);

const second = start(2, 'for page in 1 2 3; do echo "page $page"; done');
console.log(`revision 1: ${(await first.outcome).kind}`);
const before = ticked();
console.log(`revision 2: ${(await second.outcome).kind}`);

await sleep(50);
console.log(`ticks of revision 1 after its end: ${ticked() - before}`);
rmSync(folder, { recursive: true });
