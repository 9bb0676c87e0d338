import { getEventListeners } from 'node:events';
import { FatalError, type Submission, Supervisor, type TaskEvent, type TaskEventType, type TaskSpec } from 'slotvisor';
import { seededRandom, VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../support/gate.ts';
import { type Setup, setup } from '../support/setup.ts';

const PLAIN = { firstMs: 100, jitter: 'none' } as const;
const never = (): Promise<never> => new Promise(() => {});
const fail = (): never => {
  throw new Error('no');
};

/** Tells `count` events, one a call of the API. */
function tick({ supervisor }: Pick<Setup, 'supervisor'>, count: number): void {
  const slot = supervisor.slot('ticking');
  for (let n = 0; n < count; n += 1) slot.view().paused ? slot.resume() : slot.pause();
}

/** A handler whose promise the test settles, one event after the other. */
function slowHandler(): { seen: TaskEvent[]; onEvent: (event: TaskEvent) => Promise<void>; next: () => void } {
  const seen: TaskEvent[] = [];
  let settle = (): void => {};
  const onEvent = (event: TaskEvent): Promise<void> => {
    seen.push(event);
    return new Promise((resolve) => {
      settle = resolve;
    });
  };
  return { seen, onEvent, next: () => settle() };
}

const seqs = (events: readonly TaskEvent[]): number[] => events.map(({ seq }) => seq);
const types = (events: readonly TaskEvent[]): TaskEventType[] => events.map(({ type }) => type);

describe('the order of the events of one submission', () => {
  type Act = (world: Setup, one: Submission<unknown>, gate: ReturnType<typeof gateBody>) => void | Promise<void>;
  interface Given extends Partial<TaskSpec<unknown>> {
    /** Somebody owns the slot when it is submitted. */
    readonly owned?: true;
  }
  const open: Act = (_, __, gate) => gate.open('value');
  const throwOut: Act = (_, __, gate) => gate.fail(new Error('out'));
  const cancel: Act = (_, one) => void one.cancel();
  const restart: Act = (_, one) => void one.restart();
  const wait =
    (ms: number): Act =>
    ({ clock }) =>
      clock.advance(ms);
  const replace: Act = ({ supervisor }) => void supervisor.submit({ slot: 's', admission: 'replace', run: never });
  const shutdown: Act = ({ supervisor }) => void supervisor.shutdown();
  const fatal = (): never => {
    throw new FatalError('for good');
  };
  const killable = { run: never, kill: (): void => {} };
  const overran = 'started attemptStarted stopRequested overrun attemptCanceled finished';
  const rows: readonly (readonly [name: string, given: Given, acts: readonly Act[], events: string])[] = [
    ['a value', {}, [open], 'started attemptStarted attemptSucceeded finished'],
    [
      'a value, after waiting in line',
      { owned: true },
      [open, wait(0), open],
      'queued started attemptStarted attemptSucceeded finished',
    ],
    ['joined', { owned: true, admission: 'join' }, [open], 'joined finished'],
    ['joined, then canceled', { owned: true, admission: 'join' }, [cancel], 'joined finished'],
    ['a busy slot', { owned: true, admission: 'dropIfRunning' }, [], 'rejected'],
    ['a signal that is aborted already', { signal: AbortSignal.abort() }, [], 'rejected'],
    ['a cancel in line', { owned: true }, [cancel], 'queued rejected'],
    ['a replacement that is superseded', { owned: true, admission: 'replace' }, [replace], 'queued rejected'],
    ['a shutdown in line', { owned: true }, [shutdown], 'queued rejected'],
    ['a failure', { restart: 'never', run: fail }, [], 'started attemptStarted attemptFailed finished'],
    [
      'a failure, a retry, another failure',
      { maxRetries: 1, run: fail },
      [wait(100)],
      'started attemptStarted attemptFailed backoffScheduled attemptStarted attemptFailed finished',
    ],
    ['a fatal failure', { run: fatal }, [], 'started attemptStarted attemptFailed finished'],
    [
      'a timeout',
      { restart: 'never', timeoutMs: 50 },
      [wait(50), open],
      'started attemptStarted attemptTimedOut finished',
    ],
    ['a stall', { restart: 'never', stallMs: 50 }, [wait(50), open], 'started attemptStarted attemptStalled finished'],
    [
      'a timeout, an overrun, a body given up',
      { maxRetries: 0, timeoutMs: 50, onOverrun: 'abandon' },
      [wait(150)],
      'started attemptStarted overrun attemptTimedOut finished',
    ],
    [
      'a repeat after an interval, and a cancel',
      { restart: 'always', intervalMs: 10 },
      [open, wait(10), cancel, throwOut],
      'started attemptStarted attemptSucceeded backoffScheduled attemptStarted stopRequested attemptCanceled finished',
    ],
    [
      'a cancel, and a value all the same',
      {},
      [cancel, open],
      'started attemptStarted stopRequested attemptSucceeded finished',
    ],
    [
      'a cancel in a backoff',
      { run: fail },
      [cancel],
      'started attemptStarted attemptFailed backoffScheduled stopRequested finished',
    ],
    ['a cancel that is heard late', {}, [cancel, wait(100), throwOut], overran],
    ['a kill', { run: killable }, [cancel, wait(100)], overran],
    ['a body that is given up', { onOverrun: 'abandon' }, [cancel, wait(100)], overran],
    [
      'a restart',
      {},
      [restart, throwOut, wait(0), open],
      'started attemptStarted attemptCanceled attemptStarted attemptSucceeded finished',
    ],
  ];
  for (const [name, { owned, ...spec }, acts, events] of rows)
    test(`${name}: submitted ${events}`, async () => {
      const world = setup({ graceMs: 100 });
      const { supervisor, clock, recorded } = world;
      const gate = gateBody();
      if (owned) supervisor.submit({ slot: 's', run: gate.body });
      await clock.settle();
      const one = supervisor.submit<unknown>({ slot: 's', backoff: PLAIN, run: gate.body, ...spec });
      await clock.settle();
      for (const act of acts) await act(world, one, gate);
      await clock.advance(60_000); // nothing comes after the last one
      expect(recorded.types(one.id)).toEqual(['submitted', ...events.split(' ')]);
      const outcome = await one.outcome;
      const last = outcome.kind === 'rejected' ? { reason: outcome.reason } : { outcome: outcome.kind };
      expect(recorded.events.filter((event) => 'id' in event && event.id === one.id).at(-1)).toMatchObject(last);
    });

  test('`finished` is the last one, also for submissions that left a body behind which then overran', async () => {
    const { supervisor, clock, recorded } = setup({ graceMs: 100 });
    const gate = gateBody();
    const leader = supervisor.submit({ slot: 's', run: gate.body });
    await clock.settle();
    const joined = supervisor.submit({ slot: 's', admission: 'join', run: gate.body });
    void leader.cancel();
    void joined.cancel();
    await clock.advance(100);
    gate.open('at last');
    await clock.settle();
    for (const { id } of [leader, joined]) {
      expect(recorded.types(id).filter((type) => type === 'finished')).toHaveLength(1);
      expect(recorded.types(id).at(-1)).toBe('finished');
    }
  });

  test('after the leader has left, the events of the attempts are about one who still shares them', async () => {
    const { supervisor, clock, recorded } = setup();
    const gate = gateBody();
    const leader = supervisor.submit({ slot: 's', run: gate.body });
    await clock.settle();
    const joined = supervisor.submit({ slot: 's', admission: 'join', run: gate.body });
    void leader.cancel();
    gate.open('value');
    await clock.settle();
    expect(recorded.types(leader.id)).toEqual(['submitted', 'started', 'attemptStarted', 'finished']);
    expect(recorded.types(joined.id)).toEqual(['submitted', 'joined', 'attemptSucceeded', 'finished']);
  });

  const GRAMMAR =
    /^submitted (rejected|queued rejected|joined( (attempt\w+|backoffScheduled|stopRequested|overrun))* finished|(queued )?started( attemptStarted( stopRequested)?( overrun)?( stopRequested)? attempt(Succeeded|Failed|TimedOut|Stalled|Canceled)( backoffScheduled)?)*( stopRequested)? finished)$/;
  test('whatever happens to submissions of every policy, each one keeps to the grammar, and seq grows over all', async () => {
    const random = seededRandom(7);
    const { supervisor, clock, recorded } = setup({ graceMs: 20, concurrency: 3 });
    const gate = gateBody();
    const all: Submission[] = [];
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    for (let n = 0; n < 400; n += 1) {
      const one = supervisor.submit({
        slot: pick(['a', 'b', 'c', 'd']),
        admission: pick(['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join']),
        restart: pick(['never', 'onFailure']),
        onOverrun: pick(['hold', 'abandon']),
        timeoutMs: pick([30, Infinity]),
        maxRetries: 1,
        backoff: { firstMs: 5 },
        run: gate.body,
      });
      all.push(one);
      if (random() < 0.3) void pick(all).cancel();
      if (random() < 0.6) gate.open('value');
      if (random() < 0.3) gate.fail(new Error('no'));
      if (random() < 0.1) pick(all).restart();
      if (random() < 0.5) await clock.advance(Math.floor(random() * 20));
    }
    const report = supervisor.shutdown({ graceMs: 10 });
    await clock.advance(60_000);
    await report;
    const wrong = all.map(({ id }) => recorded.types(id).join(' ')).filter((line) => !GRAMMAR.test(line));
    expect(wrong).toEqual([]);
    expect(seqs(recorded.events)).toEqual(seqs(recorded.events).toSorted((a, b) => a - b));
    expect(new Set(seqs(recorded.events)).size).toBe(recorded.events.length);
    const finished = recorded.of('finished').length;
    expect(finished + recorded.of('rejected').length).toBe(all.length);
  });
});

describe('what an event says', () => {
  test('every field of the events of one life', async () => {
    const { supervisor, clock, recorded } = setup({ graceMs: 100 });
    const at = clock.wallNow();
    const meta = { tenant: 7 };
    const gate = gateBody();
    const error = new Error('first');
    supervisor.submit({ slot: 's', run: gate.body });
    await clock.settle();
    const { id } = supervisor.submit({
      slot: 's',
      name: 'n',
      meta,
      admission: 'replace',
      backoff: PLAIN,
      run: gate.body,
    });
    const about = { id, slot: 's', name: 'n', meta };
    await clock.advance(10);
    gate.open('out');
    await clock.advance(20);
    gate.fail(error);
    await clock.advance(100);
    await clock.advance(5);
    void supervisor.cancel(id);
    await clock.advance(100);
    gate.open('at last');
    await clock.settle();
    const failure = { kind: 'thrown', error, message: 'first', fatal: false };
    const told = recorded.events.filter((event) => 'id' in event && event.id === id);
    expect(told.map(({ seq: _, ...rest }) => rest)).toEqual([
      { type: 'submitted', at, ...about, policy: 'replace' },
      { type: 'queued', at, ...about, depth: 1 },
      { type: 'started', at: at + 10, ...about, waitedMs: 10, fence: 0n },
      { type: 'attemptStarted', at: at + 10, ...about, attempt: 1 },
      { type: 'attemptFailed', at: at + 30, ...about, attempt: 1, durationMs: 20, failure },
      { type: 'backoffScheduled', at: at + 30, ...about, attempt: 1, delayMs: 100, after: 'failure' },
      { type: 'attemptStarted', at: at + 130, ...about, attempt: 2 },
      { type: 'stopRequested', at: at + 135, ...about, by: 'caller' },
      { type: 'overrun', at: at + 235, ...about, action: 'hold', sinceMs: 100 },
      { type: 'attemptSucceeded', at: at + 235, ...about, attempt: 2, durationMs: 105 },
      { type: 'finished', at: at + 235, ...about, outcome: 'canceled', attempts: 2, ranMs: 225 },
    ]);
    expect(told.every((event) => 'meta' in event && event.meta === meta)).toBe(true);
  });

  test('joined names its leader, rejected its reason and who took the place', async () => {
    const { supervisor, clock, recorded } = setup();
    const leader = supervisor.submit({ slot: 's', run: never });
    await clock.settle();
    const joined = supervisor.submit({ slot: 's', admission: 'join', run: never });
    const dropped = supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: never });
    await clock.settle();
    expect(recorded.of('joined')).toMatchObject([{ id: joined.id, leader: leader.id }]);
    expect(recorded.of('rejected')).toMatchObject([{ id: dropped.id, reason: 'slotBusy', by: leader.id }]);
  });

  test('the pause of a slot and a shutdown are told, and who is stuck is named', async () => {
    const { supervisor, clock, recorded } = setup();
    supervisor.slot('s').pause();
    supervisor.slot('s').pause();
    supervisor.slot('s').resume();
    supervisor.submit({ name: 'stubborn', run: never });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: 40 });
    await clock.advance(40);
    await report;
    expect(recorded.events.filter((event) => !('id' in event)).map(({ seq: _, at: __, ...rest }) => rest)).toEqual([
      { type: 'slotPaused', slot: 's' },
      { type: 'slotResumed', slot: 's' },
      { type: 'shutdownStarted', cause: 'caller', graceMs: 40 },
      { type: 'shutdownFinished', withinGrace: false, stuck: ['stubborn'] },
    ]);
    expect(recorded.types().at(-1)).toBe('shutdownFinished');
  });
});

