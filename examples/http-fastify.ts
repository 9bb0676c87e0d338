// Shows: a Fastify service that loses no request when it ends. See http-node.ts for the order.
// It goes on until you press Ctrl+C. Run: node --import tsx examples/http-fastify.ts

import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import fastify from 'fastify';
import { Supervisor, stopOnSignals } from 'slotvisor';
import { health } from 'slotvisor/health';
import { startClients } from './http/clients.ts';

const supervisor = new Supervisor();
const probe = health(supervisor);
const app = fastify();

for (const path of ['/livez', '/readyz'])
  app.all(path, (request, reply) => {
    reply.hijack(); // the probe answers
    probe.listener(request.raw, reply.raw);
  });

app.get('/orders', async (_request, reply) => {
  const { kind } = await supervisor.submit({ run: (ctx) => ctx.sleep(300) }).outcome;
  return reply.code(kind === 'completed' ? 200 : 500).send();
});

stopOnSignals(supervisor, {
  before: async () => {
    probe.notReady();
    await wait(200); // in production 5 to 10 seconds
    setTimeout(() => app.server.closeAllConnections(), 10_000).unref(); // but none is waited for longer
    await app.close(); // requests in flight are answered
    console.log('server: closed');
  },
  after: ({ cause, clean }) => console.log(`report: cause ${cause}, clean ${clean}`),
});

await app.listen({ port: 0, host: '127.0.0.1' });
startClients((app.server.address() as AddressInfo).port);
