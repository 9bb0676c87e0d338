// Shows: the static mode. run() waits for a fixed list of tasks; SIGINT and SIGTERM stop them.
// Run: node --import tsx examples/static-run.ts

import { FatalError, once, restartable, Supervisor } from 'slotvisor';

const supervisor = new Supervisor({ defaults: { backoff: { firstMs: 10 } } });

const specs = [
  // One attempt, without a retry.
  once(() => 'schema is up to date', { name: 'migrate' }),

  // Retried until it returns.
  restartable(
    async (ctx) => {
      await ctx.sleep(10);
      if (ctx.attempt < 3) throw new Error('the broker refused the connection');
      return 'cache is warm';
    },
    { name: 'warm-cache' },
  ),

  // Retried at most twice.
  restartable(
    () => {
      throw new Error('no such bucket');
    },
    { name: 'backup', maxRetries: 2 },
  ),

  // A FatalError is never retried.
  restartable(
    () => {
      throw new FatalError('the licence has expired');
    },
    { name: 'billing' },
  ),
];

// A failed task does not stop the other tasks, and run() does not reject. The outcomes are data.
const { outcomes, shutdown } = await supervisor.run(specs);

for (const [i, outcome] of outcomes.entries()) {
  const name = specs[i]?.name;
  if (outcome.kind === 'completed') console.log(`${name}: ${outcome.value}, attempts: ${outcome.attempts}`);
  else if (outcome.kind === 'failed')
    console.log(`${name}: failed by ${outcome.because}, attempts: ${outcome.attempts}: ${outcome.failure.message}`);
  else if (outcome.kind === 'fatal') console.log(`${name}: given up at once: ${outcome.failure.message}`);
  else console.log(`${name}: ${outcome.kind}`);
}

const { completed, failed, fatal } = shutdown.counts;
console.log(`${completed} completed, ${failed} failed, ${fatal} fatal`);
