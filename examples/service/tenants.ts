// Each tenant has a loop that copies its records, started and replaced over HTTP. A new loop begins
// when the old one has ended: never do two write to one tenant.

import type { FastifyInstance } from 'fastify';
import { periodic, type Supervisor } from 'slotvisor';
import { copied, fetchPage, savePage } from './world.ts';

interface Tenant {
  readonly Params: { readonly id: string };
  readonly Body: { readonly everyMs: number };
}

const params = { type: 'object', properties: { id: { type: 'string', pattern: '^[a-z0-9-]{1,40}$' } } };
const body = { type: 'object', required: ['everyMs'], properties: { everyMs: { type: 'integer', minimum: 10 } } };

export function tenants(app: FastifyInstance, supervisor: Supervisor): void {
  const slotOf = (id: string) => supervisor.slot(`sync:${id}`);

  app.put<Tenant>('/tenants/:id', { schema: { params, body } }, (request, reply) => {
    const { id } = request.params;
    const loop = slotOf(id).submit({
      ...periodic(request.body.everyMs, async (ctx) => savePage(id, await fetchPage(id, ctx.signal))),
      admission: 'replace',
      timeoutMs: 5_000,
      graceMs: 10_000,
    });
    return reply.code(202).send(loop);
  });

  app.get<Tenant>('/tenants/:id', { schema: { params } }, ({ params: { id } }) => {
    const slot = slotOf(id);
    return { why: slot.explain(), copied: copied.get(id) ?? 0, ...slot.view({ queued: 10 }) };
  });

  app.delete<Tenant>('/tenants/:id', { schema: { params } }, async ({ params: { id } }, reply) => {
    await slotOf(id).cancel(); // resolves when the body has ended
    return reply.code(204).send();
  });
}
