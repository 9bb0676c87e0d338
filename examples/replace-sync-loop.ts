// Shows: one sync loop per tenant. A new revision starts when the old loop has ended.
// Run: node --import tsx examples/replace-sync-loop.ts

import { setTimeout as sleep } from 'node:timers/promises';
import { Supervisor } from 'slotvisor';

const supervisor = new Supervisor();

// A stop request alone is not enough: until the old loop has ended, two loops would write to the
// same tenant.
function startSync(tenant: string, revision: number) {
  const label = `${tenant} rev ${revision}`;
  const submission = supervisor.submit({
    slot: `sync:${tenant}`, // each tenant has a slot of its own
    name: label,
    admission: 'replace',
    run: async (ctx) => {
      console.log(`${label}: began`);
      try {
        // Runs until a stop request. Pass ctx.signal to fetch, readFile or a database driver.
        for (;;) await ctx.sleep(10);
      } finally {
        console.log(`${label}: stopping, saves its cursor`);
        await sleep(30); // the slot is busy until this is done
        console.log(`${label}: ended`);
      }
    },
  });
  console.log(`${label}: ${submission.admission}`);
  return submission;
}

startSync('acme', 1);
await sleep(20);

// Two changes in a row: revision 2 is still waiting when revision 3 comes, so it is rejected.
const second = startSync('acme', 2);
const third = startSync('acme', 3);
const outcome = await second.outcome;
if (outcome.kind === 'rejected') console.log(`acme rev 2: never began, ${outcome.reason}`);

await sleep(100);
await third.cancel('the tenant has left'); // resolves at proof of end
console.log('no loop is left');
