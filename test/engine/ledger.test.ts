import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { EventPublisher } from '../../src/engine/events.ts';
import { Ledger } from '../../src/engine/ledger.ts';
import { LiveSubmission } from '../../src/engine/submission.ts';
import { SubmitCall } from '../../src/engine/submit-call.ts';
import type { Work } from '../../src/engine/task-view.ts';
import type { TaskEvent } from '../../src/model/event.ts';
import { thrownFailure } from '../../src/model/failure.ts';
import { createTaskIds } from '../../src/model/id.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts';
import type { TaskView } from '../../src/model/view.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const failure = thrownFailure(new Error('boom'));
const completed: Outcome = { kind: 'completed', value: 7, attempts: 2 };
const failed: Outcome = { kind: 'failed', failure, attempts: 1, because: 'policy' };
const fatal: Outcome = { kind: 'fatal', failure, attempts: 1 };
const killed: Outcome = { kind: 'killed', by: 'caller', attempts: 1 };
const busy: Outcome = { kind: 'rejected', reason: 'slotBusy' };

function setup() {
  const ids = createTaskIds('x');
  const events = new EventPublisher(new VirtualClock());
  const listener = { emptied: vi.fn() };
  const ledger = new Ledger(events, ids, listener);
  let number = 0;
  /** A live submission. */
  const enter = (): LiveSubmission => {
    number += 1;
    const spec = {
      run: () => 1,
      name: 'n',
      slot: 's',
      admission: undefined,
      meta: undefined,
      settings: DEFAULT_SETTINGS,
    };
    const submission = new LiveSubmission(
      { ids, now: () => 0, queueLimit: () => 9, waitingFor: () => undefined, cancel: () => {} },
      new SubmitCall(ids, number, spec, 's', 'queue'),
    );
    ledger.enter(submission);
    return submission;
  };
  /** The events from here on. */
  const record = (): TaskEvent[] => {
    const seen: TaskEvent[] = [];
    events.subscribe({ onEvent: (event) => void seen.push(event) }, 100, undefined, () => {});
    return seen;
  };
  return { ids, ledger, listener, enter, record };
}

const viewOf = (name: string) => ({ name }) as TaskView;
const ownerWith = (view: TaskView) => [{ view: () => view } as unknown as LiveSubmission, {} as Work] as const;

describe('a live submission', () => {
  test('is found by its id until its outcome is settled', () => {
    const { ledger, enter } = setup();
    const [first, second] = [enter(), enter()];
    expect([ledger.get(first.id), ledger.get(second.id), [...ledger.all()]]).toEqual([first, second, [first, second]]);
    ledger.settle(first, completed);
    expect([ledger.get(first.id), [...ledger.all()]]).toEqual([undefined, [second]]);
  });

  test.for(['x-9', 'x-0', 'y-1', '', 'x-1x'])('is not found by the id %j', (id) => {
    const { ledger, enter } = setup();
    enter();
    expect(ledger.get(id)).toBeUndefined();
  });
});

describe('an outcome', () => {
  test('is settled once, and a second one is ignored (S3)', async () => {
    const { ledger, enter } = setup();
    const submission = enter();
    ledger.settle(submission, completed);
    ledger.settle(submission, failed);
    expect(await submission.outcome).toBe(completed);
    expect(ledger.totals).toMatchObject({ completed: 1, failed: 0 });
  });

  test('counts in the totals by its kind, and slotBusy as dropped, too', () => {
    const { ledger, enter } = setup();
    const outcomes: Outcome[] = [
      completed,
      failed,
      fatal,
      killed,
      { kind: 'canceled', by: 'caller', attempts: 0 },
      { kind: 'abandoned', by: 'overrun', attempts: 1 },
      busy,
      { kind: 'rejected', reason: 'queueFull' },
    ];
    for (const outcome of outcomes) ledger.settle(enter(), outcome);
    const { started, attempts, retries, overruns, ...totals } = ledger.totals;
    expect([started, attempts, retries, overruns]).toEqual([0, 0, 0, 0]);
    expect(totals).toEqual({
      submitted: 8,
      completed: 1,
      failed: 1,
      fatal: 1,
      killed: 1,
      canceled: 1,
      abandoned: 1,
      rejected: 2,
      dropped: 1,
    });
  });

  test('is published as finished, or as rejected with its reason and the occupant', async () => {
    const { ledger, enter, record } = setup();
    const seen = record();
    const [first, second, third] = [enter(), enter(), enter()];
    ledger.settle(first, completed, { ranMs: 30 });
    ledger.settle(second, busy);
    ledger.settle(third, { kind: 'rejected', reason: 'superseded', by: first.id });
    await turn();
    const ends = seen.filter(({ type }) => type !== 'submitted');
    expect(ends).toMatchObject([
      { type: 'finished', id: first.id, outcome: 'completed', attempts: 2, ranMs: 30 },
      { type: 'rejected', id: second.id, reason: 'slotBusy' },
      { type: 'rejected', id: third.id, reason: 'superseded', by: first.id },
    ]);
    expect(ends[1]).not.toHaveProperty('by');
  });
});

