// Ticks that come faster than the job they start: while one run is alive, a tick for the same slot is dropped, not piled up.

import { periodic, Supervisor } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';

const MINUTE = 60_000;
const clock = new VirtualClock(); // minutes pass at once; leave it out, and they take a minute each
const supervisor = new Supervisor({ clock });

// Ticks may come from anywhere: cron, a webhook, a message. These come from a periodic task of their own.
// (A job whose schedule is yours is a periodic itself, and needs none of this: its pause is measured from the end of a run.)
supervisor.submit(
  periodic(MINUTE, () => {
    const report = supervisor.submit({
      slot: 'usage-report', // the name is the whole deduplication: no flag to set, none to forget in a catch
      admission: 'dropIfRunning',
      run: (ctx) => ctx.sleep(2.5 * MINUTE), // the slow work
    });
    console.log(`minute ${clock.now() / MINUTE}: ${report.admission}`); // turned away is an answer, not an exception
  }),
);

await clock.advance(5.5 * MINUTE);

const { dropped, completed } = supervisor.snapshot().totals; // exact, whoever listened to which event
console.log(`${dropped} ticks were dropped, ${completed} reports were made`);
