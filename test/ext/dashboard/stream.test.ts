import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { Streams } from '../../../src/ext/dashboard/stream.ts';
import { Troubles } from '../../../src/ext/dashboard/troubles.ts';
import { watchEscapes } from '../../support/must-not-escape.ts';
import { Reader } from './world.ts';

function opened(frame?: () => Promise<string>, maxStreams = 20) {
  const clock = new VirtualClock();
  const streams = new Streams({ maxStreams, tickMs: 1_000 }, clock, new Troubles());
  onTestFinished(() => streams.close());
  const made = { frames: 0 };
  const next = async () => {
    made.frames += 1;
    return frame === undefined ? `data: ${made.frames}\n\n` : frame();
  };
  const open = (init: RequestInit = {}) => streams.open(new Request('http://a/', init), next);
  return { clock, streams, made, open };
}

it('a stream says how to connect again, and has a frame at once and after each tick', async () => {
  const { clock, open } = opened();
  const reader = new Reader(open());
  expect(Object.fromEntries(reader.response.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  });
  expect(await reader.frame()).toBe('retry: 2000\n\n');
  expect(await reader.frame()).toBe('data: 1\n\n');
  const next = reader.frame();
  await clock.advance(999);
  expect(clock.timers).toBe(1);
  await clock.advance(1);
  expect(await next).toBe('data: 2\n\n');
});

it('no frame is made for a reader that does not read, and it misses those between', async () => {
  const { clock, open, made } = opened();
  const reader = new Reader(open());
  await clock.advance(60_000);
  expect(made.frames).toBe(0);
  await reader.frame();
  await reader.frame();
  await clock.advance(60_000);
  expect(made.frames).toBe(1);
  expect(clock.timers).toBe(0);
  expect(await reader.frame()).toBe('data: 2\n\n');
});

it('a frame that takes long holds up the next one, and none is made beside it', async () => {
  const slow: (() => void)[] = [];
  const { clock, open, made } = opened(() => new Promise((resolve) => slow.push(() => resolve('data: x\n\n'))));
  const reader = new Reader(open());
  const frames = [reader.frame(), reader.frame(), reader.frame()];
  await clock.advance(10_000);
  expect(made.frames).toBe(1);
  slow[0]?.();
  await frames[1];
  await clock.settle();
  expect(made.frames).toBe(2);
});

describe('a stream ends, and leaves no timer and no place taken, when', () => {
  const waiting = async () => {
    const controller = new AbortController();
    const all = opened();
    const reader = new Reader(all.open({ signal: controller.signal }));
    await reader.frame();
    await reader.frame();
    const next = reader.frame();
    await all.clock.settle();
    expect([all.streams.size, all.clock.timers]).toEqual([1, 1]);
    return { ...all, reader, controller, next };
  };
  const ends: readonly [name: string, end: (all: Awaited<ReturnType<typeof waiting>>) => unknown][] = [
    ['its request is aborted', ({ controller }) => controller.abort()],
    ['its reader goes away', ({ reader }) => reader.cancel()],
    ['the dashboard is closed', ({ streams }) => streams.close()],
    [
      'all of that happens',
      ({ streams, reader, controller }) => [reader.cancel(), controller.abort(), streams.close()],
    ],
  ];
  for (const [name, end] of ends)
    test(name, async () => {
      const all = await waiting();
      end(all);
      expect([all.streams.size, all.clock.timers]).toEqual([0, 0]);
      expect(await all.next).toBeUndefined();
      await all.clock.advance(5_000);
      expect([all.clock.timers, all.made.frames]).toEqual([0, 1]);
    });

  test('a frame is under way', async () => {
    let give!: (text: string) => void;
    const { clock, open, streams } = opened(
      () =>
        new Promise((resolve) => {
          give = resolve;
        }),
    );
    const reader = new Reader(open());
    await reader.frame();
    const next = reader.frame();
    await clock.settle();
    streams.close();
    expect(await next).toBeUndefined();
    give('data: late\n\n');
    await clock.settle();
    expect(streams.size).toBe(0);
  });

  test('its request was aborted before', async () => {
    const { open, streams } = opened();
    const reader = new Reader(open({ signal: AbortSignal.abort() }));
    expect(await reader.frame()).toBe('retry: 2000\n\n');
    expect(await reader.frame()).toBeUndefined();
    expect(streams.size).toBe(0);
  });

  test('a frame cannot be made, which is a warning of the process', async () => {
    const escapes = watchEscapes();
    const { open, streams } = opened(() => Promise.reject(new Error('secret')));
    const reader = new Reader(open());
    await reader.frame();
    expect(await reader.frame()).toBeUndefined();
    expect(streams.size).toBe(0);
    expect(await escapes.stop()).toEqual(['warning']);
  });
});

it('of 1,000 streams that are asked for, as many are open as may be, and none is left after them', async () => {
  const { open, streams, clock } = opened();
  const readers: Reader[] = [];
  const refused: unknown[] = [];
  for (let i = 0; i < 1_000; i += 1)
    try {
      readers.push(new Reader(open()));
    } catch (refusal) {
      refused.push(refusal);
    }
  expect([readers.length, refused.length, streams.size]).toEqual([20, 980, 20]);
  expect(refused[0]).toMatchObject({ status: 503, code: 'tooManyStreams', headers: { 'retry-after': '5' } });
  await readers[7]?.cancel();
  readers[7] = new Reader(open());
  expect(() => open()).toThrow();
  for (const reader of readers) await reader.cancel();
  expect([streams.size, clock.timers]).toEqual([0, 0]);
});

it('a HEAD opens no stream', () => {
  const { open, streams } = opened(undefined, 1);
  for (let i = 0; i < 3; i += 1) expect(open({ method: 'HEAD' }).body).toBeNull();
  expect(streams.size).toBe(0);
});
