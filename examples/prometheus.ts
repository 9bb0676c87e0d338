// Metrics for Prometheus: a server answers with the registry of prom-client, and is scraped before
// and after some work. A minute passes at once on a virtual clock. In your service leave `clock` out;
// nothing else changes. The folder `prometheus` has alert rules and a Grafana dashboard.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { Supervisor } from 'slotvisor';
import { prometheus } from 'slotvisor/prometheus';
import { VirtualClock } from 'slotvisor/testing';

const clock = new VirtualClock();
const supervisor = new Supervisor({ clock, slotDefaults: { queueLimit: 1 } });

const register = new Registry();
const end = prometheus(supervisor, {
  register,
  name: 'sync', // the label `supervisor`
  slots: ['feed'], // its owner should never be absent, so it is watched by name
});

const server = createServer(async (_, response) => {
  response.setHeader('content-type', register.contentType);
  response.end(await register.metrics());
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address() as AddressInfo;

/** Prints the samples that are not 0, without the buckets of the histograms. */
async function scrape(title: string): Promise<void> {
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const samples = page.split('\n').filter((line) => line !== '' && !/^#|_bucket|_sum| 0$/.test(line));
  console.log([title, ...samples].join('\n  '));
}

await scrape('before:');

supervisor.submit({ slot: 'feed', run: (ctx) => ctx.sleep(Infinity) }); // runs for as long as the process
for (const tenant of ['acme', 'globex', 'initech'])
  supervisor.submit({
    slot: `import:${tenant}`, // the group is `import`, however many tenants there are
    backoff: { firstMs: 60_000, jitter: 'none' },
    run: async (ctx) => {
      await ctx.sleep(20_000);
      if (tenant === 'globex') throw new Error('the upstream said 503');
    },
  });
supervisor.submit({ slot: 'feed', run: () => {} }); // waits
supervisor.submit({ slot: 'feed', run: () => {} }); // turned away: the queue is full
await clock.advance(60_000);

await scrape('a minute later:');

end(); // the registry is empty again
console.log(`metrics left: ${register.getMetricsAsArray().length}`);
server.close();
await supervisor.shutdown();
