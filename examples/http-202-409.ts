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
  ['POST /reports', { slot: 'reports', admission: 'join', run }], //          one for all who ask
]);

// What the client can do: wait for the current run (409), slow down (429), or retry later (503).
const refusals: Partial<Record<RejectReason, number>> = { slotBusy: 409, queueFull: 429 };

async function answer(route: string): Promise<[status: number, body: object]> {
  const spec = routes.get(route);
  if (spec === undefined) return [404, { error: 'notFound' }];
  try {
    const { id, admission, outcome } = supervisor.submit(spec);
    const end = admission === 'rejected' ? await outcome : undefined; // already resolved
    if (end?.kind !== 'rejected') return [202, { id, admission }];
    const { reason, by } = end; // `by`: the submission that has the slot
    return [refusals[reason] ?? 503, { error: reason, by }];
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

interface Answer {
  readonly id?: string;
  readonly admission?: string;
  readonly error?: string;
  readonly by?: string;
}

const { port } = server.address() as AddressInfo;

async function post(path: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST' });
  const body = (await response.json()) as Answer;
  console.log(`POST ${path}: ${response.status} ${body.admission ?? body.error}`);
  return body;
}

await post('/exports');
await post('/exports'); // queued
await post('/exports'); // the queue is full

const running = await post('/backups');
const refused = await post('/backups'); // already running
console.log(`busy with the first backup: ${refused.by === running.id}`);

await post('/reports');
await post('/reports'); // shares the run of the first
console.log(`others that share the report: ${supervisor.slot('reports').view().owner?.joined}`);

await supervisor.shutdown(); // the HTTP server still answers
await post('/exports');
server.close();
