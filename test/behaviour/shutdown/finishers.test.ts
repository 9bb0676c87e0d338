// Tasks with onShutdown 'finish': what a shutdown lets them do, and how they end.

import {
  ClosedError,
  FatalError,
  type Lease,
  type LeaseRequest,
  type Outcome,
  type Submission,
  type SupervisorOptions,
  type TaskContext,
  type TaskSpec,
} from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { CONSTANT_BACKOFF, never } from '../../support/bodies.ts';
import { type GateBody, gateBody } from '../../support/gate.ts';
import { completed, rejected, stoppedByShutdown } from '../../support/outcomes.ts';
import { settledAt } from '../../support/settling.ts';
import { type Setup, setup } from '../../support/setup.ts';

const GRACE = 10_000;
const FINISH = 4_000;
const boom = new Error('boom');
const failure = expect.objectContaining({ error: boom });

interface World extends Setup {
  readonly gate: GateBody<string>;
  submit(spec?: Partial<TaskSpec>): Submission;
  close(): Promise<unknown>;
}

/** Finishers that end when the test opens their gate. */
function world(options: SupervisorOptions = {}): World {
  const made = setup({ shutdownGraceMs: GRACE, finishMs: FINISH, ...options });
  const gate = gateBody();
  return {
    ...made,
    gate,
    submit: (spec) => made.supervisor.submit({ slot: 's', onShutdown: 'finish', run: gate.body, ...spec }),
    close: () => made.supervisor.shutdown(),
  };
}

async function running(spec?: Partial<TaskSpec>, options?: SupervisorOptions) {
  const made = world(options);
  const submission = made.submit(spec);
  await made.clock.settle();
  return { ...made, submission };
}

const notBegun: Outcome = { ...stoppedByShutdown, attempts: 0 } as Outcome;
const failed = (because: string, attempts = 1) => ({ kind: 'failed', because, failure, attempts });

