// Shows: a tick is dropped while the run of an earlier tick is still alive in the slot.
// Run: node --import tsx examples/dedupe-periodic-jobs.ts

import { periodic, Supervisor } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';

const MINUTE = 60_000;
const clock = new VirtualClock(); // for this example; without it, a minute takes a minute
const supervisor = new Supervisor({ clock });

// Ticks may come from anywhere: cron, a webhook, a message. Here a periodic task makes them.
// (If the job itself is the periodic task, its runs never overlap, and there is nothing to drop.)
supervisor.submit(
  periodic(MINUTE, () => {
    const report = supervisor.submit({
      slot: 'usage-report', // runs of the same slot never overlap
      admission: 'dropIfRunning',
      run: (ctx) => ctx.sleep(2.5 * MINUTE), // the slow work
    });
    console.log(`minute ${clock.now() / MINUTE}: ${report.admission}`); // 'rejected' is not thrown
  }),
);

await clock.advance(5.5 * MINUTE);

const { dropped, completed } = supervisor.snapshot().totals; // exact counts
console.log(`${dropped} ticks were dropped, ${completed} reports were made`);
