// Shows: a service that ends well on SIGTERM, under load. Every request is answered, then the
// consumer stops, then the connection that both need. It goes on until you press Ctrl+C.
// Run: node --import tsx examples/graceful-shutdown.ts

import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClosedError, Supervisor, stopOnSignals, type TaskContext } from 'slotvisor';

const supervisor = new Supervisor({ shutdownGraceMs: 2_000 });
let isReady = true; // what a load balancer asks for

// Stage -1 is stopped first: nothing new comes in, and what is in flight is answered.
const server = createServer(async (_request, response) => {
  try {
    // A finisher: an order that was accepted is still handled after the shutdown began.
    const order = supervisor.submit({ onShutdown: 'finish', shutdownStage: -1, run: (ctx) => ctx.sleep(150) });
    const { kind } = await order.outcome;
    response.writeHead(kind === 'completed' ? 200 : 500).end();
  } catch (error) {
    response.writeHead(error instanceof ClosedError ? 503 : 500).end();
  }
});

async function serve(ctx: TaskContext): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await ctx.sleep(Infinity).catch(() => {}); // the stop request
  server.close();
  await once(server, 'close'); // when the last request in flight has its answer
  console.log('http: closed');
}

// Stage 0 comes next.
async function consume(ctx: TaskContext): Promise<void> {
  try {
    for (;;) await ctx.sleep(10); // messages come in here
  } finally {
    console.log('consumer: takes no more messages');
  }
}

// Stage 1 comes last: the others need it until their end.
async function keepConnection(ctx: TaskContext): Promise<void> {
  try {
    await ctx.sleep(Infinity);
  } finally {
    console.log('connection: closed');
  }
}

supervisor.submit({ slot: 'http', vital: true, shutdownStage: -1, run: serve });
supervisor.submit({ slot: 'consumer', vital: true, run: consume });
supervisor.submit({ slot: 'connection', vital: true, shutdownStage: 1, run: keepConnection });

stopOnSignals(supervisor, {
  before: () => {
    isReady = false;
    console.log('signal: not ready');
  },
  delayMs: 50, // in production as long as the load balancer needs to see it
  after: ({ cause, clean }) => console.log(`report: cause ${cause}, clean ${clean}`),
});

// The load: twenty clients, each with one request after the other.

await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const statuses = new Set<number | undefined>();

async function client(): Promise<void> {
  while (isReady) {
    const [response] = await once(get({ port, agent: false }), 'response');
    response.resume();
    statuses.add(response.statusCode);
  }
}

for (let n = 0; n < 20; n += 1) void client();
console.log('load: on');
process.on('exit', (code) => {
  console.log(`load: every answer was ${[...statuses].join(' or ')}`);
  console.log(`the process exits by itself, with ${code}`);
});
