// The shortest way in: submit a body to a slot, let it be restarted until it succeeds, look at how it ended.

import { Supervisor } from 'slotvisor';

// Nothing is started by this: an idle supervisor holds no timer, and lets the process exit.
const supervisor = new Supervisor();

const orders = supervisor.submit({
  slot: 'import', // the key of exclusion: one live body here, whoever else submits
  restart: 'onFailure', // the default, spelled out
  backoff: { firstMs: 10 },
  run: async (ctx) => {
    await ctx.sleep(10); // a stop request ends it at once; a plain setTimeout would sit it out
    if (ctx.attempt < 3) throw new Error('the upstream said 503');
    return '42 rows';
  },
});

// Decided already, before the body has run: nothing of yours is called inside submit.
console.log(`orders: ${orders.admission}`);

// Same slot, still busy: this one waits in line.
const prices = supervisor.submit({ slot: 'import', run: () => '7 rows' });
console.log(`prices: ${prices.admission}`);

// An outcome never rejects: every ending is a value, told apart by its kind.
const outcome = await orders.outcome;
if (outcome.kind === 'completed') console.log(`orders: ${outcome.value}, after ${outcome.attempts} attempts`);

// When only the value is of interest: value() throws for every other ending.
console.log(`prices: ${await prices.value()}`);
