// Events as lines of a log: for people at a terminal, and for programs with pino.

import pino from 'pino';
import { Supervisor } from 'slotvisor';
import { consoleWriter, logTo } from 'slotvisor/log';
import { VirtualClock } from 'slotvisor/testing';

// Virtual time, so that this example prints the same lines each time.
const clock = new VirtualClock({ wallMs: new Date(2026, 0, 1, 9).getTime() });
const supervisor = new Supervisor({ clock });

console.log('For people:');
const end = supervisor.subscribe(consoleWriter());
supervisor.submit({
  slot: 'prices',
  timeoutMs: 250,
  backoff: { firstMs: 1_000, jitter: 'none' },
  run: async (ctx) => {
    if (ctx.attempt === 1) await ctx.sleep(60_000); // the first answer never comes
  },
});
await clock.advance(2_000);
end();

console.log('For programs:');
const secrets = ['err.token'];
const varying = ['err.stack', 'slotvisor.id', 'slotvisor.at']; // they differ from run to run
const logger = pino(
  { level: 'warn', base: null, timestamp: false, redact: { paths: [...secrets, ...varying], remove: true } },
  process.stdout,
);
logTo(supervisor, logger, {
  levels: { finished: false }, // the failed attempt says it all
  meta: (meta) => ({ tenant: (meta as { tenant: number }).tenant }), // and nothing else of it
});
supervisor.submit({
  slot: 'sync:acme',
  restart: 'never',
  meta: { tenant: 7, password: 'secret' },
  run: () => {
    throw Object.assign(new Error('HTTP 401'), { code: 'E_AUTH', token: 'secret' });
  },
});
await clock.settle();
