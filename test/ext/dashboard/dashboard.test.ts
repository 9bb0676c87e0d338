// A request from its path to its answer.

import { Supervisor } from 'slotvisor';
import { dashboard } from 'slotvisor/dashboard';
import { describe, expect, it, test } from 'vitest';
import { ASSETS, ENDPOINTS } from '../../../src/ext/dashboard/router.ts';
import { ACTIONS } from '../../../src/ext/dashboard/wire.ts';
import { watchEscapes } from '../../support/must-not-escape.ts';
import { type Answer, BASE, world } from './world.ts';

const codeOf = ({ json }: Answer): unknown => (json as { error: { code: string } }).error.code;
const READABLE = [...ASSETS, ...ENDPOINTS.map((name) => `api/${name}`)];

/** What every answer has. */
function checkHeaders({ headers, status }: Answer): void {
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
  expect(headers.get('cache-control')).toMatch(
    status === 200 || status === 304 ? /^(no-store|private, no-cache)/ : /^no-store$/,
  );
  for (const [name] of headers) expect(name).not.toMatch(/^(access-control|set-cookie|server|x-powered)/);
}

describe('another method is refused with 405, which says the right ones', () => {
  for (const path of READABLE)
    test(path, async () => {
      const { ask, supervisor } = world();
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PURGE']) {
        const answer = await ask(path, {
          method,
          headers: { origin: 'http://evil.example', 'access-control-request-method': 'POST' },
        });
        expect([answer.status, answer.headers.get('allow'), codeOf(answer)]).toEqual([405, 'GET, HEAD', 'method']);
        checkHeaders(answer);
      }
      expect(supervisor.stats().slotCount).toBe(0);
    });
  for (const kind of ACTIONS)
    test(`api/actions/${kind}`, async () => {
      const { ask } = world({ actions: true, authorize: () => true });
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const answer = await ask(`api/actions/${kind}`, { method });
        expect([answer.status, answer.headers.get('allow'), codeOf(answer)]).toEqual([405, 'POST', 'method']);
        checkHeaders(answer);
      }
    });
});

describe('a HEAD has the status and the headers of a GET, and no body', () => {
  for (const path of [...READABLE.filter((name) => name !== 'api/stream'), 'api/slots?limit=0', 'api/x'])
    test(path, async () => {
      const { ask } = world();
      const [get, head] = [await ask(path), await ask(path, { method: 'HEAD' })];
      expect(head.text).toBe('');
      expect(head.status).toBe(get.status);
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
      expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0);
      checkHeaders(head);
    });
});

it('the content-length is that of the body, in bytes', async () => {
  const { ask, supervisor } = world();
  supervisor.slot('slot €').pause();
  for (const path of ['', 'app.js', 'api/slots']) {
    const { text, headers } = await ask(path);
    expect(headers.get('content-length')).toBe(`${Buffer.byteLength(text)}`);
  }
});

describe('every answer has the headers that keep other sites out', () => {
  const requests: readonly [path: string, init: RequestInit, status: number][] = [
    ['', {}, 200],
    ['app.js', {}, 200],
    ['app.css', { headers: { 'if-none-match': '*' } }, 304],
    ['api/summary', {}, 200],
    ['api/stream', { method: 'HEAD' }, 200],
    ['../slots?x=1', {}, 308],
    ['api/slots?sort=x', {}, 400],
    ['api/x', {}, 404],
    ['api/slot?name=x', {}, 404],
    ['api/actions/pause', { method: 'POST' }, 403],
    ['', { method: 'DELETE' }, 405],
  ];
  for (const [path, init, status] of requests)
    test(`${status} ${path}`, async () => {
      const answer = await world().ask(path, { ...init, headers: { origin: 'http://evil.example', ...init.headers } });
      expect(answer.status).toBe(status);
      checkHeaders(answer);
    });
});

it('the page without the slash at its end leads to it, by a relative path with the query', async () => {
  const { ask } = world();
  const { status, headers } = await ask('../slots?of=a&x=%2F');
  expect([status, headers.get('location')]).toEqual([308, './slots/?of=a&x=%2F']);
});

it('the page has no inline script and no URL but relative ones', async () => {
  const { text } = await world().ask('');
  expect(text).toContain('<script type="module" src="app.js"></script>');
  expect(text).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=|https?:|src="\/|href="\//);
});

