import { type SupervisorOptions, slotGroup, type TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { type HistorySettings, Recorder } from '../../../src/ext/dashboard/recorder.ts';
import { CONSTANT_BACKOFF, never, polite } from '../../support/bodies.ts';
import { collectGarbage, heapBytes } from '../../support/heap.ts';
import { THROWN } from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';

const HISTORY: HistorySettings = {
  ...{ events: 5_000, notable: 5_000, problems: 200 },
  ...{ slots: 1_000, attempts: 32, minutes: 1_440 },
};

function recording(history: Partial<HistorySettings> = {}, options: SupervisorOptions = {}, groupOf = slotGroup) {
  const world = setup(options);
  const recorder = new Recorder(world.supervisor, { history: { ...HISTORY, ...history }, groupOf }, world.clock);
  return { ...world, recorder };
}

type World = ReturnType<typeof recording>;

/** Submits one after another, and lets each of them end. */
async function runAll({ supervisor, clock }: World, specs: readonly TaskSpec[]): Promise<void> {
  for (const spec of specs) {
    supervisor.submit(spec);
    await clock.settle();
  }
}

const failing = (slot: string, error: unknown = new Error('boom')) => ({
  ...({ slot, restart: 'never' } as const),
  run: () => {
    throw error;
  },
});

const typesOf = ({ recorder }: World, kind: 'notable' | 'rejected' | 'all' = 'all') =>
  recorder.events({ kind, limit: 500 }).events.map(({ type }) => type);

describe('what it remembers of a task', () => {
  test('its events, its attempts with their retries, its last failure and its problem', async () => {
    const world = recording();
    const { supervisor, clock, recorder } = world;
    const start = clock.wallNow();
    let calls = 0;
    const { id } = supervisor.submit({
      ...{ slot: 'sync:7', name: 'sync', maxRetries: 2, backoff: CONSTANT_BACKOFF },
      run: () => {
        calls += 1;
        if (calls < 3) throw Object.assign(new TypeError(`call ${calls} failed`), { code: 'E' });
      },
    });
    await clock.advance(1_000);
    expect(recorder.attemptsOf('sync:7')).toEqual([
      { id, name: 'sync', attempt: 1, from: start, to: start, end: 'failed', message: 'call 1 failed' },
      { id, name: 'sync', attempt: 2, from: start + 100, to: start + 100, end: 'failed', message: 'call 2 failed' },
      { id, name: 'sync', attempt: 3, from: start + 200, to: start + 200, end: 'succeeded' },
    ]);
    const failure = {
      ...{ at: start + 100, id, name: 'sync', attempt: 2, kind: 'thrown', message: 'call 2 failed' },
      error: { name: 'TypeError', code: 'E', message: 'call 2 failed', stack: expect.stringContaining('at ') },
    };
    expect(recorder.lastFailureOf('sync:7')).toEqual(failure);
    expect(recorder.problems()).toEqual([
      {
        ...{ group: 'sync', kind: 'thrown', name: 'TypeError', code: 'E', text: 'call # failed', count: 2 },
        ...{ first: start, last: start + 100, slots: ['sync:7'], latest: failure },
      },
    ]);
    expect(typesOf(world, 'notable')).toEqual(['attemptFailed', 'attemptFailed']);
    expect(recorder.series('second', clock.wallNow()).fields).toMatchObject({ failed: [2, 0], succeeded: [1, 0] });
  });

  test('what was turned away, and lately for want of room', async () => {
    const world = recording({}, { slotDefaults: { queueLimit: 0 } });
    const { supervisor, clock, recorder } = world;
    const owner = supervisor.submit({ slot: 's', run: polite });
    supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: polite });
    supervisor.submit({ slot: 's', run: polite });
    await clock.settle();
    expect(recorder.eventsOf('s', 10).map(({ type, other }) => [type, other])).toContainEqual(['rejected', owner.id]);
    expect(typesOf(world, 'notable')).toEqual([]);
    expect(recorder.series('second', clock.wallNow()).fields.rejected).toEqual([2]);
    expect(recorder.turnedAwayLately(60_000)).toMatchObject({ queueFull: 1, slotBusy: 0 });
    await clock.advance(90_000);
    expect(recorder.turnedAwayLately(60_000).queueFull).toBe(0);
    expect(recorder.turnedAwayLately(300_000)).toMatchObject({ queueFull: 1 });
  });

  test('the delays of the event loop that it is given', async () => {
    const { clock, recorder } = recording();
    recorder.sample(4);
    await clock.advance(1_000);
    recorder.sample(70);
    expect(recorder.series('minute', clock.wallNow()).fields.loopDelayMs).toEqual([70]);
    expect(recorder.series('second', clock.wallNow()).fields.loopDelayMs).toEqual([4, 70]);
  });
});

