import { schedule, schedulesOf } from 'slotvisor/cron';
import { describe, expect, it, test } from 'vitest';
import { world } from './world.ts';

const errorOf = (json: unknown) => (json as { error: { code: string; message: string } }).error;

describe('a bad parameter is refused with 400, and the answer names it, the rule and the value:', () => {
  const long = 'x'.repeat(10_240);
  const rows: readonly [path: string, message: string][] = [
    ['slots?limit=201', 'limit must be a whole number from 1 to 200, got 201'],
    ['slots?limit=x', 'limit must be a whole number from 1 to 200, got "x"'],
    ['slots?offset=-1', 'offset must be a whole number from 0 to 2000, got "-1"'],
    ['slots?offset=1990&limit=50', 'offset and limit together must be at most 2000: narrow the filter, got 1990'],
    ['slots?sort=age', "sort must be one of 'attention', "],
    ['slots?status=running,gone', "status must be one of 'starting', "],
    [`slots?q=${long}`, 'q must be at most 200 characters, got "xxx'],
    [`slots?group=${long}`, 'group must be at most 1024 characters, got "xxx'],
    [`slots?status=${long}`, 'status must be one of '],
    ['slot', 'name must be given, got undefined'],
    ['slot?name=', 'name must be given, got ""'],
    [`slot?name=${long}`, 'name must be at most 1024 characters, got "xxx'],
    ['events?limit=0', 'limit must be a whole number from 1 to 500, got 0'],
    ['events?kind=x', "kind must be one of 'notable', 'rejected', 'all', got \"x\""],
    ['series?step=hour', "step must be one of 'second', 'minute', got \"hour\""],
  ];
  for (const [path, message] of rows)
    test(path.slice(0, 40), async () => {
      const { status, json, text } = await world().ask(`api/${path}`);
      expect([status, errorOf(json).code]).toEqual([400, 'parameter']);
      expect(errorOf(json).message).toContain(message);
      expect(text.length).toBeLessThan(500);
    });
});

describe('a slot', () => {
  it('has its row, its line, and what is remembered of it', async () => {
    const { ask, supervisor, clock } = world();
    supervisor.submit({ slot: 'a/b?&#', backoff: { firstMs: 1_000 }, run: () => Promise.reject(new Error('no')) });
    supervisor.submit({ slot: 'a/b?&#', run: () => {} });
    await clock.settle();
    expect((await ask(`api/slot?name=${encodeURIComponent('a/b?&#')}`)).json).toMatchObject({
      slot: 'a/b?&#',
      row: { owner: { status: 'backoff' }, waiting: 1 },
      line: [{ status: 'queued' }],
      attempts: [{ end: 'failed' }],
      lastFailure: { message: 'no' },
    });
  });

  it('that is idle is shown as long as something of it is remembered, and is unknown else', async () => {
    const { ask, supervisor, clock } = world();
    await supervisor.submit({ slot: 'a', restart: 'never', run: () => {} }).outcome;
    await clock.settle();
    expect((await ask('api/slot?name=a')).json).toMatchObject({ row: null, attempts: [{ end: 'succeeded' }] });
    const unknown = await ask('api/slot?name=__proto__');
    expect([unknown.status, errorOf(unknown.json).code]).toEqual([404, 'unknownSlot']);
  });
});

it('the lists are in objects, with what they are called', async () => {
  const { ask, supervisor, clock } = world({ schedules: schedulesOf });
  schedule(supervisor, { everyMs: 1_000, name: 'usage', task: { slot: 'u', run: () => {} } });
  supervisor.submit({ slot: 'a', backoff: { firstMs: 1_000 }, run: () => Promise.reject(new Error('no')) });
  await clock.settle();
  expect((await ask('api/problems')).json).toMatchObject({ problems: [{ text: 'no', count: 1 }] });
  expect((await ask('api/schedules')).json).toMatchObject({ schedules: [{ name: 'usage' }] });
  expect((await ask('api/events?types=attemptFailed')).json).toMatchObject({
    events: [{ type: 'attemptFailed' }],
    more: false,
  });
  expect((await ask('api/series?step=minute')).json).toMatchObject({ step: 'minute', stepMs: 60_000 });
  expect((await ask('api/slots?status=backoff')).json).toMatchObject({ total: 1, of: 1, rows: [{ slot: 'a' }] });
});

it('without the option there are no schedules', async () => {
  expect((await world().ask('api/schedules')).json).toEqual({ schedules: [] });
});
const LOOK = {
  processes: [{ name: 'a', isSelf: true, held: 1, waiting: 0, expiresInMs: 9_000 }],
  slots: [{ slot: 's', holder: 'a', isOurs: true, fence: 7n, line: ['b'], waiting: 1 }],
  more: false,
};

describe('over HTTP', () => {
  it('the fleet is there only with the option', async () => {
    expect((await world().ask('api/fleet')).json).toMatchObject({ error: { code: 'noFleet' } });
    const { ask } = world({ fleet: { look: async () => LOOK } });
    expect((await ask('api/fleet?q=s')).json).toMatchObject({ slots: [{ fence: '7' }] });
    expect((await ask(`api/fleet?q=${'x'.repeat(201)}`)).status).toBe(400);
    expect((await ask('api/summary')).json).toMatchObject({ views: ['slots', 'failures', 'events', 'fleet'] });
  });

  it('a store that throws at once is an error of the page', async () => {
    const { ask } = world({
      fleet: {
        look: () => {
          throw new Error('closed');
        },
      },
    });
    const { status, json } = await ask('api/fleet');
    expect([status, json]).toEqual([200, expect.objectContaining({ error: 'closed' })]);
  });
});
