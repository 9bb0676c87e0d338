// Real servers: of Node, Express and Fastify, and that of `serve`.

import { once } from 'node:events';
import { Agent, createServer, request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import fastify from 'fastify';
import { Supervisor } from 'slotvisor';
import { type Dashboard, type DashboardOptions, dashboard } from 'slotvisor/dashboard';
import { afterEach, describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { type Listener, listenerOf } from '../../../src/ext/dashboard/listen.ts';
import { deferred } from '../../../src/kit.ts';
import { listening } from '../health/requests.ts';
import { ACTION_HEADERS } from './world.ts';

const open = { actions: true, authorize: () => true } as const;

function made(options: DashboardOptions = {}): { board: Dashboard; supervisor: Supervisor } {
  const supervisor = new Supervisor();
  const board = dashboard(supervisor, options);
  onTestFinished(async () => {
    board.close();
    await supervisor.shutdown();
  });
  return { board, supervisor };
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

async function ask(port: number, path: string, { method = 'GET', headers = {}, body, agent }: Asked = {}) {
  const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: agent ?? false });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response), socket: request.socket };
}

const act = (port: number, path: string, body: string | Buffer, more: Asked = {}) =>
  ask(port, path, { method: 'POST', body, ...more, headers: { ...ACTION_HEADERS, ...more.headers } });

/** Each way to mount it, with the path that it is then at. */
const MOUNTS: readonly [name: string, path: string, mount: (board: Dashboard) => Promise<number>][] = [
  ['node:http', '/', ({ listener }) => listening(createServer(listener))],
  [
    'node:http below a path',
    '/a/b/',
    ({ listener }) =>
      listening(
        createServer((req, res) => (req.url?.startsWith('/a/b') ? listener(req, res) : res.writeHead(404).end())),
      ),
  ],
  [
    'Express, which strips the path',
    '/admin/slots/',
    ({ listener }) => listening(createServer(express().use('/admin/slots', listener))),
  ],
  [
    'Express behind express.json(), which reads bodies',
    '/admin/slots/',
    ({ listener }) => listening(createServer(express().use(express.json()).use('/admin/slots', listener))),
  ],
  [
    'Fastify',
    '/admin/slots/',
    async ({ listener }) => {
      const app = fastify();
      onTestFinished(() => app.close());
      await app.register(async (scope) => {
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
        for (const path of ['/admin/slots', '/admin/slots/*'])
          scope.all(path, (request, reply) => {
            reply.hijack();
            listener(request.raw, reply.raw);
          });
      });
      await app.listen({ port: 0, host: '127.0.0.1' });
      return (app.server.address() as AddressInfo).port;
    },
  ],
];

