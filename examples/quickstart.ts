// Shows: submit two bodies to one slot, restart the first until it succeeds, and read the outcomes.
// Run: node --import tsx examples/quickstart.ts

import { Supervisor } from 'slotvisor';

// An idle supervisor holds no timer and does not keep the process alive.
const supervisor = new Supervisor();

const orders = supervisor.submit({
  slot: 'import', // at most one body is alive in this slot
  restart: 'onFailure', // the default
  backoff: { firstMs: 10 },
  run: async (ctx) => {
    await ctx.sleep(10); // a stop request ends this sleep at once
    if (ctx.attempt < 3) throw new Error('the upstream said 503');
    return '42 rows';
  },
});

// submit decides before it returns, and calls none of your functions. The body runs later.
console.log(`orders: ${orders.admission}`);

// The slot is busy, so this submission is queued.
const prices = supervisor.submit({ slot: 'import', run: () => '7 rows' });
console.log(`prices: ${prices.admission}`);

// An outcome never rejects. Its kind says how the task ended.
const outcome = await orders.outcome;
if (outcome.kind === 'completed') console.log(`orders: ${outcome.value}, after ${outcome.attempts} attempts`);

// value() resolves with the value, and throws an OutcomeError for every other outcome.
console.log(`prices: ${await prices.value()}`);
