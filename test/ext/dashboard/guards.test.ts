import { describe, expect, it, test } from 'vitest';
import { nothingEscapes, thenable, watchEscapes } from '../../support/must-not-escape.ts';
import { ACTION_HEADERS, type Answer, BASE, Reader, world } from './world.ts';

const codeOf = ({ json }: Answer): unknown => (json as { error: { code: string } }).error.code;

describe('hosts', () => {
  const names = ['slots.example', '[::1]'];
  const served = ['slots.example', 'slots.example:8080', 'SLOTS.example', 'slots.example.', '[::1]:3000', '[0::1]'];
  const refused = [
    'evil.example',
    'slots.example.evil',
    'x.slots.example',
    '',
    'a b',
    'evil@slots.example',
    '127.0.0.1',
  ];
  for (const host of served)
    test(`Host ${host} is answered`, async () => {
      expect((await world({ hosts: names }).ask('', { headers: { host } })).status).toBe(200);
    });
  for (const host of refused)
    test(`Host ${JSON.stringify(host)} is refused with 421, whatever is asked for`, async () => {
      const { ask } = world({ hosts: names });
      for (const path of ['', 'app.js', 'api/slots', 'api/x', '../slots', 'api/actions/pause']) {
        const answer = await ask(path, { headers: { host }, method: path.includes('actions') ? 'POST' : 'GET' });
        expect([answer.status, codeOf(answer)]).toEqual([421, 'host']);
      }
    });

  it('a request without Host counts by its URL', async () => {
    expect((await world({ hosts: ['127.0.0.1'] }).ask('')).status).toBe(200);
    expect((await world({ hosts: names }).ask('')).status).toBe(421);
  });

  it('by default every name is answered', async () => {
    expect((await world().ask('', { headers: { host: 'evil.example' } })).status).toBe(200);
  });
});

