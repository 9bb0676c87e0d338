// Work by the clock: a nightly report that knows its date, a poller whose runs never overlap, and a night that has one hour too many.
// Three days of it pass in no time: the clock is the one for tests. In your service leave `clock` out, and nothing else changes.

import { Supervisor } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { VirtualClock } from 'slotvisor/testing';

const clock = new VirtualClock({ wallMs: Date.parse('2026-10-23T12:00:00Z') });
const supervisor = new Supervisor({ clock });

const report = schedule(supervisor, {
  cron: '30 2 * * *',
  timezone: 'Europe/Berlin', // where the clocks show 2:30 twice on the 25th: it is run once
  missed: 'once', // after a sleep of the machine, a stall or a pause: the latest date that was missed is made up for
  task: {
    slot: 'report',
    restart: 'never', // tomorrow is soon enough
    run: (_, due) => console.log(`report for ${due.toISOString()}`),
  },
});
console.log(
  `next: ${report
    .next(3)
    .map((date) => date.toISOString().slice(5, 16))
    .join(', ')}`,
);

// A date every 10 minutes, and runs of 25: the slot is busy then, so two dates of three are dropped. That is the admission policy, which is
// `dropIfRunning` for schedules; `queue`, `replace`, `keepLatest` and `join` do what they always do. There is no second option for overlap.
const poller = schedule(supervisor, {
  everyMs: 10 * 60_000,
  maxRuns: 3,
  task: { slot: 'poll', run: (ctx) => ctx.sleep(25 * 60_000) },
});

await clock.advance(2 * 60 * 60_000);
const { submitted, dropped } = poller.totals;
console.log(`poller: ${submitted} dates, ${dropped} dropped, ${poller.status}`);

// By hand, and through the same slot.
const now = report.trigger();
console.log(`by hand: ${now.admission}, then ${(await now.outcome).kind}`);

await clock.advance(24 * 60 * 60_000);
report.pause();
await clock.advance(24 * 60 * 60_000);
report.resume(); // the date of the paused night is made up for, late
await clock.advance(24 * 60 * 60_000);

for (const run of report.runs)
  if (run.kind === 'submitted')
    console.log(`${run.cause}: ${(run.at.getTime() - run.due.getTime()) / 60_000} min late, ${run.outcome?.kind}`);

await supervisor.shutdown(); // ends its schedules; no timer is left
console.log(`${report.status}, ${clock.timers} timers`);
