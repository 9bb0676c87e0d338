// Real requests to node:http, and hostile URLs to the listener alone.

import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import fastify from 'fastify';
import { Supervisor, type TaskSpec } from 'slotvisor';
import { type HealthProbe, type HealthReport, health } from 'slotvisor/health';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { setup } from '../../support/setup.ts';
import { ask, listening } from './requests.ts';

const forever: TaskSpec['run'] = (ctx) => ctx.sleep(Infinity);

function probed(): { supervisor: Supervisor; probe: HealthProbe } {
  const supervisor = new Supervisor();
  const probe = health(supervisor, { rules: { 'secret-slot': {} } });
  onTestFinished(async () => {
    probe.close();
    await supervisor.shutdown();
  });
  return { supervisor, probe };
}

const served = (probe: HealthProbe): Promise<number> =>
  listening(
    createServer((req, res) => {
      if (!probe.listener(req, res)) res.writeHead(404).end('not mine');
    }),
  );

describe('over HTTP', () => {
  it('a probe answers 200 ok and 503 not ok, as text that is not stored, without a name', async () => {
    const { supervisor, probe } = probed();
    const port = await served(probe);
    expect(await ask(port, '/readyz')).toMatchObject({ status: 503, body: 'not ok' });
    supervisor.submit({ slot: 'secret-slot', run: forever });
    for (const path of ['/livez', '/readyz'])
      expect(await ask(port, path)).toMatchObject({
        status: 200,
        body: 'ok',
        headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': '2', 'cache-control': 'no-store' },
      });
  });

  it('a warning is 200', async () => {
    const { supervisor, clock } = setup();
    const probe = health(supervisor);
    onTestFinished(() => probe.close());
    const backoff = { firstMs: 100, factor: 1, jitter: 'none' } as const;
    supervisor.submit({ slot: 'sync', vital: true, backoff, run: () => Promise.reject(new Error('secret')) });
    await clock.advance(450);
    const port = await served(probe);
    expect(probe.ready().status).toBe('warn');
    expect(await ask(port, '/readyz')).toMatchObject({ status: 200, body: 'ok' });
  });

  it('with ?verbose the body is the report', async () => {
    const { probe } = probed();
    const port = await served(probe);
    for (const path of ['/readyz?verbose', '/readyz?verbose=1', '/readyz?a=b&verbose']) {
      const { status, headers, body } = await ask(port, path);
      expect([status, headers['content-type']]).toEqual([503, 'application/health+json; charset=utf-8']);
      const { loop, ...report } = JSON.parse(body) as HealthReport;
      expect(report).toEqual({
        status: 'fail',
        why: ['slot "secret-slot": nothing owns it'],
        phase: 'open',
        checks: { 'secret-slot': { status: 'fail', why: 'nothing owns it' } },
      });
      expect(Object.keys(loop)).toEqual(['p99Ms', 'maxMs', 'slowWindows']);
    }
  });

  it('HEAD has the head of GET, and no body', async () => {
    const { probe } = probed();
    const port = await served(probe);
    for (const path of ['/livez', '/readyz', '/livez?verbose']) {
      const get = await ask(port, path);
      const head = await ask(port, path, 'HEAD');
      expect([head.status, head.headers['content-type']]).toEqual([get.status, get.headers['content-type']]);
      expect([head.body, Number(head.headers['content-length']) > 0]).toEqual(['', true]);
    }
  });

  it('HEAD writes no body, also to a server that would send it', () => {
    const { probe } = probed();
    const bodies: (string | undefined)[] = [];
    const response = { writeHead: () => {}, end: (body?: string) => bodies.push(body) };
    probe.listener({ method: 'HEAD', url: '/livez?verbose' }, response);
    expect(bodies).toEqual([undefined]);
  });

  it('any other method is 405 and says which are allowed, also with a body', async () => {
    const { probe } = probed();
    const port = await served(probe);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])
      expect(await ask(port, '/livez', method, agent)).toMatchObject({
        status: 405,
        body: 'method not allowed',
        headers: { allow: 'GET, HEAD', 'cache-control': 'no-store' },
      });
    expect(await ask(port, '/livez', 'GET', agent)).toMatchObject({ status: 200 });
  });

  it('answers one request after the other on one connection', async () => {
    const { supervisor, probe } = probed();
    supervisor.submit({ slot: 'secret-slot', run: forever });
    const port = await served(probe);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const bodies: string[] = [];
    for (const path of ['/livez', '/readyz', '/livez?verbose', '/other', '/readyz'])
      bodies.push((await ask(port, path, 'GET', agent)).body.slice(0, 8));
    probe.notReady();
    bodies.push((await ask(port, '/readyz', 'GET', agent)).body);
    expect(bodies).toEqual(['ok', 'ok', '{"status', 'not mine', 'ok', 'not ok']);
  });
});

