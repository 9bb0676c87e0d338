// The static mode: the tasks are known from the start, `run` lives as long as they do. SIGINT and SIGTERM drain meanwhile.

import { FatalError, once, restartable, Supervisor } from 'slotvisor';

const supervisor = new Supervisor({ defaults: { backoff: { firstMs: 10 } } });

const specs = [
  // One attempt, whatever comes of it.
  once(() => 'schema is up to date', { name: 'migrate' }),

  // Tried again until it returns.
  restartable(
    async (ctx) => {
      await ctx.sleep(10);
      if (ctx.attempt < 3) throw new Error('the broker refused the connection');
      return 'cache is warm';
    },
    { name: 'warm-cache' },
  ),

  // ...but not for ever.
  restartable(
    () => {
      throw new Error('no such bucket');
    },
    { name: 'backup', maxRetries: 2 },
  ),

  // Some failures are not worth a retry, and the body knows which.
  restartable(
    () => {
      throw new FatalError('the licence has expired');
    },
    { name: 'billing' },
  ),
];

// One that fails takes nobody down and does not make run() reject: what to make of it is decided here, on data.
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
