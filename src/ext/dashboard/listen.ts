// From node:http to `fetch`, and a server of our own. The adapter is an optional peer, and is
// loaded when it is first needed.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { answerRefusal, Refusal } from './answer.ts';
import type { ServeSettings } from './options.ts';

/** A request of `node:http`, `node:http2` and Express, and `raw` of Fastify. */
export type NodeRequest = (IncomingMessage | Http2ServerRequest) & {
  /** Express keeps the whole URL here, and leaves what follows the path of a mount in `url`. */
  readonly originalUrl?: string | undefined;
};
export type NodeResponse = ServerResponse | Http2ServerResponse;

type Fetch = (request: Request) => Promise<Response>;

const ADAPTER = '@remix-run/node-fetch-server';

const loadAdapter = async () => {
  try {
    return await import('@remix-run/node-fetch-server');
  } catch (cause) {
    throw new Error(`install ${ADAPTER}: the listener and serve() of slotvisor/dashboard need it`, { cause });
  }
};

export type Listener = (request: NodeRequest, response: NodeResponse) => void;

/** Answers everything that it gets. */
export function listenerOf(fetch: Fetch): Listener {
  return (request, response) => void answerNode(fetch, request, response);
}

async function answerNode(fetch: Fetch, request: NodeRequest, response: NodeResponse): Promise<void> {
  let adapter: Awaited<ReturnType<typeof loadAdapter>>;
  try {
    adapter = await loadAdapter();
  } catch (error) {
    response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
    response.end((error as Error).message);
    return;
  }
  // What is left of a body that was refused makes room for the next request of the connection.
  response.once('finish', () => request.resume());
  const onError = () => answerRefusal(new Refusal(400, 'request', 'the URL or the host of the request is not valid'));
  const listener = adapter.createRequestListener(fetch, { onError });
  const asked = request as IncomingMessage; // HTTP/2 has the same fields
  const { url = '/', method = 'GET' } = asked;
  asked.url = request.originalUrl ?? url;
  if (method === 'TRACE') asked.method = 'OPTIONS'; // a Request cannot have it; no route has either
  listener(asked, response as ServerResponse);
  asked.url = url;
  asked.method = method;
}

/** What `serve` resolves with. */
export interface DashboardServer extends AsyncDisposable {
  /** Where the page is, with a slash at its end. */
  readonly url: string;
  /** Ends the server and its streams. Resolves when its port is free. */
  close(): Promise<void>;
}

/** @throws what Node throws if it cannot listen, such as an error with the code `EADDRINUSE`. */
export async function serveAt({ port, host }: ServeSettings, fetch: Fetch): Promise<DashboardServer> {
  await loadAdapter();
  const server = createServer(listenerOf(fetch));
  server.listen(port, host);
  await once(server, 'listening'); // rejects with the error of `listen`
  let ended: Promise<unknown> | undefined;
  const close = async (): Promise<void> => {
    if (ended === undefined) {
      ended = once(server, 'close');
      server.close();
      server.closeAllConnections();
    }
    await ended;
  };
  const { port: taken } = server.address() as AddressInfo;
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}/`, close, [Symbol.asyncDispose]: close };
}
