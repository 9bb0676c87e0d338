// The messages of the channel, as a subscriber of Node's TracingChannel gets them.

import { AsyncLocalStorage } from 'node:async_hooks';
import { type Channel, tracingChannel } from 'node:diagnostics_channel';
import { Supervisor, type TaskSpec } from 'slotvisor';
import { describe, expect, onTestFinished, test } from 'vitest';
import { never } from '../support/bodies.ts';
import { boom, scenario, throwBoom } from '../support/scenario.ts';
import { recordWarnings } from '../support/warnings.ts';

const channel = tracingChannel<object, object>('slotvisor:attempt');
const WORDS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
type Word = (typeof WORDS)[number];

interface Heard {
  readonly word: Word;
  readonly message: Record<string, unknown>;
}

/** Subscribes to these words until the test ends. */
function hear(words: readonly Word[] = WORDS): { readonly heard: Heard[]; readonly stop: () => void } {
  const heard: Heard[] = [];
  const stops = words.map((word) => {
    const listener = (message: unknown): void => void heard.push({ word, message: message as Heard['message'] });
    const one: Channel = channel[word];
    one.subscribe(listener);
    return () => void one.unsubscribe(listener);
  });
  const stop = (): void => {
    for (const each of stops) each();
  };
  onTestFinished(stop);
  return { heard, stop };
}

const words = (heard: readonly Heard[]): string => heard.map(({ word }) => word).join(' ');