describe('attempts', () => {
  test('an attempt runs while its body is alive, also once its owner has left it to others', async () => {
    const { supervisor, clock, recorder } = recording();
    const owner = supervisor.submit({ slot: 's', admission: 'join', run: (ctx) => ctx.sleep(500) });
    supervisor.submit({ slot: 's', admission: 'join', run: polite });
    await clock.advance(100);
    owner.cancel();
    await clock.advance(100);
    expect(recorder.attemptsOf('s')).toMatchObject([{ id: owner.id, to: null, end: null }]);
    await clock.advance(1_000);
    expect(recorder.attemptsOf('s')).toMatchObject([{ id: owner.id, from: recorder.since, end: 'succeeded' }]);
    expect(recorder.attemptsOf('s')[0]?.to).toBe(recorder.since + 500);
  });

  test('an attempt that every submission has left is not without an end once its body has ended', async () => {
    const { supervisor, clock, recorder } = recording();
    let end = () => {};
    const run = () =>
      new Promise<void>((resolve) => {
        end = resolve;
      });
    const all = [1, 2].map(() => supervisor.submit({ slot: 's', admission: 'join', run }));
    await clock.advance(100);
    for (const one of all) one.cancel();
    await clock.advance(1_000);
    expect(recorder.attemptsOf('s')).toMatchObject([{ to: null }]);
    end();
    await clock.advance(1_000);
    const [row, ...others] = recorder.attemptsOf('s');
    expect([row?.to, row?.end, others]).toEqual([recorder.since + 100, null, []]);
  });

  test('a body that is given up has ended, and what comes after it is another attempt', async () => {
    const { supervisor, clock, recorder } = recording();
    const first = supervisor.submit({ slot: 's', graceMs: 50, onOverrun: 'abandon', run: never });
    await clock.advance(100);
    first.cancel();
    await clock.advance(100);
    supervisor.submit({ slot: 's', run: polite });
    await clock.advance(100);
    expect(recorder.attemptsOf('s')).toMatchObject([
      { id: first.id, to: recorder.since + 150, end: 'canceled' },
      { to: null, end: null },
    ]);
    expect(recorder.series('minute', clock.wallNow()).fields.overruns).toEqual([1]);
  });

  test('an attempt that began before the recorder is known once it has ended', async () => {
    const { supervisor, clock } = setup();
    supervisor.submit({ slot: 's', run: (ctx) => ctx.sleep(500) });
    await clock.advance(200);
    const recorder = new Recorder(supervisor, { history: HISTORY, groupOf: slotGroup }, clock);
    await clock.advance(200);
    expect(recorder.attemptsOf('s')).toEqual([]);
    await clock.advance(200);
    expect(recorder.attemptsOf('s')).toMatchObject([
      { from: recorder.since - 200, to: recorder.since + 300, end: 'succeeded' },
    ]);
  });
});

describe('the events that follow a seq', () => {
  test('are each seen once over any number of looks', async () => {
    const world = recording();
    const seen: number[] = [];
    let seq = world.recorder.seq;
    for (let i = 0; i < 50; i += 1) {
      await runAll(
        world,
        Array.from({ length: i % 4 }, () => failing(`s:${i}`)),
      );
      const { gap, events } = world.recorder.after(seq, { kind: 'notable' }, 500);
      expect(gap).toBe(false);
      seen.push(...events.map((row) => row.seq));
      seq = world.recorder.seq;
    }
    const notable = world.recorder.events({ kind: 'notable', limit: 500 }).events.map((row) => row.seq);
    expect(seen).toEqual(notable.reverse());
    expect(seen.length).toBe(146);
  });

  test('have a gap where the recorder lost events, and it says so in a notable event', async () => {
    const world = recording();
    const { supervisor, clock, recorder } = world;
    await runAll(world, [failing('s')]);
    const { seq } = recorder;
    for (let i = 0; i < 60_000; i += 1) supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: polite });
    await clock.settle();
    await clock.advance(1_000);
    expect(recorder.after(seq, { kind: 'notable' }, 500).gap).toBe(true);
    expect(recorder.events({ kind: 'notable', limit: 500 }).events).toContainEqual(
      expect.objectContaining({ type: 'eventsDropped', text: expect.stringContaining('slotvisor/dashboard lost') }),
    );
    expect(recorder.after(recorder.seq, { kind: 'notable' }, 500)).toEqual({ gap: false, events: [] });
  });
});

