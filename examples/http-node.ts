// Shows: a node:http service that loses no request when it ends. At SIGTERM readiness goes red,
// then the server closes and answers what is in flight, and the tasks stop last.
// It goes on until you press Ctrl+C. Run: node --import tsx examples/http-node.ts

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Supervisor, stopOnSignals } from 'slotvisor';
import { health } from 'slotvisor/health';
import { startClients } from './http/clients.ts';

const supervisor = new Supervisor();
const probe = health(supervisor);

const server = createServer(async (request, response) => {
  if (probe.listener(request, response)) return; // /livez and /readyz
  const { kind } = await supervisor.submit({ run: (ctx) => ctx.sleep(300) }).outcome;
  response.writeHead(kind === 'completed' ? 200 : 500).end();
});

stopOnSignals(supervisor, {
  before: async () => {
    probe.notReady(); // 1. /readyz is red: the load balancer sends no more
    await wait(200); //  2. once it has seen that; in production 5 to 10 seconds
    server.close(); //   3. requests in flight are answered; the tasks still run
    setTimeout(() => server.closeAllConnections(), 10_000).unref(); // but none is waited for longer
    await once(server, 'close');
    console.log('server: closed');
  }, //                  4. now the tasks are stopped
  after: ({ cause, clean }) => console.log(`report: cause ${cause}, clean ${clean}`),
});

server.listen(0, '127.0.0.1');
await once(server, 'listening');
startClients((server.address() as AddressInfo).port);
