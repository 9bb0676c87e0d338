// Shows: the dashboard under a path of a node:http server, with a password to look and one to act.
// It goes on until you press Ctrl+C.
// Run: npm run build:ui && node --import tsx examples/dashboard-node.ts

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Supervisor, stopOnSignals } from 'slotvisor';
import { dashboard } from 'slotvisor/dashboard';

const supervisor = new Supervisor();
supervisor.submit({ slot: 'orders', run: (ctx) => ctx.sleep(Infinity) });

/** What a browser sends for a name and a password. In production they are no part of the code. */
const basic = (user: string): string => `Basic ${Buffer.from(user).toString('base64')}`;
const VIEWER = basic('viewer:look');
const OPERATOR = basic('operator:act');

const page = dashboard(supervisor, {
  actions: true,
  authorize: (request, { kind }) => {
    const user = request.headers.get('authorization');
    return user === OPERATOR || (kind === 'view' && user === VIEWER);
  },
});

const server = createServer((request, response) => {
  const { url = '', headers } = request;
  if (!/^\/admin\/slots(?:[/?]|$)/.test(url)) {
    response.end('hello');
  } else if (headers.authorization === undefined) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="slots"' }).end(); // the browser asks for a password
  } else {
    page.listener(request, response);
  }
});

stopOnSignals(supervisor, {
  after: ({ cause, clean }) => {
    page.close(); // ends its streams, for which the server would wait
    server.close();
    console.log(`report: cause ${cause}, clean ${clean}`);
  },
});

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
console.log(`dashboard: http://127.0.0.1:${port}/admin/slots/ (viewer, look; operator, act)`);