describe('each lock of an action holds alone, and nothing has changed', () => {
  const open = { actions: true, authorize: () => true } as const;
  const cases: readonly [
    name: string,
    options: Parameters<typeof world>[0],
    headers: Record<string, string | undefined>,
    status: number,
    code: string,
  ][] = [
    ['actions', { authorize: () => true }, {}, 403, 'readOnly'],
    ['the header x-slotvisor', open, { 'x-slotvisor': undefined }, 403, 'header'],
    ['its value', open, { 'x-slotvisor': 'true' }, 403, 'header'],
    ['the content-type', open, { 'content-type': undefined }, 415, 'contentType'],
    ['a form', open, { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'contentType'],
    ['a text', open, { 'content-type': 'text/plain;application/json' }, 415, 'contentType'],
    ['a longer type', open, { 'content-type': 'application/jsonp' }, 415, 'contentType'],
    ['another origin', open, { origin: 'http://evil.example' }, 403, 'origin'],
    ['another port', open, { origin: 'http://127.0.0.1:8081' }, 403, 'origin'],
    ['an opaque origin', open, { origin: 'null' }, 403, 'origin'],
    ['an empty origin', open, { origin: '' }, 403, 'origin'],
    ['an origin without a host', open, { origin: 'file://' }, 403, 'origin'],
    ['an origin that begins the same', open, { origin: 'http://127.0.0.1:8080.evil.example' }, 403, 'origin'],
    ['a site', open, { 'sec-fetch-site': 'cross-site' }, 403, 'origin'],
    ['the same site only', open, { 'sec-fetch-site': 'same-site' }, 403, 'origin'],
    ['no site', open, { 'sec-fetch-site': 'none' }, 403, 'origin'],
    ['authorize', { ...open, authorize: () => false }, {}, 403, 'forbidden'],
  ];
  for (const [name, options, headers, status, code] of cases)
    test(name, async () => {
      const { ask, supervisor } = world(options);
      const all = Object.entries({ ...ACTION_HEADERS, ...headers }).filter(([, value]) => value !== undefined);
      const body = JSON.stringify({ slot: 'a' });
      const answer = await ask('api/actions/pause', {
        method: 'POST',
        headers: all as [string, string][],
        body: Buffer.from(body),
      });
      expect([answer.status, codeOf(answer)]).toEqual([status, code]);
      expect(supervisor.stats().slotCount).toBe(0);
    });
});

describe('an action that comes from the page is done', () => {
  const host = '127.0.0.1:8080';
  const rows: readonly Record<string, string>[] = [
    {},
    { host, origin: `http://${host}` },
    { host, origin: `https://${host}`, 'sec-fetch-site': 'same-origin' },
    { host: 'a.example', origin: 'https://a.example' },
    { host: 'a.example:443', origin: 'https://a.example' },
    { host: 'A.example', origin: 'http://a.example' },
    { host: '[::1]:80', origin: 'http://[::1]' },
    { 'content-type': 'application/json; charset=utf-8' },
    { 'content-type': 'Application/JSON' },
  ];
  for (const headers of rows)
    test(JSON.stringify(headers), async () => {
      const { act, supervisor } = world({ actions: true, authorize: () => true });
      expect((await act('pause', { slot: 'a' }, headers)).status).toBe(200);
      expect(supervisor.slot('a').view().paused).toBe(true);
    });
});

describe('authorize', () => {
  it('is asked for every request, with what it asks for', async () => {
    const asked: unknown[] = [];
    const authorize = (request: Request, action: unknown) => {
      asked.push([request.method, request.url.slice(BASE.length), action]);
      return true;
    };
    const { ask, act } = world({ authorize, actions: true });
    const view = { kind: 'view', of: 'default' };
    const paths = ['', 'app.js', 'app.css', 'api/summary', 'api/slots?q=x', 'api/stream', 'api/x', 'x.ico'];
    for (const path of paths) {
      await ask(path, { method: 'HEAD' });
      expect(asked.pop()).toEqual(['HEAD', path, view]);
    }
    await ask('../slots?x');
    expect(asked.pop()).toEqual(['GET', expect.anything(), view]);
    await ask('api/slots?of=jobs', { method: 'PUT' });
    expect(asked.pop()).toEqual(['PUT', 'api/slots?of=jobs', { kind: 'view', of: 'jobs' }]);
    await act('pause', { slot: 'a' });
    expect(asked.pop()).toEqual(['POST', 'api/actions/pause', { kind: 'pause', of: 'default', slot: 'a' }]);
    await act('trigger', { schedule: 's' }, {}, '?of=jobs');
    expect(asked.pop()).toEqual([
      'POST',
      'api/actions/trigger?of=jobs',
      { kind: 'trigger', of: 'jobs', schedule: 's' },
    ]);
    expect(asked).toEqual([]);
  });

  it('says nothing of what is there to a request that it does not let through', async () => {
    const { ask, act } = world({ authorize: () => false, actions: true });
    for (const path of ['', 'app.js', 'api/slots', 'api/slots?limit=0', 'api/x', 'api/slots?of=x', '../slots'])
      expect([path, (await ask(path)).status]).toEqual([path, 401]);
    for (const body of [{ id: 'x' }, { slot: 'a' }]) expect((await act('cancel', body)).status).toBe(403);
    expect((await act('trigger', { schedule: 'x' }, {}, '?of=x')).status).toBe(403);
  });

  const answers: readonly [name: string, given: () => unknown, lets: boolean][] = [
    ['true', () => true, true],
    ['a promise of true', async () => true, true],
    ['a thenable of true', () => thenable((resolve) => resolve(true)), true],
    ['1', () => 1, false],
    ["'true'", () => 'true', false],
    ['an object', () => ({}), false],
    ['nothing', () => undefined, false],
    ['a promise of an object', async () => ({ ok: true }), false],
    [
      'a throw',
      () => {
        throw new Error('secret');
      },
      false,
    ],
    ['a rejection', () => Promise.reject(new Error('secret')), false],
    [
      'a hostile thenable',
      () =>
        thenable(() => {
          throw new Error('secret');
        }),
      false,
    ],
    [
      'a throw of nothing',
      () => {
        throw undefined;
      },
      false,
    ],
  ];
  for (const [name, given, lets] of answers)
    test(`${name} ${lets ? 'lets' : 'does not let'} a request through`, async () => {
      const escapes = watchEscapes();
      const { ask, act, clock } = world({ authorize: given as () => boolean, actions: true });
      const timers = clock.timers;
      const [look, action] = [await ask('api/summary'), await act('pause', { slot: 'a' })];
      expect([look.status, action.status]).toEqual(lets ? [200, 200] : [401, 403]);
      expect(look.text + action.text).not.toContain('secret');
      expect(await escapes.stop()).toEqual(
        name.includes('throw') || name.includes('rejection') || name.includes('hostile') ? ['warning'] : [],
      );
      expect(clock.timers).toBeLessThanOrEqual(timers + 1); // the sweep keeps its answer for a while
    });

  it('has five seconds, and an answer after that is too late', async () => {
    const escapes = watchEscapes();
    const late: ((value: boolean) => void)[] = [];
    const { ask, act, clock, supervisor } = world({
      authorize: () => new Promise((resolve) => late.push(resolve)),
      actions: true,
    });
    const before = clock.timers;
    const answers = Promise.all([ask('app.js'), act('pause', { slot: 'a' })]);
    await clock.advance(4_999);
    expect(late).toHaveLength(2);
    await clock.advance(1);
    expect((await answers).map(({ status }) => status)).toEqual([401, 403]);
    for (const resolve of late) resolve(true);
    await clock.settle();
    expect(supervisor.stats().slotCount).toBe(0);
    expect(clock.timers).toBe(before);
    expect(await escapes.stop()).toEqual(['warning']);
  });

  it('is asked again each minute about a stream, which ends when it may not look any more', async () => {
    const answers = [true, true, false];
    let asked = 0;
    const { board, clock } = world({ authorize: () => answers[asked++] as boolean });
    const reader = new Reader(await board.fetch(new Request(`${BASE}api/stream`)));
    const framesFor = async (ms: number): Promise<boolean> => {
      for (let at = 0; at < ms; at += 1_000) {
        const frame = reader.frame();
        await clock.advance(1_000);
        if ((await frame) === undefined) return false;
      }
      return true;
    };
    await nothingEscapes(async () => {
      expect([await framesFor(60_000), asked]).toEqual([true, 1]);
      expect([await framesFor(60_000), asked]).toEqual([true, 2]);
      expect([await framesFor(60_000), asked]).toEqual([false, 3]);
    });
    expect(board.streams.size).toBe(0);
  });

  it('leaves no timer when it answers in time', async () => {
    const { ask, clock } = world({ authorize: async () => true });
    const before = clock.timers;
    await ask('app.js');
    expect(clock.timers).toBe(before);
  });
});
