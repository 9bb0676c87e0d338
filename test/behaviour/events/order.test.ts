// The order of the events of one submission.

import { type AdmissionPolicy, FatalError, type Submission, type TaskSpec } from 'slotvisor';
import { seededRandom } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES, ON_OVERRUN } from '../../../src/model/settings.ts';
import { never, PLAIN_BACKOFF } from '../../support/bodies.ts';
import { seqs } from '../../support/event-handlers.ts';
import { gateBody } from '../../support/gate.ts';
import { type Setup, setup } from '../../support/setup.ts';

const fail = (): never => {
  throw new Error('no');
};

describe('the order of the events of one submission', () => {
  type Act = (world: Setup, one: Submission<unknown>, gate: ReturnType<typeof gateBody>) => void | Promise<void>;
  interface Given extends Partial<TaskSpec<unknown>> {
    /** The slot already has an owner when the task is submitted. */
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
      'a value after waiting in the queue',
      { owned: true },
      [open, wait(0), open],
      'queued started attemptStarted attemptSucceeded finished',
    ],
    ['a join', { owned: true, admission: 'join' }, [open], 'joined finished'],
    ['a join and a cancel', { owned: true, admission: 'join' }, [cancel], 'joined finished'],
    ['a rejection by a busy slot', { owned: true, admission: 'dropIfRunning' }, [], 'rejected'],
    ['an aborted signal', { signal: AbortSignal.abort() }, [], 'rejected'],
    ['a cancel in the queue', { owned: true }, [cancel], 'queued rejected'],
    ['a replacement that is superseded', { owned: true, admission: 'replace' }, [replace], 'queued rejected'],
    ['a shutdown in the queue', { owned: true }, [shutdown], 'queued rejected'],
    ['a failure', { restart: 'never', run: fail }, [], 'started attemptStarted attemptFailed finished'],
    [
      'a failure, a retry and another failure',
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
      'a timeout, an overrun and an abandoned body',
      { maxRetries: 0, timeoutMs: 50, onOverrun: 'abandon' },
      [wait(150)],
      'started attemptStarted overrun attemptTimedOut finished',
    ],
    [
      'a restart after an interval and a cancel',
      { restart: 'always', intervalMs: 10 },
      [open, wait(10), cancel, throwOut],
      'started attemptStarted attemptSucceeded backoffScheduled attemptStarted stopRequested attemptCanceled finished',
    ],
    ['a cancel and then a value', {}, [cancel, open], 'started attemptStarted stopRequested attemptSucceeded finished'],
    [
      'a cancel in a backoff',
      { run: fail },
      [cancel],
      'started attemptStarted attemptFailed backoffScheduled stopRequested finished',
    ],
    ['a cancel and an end after the grace', {}, [cancel, wait(100), throwOut], overran],
    ['a kill', { run: killable }, [cancel, wait(100)], overran],
    ['an abandoned body', { onOverrun: 'abandon' }, [cancel, wait(100)], overran],
    [
      'a restart',
      {},
      [restart, throwOut, wait(0), open],
      'started attemptStarted attemptCanceled attemptStarted attemptSucceeded finished',
    ],
  ];
  for (const [name, { owned, ...spec }, acts, events] of rows)
    test(`${name} publishes the events: submitted ${events}`, async () => {
      const world = setup({ defaults: { graceMs: 100 } });
      const { supervisor, clock, recorded } = world;
      const gate = gateBody();
      if (owned) supervisor.submit({ slot: 's', run: gate.body });
      await clock.settle();
      const one = supervisor.submit<unknown>({ slot: 's', backoff: PLAIN_BACKOFF, run: gate.body, ...spec });
      await clock.settle();
      for (const act of acts) await act(world, one, gate);
      await clock.advance(60_000); // no event follows the last one
      expect(recorded.types(one.id)).toEqual(['submitted', ...events.split(' ')]);
      const outcome = await one.outcome;
      const last = outcome.kind === 'rejected' ? { reason: outcome.reason } : { outcome: outcome.kind };
      expect(recorded.events.filter((event) => 'id' in event && event.id === one.id).at(-1)).toMatchObject(last);
    });

  test('`finished` is the last event, even if the body of a canceled submission overruns later', async () => {
    const { supervisor, clock, recorded } = setup({ defaults: { graceMs: 100 } });
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

  test('after a cancel of the leader the events of an attempt are published for a remaining participant', async () => {
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
  test('in a random history the events of each submission match the grammar, and seq grows over all events (S3)', async () => {
    const random = seededRandom(7);
    const { supervisor, clock, recorded } = setup({ defaults: { graceMs: 20 }, concurrency: 3 });
    const gate = gateBody();
    const all: Submission[] = [];
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    for (let n = 0; n < 400; n += 1) {
      const one = supervisor.submit({
        slot: pick(['a', 'b', 'c', 'd']),
        admission: pick(ADMISSION_POLICIES),
        restart: pick(['never', 'onFailure']),
        onOverrun: pick(ON_OVERRUN),
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

test.each(['queue', 'replace', 'keepLatest'] as const)(
  'an owner finishes first, then those that joined it in the order of their joins, and only then the next owner (%s) starts',
  async (admission) => {
    const { supervisor, clock, recorded } = setup();
    const gate = gateBody();
    const submit = (name: string, policy: AdmissionPolicy) =>
      supervisor.submit({ slot: 's', name, admission: policy, run: gate.body });
    const sharing = [submit('owner', 'queue'), submit('first', 'join'), submit('second', 'join')];
    await clock.settle();
    submit('next', admission);
    const settled: string[] = [];
    for (const one of sharing.toReversed()) void one.outcome.then(() => settled.push(one.name));
    gate.open('value');
    await clock.settle();
    const ends = recorded.events.filter(({ type }) => type === 'finished' || type === 'started');
    expect(ends.map((event) => `${'name' in event && event.name} ${event.type}`)).toEqual([
      'owner started',
      'owner finished',
      'first finished',
      'second finished',
      'next started',
    ]);
    expect(settled).toEqual(['owner', 'first', 'second']);
  },
);