describe('bounds', () => {
  test('a flood of rejections pushes out no notable event, and no slot', async () => {
    const world = recording({ events: 10, notable: 10 });
    const { supervisor, clock, recorder } = world;
    await runAll(world, [failing('failed'), { slot: 'busy', run: polite }]);
    for (let i = 0; i < 1_000; i += 1) supervisor.submit({ slot: 'busy', admission: 'dropIfRunning', run: polite });
    await clock.settle();
    expect(typesOf(world, 'notable')).toEqual(['finished', 'attemptFailed']);
    expect(typesOf(world, 'rejected')).toEqual(Array(10).fill('rejected'));
    expect(typesOf(world)).toHaveLength(10);
    expect(recorder.attemptsOf('failed').length).toBe(1);
  });

  test('each bound of the history holds', async () => {
    const world = recording({ events: 20, notable: 10, problems: 3, slots: 4, attempts: 2, minutes: 5 });
    const { recorder, clock } = world;
    const words = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (let round = 0; round < 5; round += 1)
      await runAll(
        world,
        words.flatMap((word) => [1, 2, 3].map(() => failing(`${word}:1`, new Error(word)))),
      );
    await clock.advance(3_600_000);
    expect([typesOf(world).length, typesOf(world, 'notable').length]).toEqual([20, 10]);
    expect(recorder.problems().map(({ text, count }) => [text, count])).toEqual([
      ['f', 3],
      ['e', 3],
      ['d', 3],
    ]);
    expect(words.map((word) => recorder.attemptsOf(`${word}:1`).length)).toEqual([0, 0, 2, 2, 2, 2]);
    expect(words.map((word) => recorder.lastFailureOf(`${word}:1`)?.message)).toEqual([
      ...[undefined, undefined],
      ...['c', 'd', 'e', 'f'],
    ]);
    expect(recorder.series('minute', clock.wallNow()).fields.failed).toEqual(Array(5).fill(0));
  });

  test('of a flood of failures some have their stacks, the next second again', async () => {
    const world = recording();
    const { recorder, clock } = world;
    const failures = Array.from({ length: 80 }, (_, i) => failing(`s:${i}`));
    const withStack = () =>
      failures.filter(({ slot }) => recorder.lastFailureOf(slot)?.error?.stack !== undefined).length;
    await runAll(world, failures);
    expect(withStack()).toBe(50);
    await clock.advance(1_000);
    await runAll(world, failures.slice(50));
    expect(withStack()).toBe(80);
  });

  test('its memory is flat over many events of many slots', async () => {
    const world = recording({ events: 500, notable: 500, slots: 100 });
    const { supervisor, clock } = world;
    const burst = async (round: number): Promise<void> => {
      for (let i = 0; i < 5_000; i += 1) {
        const n = round * 5_000 + i;
        supervisor.submit(failing(`tenant-of-some-length-${n}:${n}`, new Error(`no ${n} ${'x'.repeat(n % 500)}`)));
      }
      await clock.settle();
      world.recorded.clear();
    };
    for (let round = 0; round < 4; round += 1) await burst(round);
    const before = heapBytes();
    for (let round = 4; round < 14; round += 1) await burst(round);
    expect(heapBytes() - before).toBeLessThan(2_000_000); // 250,000 events
    expect(world.recorder.seq).toBeGreaterThan(300_000);
  });
});

test('no object of the user is kept alive: neither meta, nor error, nor reason, nor cause', async () => {
  const world = recording();
  const { supervisor, clock, recorder } = world;
  const refs: WeakRef<object>[] = [];
  const mark = <T extends object>(value: T): T => {
    refs.push(new WeakRef(value));
    return value;
  };
  await (async () => {
    const cause = mark(new Error('cause'));
    supervisor.submit({ ...failing('a', mark(new Error('boom', { cause }))), meta: mark({ big: 1 }) });
    supervisor.submit(failing('b', mark({ no: 'error' })));
    const canceled = supervisor.submit({ slot: 'c', meta: mark({}), run: polite });
    supervisor.submit({ slot: 'c', admission: 'dropIfRunning', meta: mark({}), run: polite });
    supervisor.subscribe({
      onEvent: ({ type }) => {
        if (type === 'attemptFailed') throw mark(new Error('subscriber'));
      },
    });
    await clock.settle();
    canceled.cancel(mark({ why: 'reason' }));
    await clock.settle();
  })();
  await supervisor.shutdown();
  world.recorded.clear();
  await clock.settle();
  collectGarbage();
  expect(refs.length).toBeGreaterThan(7);
  expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  expect(recorder.lastFailureOf('a')?.error?.cause?.message).toBe('cause');
});

