// A body calls process.exit while its supervisor is in a phase: `exit-inside.ts open|closing`.
// Nothing may keep the process alive, and no second shutdown begins.

import { Supervisor } from 'slotvisor';
import { reportAtExit } from '../../support/report-at-exit.ts';

const [when] = process.argv.slice(2);
const supervisor = new Supervisor({ shutdownGraceMs: 3_600_000, subscriberGraceMs: 3_600_000 });
supervisor.subscribe(() => new Promise(() => {}));
reportAtExit(supervisor);

void supervisor.run([
  { name: 'hanging', run: () => new Promise(() => {}) },
  { name: 'sleeping', run: (ctx) => ctx.sleep(3_600_000) },
  { name: 'retrying', backoff: { firstMs: 3_600_000, maxMs: 3_600_000 }, run: () => Promise.reject(new Error('boom')) },
  {
    name: 'exiting',
    run: async (ctx) => {
      await ctx.sleep(20);
      if (when === 'open') process.exit(3);
      ctx.onCancel(() => process.exit(4));
      void supervisor.shutdown();
      await ctx.sleep(3_600_000);
    },
  },
]);
