// Each option is read once. Properties of Object.prototype are not options.

import { type Backoff, backoffDelayMs, type SlotOptions, Supervisor, stopOnSignals, type TaskSpec } from 'slotvisor';
import { afterEach, describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import {
  expectNothingAdmitted,
  invalid,
  optionErrorOf,
  revoked,
  throwingGetter,
} from '../../support/invalid-options.ts';
import { setup } from '../../support/setup.ts';

describe('an option is read once', () => {
  test('every getter of a spec, of its backoff and of its restartLimit is read exactly once', async () => {
    const { supervisor, clock } = setup();
    const reads = new Map<string, number>();
    const counting = <T extends object>(path: string, fields: T): T => {
      const object = {};
      for (const [key, value] of Object.entries(fields))
        Object.defineProperty(object, key, {
          enumerable: true,
          get: () => {
            reads.set(`${path}${key}`, (reads.get(`${path}${key}`) ?? 0) + 1);
            return value;
          },
        });
      return object as T;
    };
    const spec = counting<TaskSpec<string, number>>('', {
      run: () => 'done',
      name: 'n',
      slot: 's',
      admission: 'queue',
      restart: 'always',
      intervalMs: 1_000,
      maxRetries: 3,
      backoff: counting<Backoff>('backoff.', { firstMs: 1, factor: 1, maxMs: 2, floorMs: 0, jitter: 'none' }),
      retryIf: () => true,
      restartLimit: counting('restartLimit.', { restarts: 1, withinMs: 10 }),
      timeoutMs: 10,
      stallMs: 10,
      graceMs: 10,
      onOverrun: 'hold',
      onShutdown: 'finish',
      shutdownStage: 1,
      queueTimeoutMs: 10,
      deadlineMs: 5_000,
      priority: 1,
      vital: true,
      signal: new AbortController().signal,
      state: () => 1,
      meta: {},
    });
    const submission = supervisor.submit(spec);
    await clock.advance(5_000);
    expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'deadline' });
    expect(reads.size).toBe(23 + 5 + 2);
    expect([...reads.values()].every((count) => count === 1)).toBe(true);
  });

  test('getters of the options of subscribe, events, shutdown and configure are read once', async () => {
    const { supervisor } = setup();
    let reads = 0;
    const once = (key: string, value: unknown) =>
      invalid<never>(
        Object.defineProperty({}, key, {
          enumerable: true,
          get: () => {
            reads += 1;
            return value;
          },
        }),
      );
    supervisor.subscribe(() => {}, once('capacity', 5));
    expect(reads).toBe(1);
    void supervisor.events(once('types', ['started']));
    expect(reads).toBe(2);
    supervisor.slot('s').configure(once('queueLimit', 5));
    expect(reads).toBe(3);
    await supervisor.shutdown(once('graceMs', 0));
    expect(reads).toBe(4);
  });

  test('a change of the spec after submit() has no effect', async () => {
    const { supervisor, clock } = setup();
    const backoff = { firstMs: 10, jitter: 'none' as const };
    const restartLimit = { restarts: 5, withinMs: 1_000 };
    let calls = 0;
    const task = {
      run: () => {
        calls += 1;
        throw new Error(`old ${calls}`);
      },
      kill: () => {},
    };
    const spec = { run: task, slot: 's', name: 'n', maxRetries: 1, backoff, restartLimit };
    const submission = supervisor.submit(spec);
    Object.assign(spec, { slot: 'other', name: 'other', maxRetries: 9, backoff: { firstMs: 500 }, run: () => 'new' });
    Object.assign(backoff, { firstMs: 700 });
    Object.assign(restartLimit, { restarts: 0 });
    Object.assign(task, { run: () => 'new' });
    await clock.advance(30);
    expect([submission.slot, submission.name]).toEqual(['s', 'n']);
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 2 });
    expect(calls).toBe(2);
  });

  test('a change of slot or supervisor options after the call has no effect', () => {
    const slotDefaults = { queueLimit: 0 };
    const options = { slotDefaults, slots: { wide: { queueLimit: 1 } } };
    const { supervisor } = setup(options);
    const own = { queueLimit: 1 };
    supervisor.slot('own').configure(own);
    Object.assign(slotDefaults, { queueLimit: 50 });
    Object.assign(options.slots.wide, { queueLimit: 50 });
    Object.assign(own, { queueLimit: 50 });
    const admissions = (slot: string) =>
      [1, 2, 3].map(() => supervisor.submit({ slot, run: gateBody().body }).admission);
    expect(admissions('narrow')).toEqual(['started', 'rejected', 'rejected']);
    expect(admissions('wide')).toEqual(['started', 'queued', 'rejected']);
    expect(admissions('own')).toEqual(['started', 'queued', 'rejected']);
  });

  test.each(['run', 'slot', 'timeoutMs', 'signal', 'meta', 'backoff'])(
    'a getter of %s that throws causes an OptionError, and nothing is admitted',
    (key) => {
      const { supervisor } = setup();
      const error = optionErrorOf(() =>
        supervisor.submit(throwingGetter<TaskSpec>(key, key === 'run' ? {} : { run: () => 1 })),
      );
      expect(error.message).toContain('must be readable');
      expect(error.message).toContain('do not look');
      expectNothingAdmitted(supervisor);
    },
  );

  test('a throwing getter or a revoked proxy causes an OptionError in every call, and the error names the field', async () => {
    const { supervisor } = setup();
    const run = () => 1;
    const calls: readonly (readonly [field: string, call: () => unknown])[] = [
      ['spec', () => supervisor.submit(revoked<TaskSpec>())],
      ['spec', () => supervisor.submit({ run: revoked<never>() })],
      ['backoff', () => supervisor.submit({ run, backoff: revoked<object>() })],
      ['backoff.firstMs', () => supervisor.submit({ run, backoff: throwingGetter('firstMs') })],
      ['restartLimit.withinMs', () => supervisor.submit({ run, restartLimit: throwingGetter('withinMs') })],
      ['slot', () => supervisor.submit({ run, slot: revoked<never>() })],
      ['signal', () => supervisor.submit({ run, signal: revoked<AbortSignal>() })],
      ['signal', () => supervisor.submit({ run, signal: throwingGetter('aborted') })],
      ['spec', () => supervisor.submit({ run: throwingGetter<never>('kill', { run }) })],
      ['specs', () => supervisor.submitAll(revoked<TaskSpec[]>())],
      ['specs[1]', () => supervisor.submitAll([{ run }, revoked<TaskSpec>()])],
      ['spec', () => supervisor.check(revoked<TaskSpec>())],
      ['spec', () => supervisor.slot('s').submit(revoked<TaskSpec>())],
      ['options', () => supervisor.slot('s').configure(revoked<SlotOptions>())],
      ['queueLimit', () => supervisor.slot('s').configure(throwingGetter('queueLimit'))],
      ['slot', () => supervisor.slot(revoked<never>())],
      ['subscriber', () => supervisor.subscribe(revoked<never>())],
      ['subscriber', () => supervisor.subscribe(throwingGetter<never>('onEvent'))],
      ['options', () => supervisor.subscribe(() => {}, revoked())],
      ['capacity', () => supervisor.events(throwingGetter('capacity'))],
      ['types', () => supervisor.events({ types: revoked<never>() })],
      ['signal', () => supervisor.events({ signal: throwingGetter('aborted') })],
      ['options', () => supervisor.shutdown(revoked())],
      ['options', () => new Supervisor(revoked())],
      ['clock', () => new Supervisor(throwingGetter('clock'))],
      ['clock', () => new Supervisor({ clock: revoked<never>() })],
      ['leases', () => new Supervisor({ leases: throwingGetter<never>('acquire') })],
      ['leases.ttlMs', () => new Supervisor({ leases: throwingGetter('ttlMs', { acquire: () => null }) })],
      ['defaults.backoff.jitter', () => new Supervisor({ defaults: { backoff: throwingGetter('jitter') } })],
      ['slots.orders', () => new Supervisor({ slots: throwingGetter('orders') })],
      ['slots.orders.onFull', () => new Supervisor({ slots: { orders: throwingGetter('onFull') } })],
      ['rate.limit', () => new Supervisor({ rate: throwingGetter('limit') })],
      ['backoff', () => backoffDelayMs(revoked(), 0)],
      ['backoff.firstMs', () => backoffDelayMs(throwingGetter('firstMs'), 0)],
    ];
    expect(calls.map(([, call]) => optionErrorOf(call).field)).toEqual(calls.map(([field]) => field));
    for (const [options, field] of [
      [revoked(), 'options'],
      [{ signals: revoked() }, 'signals'],
    ] as const)
      await expect(supervisor.run([], options as never)).rejects.toMatchObject({ name: 'OptionError', field });
    expectNothingAdmitted(supervisor);
    expect(supervisor.snapshot().phase).toBe('open');
  });

  test('a transparent proxy of a spec is read like the spec', async () => {
    const { supervisor } = setup();
    const submission = supervisor.submit(new Proxy({ slot: 's', run: () => 'through the proxy' }, {}));
    expect(await submission.value()).toBe('through the proxy');
  });

  test('a getter of a spec may submit or shut the supervisor down', async () => {
    const { supervisor } = setup();
    const spec = {
      get slot(): string {
        supervisor.submit({ slot: 'inner', run: () => 'inner' });
        return 'outer';
      },
      run: () => 'outer',
    };
    expect(await supervisor.submit(spec).value()).toBe('outer');
    const closing = {
      get slot(): string {
        void supervisor.shutdown();
        return 'late';
      },
      run: () => 'late',
    };
    expect(() => supervisor.submit(closing)).toThrow('shutting down');
    expect(supervisor.snapshot().totals).toMatchObject({ submitted: 2, completed: 2 });
  });
});

