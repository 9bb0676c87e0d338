// Shows: the dashboard in a Fastify app, in a scope whose hook asks for a password.
// It goes on until you press Ctrl+C.
// Run: npm run build:ui && node --import tsx examples/dashboard-fastify.ts

import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { Supervisor, stopOnSignals } from 'slotvisor';
import { dashboard } from 'slotvisor/dashboard';

const supervisor = new Supervisor();
supervisor.submit({ slot: 'orders', run: (ctx) => ctx.sleep(Infinity) });

/** What a browser sends for this name and password. In production they are no part of the code. */
const OPERATOR = `Basic ${Buffer.from('operator:act').toString('base64')}`;

const page = dashboard(supervisor, { actions: true, authorize: () => true }); // the hook lets in who may act
const app = fastify();

app.register(
  async (admin) => {
    admin.addHook('onRequest', async ({ headers }, reply) => {
      if (headers.authorization !== OPERATOR)
        return reply.code(401).header('www-authenticate', 'Basic realm="slots"').send();
    });
    admin.removeAllContentTypeParsers(); // the dashboard reads the body itself
    admin.addContentTypeParser('*', (_request, _body, done) => done(null));
    for (const path of ['', '/*'])
      admin.all(path, ({ raw }, reply) => {
        page.listener(raw, reply.hijack().raw);
      });
  },
  { prefix: '/admin/slots' },
);

stopOnSignals(supervisor, {
  after: async ({ cause, clean }) => {
    page.close(); // ends its streams, for which the server would wait
    await app.close();
    console.log(`report: cause ${cause}, clean ${clean}`);
  },
});

await app.listen({ port: Number(process.env.PORT ?? 0), host: '127.0.0.1' });
const { port } = app.server.address() as AddressInfo;
console.log(`dashboard: http://127.0.0.1:${port}/admin/slots/ (operator, act)`);
