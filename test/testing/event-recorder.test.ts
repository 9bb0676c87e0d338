import { setImmediate as turn } from 'node:timers/promises';
import { OptionError, Supervisor, type TaskEvent } from 'slotvisor';
import { recordEvents } from 'slotvisor/testing';
import { expect, test, vi } from 'vitest';

const LIFE = ['submitted', 'started', 'attemptStarted', 'attemptSucceeded', 'finished'];

function setup() {
  const supervisor = new Supervisor();
  const recorded = recordEvents(supervisor);
  const run = async () => {
    const submission = supervisor.submit({ run: () => 'value' });
    await submission.outcome;
    await turn();
    return submission.id;
  };
  return { supervisor, recorded, run };
}

test('an event recorder lists all events in order, of all submissions or of one', async () => {
  const { recorded, run } = setup();
  const [one, other] = [await run(), await run()];
  expect(recorded.types()).toEqual([...LIFE, ...LIFE]);
  expect([recorded.types(one), recorded.types(other)]).toEqual([LIFE, LIFE]);
  expect(recorded.types('unknown')).toEqual([]);
  const seqs = recorded.events.map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.map((_, n) => n + 1));
});

test('an event recorder omits events about a slot from the events of a submission', async () => {
  const { supervisor, recorded, run } = setup();
  supervisor.slot('s').pause();
  const id = await run();
  expect(recorded.types()).toEqual(['slotPaused', ...LIFE]);
  expect(recorded.types(id)).toEqual(LIFE);
});

test('an event recorder finds the events of one type', async () => {
  const { recorded, run } = setup();
  await run();
  const id = await run();
  expect(recorded.of('finished')).toHaveLength(2);
  expect(recorded.of('finished')[1]).toMatchObject({ type: 'finished', id, outcome: 'completed' });
  expect(recorded.of('rejected')).toEqual([]);
});

test('`until` of an event recorder resolves with the first event that matches, past or future', async () => {
  const { recorded, run } = setup();
  const finished = (event: TaskEvent) => event.type === 'finished';
  const looks = vi.fn(finished);
  const coming = recorded.until(looks);
  const id = await run();
  await run();
  const first = await coming;
  expect(first).toMatchObject({ type: 'finished', id });
  expect(looks.mock.calls).toHaveLength(LIFE.length); // not called again after the match
  expect(await recorded.until(finished)).toBe(first);
});

test('an event recorder loses no event, however many are published at once', async () => {
  const { supervisor, recorded } = setup();
  for (let n = 0; n < 2_000; n += 1) supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: () => n });
  await recorded.until(({ type }) => type === 'finished');
  expect(recorded.of('submitted')).toHaveLength(2_000);
  expect(recorded.of('eventsDropped')).toEqual([]);
});

test('`clear` of an event recorder drops the recorded events, and `stop` ends the recording', async () => {
  const { recorded, run } = setup();
  await run();
  const { events } = recorded;
  recorded.clear();
  expect([events.length, recorded.types()]).toEqual([0, []]);
  await run();
  expect(recorded.types()).toEqual(LIFE);
  recorded.stop();
  await run();
  expect(recorded.types()).toEqual(LIFE);
});

test('a predicate that throws rejects its own wait, and no other wait', async () => {
  const { recorded, run } = setup();
  const broken = recorded.until(() => {
    throw new Error('not readable');
  });
  const finished = recorded.until(({ type }) => type === 'finished');
  await Promise.all([expect(broken).rejects.toThrow('not readable'), run()]);
  expect((await finished).type).toBe('finished');
  expect(recorded.types()).toEqual(LIFE);
});

test.for<unknown>([undefined, null, 'supervisor', {}, { subscribe: 1 }])('%o is no supervisor to record', (given) => {
  const record = () => recordEvents(given as Supervisor);
  expect(record).toThrow(OptionError);
  expect(record).toThrow(/^supervisor must be a Supervisor, got /);
});

test('an event recorder refuses a type that no event has, and a predicate that is no function', () => {
  const { recorded } = setup();
  expect(() => recorded.of('ended' as 'finished')).toThrow(/^type must be one of 'submitted', .*, got "ended"$/);
  expect(() => recorded.until('finished' as never)).toThrow('predicate must be a function, got "finished"');
});