describe('a polluted Object.prototype', () => {
  const prototype = Object.prototype as Record<string, unknown>;
  const polluted = [
    'timeoutMs',
    'slot',
    'maxRetries',
    'queueLimit',
    'concurrency',
    'capacity',
    'firstMs',
    'somethingElse',
  ];

  afterEach(() => {
    for (const key of polluted) delete prototype[key];
  });

  test('a property of Object.prototype is never read as an option', async () => {
    for (const key of polluted) prototype[key] = 'polluted';
    const { supervisor, clock } = setup({ slotDefaults: {}, defaults: {}, limits: {} });
    const submission = supervisor.submit({ run: () => 'clean', backoff: {} });
    supervisor.slot('s').configure({});
    supervisor.subscribe(() => {}, {});
    await clock.settle();
    const outcome = await submission.outcome;
    const { slot } = submission;
    for (const key of polluted) delete prototype[key];
    expect(outcome).toEqual({ kind: 'completed', value: 'clean', attempts: 1 });
    expect(slot).toBe(submission.id);
  });
});

describe('a polluted Object.prototype', () => {
  const BACKOFF_AND_LIMITS = ['firstMs', 'maxMs', 'jitter', 'restarts', 'withinMs', 'intervalMs', 'limit'];
  const TIMES = ['graceMs', 'finishMs', 'shutdownGraceMs', 'delayMs'];
  afterEach(() => {
    for (const name of [...BACKOFF_AND_LIMITS, ...TIMES, 'ttlMs']) Reflect.deleteProperty(Object.prototype, name);
  });
  const pollute = (values: object): void => {
    for (const [name, value] of Object.entries(values))
      Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true, writable: true });
  };

  test('changes no backoff', () => {
    const plain = backoffDelayMs({}, 3, () => 0.5);
    pollute({ firstMs: 9_999, maxMs: 1, jitter: 'none' });
    expect(backoffDelayMs({}, 3, () => 0.5)).toBe(plain);
  });

  test.each<[string, (supervisor: Supervisor) => void]>([
    ['run', (supervisor) => void supervisor.run([])],
    ['the end of an `await using` block', (supervisor) => void supervisor[Symbol.asyncDispose]()],
    ['a call', (supervisor) => void supervisor.shutdown({})],
    [
      'stopOnSignals',
      (supervisor) => {
        stopOnSignals(supervisor, { signals: ['SIGUSR2'] });
        process.emit('SIGUSR2');
      },
    ],
  ])('changes no time of a shutdown: %s', async (_, stop) => {
    pollute(Object.fromEntries(TIMES.map((name) => [name, 5])));
    const { supervisor, clock, recorded } = setup();
    stop(supervisor);
    await clock.settle();
    expect(recorded.of('shutdownStarted')).toMatchObject([{ graceMs: 25_000, finishMs: 12_500 }]);
  });

  test('changes nothing of the local leases', () => {
    pollute({ ttlMs: 'x' });
    expect(() => new Supervisor()).not.toThrow();
  });

  test('adds no default and completes no option', () => {
    pollute({ intervalMs: 5, restarts: 1, withinMs: 1, limit: 1 });
    expect(() => new Supervisor({ defaults: {} })).not.toThrow();
    expect(optionErrorOf(() => new Supervisor({ rate: invalid({}) })).field).toBe('rate.limit');
    expect(optionErrorOf(() => new Supervisor().submit({ run: () => 1, restartLimit: invalid({}) })).field).toBe(
      'restartLimit.restarts',
    );
  });
});
