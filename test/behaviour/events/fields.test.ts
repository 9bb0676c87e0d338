// What each event contains.

import { FatalError, type TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { never, PLAIN_BACKOFF } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { setup } from '../../support/setup.ts';

describe('the fields of an event', () => {
  test('the events of one submission have exactly these fields', async () => {
    const { supervisor, clock, recorded } = setup({ defaults: { graceMs: 100 } });
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
      backoff: PLAIN_BACKOFF,
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
    const events = recorded.events.filter((event) => 'id' in event && event.id === id);
    expect(events.map(({ seq: _, ...rest }) => rest)).toEqual([
      { type: 'submitted', at, ...about, policy: 'replace' },
      { type: 'queued', at, ...about, depth: 1 },
      { type: 'started', at: at + 10, ...about, waitedMs: 10, fence: 0n },
      { type: 'attemptStarted', at: at + 10, ...about, attempt: 1, waitedMs: 10 },
      { type: 'attemptFailed', at: at + 30, ...about, attempt: 1, durationMs: 20, failure },
      { type: 'backoffScheduled', at: at + 30, ...about, attempt: 1, delayMs: 100, after: 'failure' },
      { type: 'attemptStarted', at: at + 130, ...about, attempt: 2 },
      { type: 'stopRequested', at: at + 135, ...about, by: 'caller' },
      { type: 'overrun', at: at + 235, ...about, attempt: 2, action: 'hold', sinceMs: 100 },
      { type: 'attemptSucceeded', at: at + 235, ...about, attempt: 2, durationMs: 105 },
      { type: 'finished', at: at + 235, ...about, outcome: 'canceled', by: 'caller', attempts: 2, ranMs: 225 },
    ]);
    expect(events.every((event) => 'meta' in event && event.meta === meta)).toBe(true);
  });

  test('`joined` names its leader, and `rejected` names its reason and the submission that caused it', async () => {
    const { supervisor, clock, recorded } = setup();
    const leader = supervisor.submit({ slot: 's', run: never });
    await clock.settle();
    const joined = supervisor.submit({ slot: 's', admission: 'join', run: never });
    const dropped = supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: never });
    await clock.settle();
    expect(recorded.of('joined')).toMatchObject([{ id: joined.id, leader: leader.id }]);
    expect(recorded.of('rejected')).toMatchObject([{ id: dropped.id, reason: 'slotBusy', by: leader.id }]);
  });

  test('a pause and a shutdown publish events, and shutdownFinished names the stuck tasks', async () => {
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
      { type: 'shutdownStarted', cause: 'caller', graceMs: 40, finishMs: 20 },
      { type: 'shutdownFinished', clean: false, stuck: ['stubborn'] },
    ]);
    expect(recorded.types().at(-1)).toBe('shutdownFinished');
  });
});

describe('`finished` says why the task ended, as the outcome does', () => {
  const boom = new Error('boom');
  const fail = () => {
    throw boom;
  };
  const failure = { kind: 'thrown', error: boom, message: 'boom', fatal: false };
  const fatal = new FatalError('no use');
  const ends: readonly [string, TaskSpec, object, unknown?][] = [
    ['completed', { run: () => 1 }, {}],
    ['failed', { run: fail, restart: 'never' }, { because: 'policy', failure }],
    [
      'fatal',
      { run: () => Promise.reject(fatal) },
      { failure: { kind: 'thrown', error: fatal, message: 'no use', fatal: true } },
    ],
    ['canceled', { run: (ctx) => ctx.sleep(Infinity) }, { by: 'caller' }],
    ['canceled', { run: (ctx) => ctx.sleep(Infinity) }, { by: 'caller', reason: 'enough' }, 'enough'],
    ['canceled', { run: (ctx) => ctx.sleep(Infinity).catch(fail) }, { by: 'caller', failure }],
    ['killed', { run: { run: never, kill: () => {} }, graceMs: 5 }, { by: 'caller' }],
    ['abandoned', { run: never, onOverrun: 'abandon', graceMs: 5 }, { by: 'caller' }],
  ];
  test.each(ends)('%s', async (outcome, spec, why, reason) => {
    const { supervisor, clock, recorded } = setup();
    const { id } = supervisor.submit({ slot: 's', ...spec });
    await clock.settle();
    void supervisor.cancel(id, reason);
    await clock.advance(10);
    const [{ seq: _, at: __, ranMs: ___, ...finished } = { seq: 0, at: 0, ranMs: 0 }] = recorded.of('finished');
    expect(finished).toStrictEqual({
      type: 'finished',
      ...{ id, slot: 's', name: 's', meta: undefined },
      ...{ outcome, attempts: 1 },
      ...why,
    });
  });

  test('for all participants of a flight', async () => {
    const { supervisor, clock, recorded } = setup();
    for (let n = 0; n < 2; n += 1)
      supervisor.submit({ slot: 's', admission: 'join', restart: 'never', run: () => Promise.reject(boom) });
    await clock.settle();
    expect(recorded.of('finished')).toMatchObject([
      { because: 'policy', failure },
      { because: 'policy', failure },
    ]);
  });
});

describe('`successor` of `stopRequested`', () => {
  test('names the replacement that waits', async () => {
    const { supervisor, clock, recorded } = setup();
    supervisor.submit({ slot: 's', run: never });
    await clock.settle();
    const { id } = supervisor.submit({ slot: 's', admission: 'replace', run: never });
    supervisor.submit({ slot: 's', admission: 'join', run: never });
    await clock.settle();
    expect(recorded.of('stopRequested')).toMatchObject([{ by: 'replace', successor: id }]);
  });

  test('is there for an owner without a body, which ends at once', async () => {
    const { supervisor, clock, recorded } = setup({ concurrency: 1 });
    supervisor.submit({ slot: 'other', run: never });
    await clock.settle();
    supervisor.submit({ slot: 's', run: never });
    const { id } = supervisor.submit({ slot: 's', admission: 'replace', run: never });
    await clock.settle();
    expect(recorded.of('stopRequested')).toMatchObject([{ by: 'replace', successor: id }]);
  });

  test('is absent for every other cause, also where a replacement waits', async () => {
    const { supervisor, clock, recorded } = setup();
    const owner = supervisor.submit({ slot: 's', run: never });
    await clock.settle();
    void owner.cancel();
    supervisor.submit({ slot: 's', admission: 'replace', run: never });
    await clock.settle();
    const [stop] = recorded.of('stopRequested');
    expect(stop).toMatchObject({ by: 'caller' });
    expect(stop).not.toHaveProperty('successor');
  });
});

test('waitedMs of `started` counts from the submit of the same submission', async () => {
  const { supervisor, clock, recorded } = setup();
  const gate = gateBody();
  await clock.advance(1_000);
  supervisor.submit({ slot: 's', run: gate.body });
  await clock.advance(100);
  supervisor.submit({ slot: 's', run: gate.body });
  await clock.advance(30);
  gate.open('end');
  await clock.settle();
  expect(recorded.of('started').map(({ waitedMs }) => waitedMs)).toEqual([0, 30]);
});