describe('a finisher in its attempt', () => {
  test('is not asked to stop, and completes with its value', async () => {
    const { submission, gate, clock, close, supervisor, recorded } = await running();
    const report = close();
    await clock.advance(FINISH - 1);
    expect([submission.status, gate.calls[0]?.canceled]).toEqual(['running', false]);
    gate.open('saved');
    expect(await submission.outcome).toEqual(completed('saved'));
    expect(await report).toMatchObject({ clean: true, counts: { completed: 1 } });
    expect([clock.now(), clock.timers, supervisor.phase]).toEqual([FINISH - 1, 0, 'closed']);
    expect(recorded.of('stopRequested')).toEqual([]);
  });

  test('completes with its value under restart always too, and no attempt follows', async () => {
    const { submission, gate, close, clock } = await running({ restart: 'always', intervalMs: 1 });
    void close();
    gate.open('last');
    expect(await submission.outcome).toEqual(completed('last'));
    await clock.advance(GRACE);
    expect(gate.calls).toHaveLength(1);
  });

  test.each<readonly [name: string, spec: Partial<TaskSpec>, because: string]>([
    ['would be retried', {}, 'shuttingDown'],
    ['would be retried under restart always', { restart: 'always' }, 'shuttingDown'],
    ['has restart never', { restart: 'never' }, 'policy'],
    ['has no retry left', { maxRetries: 0 }, 'maxRetries'],
    ['has a retryIf that allows no retry, and is not asked,', { retryIf: () => false }, 'shuttingDown'],
    ['has no restart left in its limit', { restartLimit: { restarts: 0, withinMs: 1_000 } }, 'shuttingDown'],
  ])('that fails and %s ends failed: %s', async (_, spec, because) => {
    const { submission, gate, close } = await running(spec);
    void close();
    gate.fail(boom);
    expect(await submission.outcome).toEqual(failed(because));
  });

  test('that throws a FatalError ends fatal', async () => {
    const { submission, gate, close } = await running();
    void close();
    gate.fail(new FatalError('no use'));
    expect(await submission.outcome).toMatchObject({ kind: 'fatal', attempts: 1 });
  });

  test('keeps its timeout and its stall watch: it then ends failed, because shuttingDown', async () => {
    for (const [spec, kind] of [
      [{ timeoutMs: 100 }, 'timedOut'],
      [{ stallMs: 100 }, 'stalled'],
    ] as const) {
      const { submission, gate, close, clock } = await running(spec);
      void close();
      await clock.advance(200);
      expect(gate.calls[0]?.canceled).toBe(true);
      gate.open('too late');
      expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'shuttingDown', failure: { kind } });
    }
  });

  test.each<readonly [by: string, spec: Partial<TaskSpec>, ask: (made: World, one: Submission) => unknown]>([
    ['caller', {}, (_, one) => void one.cancel()],
    ['slot', {}, ({ supervisor }) => void supervisor.slot('s').cancel()],
    ['deadline', { deadlineMs: 100 }, ({ clock }) => clock.advance(100)],
  ])('is canceled by %s as before', async (by, spec, ask) => {
    const made = await running(spec);
    void made.close();
    await ask(made, made.submission);
    await made.clock.settle();
    expect(made.gate.calls[0]?.canceled).toBe(true);
    made.gate.open('out');
    expect(await made.submission.outcome).toEqual({ kind: 'canceled', by, value: 'out', attempts: 1 });
  });

  test('gets ClosedError from submit and check in its body, and restart() is false from the start on', async () => {
    const thrown: unknown[] = [];
    const { supervisor, clock } = setup({ finishMs: FINISH });
    let ctx: TaskContext | undefined;
    const gate = gateBody<void>();
    const submission = supervisor.submit({
      slot: 's',
      onShutdown: 'finish',
      run: async (given) => {
        ctx = given;
        await gate.body(given);
        for (const call of ['submit', 'check'] as const)
          try {
            supervisor[call]({ run: never });
          } catch (error) {
            thrown.push(error);
          }
      },
    });
    await clock.settle();
    void supervisor.shutdown();
    expect([submission.restart(), supervisor.restart(submission.id), ctx?.canceled]).toEqual([false, false, false]);
    gate.open();
    expect((await submission.outcome).kind).toBe('completed');
    expect(thrown).toEqual([expect.any(ClosedError), expect.any(ClosedError)]);
  });

  test('is asked to stop when the finish time is over, and then has the rest of the grace', async () => {
    const { submission, gate, close, clock } = await running();
    void close();
    await clock.advance(FINISH - 1);
    expect(gate.calls[0]?.canceled).toBe(false);
    await clock.advance(1);
    expect([gate.calls[0]?.canceled, submission.status]).toEqual([true, 'stopping']);
    await clock.advance(GRACE - FINISH - 1);
    expect(submission.status).toBe('stopping');
    await clock.advance(1);
    expect(await submission.outcome).toEqual({ kind: 'abandoned', by: 'shutdown', attempts: 1 });
  });

  test('whose restart was asked for before the shutdown began gets no fresh attempt', async () => {
    const { submission, gate, close, clock } = await running();
    expect(submission.restart()).toBe(true);
    void close();
    gate.open('asked to stop');
    await clock.advance(GRACE);
    expect(gate.calls).toHaveLength(1);
    expect(await submission.outcome).toEqual({ ...stoppedByShutdown, value: 'asked to stop' });
  });
});