for (const [name, path, mount] of MOUNTS)
  describe(`under ${name}`, () => {
    it('the page, its files, its data and its actions are there', async () => {
      const { board, supervisor } = made(open);
      const port = await mount(board);
      expect((await ask(port, path)).body).toContain('<script type="module" src="app.js">');
      expect((await ask(port, `${path}app.js`)).headers['content-type']).toBe('text/javascript; charset=utf-8');
      expect(JSON.parse((await ask(port, `${path}api/summary?x=1`)).body)).toMatchObject({
        of: 'default',
        slotCount: 0,
      });
      expect(await act(port, `${path}api/actions/pause`, '{"slot":"a"}')).toMatchObject({ status: 200 });
      expect(supervisor.slot('a').view().paused).toBe(true);
      expect(await ask(port, `${path}api/x`)).toMatchObject({
        status: 404,
        body: expect.stringContaining('"notFound"'),
      });
      for (const method of ['TRACE', 'OPTIONS', 'DELETE', 'PURGE'])
        expect(await ask(port, `${path}api/slots`, { method })).toMatchObject(
          // Fastify knows no route for methods that it has no word for.
          name === 'Fastify' && (method === 'PURGE' || method === 'TRACE')
            ? {}
            : { status: 405, headers: { allow: 'GET, HEAD' } },
        );
      expect(await ask(port, path, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    });

    if (path !== '/')
      it('the path without its slash leads to the page', async () => {
        const { board } = made();
        const port = await mount(board);
        const { status, headers } = await ask(port, `${path.slice(0, -1)}?x=1`);
        expect(status).toBe(308);
        expect(new URL(headers.location as string, `http://a${path.slice(0, -1)}`).href).toBe(`http://a${path}?x=1`);
      });

    it('a stream ends with its connection', async () => {
      const { board } = made({ tickMs: 100 });
      const streams = (board as unknown as { streams: { size: number } }).streams;
      const port = await mount(board);
      const request = httpRequest({ host: '127.0.0.1', port, path: `${path}api/stream` }).end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      let seen = '';
      for await (const chunk of response) {
        seen += chunk;
        if (seen.split('event: state').length > 2) break; // leaving the loop destroys the response
      }
      expect(streams.size).toBe(1);
      await vi.waitUntil(() => streams.size === 0);
    });

    it('a body that is too long is refused, and the connection goes on', async () => {
      const { board } = made(open);
      const port = await mount(board);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      onTestFinished(() => agent.destroy());
      const long = `{"slot":"${'x'.repeat(1_000_000)}"}`;
      // What reads bodies for the dashboard has a limit of its own.
      const { status } = await act(port, `${path}api/actions/pause`, long, { agent });
      expect(status).toBe(413);
      const chunked = await act(port, `${path}api/actions/pause`, long, {
        agent,
        headers: { 'transfer-encoding': 'chunked' },
      });
      expect(chunked.status).toBe(413);
      expect((await ask(port, `${path}api/summary`, { agent })).status).toBe(200);
    });
  });

it('a refused action with a body leaves the connection to the next request', async () => {
  const port = await listening(createServer(made().board.listener));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const first = await act(port, '/api/actions/pause', Buffer.alloc(500_000, 'x'), { agent });
  const second = await ask(port, '/api/summary', { agent });
  expect([first.status, second.status, first.socket === second.socket]).toEqual([403, 200, true]);
});

it('a framework that has read the body and does not give it is said to have', async () => {
  const { board } = made(open);
  const read: RequestListener = async (req, res) => {
    await text(req);
    board.listener(req, res);
  };
  const port = await listening(createServer(read));
  expect(await act(port, '/api/actions/pause', '{"slot":"a"}')).toMatchObject({
    status: 400,
    body: expect.stringContaining('must not have been read before'),
  });
});

it('authorize sees the whole URL, also where the framework strips the path', async () => {
  const urls: string[] = [];
  const { board } = made({ authorize: ({ url }) => urls.push(url) > 0 });
  const port = await listening(createServer(express().use('/admin/slots', board.listener)));
  await ask(port, '/admin/slots/api/slots?q=x');
  expect(urls).toEqual([`http://127.0.0.1:${port}/admin/slots/api/slots?q=x`]);
});

it('the request of the framework is as it was afterwards', async () => {
  const { board } = made();
  let after: unknown;
  const app = express().use('/admin', (req, res) => {
    board.listener(req, res);
    res.once('finish', () => {
      after = [req.method, req.url, req.originalUrl];
    });
  });
  await ask(await listening(createServer(app)), '/admin/x', { method: 'TRACE' });
  expect(after).toEqual(['TRACE', '/x', '/admin/x']);
});

it('HTTP/2 is answered, too', async () => {
  const { board } = made({ hosts: ['127.0.0.1'] });
  const server = createHttp2Server(board.listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => {
    client.close();
    server.close();
  });
  const stream = client.request({ ':path': '/api/summary' });
  const [headers] = await once(stream, 'response');
  expect(headers[':status']).toBe(200);
  expect(JSON.parse(await text(stream))).toMatchObject({ of: 'default' });
});

describe('a request is passed over where its connection has ended before, which would leave a stream, over', () => {
  /** Gives each request to the listener once its connection has ended. */
  function late() {
    const fetched: string[] = [];
    const listener = listenerOf(async ({ url }) => {
      fetched.push(url);
      return new Response(null);
    });
    const given = deferred<void>();
    const onRequest: Listener = (request, response) => {
      response.once('close', () => {
        listener(request, response);
        given.resolve();
      });
      request.socket.destroy();
    };
    const end = async () => {
      await given.promise;
      await import('@remix-run/node-fetch-server');
      await new Promise(setImmediate);
      return fetched;
    };
    return { onRequest, end };
  }

  test('HTTP/1', async () => {
    const { onRequest, end } = late();
    const request = httpRequest({ host: '127.0.0.1', port: await listening(createServer(onRequest)) });
    request.on('error', () => {}).end();
    expect(await end()).toEqual([]);
  });

  test('HTTP/2', async () => {
    const { onRequest, end } = late();
    const server = createHttp2Server(onRequest).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => {
      client.destroy();
      server.close();
    });
    client
      .on('error', () => {})
      .request({ ':path': '/' })
      .on('error', () => {});
    expect(await end()).toEqual([]);
  });
});

it('over HTTP/2, a stream ends whose client has left before it is answered', async () => {
  const asked = deferred<void>();
  const left = deferred<void>();
  const ended = deferred<string>();
  const listener = listenerOf(async () => {
    asked.resolve();
    await left.promise;
    return new Response(new ReadableStream({ cancel: () => ended.resolve('ended') }));
  });
  const server = createHttp2Server((request, response) => {
    response.once('close', left.resolve);
    listener(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  const stream = client.request({ ':path': '/' }).on('error', () => {});
  await asked.promise;
  stream.close();
  expect(await ended.promise).toBe('ended');
});

it('a request that cannot be read is refused with 400', async () => {
  const port = await listening(createServer(made().board.listener));
  const socket = connect(port, '127.0.0.1');
  socket.end('GET / HTTP/1.1\r\nHost: a b\r\n\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"request"/);
});

describe('without @remix-run/node-fetch-server', () => {
  afterEach(() => {
    vi.doUnmock('@remix-run/node-fetch-server');
    vi.resetModules();
  });

  it('the listener answers 500, and serve() rejects, both with what to install', async () => {
    vi.doMock('@remix-run/node-fetch-server', () => {
      throw new Error('not there');
    });
    const { board } = made();
    const port = await listening(createServer(board.listener));
    const { status, headers, body } = await ask(port, '/');
    expect([status, headers['x-content-type-options']]).toEqual([500, 'nosniff']);
    expect(JSON.parse(body)).toEqual({
      error: { code: 'adapter', message: expect.stringMatching(/^install @remix-run\/node-fetch-server: /) },
    });
    await expect(board.serve()).rejects.toThrow(/^install @remix-run\/node-fetch-server: /);
  });
});

describe('serve', () => {
  const portOf = (url: string): number => Number(new URL(url).port);

  it('listens on loopback, at a free port, and answers loopback names only', async () => {
    const { board } = made();
    const server = await board.serve();
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const port = portOf(server.url);
    const statusFor = async (host: string) => (await ask(port, '/', { headers: { host } })).status;
    for (const host of ['127.0.0.1', `localhost:${port}`, 'LOCALHOST.', '[::1]:80'])
      expect([host, await statusFor(host)]).toEqual([host, 200]);
    for (const host of ['evil.example', '127.0.0.2', 'localhost.evil.example'])
      expect([host, await statusFor(host)]).toEqual([host, 421]);
    await server.close();
  });

  it('does not answer a request of HTTP/1.0 without a Host', async () => {
    const { board } = made();
    await using server = await board.serve();
    const socket = connect(portOf(server.url), '127.0.0.1');
    socket.write('GET /api/slots HTTP/1.0\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 421 /);
  });

  it('has the page at its root, and answers 404 at a path that it does not know', async () => {
    const { board } = made();
    await using server = await board.serve();
    const statusOf = async (path: string) => (await ask(portOf(server.url), path)).status;
    expect([await statusOf('/'), await statusOf('/api/summary')]).toEqual([200, 200]);
    expect([await statusOf('/nope'), await statusOf('/nope/'), await statusOf('/a/api/summary')]).toEqual([
      404, 404, 404,
    ]);
  });

  it('answers the names of the option hosts instead', async () => {
    const { board } = made({ hosts: ['slots.example'] });
    await using server = await board.serve();
    const statusFor = async (host: string) => (await ask(portOf(server.url), '/', { headers: { host } })).status;
    expect([await statusFor('slots.example:80'), await statusFor('localhost')]).toEqual([200, 421]);
  });

  it('on another host than of loopback answers every name, unless hosts says', async () => {
    const { board } = made({ authorize: () => true });
    await using server = await board.serve({ host: '0.0.0.0' });
    expect((await ask(portOf(server.url), '/', { headers: { host: 'a.example' } })).status).toBe(200);
  });

  it('answers the name of the loopback address that it listens at', async () => {
    const { board } = made();
    await using server = await board.serve({ host: '127.0.0.2' });
    expect((await fetch(server.url)).status).toBe(200);
  });

  it('has a URL with brackets for an IPv6 address', async () => {
    const { board } = made();
    await using server = await board.serve({ host: '::1' });
    expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+\/$/);
    expect((await fetch(server.url)).status).toBe(200);
  });

  it('rejects with the error of Node where the port is in use, and nothing is left', async () => {
    const { board } = made();
    await using server = await board.serve();
    await expect(board.serve({ port: portOf(server.url) })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect((await fetch(server.url)).status).toBe(200);
  });

  it('ends its streams and frees its port, and can be closed twice', async () => {
    const { board } = made();
    const server = await board.serve();
    const response = await fetch(`${server.url}api/stream`);
    const reading = response.text().catch(() => 'cut off');
    await Promise.all([server.close(), server.close()]);
    expect(await reading).toMatch(/cut off|retry/);
    await server.close();
    const streams = (board as unknown as { streams: { size: number } }).streams;
    await vi.waitUntil(() => streams.size === 0);
    await using again = await board.serve({ port: portOf(server.url) });
    expect((await fetch(again.url)).status).toBe(200);
  });

  it('ends with the dashboard', async () => {
    const { board } = made();
    const { url } = await board.serve();
    await fetch(url);
    board.close();
    await vi.waitUntil(() =>
      fetch(url).then(
        () => false,
        () => true,
      ),
    );
  });

  it('ends with an await using block', async () => {
    const { board } = made();
    let url: string;
    {
      await using server = await board.serve();
      url = server.url;
      expect((await fetch(url)).status).toBe(200);
    }
    await expect(fetch(url)).rejects.toThrow();
  });
});

describe('over real connections', () => {
  test('of 1,000 streams 20 are open, the others are told to come later, and none is left', async () => {
    const { board } = made();
    const streams = (board as unknown as { streams: { size: number } }).streams;
    await using server = await board.serve();
    const statuses: Record<string, number> = {};
    const held: IncomingMessage[] = [];
    await Promise.all(
      Array.from({ length: 1_000 }, async () => {
        const request = httpRequest(`${server.url}api/stream`, { agent: new Agent() }).end();
        const [response] = (await once(request, 'response')) as [IncomingMessage];
        const key = `${response.statusCode} ${response.headers['retry-after']}`;
        statuses[key] = (statuses[key] ?? 0) + 1;
        held.push(response);
        if (response.statusCode !== 200) response.destroy();
      }),
    );
    expect(statuses).toEqual({ '200 undefined': 20, '503 5': 980 });
    expect(streams.size).toBe(20);
    for (const response of held) response.destroy();
    await vi.waitUntil(() => streams.size === 0);
  });
});