describe('a file of the page', () => {
  for (const path of ASSETS)
    test(`${path} is kept by its ETag`, async () => {
      const { ask } = world();
      const etag = (await ask(path)).headers.get('etag') as string;
      expect(etag).toMatch(/^"[\w-]{22}"$/);
      for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
        const answer = await ask(path, { headers: { 'if-none-match': known } });
        expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([304, '', etag]);
      }
      for (const other of ['"x"', etag.slice(1, -1), ''])
        expect((await ask(path, { headers: { 'if-none-match': other } })).status).toBe(200);
    });
});

describe('several supervisors', () => {
  it('are asked for by name, the first one by default', async () => {
    const jobs = world().supervisor;
    const { ask, supervisor } = world({}, {}, [{ name: 'jobs', supervisor: jobs }]);
    supervisor.slot('here').pause();
    jobs.slot('there').pause();
    const slotsOf = async (of: string) => JSON.stringify((await ask(`api/slots${of}`)).json);
    expect(await slotsOf('')).toContain('here');
    expect(await slotsOf('?of=default')).toContain('here');
    expect(await slotsOf('?of=jobs')).toContain('there');
    for (const path of ENDPOINTS) {
      const answer = await ask(`api/${path}?of=none`);
      expect([answer.status, codeOf(answer)]).toEqual([404, 'unknownSupervisor']);
    }
    expect((await ask('?of=none')).status).toBe(200); // the page says what is not there
  });
});

describe('an error that nobody expects', () => {
  it('is answered with 500 and without its text, and is a warning of the process', async () => {
    const escapes = watchEscapes();
    const { ask, board, supervisor } = world();
    supervisor.slots = () => {
      throw new Error('secret');
    };
    const answers = [await ask('api/slots'), await ask('api/summary')];
    for (const answer of answers) {
      expect([answer.status, codeOf(answer)]).toEqual([500, 'internal']);
      expect(answer.text).not.toContain('secret');
      checkHeaders(answer);
    }
    expect((await ask('')).status).toBe(200);
    board.close();
    expect(await escapes.stop()).toEqual(['warning']);
  });
});

describe('after close()', () => {
  it('every request is answered with 503, and what was under way too', async () => {
    const { ask, act, board, clock, supervisor } = world({ actions: true, authorize: () => true });
    supervisor.slot('a').pause();
    const underWay = ask('api/slots');
    board.close();
    board.close();
    const answers = [
      await underWay,
      await ask(''),
      await ask('api/stream'),
      await ask('api/x'),
      await act('resume', { slot: 'a' }),
    ];
    expect(answers.map((answer) => [answer.status, codeOf(answer)])).toEqual(answers.map(() => [503, 'closed']));
    expect(supervisor.slot('a').view().paused).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('nothing is served', async () => {
    const board = dashboard(new Supervisor());
    board.close();
    await expect(board.serve()).rejects.toMatchObject({ code: 'SLOTVISOR_CLOSED' });
  });

  it('the supervisor has no subscriber left', async () => {
    const { board, supervisor, clock, ask } = world();
    await ask('api/summary');
    board.close();
    for (let i = 0; i < 10; i += 1) supervisor.slot('a')[i % 2 === 0 ? 'pause' : 'resume']();
    await clock.settle();
    expect(supervisor.stats().eventsDropped).toBe(0);
    expect(clock.timers).toBe(0);
  });
});

it('after the shutdown of the supervisor the page still answers', async () => {
  const { ask, supervisor } = world();
  await supervisor.shutdown();
  expect(((await ask('api/summary')).json as { phase: string }).phase).toBe('closed');
  for (const path of READABLE.filter((name) => !/stream|slot$|fleet/.test(name)))
    expect([path, (await ask(path)).status]).toEqual([path, 200]);
});

it('a dashboard of a supervisor that was closed before shows it', async () => {
  const supervisor = new Supervisor();
  await supervisor.shutdown();
  const board = dashboard(supervisor);
  const response = await board.fetch(new Request(`${BASE}api/summary`));
  expect(await response.json()).toMatchObject({ phase: 'closed' });
  board.close();
});

it('several dashboards of one supervisor do not disturb each other', async () => {
  const supervisor = new Supervisor();
  const [one, other] = [dashboard(supervisor), dashboard(supervisor)];
  one.close();
  expect((await other.fetch(new Request(`${BASE}api/summary`))).status).toBe(200);
  other.close();
  await supervisor.shutdown();
});
