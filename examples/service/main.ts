// Shows: a Fastify service with resident loops, a consumer, periodic jobs, probes, metrics, traces
// and logs. At SIGTERM it answers every request, and ends every body. README.md has a walk.
// Run: node --import tsx examples/service/main.ts

import { setTimeout as wait } from 'node:timers/promises';
import fastify from 'fastify';
import { register } from 'prom-client';
import { Supervisor, stopOnSignals } from 'slotvisor';
import { health } from 'slotvisor/health';
import { logTo } from 'slotvisor/log';
import { otel } from 'slotvisor/otel';
import { prometheus } from 'slotvisor/prometheus';
import { jobs } from './jobs.ts';
import { tenants } from './tenants.ts';
import { startTracing } from './tracing.ts';

const { PORT = '3000', LOG_LEVEL = 'info', NOT_READY_MS = '5000' } = process.env;

const app = fastify({ logger: { level: LOG_LEVEL } }); // its logger is pino
startTracing(app.log);

const supervisor = new Supervisor({ limits: { slots: 10_000 } });
logTo(supervisor, app.log);
otel(supervisor);
prometheus(supervisor);
const probe = health(supervisor);

app.get('/metrics', async (_, reply) => reply.type(register.contentType).send(await register.metrics()));
for (const path of ['/livez', '/readyz'])
  app.get(path, ({ raw }, reply) => void probe.listener(raw, reply.hijack().raw));
tenants(app, supervisor);
jobs(app, supervisor);

stopOnSignals(supervisor, {
  before: async () => {
    probe.notReady();
    await wait(Number(NOT_READY_MS)); // until the load balancer has seen it
    setTimeout(() => app.server.closeAllConnections(), 10_000).unref(); // the end of the wait below
    await app.close(); // answers the requests in flight
  },
});

await app.listen({ port: Number(PORT), host: '127.0.0.1' });
