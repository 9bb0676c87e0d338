// One sync loop per tenant, replaced whenever its configuration changes. The new loop begins when the old one has *ended*,
// clean-up included: asking it to stop is not enough, or two loops would write to the same tenant.

import { setTimeout as sleep } from 'node:timers/promises';
import { Supervisor } from 'slotvisor';

const supervisor = new Supervisor();

function startSync(tenant: string, revision: number) {
  const label = `${tenant} rev ${revision}`;
  const submission = supervisor.submit({
    slot: `sync:${tenant}`, // other tenants have slots of their own, and never wait for this one
    name: label,
    admission: 'replace',
    run: async (ctx) => {
      console.log(`${label}: began`);
      try {
        // A loop that lives until it is told to stop. ctx.signal goes to fetch, readFile, a database driver: whatever takes one.
        for (;;) await ctx.sleep(10);
      } finally {
        console.log(`${label}: told to stop, saving its cursor`);
        await sleep(30); // the slot stays taken for as long as this takes
        console.log(`${label}: ended`);
      }
    },
  });
  console.log(`${label}: ${submission.admission}`);
  return submission;
}

startSync('acme', 1);
await sleep(20);

// Two changes in a row: the first replacement has not begun when the second comes, so it never will. Only the latest matters.
const second = startSync('acme', 2);
const third = startSync('acme', 3);
const outcome = await second.outcome;
if (outcome.kind === 'rejected') console.log(`acme rev 2: never began, ${outcome.reason}`);

await sleep(100);
await third.cancel('the tenant has left'); // resolves at proof of end
console.log('no loop is left');
