// What runs as long as the service does: a consumer, a cleanup that never overlaps with itself, and
// a report each morning.

import type { FastifyInstance } from 'fastify';
import { restartable, type Supervisor, type TaskContext } from 'slotvisor';
import { schedule, schedulesOf } from 'slotvisor/cron';
import { accept, nextOrder, orders, removeExpired, ship, writeReport } from './world.ts';

export function jobs(app: FastifyInstance, supervisor: Supervisor): void {
  supervisor.submit({
    ...restartable(async (ctx) => {
      while (!ctx.canceled) {
        const order = await nextOrder(ctx.signal);
        if (order !== undefined) await ship(order);
        ctx.heartbeat();
      }
    }),
    slot: 'orders',
    vital: true,
    stallMs: 60_000,
  });

  const cleanup = {
    slot: 'cleanup',
    admission: 'dropIfRunning',
    run: (ctx: TaskContext) => removeExpired(ctx.signal),
  } as const;
  schedule(supervisor, { name: 'cleanup', everyMs: 60_000, task: cleanup });

  const report = schedule(supervisor, {
    name: 'report',
    cron: process.env.REPORT_CRON ?? '0 6 * * *',
    timezone: 'Europe/Berlin',
    task: {
      slot: 'report',
      onShutdown: 'finish', // a report that has begun is written
      run: async (ctx, due) => app.log.info(await writeReport(due.toISOString().slice(0, 10), ctx.signal)),
    },
  });

  app.post('/orders', (_request, reply) => reply.code(201).send(accept()));
  app.get('/orders', () => ({ accepted: orders.accepted, shipped: orders.shipped }));
  app.post('/cleanup', (_request, reply) => {
    const { admission, id } = supervisor.submit(cleanup);
    return reply.code(admission === 'rejected' ? 409 : 202).send({ admission, id });
  });
  app.post('/report', (_request, reply) => reply.code(202).send(report.trigger()));
  app.get('/schedules', () => schedulesOf(supervisor));
}
