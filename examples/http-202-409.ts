// Shows: admission decisions as HTTP responses. submit decides before it returns.
// Run: node --import tsx examples/http-202-409.ts

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClosedError, type RejectReason, Supervisor, type TaskSpec } from 'slotvisor';

const supervisor = new Supervisor({ slotDefaults: { queueLimit: 1 } });

const run: TaskSpec['run'] = (ctx) => ctx.sleep(60_000); // a minute of work
const routes = new Map<string, TaskSpec>([
  ['POST /exports', { slot: 'exports', admission: 'queue', run }], //         all run, in order
  ['POST /backups', { slot: 'backups', admission: 'dropIfRunning', run }], // one at a time
]);

// What the client can do: wait for the current run (409), slow down (429), or retry later (503).
const refusals: Partial<Record<RejectReason, number>> = { slotBusy: 409, queueFull: 429 };

async function answer(route: string): Promise<[status: number, body: object]> {
  const spec = routes.get(route);
  if (spec === undefined) return [404, { error: 'notFound' }];
  try {
    const { id, admission, outcome } = supervisor.submit(spec);
    const end = admission === 'rejected' ? await outcome : undefined; // already resolved
    if (end?.kind === 'rejected') return [refusals[end.reason] ?? 503, { error: end.reason }];
    return [202, { id, admission }];
  } catch (error) {
    if (error instanceof ClosedError) return [503, { error: 'closed' }];
    throw error;
  }
}

const server = createServer(async (request, response) => {
  const [status, body] = await answer(`${request.method} ${request.url}`);
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

// The client.

const { port } = server.address() as AddressInfo;

async function post(path: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST' });
  const { admission, error } = (await response.json()) as { admission?: string; error?: string };
  console.log(`POST ${path}: ${response.status} ${admission ?? error}`);
}

await post('/exports');
await post('/exports'); // queued
await post('/exports'); // the queue is full
await post('/backups');
await post('/backups'); // already running

await supervisor.shutdown(); // the HTTP server still answers
await post('/exports');
server.close();
