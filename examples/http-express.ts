// Shows: an Express service that loses no request when it ends. See http-node.ts for the order.
// It goes on until you press Ctrl+C. Run: node --import tsx examples/http-express.ts

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import express from 'express';
import { Supervisor, stopOnSignals } from 'slotvisor';
import { health } from 'slotvisor/health';
import { startClients } from './http/clients.ts';

const supervisor = new Supervisor();
const probe = health(supervisor);
const app = express();

app.all(['/livez', '/readyz'], probe.listener);

app.get('/orders', async (_request, response) => {
  const { kind } = await supervisor.submit({ run: (ctx) => ctx.sleep(300) }).outcome;
  response.status(kind === 'completed' ? 200 : 500).end();
});

const server = app.listen(0, '127.0.0.1');
stopOnSignals(supervisor, {
  before: async () => {
    probe.notReady();
    await wait(200); // in production 5 to 10 seconds
    server.close(); // requests in flight are answered
    setTimeout(() => server.closeAllConnections(), 10_000).unref(); // but none is waited for longer
    await once(server, 'close');
    console.log('server: closed');
  },
  after: ({ cause, clean }) => console.log(`report: cause ${cause}, clean ${clean}`),
});

await once(server, 'listening');
startClients((server.address() as AddressInfo).port);
