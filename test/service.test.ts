// The service of examples/service, as its users and its platform see it: a client, a load balancer,
// Prometheus, whoever reads the log, and SIGTERM under load.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ended, type Example, linesOf, startExample } from './support/example.ts';

interface Line {
  readonly msg: string;
  readonly level: number;
  readonly span?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly slotvisor?: Readonly<Record<string, unknown>>;
}

let service: Example;
let base: string;

beforeAll(async () => {
  const env = { PORT: '0', LOG_LEVEL: 'debug', NOT_READY_MS: '200', REPORT_CRON: '* * * * * *' };
  service = startExample('service/main.ts', 1, env);
  await service.printed('Server listening at ');
  base = /http:\/\/127\.0\.0\.1:\d+/.exec(service.stdout)?.[0] ?? 'no address';
});
afterAll(() => service.signal('SIGKILL'));

async function call(method: string, path: string, body?: object): Promise<{ status: number; body: string }> {
  const json = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${base}${path}`, { method, ...json });
  return { status: response.status, body: await response.text() };
}

const get = async <T>(path: string): Promise<T> => JSON.parse((await call('GET', path)).body) as T;

function log(text: string): Line[] {
  return linesOf(text).map((line) => JSON.parse(line));
}

const eventsOf = (lines: readonly Line[], type: string, slot: string): Readonly<Record<string, unknown>>[] =>
  lines.map(({ slotvisor = {} }) => slotvisor).filter((event) => event.type === type && event.slot === slot);

test('starts a loop of a tenant over HTTP, and replaces it in flight: the new one begins when the old one has ended', async () => {
  const first = JSON.parse((await call('PUT', '/tenants/acme', { everyMs: 10 })).body);
  await service.printed('"span":"attempt sync"');
  const { status, body } = await call('PUT', '/tenants/acme', { everyMs: 20 });
  const second = JSON.parse(body);
  expect([status, second.slot]).toEqual([202, 'sync:acme']);
  await service.printed(`"type":"started","id":"${second.id}"`);
  const lines = log(service.stdout.slice(0, service.stdout.lastIndexOf('\n')));
  const [stop] = eventsOf(lines, 'stopRequested', 'sync:acme');
  const seqOf = (type: string, id: string) =>
    eventsOf(lines, type, 'sync:acme').find((one) => one.id === id)?.seq as number;
  expect(stop).toMatchObject({ id: first.id, by: 'replace' });
  expect(seqOf('finished', first.id)).toBeLessThan(seqOf('started', second.id));
  expect(await get('/tenants/acme')).toMatchObject({
    owner: { id: second.id },
    why: expect.stringContaining('sync:acme'),
  });
});

test('refuses a bad request, and forgets a tenant that is deleted', async () => {
  expect((await call('PUT', '/tenants/globex', { everyMs: 'often' })).status).toBe(400);
  expect((await call('PUT', '/tenants/globex', { everyMs: 10 })).status).toBe(202);
  expect((await call('DELETE', '/tenants/globex')).status).toBe(204);
  expect(await get('/tenants/globex')).toMatchObject({ phase: 'idle', queuedCount: 0 });
});

test('runs one cleanup at a time', async () => {
  const both = await Promise.all([call('POST', '/cleanup'), call('POST', '/cleanup')]);
  expect(both.map(({ status }) => status).sort()).toEqual([202, 409]);
});

test('writes its report at each date, and when it is asked to', async () => {
  await service.printed('"msg":"report of ');
  expect((await call('POST', '/report')).status).toBe(202);
  const schedules = await get<{ name: string; totals: { triggered: number } }[]>('/schedules');
  expect(schedules.map(({ name, totals }) => [name, totals.triggered])).toEqual([
    ['cleanup', 0],
    ['report', 1],
  ]);
});

test('shows its metrics and its spans', async () => {
  const { body } = await call('GET', '/metrics');
  const value = (series: string): number =>
    Number(
      body
        .split('\n')
        .find((line) => line.startsWith(series))
        ?.split(' ')[1],
    );
  expect(value('slotvisor_open{supervisor="default"}')).toBe(1);
  expect(value('slotvisor_outcomes_total{supervisor="default",outcome="rejected"}')).toBeGreaterThan(0);
  expect(
    value('slotvisor_attempt_duration_seconds_count{supervisor="default",group="report",outcome="succeeded"}'),
  ).toBeGreaterThan(0);
  expect(body).not.toContain('acme');
  await service.printed('"span":"attempt cleanup"');
  const spans = log(service.stdout.slice(0, service.stdout.lastIndexOf('\n'))).filter(({ span }) => span !== undefined);
  expect(spans.find(({ span }) => span === 'attempt sync')?.attributes).toMatchObject({
    'slotvisor.slot.name': 'sync:acme',
    'slotvisor.attempt.number': expect.any(Number),
  });
});

test('is not ready first, then answers what is in flight, and ends every body: no request is lost at SIGTERM', async () => {
  let isReady = true;
  const answers: number[] = [];
  async function client(): Promise<void> {
    while (isReady) answers.push((await call('POST', '/orders')).status);
  }
  async function balance(): Promise<number> {
    while ((await call('GET', '/readyz')).status === 200);
    const { status } = await call('GET', '/livez');
    isReady = false;
    return status;
  }
  const clients = Array.from({ length: 10 }, client);
  const balancer = balance();
  while (answers.length < 200) await call('GET', '/orders');
  service.signal('SIGTERM');
  expect(await balancer).toBe(200); // alive, and not ready
  await Promise.all(clients);
  expect(new Set(answers)).toEqual(new Set([201]));

  const { code, stdout, stderr }: Ended = await service.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = log(stdout);
  expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
  expect(lines.at(-1)?.slotvisor).toMatchObject({ type: 'shutdownFinished', clean: true, stuck: [] });
  const begun = (type: string) => lines.filter(({ slotvisor }) => slotvisor?.type === type).length;
  expect(begun('finished')).toBe(begun('started'));
});
