import { schedulesOf } from 'slotvisor/cron';
import { seededRandom } from 'slotvisor/testing';
import { describe, expect, it, test } from 'vitest';
import type { EventsPage, State, Tail } from '../../../src/ext/dashboard/wire.ts';
import { BASE, messagesOf, Reader, type World, world } from './world.ts';

const failing = {
  backoff: { firstMs: 100, factor: 1, jitter: 'none' },
  run: () => Promise.reject(new Error('x')),
} as const;

const open = async ({ board }: World, params = '', headers: Record<string, string> = {}): Promise<Reader> => {
  const reader = new Reader(await board.fetch(new Request(`${BASE}api/stream${params}`, { headers })));
  expect(await reader.frame()).toBe('retry: 2000\n\n');
  return reader;
};

/** The next frame, at the next tick. */
async function nextFrame({ clock }: World, reader: Reader): Promise<string> {
  await clock.advance(1_000);
  return (await reader.frame()) as string;
}

const stateOf = (frame: string): State => messagesOf(frame).find(({ event }) => event === 'state')?.data as State;
const tailOf = (frame: string) => {
  const message = messagesOf(frame).find(({ event }) => event === 'events');
  return { id: message?.id, ...(message?.data as Tail) };
};

describe('a state has what its view shows, and nothing else', () => {
  const rows: readonly [params: string, fields: readonly string[]][] = [
    ['', ['summary', 'series', 'page']],
    ['?view=slots&slot=a', ['summary', 'series', 'page', 'slot']],
    ['?view=events', ['summary', 'series']],
    ['?view=failures&slot=none', ['summary', 'series', 'problems']],
    ['?view=schedules', ['summary', 'series', 'schedules']],
    ['?view=fleet', ['summary', 'series']],
  ];
  for (const [params, fields] of rows)
    test(params, async () => {
      const all = world({ schedules: schedulesOf });
      all.supervisor.submit({ slot: 'a', run: (ctx) => ctx.sleep(Infinity) });
      const state = stateOf(await nextFrame(all, await open(all, params)));
      expect(Object.keys(state).sort()).toEqual([...fields].sort());
    });
});

it('the page, the slot and the series are those of the parameters', async () => {
  const all = world();
  for (const slot of ['a:1', 'a:2', 'b:1']) all.supervisor.submit({ slot, run: (ctx) => ctx.sleep(Infinity) });
  await all.clock.settle();
  const state = stateOf(await nextFrame(all, await open(all, '?q=a%3A&limit=1&sort=name&slot=b%3A1&step=minute')));
  expect(state.page).toMatchObject({ total: 2, of: 3, rows: [{ slot: 'a:1' }] });
  expect(state.slot).toMatchObject({ slot: 'b:1', row: { phase: 'running' } });
  expect(state.series.step).toBe('minute');
});

describe('a frame is quiet', () => {
  it('if nothing but the time has changed', async () => {
    const all = world();
    const reader = await open(all, '?view=slots&step=minute');
    const first = stateOf(await nextFrame(all, reader));
    expect(first.summary.slotCount).toBe(0);
    expect(await nextFrame(all, reader)).toBe(': quiet\n\n');
    all.supervisor.slot('a').pause();
    expect(stateOf(await nextFrame(all, reader)).summary.slotCount).toBe(1);
  });
});

