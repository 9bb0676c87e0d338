// Other code of the process interferes with a shutdown: `elsewhere.ts uncaught|handled|beforeExit`.
// There is one shutdown, and nothing hangs.

import { setTimeout as sleep } from 'node:timers/promises';
import { Supervisor } from 'slotvisor';
import { reportAtExit } from '../../support/report-at-exit.ts';

const [what] = process.argv.slice(2);
const supervisor = new Supervisor({ shutdownGraceMs: 3_600_000 });
reportAtExit(supervisor);

if (what === 'beforeExit') {
  await supervisor.submit({ run: () => sleep(5) }).outcome;
  process.on('beforeExit', () => void supervisor.shutdown());
} else {
  if (what === 'handled')
    process.on('uncaughtException', ({ message }) => {
      console.log(`caught: ${message}`);
      process.exitCode = 5;
      void supervisor.shutdown();
    });
  supervisor.submit({
    name: 'ends without force',
    run: async (ctx) => {
      await ctx.sleep(3_600_000).catch(() => sleep(100));
      console.log('ended without force');
    },
  });
  await new Promise(setImmediate);
  void supervisor.shutdown();
  setTimeout(() => {
    throw new Error('thrown elsewhere');
  }, 20);
}
