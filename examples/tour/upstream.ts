// The upstream of the tour: an HTTP server on loopback. It is down, then overloaded, then slow.

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inSpan } from './spans.ts';

export class Upstream {
  readonly #server = createServer((request, response) => this.#answer(request.url ?? '/', response));
  readonly #requests = new Map<string, number>();
  #url = '';
  #overloaded = 2; // the number of requests that get a 503

  /** Port 0: the system picks a free port. */
  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    this.#url = `http://127.0.0.1:${port}`;
    return this.#url;
  }

  /** Closes the port: connections are refused. */
  async crash(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Closes the server and the requests that have no answer yet. */
  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** The number of requests for this path. */
  requests(path: string): number {
    return this.#requests.get(path) ?? 0;
  }

  /** The client. Pass the body's signal, so that a stop request ends the HTTP request too. */
  get(path: string, signal?: AbortSignal): Promise<string> {
    return inSpan(`GET ${path}`, async () => {
      const response = await fetch(this.#url + path, { signal: signal ?? null });
      const text = await response.text();
      if (!response.ok) throw new Error(`HTTP ${response.status}: ${text}`);
      return text;
    });
  }

  #answer(path: string, response: ServerResponse): void {
    this.#requests.set(path, this.requests(path) + 1);
    if (this.#overloaded > 0) {
      this.#overloaded -= 1;
      response.writeHead(503).end('warming up');
    } else if (path === '/archive') {
      response.write('the first byte of an endless answer');
    } else {
      void sleep(path === '/usage' ? 450 : 250).then(() => response.end(`${path} at ${new Date().toISOString()}`));
    }
  }
}