describe('delivery', () => {
  const calls: readonly [string, (supervisor: Supervisor, task: Submission) => unknown][] = [
    ['submit', (supervisor) => supervisor.submit({ run: never })],
    ['submitAll', (supervisor) => supervisor.submitAll([{ run: never }, { run: never }])],
    ['slot.submit', (supervisor) => supervisor.slot('s').submit({ admission: 'dropIfRunning', run: never })],
    ['submission.cancel', (_, task) => task.cancel()],
    ['supervisor.cancel', (supervisor, { id }) => supervisor.cancel(id)],
    ['slot.cancel', (supervisor) => supervisor.slot('s').cancel()],
    ['slot.pause', (supervisor) => supervisor.slot('s').pause()],
    ['restart', (_, task) => task.restart()],
    ['shutdown', (supervisor) => supervisor.shutdown({ graceMs: 0 })],
  ];
  for (const [name, call] of calls)
    test(`nothing is delivered, and no body is called, inside ${name}`, async () => {
      const { supervisor, clock } = setup();
      const gate = gateBody();
      const task = supervisor.submit({ slot: 's', run: gate.body });
      await clock.settle();
      let inside = true;
      let later = 0;
      supervisor.subscribe(() => {
        expect.soft(inside).toBe(false);
        later += 1;
      });
      call(supervisor, task);
      inside = false;
      expect(gate.calls).toHaveLength(1);
      gate.open('end');
      await clock.settle();
      expect(later).toBeGreaterThan(0);
    });

  test('every subscriber sees the same events in the same order, from its subscription on', async () => {
    const world = setup();
    const { supervisor, clock, recorded } = world;
    tick(world, 2);
    const late: TaskEvent[] = [];
    supervisor.subscribe({ name: 'late', onEvent: (event) => void late.push(event) });
    tick(world, 3);
    await clock.settle();
    expect(recorded.events).toHaveLength(5);
    expect(late).toEqual(recorded.events.slice(2));
  });

  test('a full queue loses the newest, and one eventsDropped tells the exact count once there is room', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    const slow = slowHandler();
    supervisor.subscribe({ name: 'slow', onEvent: slow.onEvent }, { capacity: 3 });
    tick(world, 1);
    await clock.settle(); // the first is being handled, its place is free again
    tick(world, 10);
    await clock.advance(60_000);
    expect(seqs(slow.seen)).toEqual([1]);
    for (let n = 0; n < 4; n += 1) {
      slow.next();
      await clock.settle();
    }
    expect(seqs(slow.seen).slice(0, 4)).toEqual([1, 2, 3, 4]);
    expect(slow.seen[4]).toEqual({
      type: 'eventsDropped',
      seq: 12,
      at: clock.wallNow(),
      subscriber: 'slow',
      count: 7,
    });
    slow.next();
    tick(world, 1);
    await clock.settle();
    expect(types(slow.seen)).toHaveLength(6);
    expect(types(slow.seen).filter((type) => type === 'eventsDropped')).toHaveLength(1);
  });

  test('seen and told as dropped make up all there was, in every pattern of slowness, with seq growing', async () => {
    const random = seededRandom(3);
    const world = setup();
    const { supervisor, clock, recorded } = world;
    const slow = slowHandler();
    supervisor.subscribe({ name: 'slow', onEvent: slow.onEvent }, { capacity: 4 });
    for (let n = 0; n < 200; n += 1) {
      tick(world, Math.floor(random() * 4));
      slow.next();
      await clock.settle();
    }
    const seen = (): TaskEvent[] => slow.seen.filter(({ type }) => type !== 'eventsDropped');
    for (let before = -1; before < slow.seen.length; ) {
      before = slow.seen.length;
      slow.next();
      await clock.settle();
    }
    let dropped = 0;
    for (const event of slow.seen) if (event.type === 'eventsDropped') dropped += event.count;
    expect(dropped).toBeGreaterThan(50);
    expect(seen().length + dropped).toBe(recorded.events.length);
    expect(seqs(slow.seen)).toEqual([...new Set(seqs(slow.seen))].toSorted((a, b) => a - b));
    const report = supervisor.shutdown();
    for (let n = 0; n < 5; n += 1) {
      slow.next();
      await clock.settle();
    }
    expect((await report).eventsDropped).toBe(dropped);
  });

  test('the default queue holds 1,024 events', async () => {
    const world = setup();
    const seen: TaskEvent[] = [];
    world.supervisor.subscribe((event) => void seen.push(event));
    tick(world, 1_500);
    for (let n = 0; n < 10; n += 1) await world.clock.settle();
    expect(seen).toHaveLength(1_025);
    expect(seen.at(-1)).toMatchObject({ type: 'eventsDropped', count: 476 });
  });

  test('an async subscriber gets the next event when its promise has settled, and slows nobody', async () => {
    const world = setup();
    const { supervisor, clock, recorded } = world;
    const slow = slowHandler();
    supervisor.subscribe(slow.onEvent);
    const task = supervisor.submit({ run: () => 'value' });
    expect(await task.value()).toBe('value');
    await clock.settle();
    expect(recorded.events).toHaveLength(5);
    for (let seen = 1; seen <= 5; seen += 1) {
      await clock.advance(1_000);
      expect(slow.seen).toEqual(recorded.events.slice(0, seen));
      slow.next();
    }
  });

  const trap = new Error('subscriber');
  const failing: readonly [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw trap;
      },
    ],
    ['rejects', () => Promise.reject(trap)],
    [
      'returns a thenable that throws',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: what a broken subscriber may return
        then: () => {
          throw trap;
        },
      }),
    ],
  ];
  for (const [how, react] of failing)
    test(`a subscriber that ${how} gets subscriberFailed sent to the others, and goes on`, async () => {
      const world = setup();
      const { supervisor, clock, recorded } = world;
      const seen: TaskEvent[] = [];
      supervisor.subscribe({
        name: 'broken',
        onEvent: (event) => {
          seen.push(event);
          if (event.seq === 1) return react() as undefined;
        },
      });
      tick(world, 3);
      await clock.settle();
      expect(types(seen)).toEqual(['slotPaused', 'slotResumed', 'slotPaused']);
      expect(recorded.of('subscriberFailed')).toMatchObject([{ seq: 4, subscriber: 'broken', error: trap }]);
      expect(recorded.of('subscriberFailed')[0]?.error).toBe(trap);
    });

  test('two subscribers that always fail do not keep each other busy for ever', async () => {
    const world = setup();
    let handled = 0;
    const broken = (): never => {
      handled += 1;
      throw trap;
    };
    world.supervisor.subscribe(broken);
    world.supervisor.subscribe(broken);
    tick(world, 1);
    await world.clock.settle();
    expect(handled).toBe(4); // the event, and the news of the other's failure
  });

  test('events that handlers cause by calling the supervisor are delivered in order, to all', async () => {
    const { supervisor, clock, recorded } = setup();
    const seen: TaskEvent[] = [];
    supervisor.subscribe((event) => {
      seen.push(event);
      if (event.type === 'finished' && seen.length < 20) supervisor.submit({ slot: 's', run: () => 1 });
    });
    supervisor.submit({ slot: 's', run: () => 1 });
    await clock.settle();
    expect(types(seen).filter((type) => type === 'finished')).toHaveLength(4);
    expect(seen).toEqual(recorded.events);
  });
});