test('a submission that was turned away counts, and is published where something listens', async () => {
  const { ids, ledger, record } = setup();
  const spec = { run: () => 1, name: 'n', slot: 's', admission: undefined, meta: 1, settings: DEFAULT_SETTINGS };
  const call = new SubmitCall(ids, 7, spec, 's', 'dropIfRunning');
  ledger.turnedAway(call, { reason: 'slotBusy' });
  const seen = record();
  ledger.turnedAway(call, { reason: 'slotBusy' });
  await turn();
  expect(seen.map(({ type }) => type)).toEqual(['submitted', 'rejected']);
  expect(seen[1]).toMatchObject({ id: 'x-7', slot: 's', name: 'n', meta: 1, reason: 'slotBusy' });
  expect(ledger.totals).toMatchObject({ submitted: 2, rejected: 2, dropped: 2 });
});

describe('an empty ledger', () => {
  test('is reported once no submission is live and no owner runs', () => {
    const { ledger, listener, enter } = setup();
    const submission = enter();
    ledger.started();
    ledger.settle(submission, { kind: 'canceled', by: 'caller', attempts: 1 });
    expect([ledger.empty, listener.emptied.mock.calls.length]).toEqual([false, 0]); // its body still runs
    ledger.ownerEnded();
    ledger.ownerGone();
    expect([ledger.empty, listener.emptied.mock.calls.length]).toEqual([true, 1]);
  });

  test('resolves idle, also for a call when it was already empty', async () => {
    const { ledger, enter } = setup();
    await ledger.idle();
    const submission = enter();
    const idle = vi.fn();
    void ledger.idle().then(idle);
    await turn();
    expect(idle).not.toHaveBeenCalled();
    ledger.settle(submission, busy);
    await turn();
    expect(idle).toHaveBeenCalledTimes(1);
  });
});

describe('the record of a shutdown', () => {
  test('lists the tasks whose body was killed, but only from its beginning on', () => {
    const { ledger } = setup();
    ledger.bodyKilled(...ownerWith(viewOf('before')));
    ledger.keepRecord();
    expect(ledger.clean).toBe(true);
    ledger.bodyKilled(...ownerWith(viewOf('after')));
    expect([ledger.clean, ledger.killed]).toEqual([false, [{ name: 'after', status: 'ended' }]]);
  });

  test('lists a task whose body was abandoned, also after the end of that body', () => {
    const { ledger } = setup();
    const attempt = {};
    ledger.keepRecord();
    ledger.abandoned(attempt, viewOf('n'));
    expect(ledger.abandonedAlive).toBe(1);
    ledger.bodyEndedAfterAttempt(attempt);
    expect([ledger.abandonedAlive, ledger.abandonedViews, ledger.clean]).toEqual([0, [viewOf('n')], false]);
  });

  test('lists a body that was abandoned before it for as long as it is alive', () => {
    const { ledger } = setup();
    const attempt = {};
    ledger.abandoned(attempt, viewOf('before'));
    ledger.keepRecord();
    ledger.abandoned({}, viewOf('after'));
    expect(ledger.abandonedViews).toEqual([viewOf('before'), viewOf('after')]);
    ledger.bodyEndedAfterAttempt(attempt);
    expect(ledger.abandonedViews).toEqual([viewOf('after')]);
  });
});

test('the late end of an attempt that was not abandoned changes nothing', () => {
  const { ledger } = setup();
  ledger.abandoned({}, viewOf('n'));
  ledger.bodyEndedAfterAttempt({});
  expect([ledger.abandonedAlive, ledger.abandonedViews]).toEqual([1, [viewOf('n')]]);
});
