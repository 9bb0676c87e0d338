// Shows: a shutdown on SIGTERM. All bodies get one grace, and the report names those still alive.
// Run: node --import tsx examples/graceful-shutdown.ts

import { setTimeout as sleep } from 'node:timers/promises';
import { Supervisor } from 'slotvisor';

const supervisor = new Supervisor();

// The first signal starts the shutdown. A second signal ends its grace at once.
let graceMs = 200; // in production: a little less than the time that your platform allows
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
      console.log('mailer: stopping, delivers its last letter');
      await sleep(20);
    }
  },
});

const importer = supervisor.submit({
  slot: 'importer',
  // This body ignores its signal. ("ref: false" lets this example exit before the sleep ends.)
  run: () => sleep(60_000, 'too late', { ref: false }),
});

const waiting = supervisor.submit({ slot: 'importer', name: 'next import', run: () => 'never begun' });

await sleep(20);
process.kill(process.pid, 'SIGTERM'); // as an orchestrator would

// Each outcome resolves when its own body has ended. The importer does not delay the others.
for (const task of [waiting, mailer, importer]) {
  const outcome = await task.outcome;
  console.log(`${task.name}: ${outcome.kind}`);
}

const report = await supervisor.closed;
console.log(`all ended within the grace: ${report.withinGrace}`);
console.log(`may still be alive: ${report.abandoned.map((task) => task.name).join(', ')}`);
