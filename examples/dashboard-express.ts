// Shows: the dashboard in an Express app, behind the login of the app.
// It goes on until you press Ctrl+C.
// Run: npm run build:ui && node --import tsx examples/dashboard-express.ts

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Supervisor, stopOnSignals } from 'slotvisor';
import { dashboard } from 'slotvisor/dashboard';

const supervisor = new Supervisor();
supervisor.submit({ slot: 'orders', run: (ctx) => ctx.sleep(Infinity) });

/** The sessions of the app, as it has them anyway. */
const sessions = new Map<string, { readonly role: 'viewer' | 'operator' }>();

const page = dashboard(supervisor, {
  actions: true,
  authorize: (request, { kind }) => {
    const id = /(?:^|; )session=([^;]+)/.exec(request.headers.get('cookie') ?? '')?.[1];
    const role = sessions.get(id ?? '')?.role;
    return role === 'operator' || (kind === 'view' && role === 'viewer');
  },
});

const app = express();
app.use('/admin/slots', page.listener);

app.get('/login/:role', ({ params }, response) => {
  const id = randomUUID(); // in production: after a look at a password
  sessions.set(id, { role: params.role === 'operator' ? 'operator' : 'viewer' });
  response.cookie('session', id, { httpOnly: true, sameSite: 'strict' }).redirect('/admin/slots/');
});

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
stopOnSignals(supervisor, {
  after: ({ cause, clean }) => {
    page.close(); // ends its streams, for which the server would wait
    server.close();
    console.log(`report: cause ${cause}, clean ${clean}`);
  },
});

await once(server, 'listening');
const { port } = server.address() as AddressInfo;
console.log(`dashboard: http://127.0.0.1:${port}/admin/slots/ (log in at /login/operator or /login/viewer)`);