describe('hostile tasks', () => {
  const no = () => {
    throw new Error('no');
  };

  test('whatever a body throws is remembered as short texts, and nothing fails', async () => {
    const world = recording();
    const { recorder, recorded } = world;
    const thrown = THROWN.map(([, make], i) => failing(`s:${i}`, make()));
    await runAll(world, thrown);
    expect(recorded.of('subscriberFailed')).toEqual([]);
    const ofSlots = thrown.map(({ slot }) => [recorder.lastFailureOf(slot)?.kind, recorder.attemptsOf(slot).length]);
    expect(ofSlots).toEqual(thrown.map(() => ['thrown', 1]));
    for (const { slot } of thrown) expect(JSON.stringify(recorder.lastFailureOf(slot)).length).toBeLessThan(20_000);
    const all = [recorder.problems(), recorder.events({ kind: 'all', limit: 500 })];
    expect(JSON.stringify(all).length).toBeLessThan(thrown.length * 10_000);
  });

  test('meta, names and reasons of any kind and size do no harm, and are not shown', async () => {
    const world = recording();
    const { supervisor, clock, recorder, recorded } = world;
    const cyclic: Record<string, unknown> = { secret: 7n };
    cyclic.self = cyclic;
    for (const meta of [cyclic, new Proxy({}, { get: no, ownKeys: no }), 'secret'.repeat(1_000_000)])
      supervisor.submit({ slot: 'n'.repeat(1_024), name: 'm'.repeat(1_024), meta, run: polite });
    await clock.settle();
    supervisor.slot('n'.repeat(1_024)).cancel('r'.repeat(10_000_000));
    await clock.settle();
    expect(recorded.of('subscriberFailed')).toEqual([]);
    const text = JSON.stringify(recorder.events({ kind: 'all', limit: 500 }));
    expect(text).not.toContain('secret');
    expect(text.length).toBeLessThan(100_000);
  });

  test('if the function for groups throws, others hear of it, and all but the problem is remembered', async () => {
    const world = recording({}, {}, no);
    await runAll(world, [failing('s')]);
    const { recorder, recorded } = world;
    expect(recorded.events).toContainEqual(
      expect.objectContaining({ type: 'subscriberFailed', subscriber: 'slotvisor/dashboard' }),
    );
    expect([recorder.problems().length, recorder.attemptsOf('s').length]).toEqual([0, 1]);
    expect(recorder.lastFailureOf('s')?.message).toBe('boom');
  });
});

describe('its ends', () => {
  test('it hears a shutdown to its end, and still shows all', async () => {
    const world = recording();
    world.supervisor.submit({ slot: 's', run: polite });
    await world.clock.settle();
    await world.supervisor.shutdown();
    expect(typesOf(world, 'notable')).toEqual(['shutdownFinished', 'finished', 'stopRequested', 'shutdownStarted']);
    expect(world.recorder.attemptsOf('s')).toMatchObject([{ end: 'canceled' }]);
  });

  test('once closed it hears nothing more', async () => {
    const world = recording();
    await runAll(world, [failing('s')]);
    const { seq } = world.recorder;
    world.recorder.close();
    world.recorder.close();
    await runAll(world, [failing('s')]);
    expect([world.recorder.seq, world.recorder.attemptsOf('s').length]).toEqual([seq, 1]);
  });

  test('attached after a shutdown it is inert', async () => {
    const { supervisor, clock } = setup();
    await supervisor.shutdown();
    const recorder = new Recorder(supervisor, { history: HISTORY, groupOf: slotGroup }, clock);
    expect(recorder.events({ kind: 'all', limit: 5 })).toEqual({ events: [], more: false });
    expect([recorder.seq, recorder.problems(), recorder.attemptsOf('s'), recorder.eventsOf('s', 5)]).toEqual([
      0,
      [],
      [],
      [],
    ]);
    expect(recorder.after(0, { kind: 'all' }, 5)).toEqual({ gap: false, events: [] });
    recorder.close();
    expect(clock.timers).toBe(0);
  });
});
