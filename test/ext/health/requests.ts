// A server on loopback, and requests to it.

import { once } from 'node:events';
import { type Agent, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** Its port. The server is closed with the test. */
export async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export async function ask(port: number, path: string, method = 'GET', agent: Agent | false = false): Promise<Answer> {
  const request = httpRequest({ host: '127.0.0.1', port, path, method, agent });
  request.end(method === 'POST' ? 'a body' : undefined);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}
