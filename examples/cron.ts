// Schedules: a nightly report that gets the date of its run, and a poller whose runs never overlap.
// One of the nights has an extra hour, because the clocks go back. Three days pass at once on a
// virtual clock. In your service leave `clock` out; nothing else changes.

import { Supervisor } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { VirtualClock } from 'slotvisor/testing';

const clock = new VirtualClock({ wallMs: Date.parse('2026-10-23T12:00:00Z') });
const supervisor = new Supervisor({ clock });

const report = schedule(supervisor, {
  cron: '30 2 * * *',
  timezone: 'Europe/Berlin', // 2:30 comes twice there on the 25th; the report runs once
  missed: 'once', // after a pause, a blocked event loop or a sleep, run the latest missed date late
  task: {
    slot: 'report',
    restart: 'never', // if a run fails, wait for the next date
    run: (_, due) => console.log(`report for ${due.toISOString()}`),
  },
});
console.log(
  `next: ${report
    .next(3)
    .map((date) => date.toISOString().slice(5, 16))
    .join(', ')}`,
);

// A date comes every 10 minutes, and a run takes 25. The slot is busy at two of three dates, and
// these are dropped. The slot's admission policy decides that: `dropIfRunning` is the default of
// schedules. `queue`, `replace`, `keepLatest` and `join` work as for any other submission.
const poller = schedule(supervisor, {
  everyMs: 10 * 60_000,
  maxRuns: 3,
  task: { slot: 'poll', run: (ctx) => ctx.sleep(25 * 60_000) },
});

await clock.advance(2 * 60 * 60_000);
const { submitted, dropped } = poller.totals;
console.log(`poller: ${submitted} dates, ${dropped} dropped, ${poller.status}`);

// A run without a date, through the same slot.
const now = report.trigger();
console.log(`by hand: ${now.admission}, then ${(await now.outcome).kind}`);

await clock.advance(24 * 60 * 60_000);
report.pause();
await clock.advance(24 * 60 * 60_000);
report.resume(); // the date of the paused night runs now, late
await clock.advance(24 * 60 * 60_000);

for (const run of report.runs)
  if (run.kind === 'submitted')
    console.log(`${run.cause}: ${(run.at.getTime() - run.due.getTime()) / 60_000} min late, ${run.outcome?.kind}`);

await supervisor.shutdown(); // ends the schedules; no timer is left
console.log(`${report.status}, ${clock.timers} timers`);