describe('a finisher that has had no attempt', () => {
  test('in the queue gets one attempt when its turn comes', async () => {
    const { submission, gate, submit, close, clock } = await running();
    const [second, third] = [submit(), submit()];
    void close();
    expect([second.status, third.status]).toEqual(['queued', 'queued']);
    for (const value of ['one', 'two']) {
      gate.open(value);
      await clock.settle();
    }
    gate.fail(boom);
    expect([await submission.outcome, await second.outcome]).toEqual([completed('one'), completed('two')]);
    expect(await third.outcome).toEqual(failed('shuttingDown'));
    await clock.advance(GRACE);
    expect(gate.calls).toHaveLength(3);
  });

  test('waits behind an owner that is stopped at once', async () => {
    const { supervisor, submit, gate, clock, close } = world();
    const owner = supervisor.submit({ slot: 's', run: gate.body });
    await clock.settle();
    const waiting = submit();
    void close();
    expect([gate.calls[0]?.canceled, waiting.status]).toEqual([true, 'queued']);
    gate.open('out');
    await clock.settle();
    expect([waiting.status, gate.calls[1]?.canceled]).toEqual(['running', false]);
    gate.open('saved');
    expect([await owner.outcome, await waiting.outcome]).toEqual([
      { ...stoppedByShutdown, value: 'out' },
      completed('saved'),
    ]);
  });

  test('keeps its place while the shutdown rejects what waits before it', async () => {
    const { supervisor, submit, gate, clock, close } = await running();
    const others = [1, 2].map(() => supervisor.submit({ slot: 's', run: gate.body }));
    const waiting = submit();
    const replacement = supervisor.submit({ slot: 't', run: gate.body });
    await clock.settle();
    void close();
    for (const one of others) expect(await one.outcome).toEqual(rejected('shuttingDown'));
    gate.open('first');
    gate.open('out');
    await clock.settle();
    gate.open('second');
    expect(await waiting.outcome).toEqual(completed('second'));
    expect(await replacement.outcome).toEqual({ ...stoppedByShutdown, value: 'out' });
  });

  test('at the gate gets its first attempt within the finish time', async () => {
    const { submit, gate, close, clock } = world({ concurrency: 1 });
    const [first, second] = [submit({ slot: 'a' }), submit({ slot: 'b' })];
    await clock.settle();
    void close();
    expect(second.status).toBe('starting');
    gate.open('one');
    await clock.settle();
    gate.open('two');
    expect([await first.outcome, await second.outcome]).toEqual([completed('one'), completed('two')]);
  });

  test('that owns its slot since this very turn gets its first attempt', async () => {
    const { submit, gate, close, clock } = world();
    const submission = submit();
    void close();
    await clock.settle();
    gate.open('one');
    expect(await submission.outcome).toEqual(completed('one'));
  });

  test('behind a paused gate is canceled with no attempt when the finish time is over, and runs if it is resumed', async () => {
    for (const resumed of [false, true]) {
      const { supervisor, submit, gate, close, clock } = world();
      supervisor.pause();
      const submission = submit();
      void close();
      await clock.advance(FINISH - 1);
      expect(submission.status).toBe('starting');
      if (resumed) supervisor.resume();
      await clock.settle();
      if (resumed) gate.open('ran');
      await clock.advance(1);
      expect(await submission.outcome).toEqual(resumed ? completed('ran') : notBegun);
    }
  });

  test('in a paused slot is rejected when the finish time is over, and runs if the slot is resumed', async () => {
    for (const resumed of [false, true]) {
      const { supervisor, submit, gate, close, clock } = world();
      supervisor.slot('s').pause();
      const submission = submit();
      const report = close();
      await clock.advance(FINISH - 1);
      expect(submission.status).toBe('queued');
      if (resumed) supervisor.slot('s').resume();
      await clock.settle();
      if (resumed) gate.open('ran');
      await clock.advance(1);
      expect(await submission.outcome).toEqual(resumed ? completed('ran') : rejected('shuttingDown'));
      await report;
      expect(clock.now()).toBeLessThanOrEqual(FINISH);
    }
  });

  test('waits for its lease within the finish time', async () => {
    let grant: (lease: Lease) => void = () => {};
    const acquire = ({ signal }: LeaseRequest) =>
      new Promise<Lease>((resolve, reject) => {
        grant = resolve;
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    for (const granted of [false, true]) {
      const { submit, gate, close, clock } = world({ leases: { acquire } });
      const submission = submit();
      void close();
      if (granted) grant({ fence: 1n, lost: new AbortController().signal, release: () => {} });
      await clock.settle();
      if (granted) gate.open('ran');
      await clock.advance(FINISH);
      expect(await submission.outcome).toEqual(granted ? completed('ran') : rejected('shuttingDown'));
    }
  });

  test('keeps its queueTimeoutMs and its deadline', async () => {
    const { submit, close, clock } = await running();
    const [short, dead] = [submit({ queueTimeoutMs: 10 }), submit({ deadlineMs: 20 })];
    void close();
    await clock.advance(20);
    expect([await short.outcome, await dead.outcome]).toEqual([rejected('queueTimeout'), rejected('deadline')]);
  });
});

describe('a finisher between two attempts', () => {
  const fails = () => {
    throw boom;
  };

  test('in backoff ends at once as failed, because shuttingDown, with its last failure', async () => {
    const { submission, close, clock } = await running({ run: fails, backoff: CONSTANT_BACKOFF });
    expect(submission.status).toBe('backoff');
    const report = close();
    expect(submission.status).toBe('ended');
    expect(await submission.outcome).toEqual(failed('shuttingDown'));
    await report;
    expect(clock.timers).toBe(0);
  });

  test('at the gate for a retry ends in the same way', async () => {
    const { submission, close, clock, supervisor } = await running({ run: fails, backoff: CONSTANT_BACKOFF });
    supervisor.pause();
    await clock.advance(100);
    expect(submission.status).toBe('starting');
    void close();
    expect(await submission.outcome).toEqual(failed('shuttingDown'));
  });

  test.each<readonly [name: string, lead: (made: World & { submission: Submission }) => unknown]>([
    ['in its interval', () => {}],
    [
      'at the gate after an interval',
      ({ supervisor, clock }) => {
        supervisor.pause();
        return clock.advance(50);
      },
    ],
    [
      'at the gate after restart() in its interval',
      ({ supervisor, submission }) => {
        supervisor.pause();
        expect(submission.restart()).toBe(true);
      },
    ],
  ])('%s ends at once as canceled by shutdown', async (_, lead) => {
    const made = await running({ run: () => 'one', restart: 'always', intervalMs: 50 });
    expect(made.submission.status).toBe('interval');
    await lead(made);
    void made.close();
    expect(await made.submission.outcome).toEqual(stoppedByShutdown);
  });

  test('at the gate after restart() in its backoff ends as canceled by shutdown: the failure is forgotten', async () => {
    const made = await running({ run: fails, backoff: CONSTANT_BACKOFF });
    made.supervisor.pause();
    made.submission.restart();
    void made.close();
    expect(await made.submission.outcome).toEqual(stoppedByShutdown);
  });
});

describe('the finish time', () => {
  test.each<readonly [name: string, options: SupervisorOptions, call: object, finishMs: number, graceMs: number]>([
    ['half of the default grace', { finishMs: undefined, shutdownGraceMs: undefined }, {}, 12_500, 25_000],
    ['half of shutdownGraceMs', { finishMs: undefined }, {}, 5_000, GRACE],
    ['finishMs of the supervisor', {}, {}, FINISH, GRACE],
    ['half of the graceMs of the call', { finishMs: undefined }, { graceMs: 2_000 }, 1_000, 2_000],
    [
      'finishMs of the supervisor, beside a graceMs of the call',
      {},
      { graceMs: 2 * FINISH + 1 },
      FINISH,
      2 * FINISH + 1,
    ],
    ['at most the graceMs of the call', {}, { graceMs: 7 }, 7, 7],
    ['finishMs of the call', {}, { finishMs: 3_000 }, 3_000, GRACE],
    ['both of the call', {}, { graceMs: 800, finishMs: 800 }, 800, 800],
    ['0', { finishMs: 0 }, {}, 0, GRACE],
  ])('is %s', async (_, options, call, finishMs, graceMs) => {
    const made = world(options);
    const owner = made.submit();
    await made.clock.settle();
    const waiting = made.submit();
    const report = made.supervisor.shutdown(call);
    expect(await settledAt(made, waiting.outcome)).toBe(finishMs);
    expect(await waiting.outcome).toEqual(rejected('shuttingDown'));
    if (finishMs < graceMs) expect(owner.status).toBe('stopping');
    expect(await settledAt(made, report)).toBe(graceMs);
    expect(made.recorded.of('shutdownStarted')).toMatchObject([{ graceMs, finishMs }]);
  });

  test.each([{ finishMs: 11_000 }, { graceMs: 100, finishMs: 101 }, { finishMs: -1 }, { finishMs: Number.NaN }])(
    'of %o is refused, and nothing is closed',
    (call) => {
      const { supervisor } = world();
      expect(() => supervisor.shutdown(call)).toThrow(expect.objectContaining({ field: 'finishMs' }));
      expect(supervisor.phase).toBe('open');
    },
  );

  test('a later call can shorten it and never put it off', async () => {
    const { submission, gate, clock, supervisor } = await running();
    void supervisor.shutdown();
    await clock.advance(100);
    void supervisor.shutdown({ graceMs: Infinity, finishMs: Infinity });
    void supervisor.shutdown({ graceMs: 2_000 }); // half of it: until 1,100 ms
    await clock.advance(999);
    expect(gate.calls[0]?.canceled).toBe(false);
    await clock.advance(1);
    expect([gate.calls[0]?.canceled, submission.status]).toEqual([true, 'stopping']);
    await clock.advance(1_000);
    expect(await submission.outcome).toMatchObject({ kind: 'abandoned' });
  });

  test('Infinity waits until all finishers have ended by themselves', async () => {
    const { submission, gate, clock, supervisor } = await running();
    const report = supervisor.shutdown({ graceMs: Infinity, finishMs: Infinity });
    await clock.advance(1e9);
    expect(submission.status).toBe('running');
    gate.open('at last');
    expect(await report).toMatchObject({ clean: true, counts: { completed: 1 } });
  });

  test('after it no submission becomes owner (S7)', async () => {
    const { gate, submit, clock, supervisor, close } = await running();
    submit();
    void close();
    await clock.advance(FINISH);
    gate.open('out');
    await clock.settle();
    expect([gate.calls.length, supervisor.snapshot().totals.started]).toEqual([1, 1]);
  });
});

describe('a flight in a shutdown', () => {
  test('goes on as its leader asked, whatever those that joined it say, also after the leader has left', async () => {
    const { supervisor, gate, clock, close } = world();
    const submit = (slot: string, onShutdown: 'stop' | 'finish') =>
      supervisor.submit({ slot, admission: 'join', onShutdown, run: gate.body });
    const finishing = [submit('a', 'finish'), submit('a', 'stop')];
    const stopped = [submit('b', 'stop'), submit('b', 'finish')];
    await clock.settle();
    await finishing[0]?.cancel();
    void close();
    await clock.settle();
    expect(gate.calls.map(({ canceled }) => canceled)).toEqual([false, true]);
    gate.open('saved');
    gate.open('out');
    expect(await finishing[1]?.outcome).toEqual(completed('saved'));
    for (const one of stopped) expect(await one.outcome).toEqual({ ...stoppedByShutdown, value: 'out' });
  });

  test('that waits is kept or rejected whole, as its leader asked', async () => {
    const { submission, supervisor, gate, clock, submit, close } = await running();
    void submission.cancel();
    const kept = [submit(), submit({ admission: 'join', onShutdown: 'stop' })];
    void close();
    gate.open('out');
    await clock.settle();
    gate.open('saved');
    for (const one of kept) expect(await one.outcome).toEqual(completed('saved'));
    const other = world();
    other.supervisor.slot('s').pause();
    const gone = [other.submit({ onShutdown: 'stop' }), other.submit({ admission: 'join' })];
    void other.close();
    for (const one of gone) expect(await one.outcome).toEqual(rejected('shuttingDown'));
    expect(supervisor.phase).toBe('closing');
  });
});

describe('a finisher whose lease is lost', () => {
  /** The first lease can be lost. There is no second one. */
  function leases(lost: AbortController) {
    let granted = 0;
    return {
      acquire: ({ signal }: LeaseRequest): Lease | Promise<never> => {
        granted += 1;
        if (granted === 1) return { fence: 1n, lost: lost.signal, release: () => {} };
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    };
  }

  test('in the shutdown is stopped by leaseLost, and is not suspended', async () => {
    const lost = new AbortController();
    const { submission, gate, clock, close } = await running({}, { leases: leases(lost) });
    void close();
    lost.abort();
    await clock.settle();
    expect([submission.status, gate.calls[0]?.canceled]).toEqual(['stopping', true]);
    gate.open('out');
    expect(await submission.outcome).toEqual({ kind: 'canceled', by: 'leaseLost', value: 'out', attempts: 1 });
  });

  test('before the shutdown, so that it is suspended, is canceled by shutdown at once', async () => {
    const lost = new AbortController();
    const { submission, gate, clock, close } = await running({}, { leases: leases(lost) });
    lost.abort();
    gate.open('out');
    await clock.settle();
    expect(submission.status).toBe('suspended');
    void close();
    expect(await submission.outcome).toEqual(stoppedByShutdown);
  });
});