describe('events', () => {
  it('are in frames of the view events only, the oldest first, each once', async () => {
    const all = world();
    const reader = await open(all, '?view=events');
    expect(tailOf(await nextFrame(all, reader))).toMatchObject({ gap: false, events: [] });
    all.supervisor.submit({ slot: 'a', ...failing, maxRetries: 1 });
    const tail = tailOf(await nextFrame(all, reader));
    expect(tail.events.map(({ type }) => type)).toEqual(expect.arrayContaining(['attemptFailed', 'finished']));
    expect(tail.events.map(({ seq }) => seq)).toEqual(tail.events.map(({ seq }) => seq).sort((a, b) => a - b));
    expect(messagesOf(await nextFrame(all, reader)).map(({ event }) => event)).not.toContain('events');
    const slots = await open(all, '?view=slots');
    all.supervisor.submit({ slot: 'a', ...failing, maxRetries: 1 });
    expect(messagesOf(await nextFrame(all, slots)).map(({ event }) => event)).toEqual(['state']);
  });

  it('begin with a frame that has an id, also without any event', async () => {
    const all = world();
    const { id, events } = tailOf(await nextFrame(all, await open(all, '?view=events')));
    expect([id, events]).toEqual([expect.stringMatching(/^\w+-0$/), []]);
  });

  it('are of the kind and the types that were asked for', async () => {
    const all = world();
    const everything = await open(all, '?view=events&kind=all');
    const rejected = await open(all, '?view=events&kind=rejected');
    const paused = await open(all, '?view=events&types=slotPaused');
    for (const reader of [everything, rejected, paused]) await nextFrame(all, reader);
    all.supervisor.submit({ slot: 'a', run: (ctx) => ctx.sleep(Infinity) });
    all.supervisor.submit({ slot: 'a', admission: 'dropIfRunning', run: () => {} });
    all.supervisor.slot('a').pause();
    const types = async (reader: Reader) => tailOf(await nextFrame(all, reader)).events.map(({ type }) => type);
    expect(await types(everything)).toContain('submitted');
    expect(await types(rejected)).toEqual(['rejected']);
    expect(await types(paused)).toEqual(['slotPaused']);
  });

  it('go on where the reader was cut off, over 100 random ends of the stream, without loss or duplicate', async () => {
    const random = seededRandom(5);
    const all = world({ history: { notable: 20_000 } });
    const seen: number[] = [];
    let id: string | undefined;
    for (let i = 0; i < 100; i += 1) {
      // A browser sends the header, and the address that it had at first.
      const byHeader = random() < 0.5;
      const since = id === undefined ? '' : `&since=${byHeader ? id.replace(/\d+$/, '0') : id}`;
      const reader = await open(
        all,
        `?view=events${since}`,
        byHeader && id !== undefined ? { 'last-event-id': id } : {},
      );
      for (let frames = Math.floor(random() * 3); frames >= 0; frames -= 1) {
        all.supervisor.submit({ slot: `s${i % 7}`, ...failing, maxRetries: Math.floor(random() * 3) });
        const frame = await nextFrame(all, reader);
        const tail = tailOf(frame);
        if (tail.id === undefined) continue;
        expect(tail.gap).toBe(false);
        id = tail.id;
        seen.push(...tail.events.map(({ seq }) => seq));
      }
      await reader.cancel();
      all.supervisor.submit({ slot: 'between', ...failing, maxRetries: 1 });
      await all.clock.advance(random() * 2_000);
    }
    const last = await open(all, `?view=events&since=${id}`);
    seen.push(...tailOf(await nextFrame(all, last)).events.map(({ seq }) => seq));
    const known: number[] = [];
    for (let before = Number.MAX_SAFE_INTEGER; before > 0; ) {
      const { json } = await all.ask(`api/events?limit=500&before=${before}`);
      const { events, more } = json as EventsPage;
      known.unshift(...events.map(({ seq }) => seq).reverse());
      before = more ? (known[0] as number) : 0;
    }
    expect(known.length).toBeGreaterThan(500);
    expect(seen).toEqual(known);
  });

  describe('a gap is said once, in the first frame,', () => {
    const epochOf = async (all: World): Promise<string> =>
      ((await all.ask('api/summary')).json as { epoch: string }).epoch;
    const gaps = async (all: World, params: string, headers = {}) => {
      const reader = await open(all, `?view=events${params}`, headers);
      const first = tailOf(await nextFrame(all, reader));
      all.supervisor.slot('x').pause();
      all.supervisor.slot('x').resume();
      const second = tailOf(await nextFrame(all, reader));
      return [first.gap, first.events.length, second.gap, second.events.length];
    };

    test('where more was forgotten than was read', async () => {
      const all = world({ history: { notable: 3 } });
      const epoch = await epochOf(all);
      for (let i = 0; i < 8; i += 1) all.supervisor.slot('x')[i % 2 === 0 ? 'pause' : 'resume']();
      await all.clock.settle();
      expect(await gaps(all, `&since=${epoch}-1`)).toEqual([true, 3, false, 2]);
    });

    test('where the process has started again: from now on', async () => {
      const all = world();
      all.supervisor.slot('x').pause();
      await all.clock.settle();
      for (const since of ['0123456789abcdef-1', 'nonsense', '', '5', '-1', `${await epochOf(all)}-`])
        expect(await gaps(all, `&since=${since}`), since).toEqual([true, 0, false, expect.any(Number)]);
      expect(await gaps(all, '', { 'last-event-id': '0123456789abcdef-1' })).toEqual([true, 0, false, 2]);
    });

    test('where the number is of a time that has not come', async () => {
      const all = world();
      expect(await gaps(all, `&since=${await epochOf(all)}-99`)).toEqual([true, 0, false, 2]);
    });

    test('and not where nothing is missing', async () => {
      const all = world();
      expect(await gaps(all, `&since=${await epochOf(all)}-0`)).toEqual([false, 0, false, 2]);
      expect(await gaps(all, '')).toEqual([false, 0, false, 2]);
    });
  });
});

it('a bad parameter opens no stream', async () => {
  const all = world();
  for (const params of ['view=x', 'limit=0', 'status=x', 'step=x', 'kind=x', 'types=x', `q=${'x'.repeat(10_240)}`])
    expect((await all.ask(`api/stream?${params}`)).status, params).toBe(400);
  expect(all.board.streams.size).toBe(0);
});

it('a stream goes on after the shutdown of its supervisor', async () => {
  const all = world();
  const reader = await open(all);
  await nextFrame(all, reader);
  await all.supervisor.shutdown();
  expect(stateOf(await nextFrame(all, reader)).summary.phase).toBe('closed');
});

it('the end of the dashboard ends its streams, also while they sweep', async () => {
  const all = world();
  for (let i = 0; i < 10; i += 1) all.supervisor.slot(`s${i}`).pause();
  const readers = await Promise.all([open(all), open(all, '?view=events')]);
  const frames = readers.map((reader) => reader.frame());
  all.board.close();
  expect(await Promise.all(frames)).toEqual([undefined, undefined]);
  expect([all.board.streams.size, all.clock.timers]).toEqual([0, 0]);
});