describe('the channel of attempts', () => {
  test.each<[string, Partial<TaskSpec<unknown>>, string, object]>([
    ['returns', { run: () => 1 }, 'start end asyncStart asyncEnd', { end: 'succeeded' }],
    ['resolves', { run: async () => 1 }, 'start end asyncStart asyncEnd', { end: 'succeeded' }],
    ['throws', { run: throwBoom }, 'start end error asyncStart asyncEnd', { end: 'failed', error: boom }],
    [
      'rejects',
      { run: () => Promise.reject(boom) },
      'start end error asyncStart asyncEnd',
      { end: 'failed', error: boom },
    ],
    [
      'times out',
      { timeoutMs: 10, run: (ctx) => ctx.sleep(Infinity) },
      'start end error asyncStart asyncEnd',
      { end: 'timedOut', durationMs: 10, error: expect.objectContaining({ kind: 'timedOut' }) },
    ],
    [
      'is canceled',
      { deadlineMs: 10, run: (ctx) => ctx.sleep(Infinity) },
      'start end asyncStart asyncEnd',
      { end: 'canceled' },
    ],
    [
      'is canceled and throws an error of its own',
      { deadlineMs: 10, run: (ctx) => ctx.sleep(Infinity).catch(throwBoom) },
      'start end asyncStart asyncEnd',
      { end: 'canceled', failure: expect.objectContaining({ error: boom }) },
    ],
    [
      'is killed',
      { deadlineMs: 10, run: { run: never, kill: () => {} } },
      'start end asyncStart asyncEnd',
      { end: 'killed', durationMs: 110 },
    ],
    [
      'is abandoned',
      { deadlineMs: 10, run: never, onOverrun: 'abandon' },
      'start end asyncStart asyncEnd',
      { end: 'abandoned' },
    ],
  ])('has one message for an attempt that %s, in the order of Node', async (_, spec, order, end) => {
    const { supervisor, clock, put } = scenario();
    const { heard } = hear();
    const { id } = put({ name: 'n', meta: 7, ...spec });
    await clock.advance(1_000);
    expect(words(heard)).toBe(order);
    expect(new Set(heard.map(({ message }) => message)).size).toBe(1);
    const { restart, timeoutMs, ...message } = heard[0]?.message ?? {};
    expect([restart, timeoutMs]).toEqual(['never', spec.timeoutMs ?? Infinity]);
    const start = {
      supervisor,
      id,
      slot: 's',
      name: 'n',
      attempt: 1,
      meta: 7,
      waitedMs: 0,
      fence: 0n,
      resident: false,
    };
    expect(message).toMatchObject({ ...start, ...end });
  });

  test('publishes no error of an attempt that succeeded, whatever a subscriber wrote to its message', async () => {
    const { clock, put } = scenario();
    const { heard } = hear();
    const write = (message: unknown): void => void Object.assign(message as object, { error: boom });
    channel.start.subscribe(write);
    onTestFinished(() => void channel.start.unsubscribe(write));
    put({ run: () => 1 });
    await clock.settle();
    expect(words(heard)).toBe('start end asyncStart asyncEnd');
  });

  test('binds stores that are active in the body, and in what it starts', async () => {
    const storage = new AsyncLocalStorage<object>();
    channel.start.bindStore(storage, (message) => [(message as { slot: string }).slot]);
    onTestFinished(() => void channel.start.unbindStore(storage));
    const seen: unknown[] = [];
    const { clock, put } = scenario({
      aroundAttempt: (_, next) => {
        seen.push(storage.getStore());
        return next();
      },
    });
    const run = async (ctx: { sleep(ms: number): Promise<void> }) => {
      seen.push(storage.getStore());
      await ctx.sleep(5);
      seen.push(storage.getStore());
    };
    put({ slot: 'a', run: run as never });
    put({ slot: 'b', run: run as never });
    await clock.advance(10);
    expect(seen).toEqual(['a', 'a', 'b', 'b', 'a', 'b'].map((slot) => [slot]));
    expect(storage.getStore()).toBeUndefined();
  });

  test('publishes nothing of an attempt that began before its first subscriber, and all of a later attempt', async () => {
    const { clock, put } = scenario();
    put({ slot: 'early', run: (ctx) => ctx.sleep(10) });
    await clock.settle();
    const { heard, stop } = hear();
    put({ slot: 'heard', run: (ctx) => ctx.sleep(10) });
    await clock.advance(10);
    expect([words(heard), heard[0]?.message.slot]).toEqual(['start end asyncStart asyncEnd', 'heard']);
    stop();
    put();
    await clock.settle();
    expect(heard).toHaveLength(4);
  });

  test('publishes to a subscriber of one word only', async () => {
    const { heard } = hear(['error']);
    const { clock, put } = scenario();
    put({ run: throwBoom });
    await clock.settle();
    expect(words(heard)).toBe('error');
  });

  test('keeps what a subscriber writes to the message, and tells supervisors apart', async () => {
    const { heard } = hear(['asyncEnd']);
    const onStart = (message: unknown): void => void Object.assign(message as object, { span: heard.length });
    channel.start.subscribe(onStart);
    onTestFinished(() => void channel.start.unsubscribe(onStart));
    const worlds = [scenario(), scenario()];
    for (const { clock, put } of worlds) {
      put({ run: () => 1 });
      await clock.settle();
    }
    expect(heard.map(({ message }) => [message.supervisor, message.span])).toEqual(
      worlds.map(({ supervisor }, i) => [supervisor, i]),
    );
  });

  test('counts as watching: a failure is not warned of while it is heard', async () => {
    const warnings = recordWarnings();
    const { clock } = scenario();
    const supervisor = new Supervisor({ clock });
    const { stop } = hear(['start']);
    supervisor.submit({ slot: 'a', restart: 'never', run: throwBoom });
    await clock.advance(10);
    stop();
    supervisor.submit({ slot: 'b', restart: 'never', run: throwBoom });
    await clock.advance(10);
    expect((await warnings()).map(({ message }) => message.slice(0, 19))).toEqual(['The task "b" failed']);
  });

  test('lets the body run and the attempt end whatever a bound store does', async () => {
    const storage = new AsyncLocalStorage<object>();
    channel.start.bindStore(storage, () => ['bound']);
    onTestFinished(() => void channel.start.unbindStore(storage));
    const { clock, put } = scenario();
    const one = put({ run: throwBoom });
    await clock.settle();
    expect(await one.outcome).toMatchObject({ kind: 'failed', failure: { error: boom } });
  });
});
