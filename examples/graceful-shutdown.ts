// SIGTERM, done right: everybody is told to stop and gets the same grace; whoever is still alive after it is named, not guessed at.

import { setTimeout as sleep } from 'node:timers/promises';
import { Supervisor } from 'slotvisor';

const supervisor = new Supervisor();

// The first signal begins the shutdown. A second one joins it, and leaves it no more time.
let graceMs = 200; // in production: a little less than what the platform allows before it kills
process.on('SIGTERM', () => {
  console.log(`SIGTERM: ${graceMs} ms to go`);
  void supervisor.shutdown({ graceMs });
  graceMs = 0;
});

const mailer = supervisor.submit({
  slot: 'mailer',
  run: async (ctx) => {
    try {
      for (;;) await ctx.sleep(10); // letters go out here
    } finally {
      console.log('mailer: told to stop, delivers the letter in hand');
      await sleep(20);
    }
  },
});

const importer = supervisor.submit({
  slot: 'importer',
  // It looks at no signal, and nobody can end it from outside. ("ref: false" only lets this example exit before it does.)
  run: () => sleep(60_000, 'too late', { ref: false }),
});

const waiting = supervisor.submit({ slot: 'importer', name: 'next import', run: () => 'never begun' });

await sleep(20);
process.kill(process.pid, 'SIGTERM'); // as an orchestrator would

// Each outcome comes when its own body has ended: the stubborn one delays nobody else's.
for (const task of [waiting, mailer, importer]) {
  const outcome = await task.outcome;
  console.log(`${task.name}: ${outcome.kind}`);
}

const report = await supervisor.closed;
console.log(`everybody ended within the grace: ${report.withinGrace}`);
console.log(`may still be alive: ${report.abandoned.map((task) => task.name).join(', ')}`);
