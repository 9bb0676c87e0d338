// Shows: the dashboard of a backend in which much goes wrong: 2,000 slots in groups, tenants that
// fail, bodies that overrun, a pause with work behind it, schedules, a vital slot that is dead.
// It goes on until you press Ctrl+C.
// Run: npm run build:ui && node --import tsx examples/dashboard.ts

import { Supervisor, stopOnSignals } from 'slotvisor';
import { schedulesOf } from 'slotvisor/cron';
import { dashboard } from 'slotvisor/dashboard';
import { startJobs } from './dashboard/jobs.ts';
import { startTenants } from './dashboard/tenants.ts';
import { startTroubles } from './dashboard/troubles.ts';

const supervisor = new Supervisor({ graceMs: 3_000 });
const page = dashboard(supervisor, {
  title: 'orders-backend',
  schedules: schedulesOf,
  // Its page can be asked for from this machine only, so all who see it may act.
  authorize: (request) => ['127.0.0.1', 'localhost'].includes(new URL(request.url).hostname),
  actions: true,
  meta: (meta) => meta, // nothing secret is in it
});

startTenants(supervisor, 2_000);
startJobs(supervisor);
const endTroubles = startTroubles(supervisor);

const { url } = await page.serve({ port: Number(process.env.PORT ?? 0) });
console.log(`dashboard: ${url}`);

stopOnSignals(supervisor, {
  before: endTroubles, // else the bodies that overrun would be given up
  after: ({ cause, clean }) => {
    page.close(); // until here it shows the shutdown
    console.log(`report: cause ${cause}, clean ${clean}`);
  },
});