describe('which URLs are mine', () => {
  const rows: readonly (readonly [url: string | undefined, mine: boolean])[] = [
    ['/livez', true],
    ['/readyz', true],
    ['/internal/health/livez', true],
    ['/livez?', true],
    ['/livez?verbose=&x', true],
    ['/livez#x', true],
    ['//livez', true],
    ['http://host/readyz?x', true],
    ['/livez?next=/other', true],
    ['/other?next=/livez', false],
    ['/other#/livez', false],
    ['/livez/', false],
    ['/livez/x', false],
    ['/alivez', false],
    ['/livezz', false],
    ['/LIVEZ', false],
    ['/%6civez', false],
    ['/livez%00', false],
    ['/livez\n', false],
    ['/livez;a', false],
    ['livez', false],
    ['/', false],
    ['*', false],
    ['', false],
    [undefined, false],
    ['/__proto__', false],
    ['/constructor', false],
    [`/${'/livez/'.repeat(10_000)}`, false],
    [`${'/x'.repeat(10_000)}/livez?${'&%'.repeat(10_000)}`, true],
  ];
  for (const [url, mine] of rows)
    test(`${JSON.stringify(url)?.slice(0, 40)}: ${mine}`, () => {
      const { probe } = probed();
      const called: unknown[] = [];
      const response = {
        writeHead: (status: number) => called.push(status),
        end: (body?: unknown) => called.push(body),
      };
      expect(probe.listener({ method: 'GET', ...(url !== undefined && { url }) }, response)).toBe(mine);
      expect(called).toHaveLength(mine ? 2 : 0);
    });
});

describe('in a framework', () => {
  it('Express mounts the listener, under a prefix too', async () => {
    const { probe } = probed();
    const app = express();
    app.all(['/livez', '/readyz'], probe.listener);
    app.use('/internal', probe.listener);
    app.use((_req, res) => void res.send('mine'));
    const port = await listening(createServer(app));
    const paths = ['/livez', '/internal/readyz', '/internal/livez?x', '/internal/other', '/other'];
    const bodies = await Promise.all(paths.map(async (path) => (await ask(port, path)).body));
    expect(bodies).toEqual(['ok', 'not ok', 'ok', 'mine', 'mine']);
  });

  it('Express mounts the listener at the path of a probe, and what follows that path is not mine', async () => {
    const { probe } = probed();
    const app = express();
    app.use('/livez', probe.listener);
    app.use('/internal/readyz', probe.listener);
    app.use((_req, res) => void res.send('mine'));
    const port = await listening(createServer(app));
    const paths = ['/livez', '/livez?verbose', '/internal/readyz', '/livez/x', '/readyz'];
    const bodies = await Promise.all(paths.map(async (path) => (await ask(port, path)).body.slice(0, 8)));
    expect(bodies).toEqual(['ok', '{"status', 'not ok', 'mine', 'mine']);
  });

  it('a URL that was rewritten is read as it is now', () => {
    const { probe } = probed();
    const response = { writeHead: () => {}, end: () => {} };
    expect(probe.listener({ url: '/livez', originalUrl: '/healthz' }, response)).toBe(true);
  });

  it('HTTP/2 gets the same answers, and no body for HEAD', async () => {
    const { probe } = probed();
    const server = createHttp2Server((req, res) => void probe.listener(req, res)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => {
      session.close();
      server.close();
    });
    const answers: unknown[] = [];
    for (const method of ['GET', 'HEAD', 'POST']) {
      const stream = session.request({ ':method': method, ':path': '/readyz' }).end();
      const [headers] = await once(stream, 'response');
      answers.push([headers[':status'], headers['content-length'], await text(stream)]);
    }
    expect(answers).toEqual([
      [503, '6', 'not ok'],
      [503, '6', ''],
      [405, '18', 'method not allowed'],
    ]);
  });

  it('Fastify hands the raw request on', async () => {
    const { probe } = probed();
    const app = fastify();
    for (const path of ['/livez', '/internal/readyz'])
      app.all(path, (request, reply) => {
        reply.hijack();
        probe.listener(request.raw, reply.raw);
      });
    await app.listen({ port: 0, host: '127.0.0.1' });
    onTestFinished(() => app.close());
    const { port } = app.server.address() as AddressInfo;
    expect(await ask(port, '/livez?verbose')).toMatchObject({ status: 200 });
    expect(await ask(port, '/internal/readyz')).toMatchObject({ status: 503, body: 'not ok' });
    expect(await ask(port, '/livez', 'DELETE')).toMatchObject({ status: 405 });
  });
});