describe('subscriptions', () => {
  test('types: only these, and eventsDropped in any case; what is not wanted is not counted as lost', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    const seen: TaskEvent[] = [];
    supervisor.subscribe((event) => void seen.push(event), { types: ['slotResumed'], capacity: 2 });
    tick(world, 10);
    await clock.settle();
    expect(types(seen)).toEqual(['slotResumed', 'slotResumed', 'eventsDropped']);
    expect(seen.at(-1)).toMatchObject({ count: 3 });
  });

  test('unsubscribing inside a handler: not one event more, for oneself or for another', async () => {
    const world = setup();
    const { supervisor, clock, recorded } = world;
    const own: TaskEvent[] = [];
    const other: TaskEvent[] = [];
    const stopOwn = supervisor.subscribe((event) => {
      own.push(event);
      stopOwn();
      stopOther();
    });
    const stopOther = supervisor.subscribe((event) => void other.push(event));
    tick(world, 5);
    await clock.settle();
    stopOwn();
    tick(world, 5);
    await clock.settle();
    expect([own.length, other.length, recorded.events.length]).toEqual([1, 0, 10]);
  });

  test('subscribing inside a handler: from the next event on', async () => {
    const world = setup();
    const inner: TaskEvent[] = [];
    const stop = world.supervisor.subscribe(() => {
      stop();
      world.supervisor.subscribe((event) => void inner.push(event));
    });
    tick(world, 3);
    await world.clock.settle();
    expect(inner).toEqual([]);
    tick(world, 2);
    await world.clock.settle();
    expect(seqs(inner)).toEqual([4, 5]);
  });

  test('the signal ends the subscription, also what waits in its queue; nothing is left on the signal', async () => {
    const world = setup();
    const { supervisor, clock } = world;
    const seen: TaskEvent[] = [];
    const subscribe = (signal: AbortSignal): (() => void) =>
      supervisor.subscribe((event) => void seen.push(event), { signal });
    const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()] as const;
    const listeners = (): number[] =>
      [first, second, third].map(({ signal }) => getEventListeners(signal, 'abort').length);
    subscribe(AbortSignal.abort());
    subscribe(first.signal);
    tick(world, 2);
    first.abort();
    await clock.settle();
    expect(seen).toEqual([]);
    const stop = subscribe(second.signal);
    subscribe(third.signal);
    expect(listeners()).toEqual([0, 1, 1]);
    stop();
    expect(listeners()).toEqual([0, 0, 1]);
    await supervisor.shutdown();
    expect(listeners()).toEqual([0, 0, 0]);
  });

  test('without a subscriber no event is built; with the last one gone neither', async () => {
    let stamps = 0;
    class CountingClock extends VirtualClock {
      override wallNow(): number {
        stamps += 1;
        return super.wallNow();
      }
    }
    const clock = new CountingClock();
    const supervisor = new Supervisor({ clock, graceMs: 10 });
    const busy = async (): Promise<void> => {
      const gate = gateBody();
      supervisor.submit({ slot: 's', run: fail, maxRetries: 1 });
      supervisor.submit({ slot: 's', run: gate.body });
      supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: gate.body });
      tick({ supervisor }, 2);
      await clock.advance(1_000);
      supervisor.submit({ slot: 's', admission: 'join', run: gate.body });
      supervisor.submit({ slot: 's', admission: 'replace', run: () => 1 });
      await clock.advance(1_000);
      gate.open('end');
      await clock.settle();
    };
    await busy();
    expect(stamps).toBe(0);
    const stop = supervisor.subscribe(() => {});
    await busy();
    const before = stamps;
    expect(before).toBeGreaterThan(15);
    stop();
    await busy();
    await supervisor.shutdown();
    expect(stamps).toBe(before);
  });

  test('after a shutdown nothing is delivered: not to old subscribers, not to new ones', async () => {
    const { supervisor, clock, recorded } = setup();
    const gate = gateBody();
    supervisor.submit({ run: gate.body });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: 0 });
    await clock.advance(0);
    await report;
    const before = recorded.events.length;
    let late = 0;
    supervisor.subscribe(() => {
      late += 1;
    });
    gate.open('an abandoned body ends');
    tick({ supervisor }, 2);
    await clock.settle();
    expect([recorded.events.length, late]).toEqual([before, 0]);
  });

  test('a subscriber that hangs holds the report back for subscriberGraceMs, and what it never saw is counted', async () => {
    const world = setup({ subscriberGraceMs: 300 });
    const { supervisor, clock } = world;
    supervisor.subscribe(never);
    tick(world, 4);
    await clock.settle();
    let reported = false;
    const report = supervisor.shutdown().finally(() => {
      reported = true;
    });
    await clock.advance(299);
    expect(reported).toBe(false);
    await clock.advance(1);
    expect(reported).toBe(true);
    expect((await report).eventsDropped).toBe(5); // three ticks, shutdownStarted and shutdownFinished
    expect(clock.timers).toBe(0);
  });
});

