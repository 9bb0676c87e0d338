// Shows: a shutdown on SIGTERM, in stages. What was accepted is finished, what others need goes last.
// Run: node --import tsx examples/graceful-shutdown.ts

import { setTimeout as sleep } from 'node:timers/promises';
import { Supervisor } from 'slotvisor';

// In production: a little less than the time that your platform allows. The default fits Kubernetes.
const supervisor = new Supervisor({ shutdownGraceMs: 1_000, finishMs: 500 });

// A second signal leaves no more time.
let graceMs: number | undefined;
process.on('SIGTERM', () => {
  console.log('SIGTERM');
  void supervisor.shutdown({ graceMs });
  graceMs = 0;
});

// Asked to stop at once, since nothing is accepted any more.
const consumer = supervisor.submit({
  slot: 'consumer',
  run: async (ctx) => {
    try {
      for (;;) await ctx.sleep(10); // orders come in here
    } finally {
      console.log('consumer: takes no more orders');
    }
  },
});

// Finishers: an order that was accepted is still handled, also the one that waits.
const orders = ['order 1', 'order 2'].map((name) =>
  supervisor.submit({
    slot: 'orders',
    name,
    onShutdown: 'finish',
    run: async () => {
      await sleep(50);
      console.log(`${name}: handled`);
    },
  }),
);

// An order that takes too long is asked to stop when the finish time is over.
const slow = supervisor.submit({
  slot: 'slow order',
  onShutdown: 'finish',
  run: async (ctx) => {
    ctx.onCancel(() => console.log('slow order: its time is over'));
    await ctx.sleep(60_000);
  },
});

// Stage 1: it begins when everything above has ended, since that needs the connection.
const connection = supervisor.submit({
  slot: 'connection',
  shutdownStage: 1,
  run: async (ctx) => {
    try {
      await ctx.sleep(Infinity);
    } finally {
      console.log('connection: closes last');
    }
  },
});

// This body ignores its signal. ("ref: false" lets the process exit before the sleep ends.)
const stubborn = supervisor.submit({
  slot: 'stubborn',
  shutdownStage: 1,
  run: () => sleep(60_000, 'too late', { ref: false }),
});

await sleep(20);
process.kill(process.pid, 'SIGTERM'); // as an orchestrator would

for (const task of [consumer, ...orders, slow, connection, stubborn]) {
  const outcome = await task.outcome;
  console.log(`${task.name}: ${outcome.kind}`);
}

const report = await supervisor.closed;
console.log(`all ended within the grace: ${report.clean}`);
console.log(`may still be alive: ${report.abandoned.map((task) => task.name).join(', ')}`);
process.on('exit', (code) => console.log(`the process exits by itself, with ${code}`));
