// The examples with a dashboard, as an operator and a viewer see them, and Ctrl+C.

import { expect, test } from 'vitest';
import { EXAMPLES, linesOf, startExample } from './support/example.ts';

/** How an operator and a viewer come in to each dashboard. */
const DASHBOARDS: Readonly<Record<string, { readonly operator: Login; readonly viewer?: Login }>> = {
  'dashboard.ts': { operator: async () => ({}) },
  'dashboard-node.ts': { operator: password('operator:act'), viewer: password('viewer:look') },
  'dashboard-express.ts': { operator: session('/login/operator'), viewer: session('/login/viewer') },
  'dashboard-fastify.ts': { operator: password('operator:act') },
};

type Login = (url: string) => Promise<Readonly<Record<string, string>>>;

function password(user: string): Login {
  return async () => ({ authorization: `Basic ${Buffer.from(user).toString('base64')}` });
}

function session(path: string): Login {
  return async (url) => {
    const { headers } = await fetch(new URL(path, url), { redirect: 'manual' });
    return { cookie: headers.getSetCookie()[0]?.split(';')[0] ?? 'none' };
  };
}

test('this file runs every example with a dashboard', () => {
  const names = EXAMPLES.filter((name) => /^dashboard[^/]*$/.test(name));
  expect(names.sort()).toEqual(Object.keys(DASHBOARDS).sort());
});

/** What the frames of a state have, as far as it is looked at. */
interface Shown {
  readonly summary: {
    readonly slotCount: number;
    readonly warnings: readonly { readonly kind: string }[];
    readonly groups: readonly { readonly group: string }[];
    readonly actions: readonly string[];
  };
  readonly schedules?: readonly { readonly name: string; readonly status: string }[];
}

/** The states of a stream, as they come. They end with the stream. */
async function* statesOf(url: string, headers: Readonly<Record<string, string>>): AsyncGenerator<Shown> {
  const { body } = await fetch(`${url}api/stream?view=schedules`, { headers });
  let text = '';
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk).toString();
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const data = /^event: state\n(?:id: .*\n)?data: (.*)/.exec(frame)?.[1];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}

/** Resolves when the stream has ended, or was cut off. */
async function ended(states: AsyncGenerator<Shown>): Promise<void> {
  try {
    for await (const _ of states);
  } catch (error) {
    expect(error).toMatchObject({ cause: { code: 'UND_ERR_SOCKET' } });
  }
}

async function stateWhere(states: AsyncGenerator<Shown>, isWanted: (state: Shown) => boolean): Promise<Shown> {
  for (;;) {
    const { value, done } = await states.next();
    if (done) throw new Error('the stream has ended');
    if (isWanted(value)) return value;
  }
}

const pause = (url: string, headers: Readonly<Record<string, string>>, slot: string) =>
  fetch(`${url}api/actions/pause`, {
    method: 'POST',
    headers: { ...headers, 'x-slotvisor': '1', 'content-type': 'application/json' },
    body: JSON.stringify({ slot }),
  });

test.for(Object.entries(DASHBOARDS))(
  '%s shows its supervisor to those it knows, lets an operator act, and ends at Ctrl+C with a page open',
  async ([name, { operator, viewer }]) => {
    const example = startExample(name, 1);
    await example.printed('dashboard: ');
    const url = /http:\S+/.exec(example.stdout)?.[0] ?? '';
    const headers = await operator(url);
    const status = async (path: string, as: Readonly<Record<string, string>>) =>
      (await fetch(new URL(path, url), { headers: as, redirect: 'manual' })).status;
    if (name !== 'dashboard.ts') {
      expect([await status(url, {}), await status('api/stream', {})]).toEqual([401, 401]);
      expect(await status(url.slice(0, -1), headers)).toBe(308);
    }
    expect([await status(url, headers), await status('app.js', headers)]).toEqual([200, 200]);

    const states = statesOf(url, headers);
    const slot = name === 'dashboard.ts' ? 'mail:tenant-1' : 'orders';
    const { summary } = (await states.next()).value as Shown;
    expect(summary.actions).toContain('pause');
    expect(await (await pause(url, headers, slot)).json()).toMatchObject({ done: true });
    if (viewer !== undefined) {
      expect(await status(url, await viewer(url))).toBe(200);
      expect((await pause(url, await viewer(url), slot)).status).toBe(403);
    }

    example.signal('SIGINT');
    await ended(states);
    const { code, stdout, stderr } = await example.ended;
    expect({ code, stderr, last: linesOf(stdout).at(-1) }).toEqual({
      code: 0,
      stderr: '',
      last: 'report: cause signal, clean true',
    });
  },
);

test('dashboard.ts has something of each kind to look at', async () => {
  const example = startExample('dashboard.ts', 1);
  await example.printed('dashboard: ');
  const states = statesOf(/http:\S+/.exec(example.stdout)?.[0] ?? '', {});
  const wanted = ['dead', 'overrun', 'pausedWithWork', 'turnedAway'];
  const { summary, schedules } = await stateWhere(states, ({ summary: { warnings } }) =>
    wanted.every((kind) => warnings.some((warning) => warning.kind === kind)),
  );
  expect(summary.slotCount).toBeGreaterThan(2_000);
  expect(summary.groups.map(({ group }) => group)).toEqual(
    expect.arrayContaining(['sync', 'feed', 'consumer', 'mail', 'legacy-import', 'newsletter', 'export']),
  );
  expect(schedules?.map(({ name, status }) => [name, status])).toEqual([
    ['usage', 'active'],
    ['nightly', 'active'],
    ['cleanup', 'active'],
    ['invoices', 'paused'],
  ]);
  example.signal('SIGINT');
  await example.ended;
});

test('tour.ts --dashboard shows the tour, and goes on until Ctrl+C', async () => {
  const tour = startExample('tour.ts', 1, {}, ['--dashboard']);
  await tour.printed('The dashboard stays until Ctrl+C: ');
  const url = /http:\S+/.exec(tour.stdout)?.[0] ?? '';
  const states = statesOf(url, {});
  const { summary } = (await states.next()).value as Shown;
  expect(summary).toMatchObject({ title: 'The tour', actions: [], totals: { killed: 2 } });
  tour.signal('SIGINT');
  await ended(states);
  const { code, stdout, stderr } = await tour.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('cause: signal; not every body ended by itself');
});