describe('events()', () => {
  test('iterates over the events in order, and the loop ends with the shutdown', async () => {
    const world = setup();
    const { supervisor, clock, recorded } = world;
    const seen: TaskEvent[] = [];
    const loop = (async () => {
      for await (const event of supervisor.events()) seen.push(event);
    })();
    await supervisor.submit({ run: () => 1 }).outcome;
    tick(world, 2);
    await clock.settle();
    expect(seen).toEqual(recorded.events);
    await supervisor.shutdown();
    await loop;
    expect(types(seen).at(-1)).toBe('shutdownFinished');
    expect(seen).toEqual(recorded.events);
  });

  const leaves: readonly [string, (supervisor: Supervisor) => Promise<number>][] = [
    [
      'break',
      async (supervisor) => {
        let seen = 0;
        for await (const _ of supervisor.events()) {
          seen += 1;
          if (seen === 2) break;
        }
        return seen;
      },
    ],
    [
      'a throw in the loop',
      async (supervisor) => {
        let seen = 0;
        try {
          for await (const _ of supervisor.events()) {
            seen += 1;
            if (seen === 2) throw new Error('out');
          }
        } catch {
          return seen;
        }
        return 0;
      },
    ],
    [
      'return()',
      async (supervisor) => {
        const events = supervisor.events();
        const seen = [await events.next(), await events.next()];
        const waiting = [events.next(), events.next()];
        await Promise.all(waiting);
        const last = events.next();
        expect(await events.return?.()).toEqual({ done: true, value: undefined });
        expect(await last).toEqual({ done: true, value: undefined });
        expect(await events.next()).toEqual({ done: true, value: undefined });
        return seen.length;
      },
    ],
    [
      'its signal',
      async (supervisor) => {
        const end = new AbortController();
        let seen = 0;
        for await (const _ of supervisor.events({ signal: end.signal })) {
          seen += 1;
          if (seen === 2) end.abort();
        }
        expect(getEventListeners(end.signal, 'abort')).toEqual([]);
        return seen;
      },
    ],
  ];
  for (const [how, leave] of leaves)
    test(`${how} ends the subscription: no event is built any more`, async () => {
      const clock = new VirtualClock();
      const supervisor = new Supervisor({ clock });
      const left = leave(supervisor);
      tick({ supervisor }, 2);
      await clock.settle();
      tick({ supervisor }, 2);
      expect(await left).toBe(2);
      clock.wallNow = () => expect.fail('an event was built');
      tick({ supervisor }, 2);
      expect((await supervisor.shutdown()).withinGrace).toBe(true);
    });

  test('several next() at a time are answered in order, and take nothing twice', async () => {
    const world = setup();
    const events = world.supervisor.events();
    const asked = [events.next(), events.next(), events.next()];
    tick(world, 4);
    const answers = [...(await Promise.all(asked)), await events.next()];
    expect(answers.map(({ value }) => (value as TaskEvent).seq)).toEqual([1, 2, 3, 4]);
  });

  test('an iterator that nobody reads is bounded like any subscriber, and told what it lost', async () => {
    const world = setup();
    const events = world.supervisor.events({ capacity: 2, types: ['slotPaused'] });
    tick(world, 2);
    await world.clock.settle(); // one is on offer
    tick(world, 10);
    await world.clock.settle();
    const seen: TaskEvent[] = [];
    for (let n = 0; n < 4; n += 1) seen.push((await events.next()).value as TaskEvent);
    expect(types(seen)).toEqual(['slotPaused', 'slotPaused', 'slotPaused', 'eventsDropped']);
    expect(seen.at(-1)).toMatchObject({ subscriber: 'events()', count: 3 });
  });

  for (const [when, options] of [
    ['after a shutdown', {}],
    ['with an aborted signal', { signal: AbortSignal.abort() }],
  ] as const)
    test(`${when} it is at its end at once`, async () => {
      const { supervisor } = setup();
      if (when === 'after a shutdown') await supervisor.shutdown();
      expect(await supervisor.events(options).next()).toEqual({ done: true, value: undefined });
    });
});
