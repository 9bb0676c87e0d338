// From node:http to `fetch`, and a server of our own. The adapter is an optional peer, and is
// loaded when it is first needed.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { ignore } from '../../kit.ts';
import { answerRefusal, Refusal } from './answer.ts';
import type { ServeSettings } from './options.ts';

/** A request of `node:http`, `node:http2` and Express, and `raw` of Fastify. */
export type NodeRequest = (IncomingMessage | Http2ServerRequest) & {
  /** Express keeps the whole URL here, and leaves what follows the path of a mount in `url`. */
  readonly originalUrl?: string | undefined;
};
/** A response of `node:http`, `node:http2` and Express, and `raw` of Fastify. */
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

/** @inline */
export type Listener = (request: NodeRequest, response: NodeResponse) => void;

/** Answers everything that it gets. */
export function listenerOf(fetch: Fetch): Listener {
  return (request, response) => void answerNode(fetch, request as IncomingMessage, response as ServerResponse);
}

/** HTTP/2 has the same fields and methods. */
async function answerNode(fetch: Fetch, request: AnyRequest, response: ServerResponse): Promise<void> {
  let adapter: Awaited<ReturnType<typeof loadAdapter>>;
  try {
    adapter = await loadAdapter();
  } catch (error) {
    const answer = answerRefusal(new Refusal(500, 'adapter', (error as Error).message));
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    return;
  }
  if (hasClosed(response)) return; // the adapter would wait for a close that has been
  response.once('finish', () => request.resume()); // passes over what was not read
  const onError = () => answerRefusal(new Refusal(400, 'request', 'the URL or the host of the request is not valid'));
  const listener = adapter.createRequestListener(answering(fetch, request, response), { onError, ...hostFor(request) });
  const { url = '/', method = 'GET' } = request;
  request.url = request.originalUrl ?? url;
  if (method === 'TRACE') request.method = 'OPTIONS'; // a Request cannot have it; no route has either
  listener(request, response);
  request.url = url;
  request.method = method;
}

const hasClosed = (response: NodeResponse): boolean =>
  'stream' in response ? response.stream.destroyed : response.destroyed;

type AnyRequest = IncomingMessage & { readonly originalUrl?: string | undefined; readonly body?: unknown };

/** The adapter takes a request of HTTP/1.0 without a `Host` for one to localhost. */
const hostFor = ({ headers }: AnyRequest): { host?: string } =>
  headers.host === undefined && headers[':authority'] === undefined ? { host: 'unknown.invalid' } : {};

function answering(fetch: Fetch, request: AnyRequest, response: NodeResponse): Fetch {
  const wasRead = request.method === 'POST' && request.readableEnded;
  return async (given) => {
    try {
      const answer = await fetch(wasRead ? withReadBody(given, request.body) : given);
      if (hasClosed(response)) ignore(answer.body?.cancel()); // over HTTP/2 the signal may not say so
      return answer;
    } finally {
      // A body that is not read to its end holds up the next request of the connection.
      ignore(given.body?.cancel());
    }
  };
}

/** A parser of the framework, such as `express.json()`, has read the body. */
function withReadBody({ url, method, headers, signal }: Request, body: unknown): Request {
  return new Request(url, { method, headers, signal, body: body === undefined ? '' : JSON.stringify(body) });
}

/** What `serve` resolves with. */
export interface DashboardServer extends AsyncDisposable {
  /** Where the page is, with a slash at its end. */
  readonly url: string;
  /** Ends the server and its streams. Resolves when its port is free. */
  close(): Promise<void>;
}

/** @throws what Node throws if it cannot listen, such as an error with the code `EADDRINUSE`. */
export async function serveAt(
  { port, host }: ServeSettings,
  fetch: Fetch,
  onClose: () => void,
): Promise<DashboardServer> {
  await loadAdapter();
  const server = createServer(listenerOf(fetch));
  server.listen(port, host);
  await once(server, 'listening'); // rejects with the error of `listen`
  let ended: Promise<unknown> | undefined;
  const close = async (): Promise<void> => {
    if (ended === undefined) {
      onClose();
      ended = once(server, 'close');
      server.close();
      server.closeAllConnections();
    }
    await ended;
  };
  const { port: taken } = server.address() as AddressInfo;
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}/`, close, [Symbol.asyncDispose]: close };
}
