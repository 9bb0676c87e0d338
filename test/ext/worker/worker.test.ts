import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Failure, KillableTask } from 'slotvisor';
import { type Schedule, type SubmittedRun, schedule } from 'slotvisor/cron';
import { type WorkerContext, type WorkerFunction, type WorkerTaskOptions, workerTask } from 'slotvisor/worker';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { JOBS, job, matching, type Rest, real, shared, until } from './setup.ts';

/** The submitted runs of a schedule, once the first of them has ended. */
async function ended(scheduled: Schedule): Promise<SubmittedRun[]> {
  const runs = () => scheduled.runs.filter((run) => run.kind === 'submitted');
  await until(() => runs()[0]?.outcome !== undefined);
  return runs();
}

async function failureOf(name: string, options: WorkerTaskOptions = {}): Promise<Failure> {
  const outcome = await job(real().supervisor, name, options).outcome;
  if (outcome.kind !== 'failed') throw new Error(`expected a failure, got ${outcome.kind}`);
  return outcome.failure;
}

async function thrownBy(what: string): Promise<unknown> {
  const failure = await failureOf('throws', { workerData: what });
  return failure.kind === 'thrown' ? failure.error : failure;
}

describe('a worker task', () => {
  test('returns its value by structured clone', async () => {
    const workerData = { map: new Map([[1, { n: 2n }]]), at: new Date(0), bytes: new Uint8Array([1, 2]) };
    const submission = job(real().supervisor, 'value', { workerData });
    const value = (await submission.value()) as typeof workerData;
    expect(value).toEqual(workerData);
    expect(value.map).not.toBe(workerData.map);
  });

  test('passes the fields of the attempt and clones of `meta` and `workerData` to the function', async () => {
    const { supervisor } = real();
    const submission = job(supervisor, 'context', { workerData: [1] }, { slot: 's', name: 'n', meta: { of: 'whom' } });
    expect(await submission.value()).toEqual({
      id: submission.id,
      slot: 's',
      name: 'n',
      attempt: 1,
      meta: { of: 'whom' },
      fence: 0n,
      workerData: [1],
      due: undefined,
      canceled: false,
      aborted: false,
    });
  });

  test('gives each attempt of a scheduled run its date, as a `Date` of its own', async () => {
    const at = Date.now();
    const run = workerTask(JOBS, { export: 'dueAtThird' });
    const task = { run, restart: 'onFailure', backoff: { firstMs: 0 } } as const;
    const [entry] = await ended(schedule(real().supervisor, { at, task }));
    expect(entry).toMatchObject({ cause: 'date', outcome: { attempts: 3, value: { isDate: true, ms: at } } });
  });

  test('gives a run by `trigger` the moment of that call, also through code around `run`', async () => {
    const due = workerTask(JOBS, { export: 'dueAtThird' });
    const around: KillableTask<unknown, unknown, [due?: Date | undefined]> = {
      run: (ctx, date) => due.run(ctx, date),
      kill: (ctx) => due.kill(ctx),
    };
    const task = { run: around, restart: 'onFailure', backoff: { firstMs: 0 } } as const;
    const triggered = schedule(real().supervisor, { at: Date.now() + 1e9, task });
    triggered.trigger();
    const [entry] = await ended(triggered);
    expect(entry).toMatchObject({ cause: 'trigger', outcome: { value: { ms: entry?.due.getTime() } } });
  });

  test('gives its function a signal that takes any number of listeners without a warning', async () => {
    expect(await job(real().supervisor, 'listens').value()).toEqual([]);
  });

  test('gives each attempt a fresh thread, a fresh module and a fresh clone of the data', async () => {
    const { supervisor, recorded } = real();
    const task = job(supervisor, 'thirdTime', { workerData: [] }, { restart: 'onFailure', backoff: { firstMs: 0 } });
    expect(await task.value()).toMatchObject({ calls: 1, pushed: [3] });
    expect(recorded.of('attemptFailed').map(({ failure }) => failure.message)).toEqual(['not yet', 'not yet']);
  });

  test('reports what was thrown as it is, also if its module has changed Object.prototype', async () => {
    const source = `Object.assign(Object.prototype, { message: 1, stack: 2, fields: 3 });
      export const value = () => Promise.reject(7);
      export const error = () => Promise.reject(Object.assign(new RangeError('no'), { code: 'E_NO' }));`;
    const module = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    const thrown = async (name: string): Promise<unknown> => {
      const run = workerTask(module, { export: name });
      const outcome = await real().supervisor.submit({ restart: 'never', run }).outcome;
      return outcome.kind === 'failed' && outcome.failure.kind === 'thrown' ? outcome.failure.error : outcome;
    };
    expect(await thrown('value')).toBe(7);
    expect(await thrown('error')).toMatchObject({ name: 'RangeError', message: 'no', code: 'E_NO' });
  });

  test('can run in several slots at once, and a cancel stops only its own thread', async () => {
    const { supervisor } = real();
    const data = { shared: shared() };
    const run = workerTask(JOBS, { export: 'stopsOnAbort', workerData: data });
    const [first, second] = ['a', 'b'].map((slot) => supervisor.submit({ slot, restart: 'never', run }));
    await until(() => data.shared[0] === 2);
    expect(await first?.cancel()).toMatchObject({ kind: 'canceled' });
    expect(second?.status).toBe('running');
  });

  test('accepts a path, a URL as a string, a data: URL and a CommonJS module', async () => {
    const { supervisor } = real();
    const modules: [string, WorkerTaskOptions][] = [
      [decodeURIComponent(JOBS.pathname), { export: 'value', workerData: 'a path' }],
      [JOBS.href, { export: 'value', workerData: 'a string' }],
      ['data:text/javascript,export default () => "data"', {}],
      [new URL('./common.cjs', import.meta.url).href, { export: 'hello', workerData: 'you' }],
      [new URL('./compiled.cjs', import.meta.url).href, { workerData: 'default' }],
    ];
    const values = modules.map(([url, options]) =>
      supervisor.submit({ restart: 'never', run: workerTask(url, options) }).value(),
    );
    expect(await Promise.all(values)).toEqual(['a path', 'a string', 'data', 'hello you', 'compiled default']);
  });

  test('applies `execArgv` to the worker, preloaded modules included', async () => {
    const execArgv = ['--import', 'data:text/javascript,globalThis.preloaded = "yes"'];
    expect(await job(real().supervisor, 'preloaded', { execArgv }).value()).toBe('yes');
  });

  test('gives its function a signal that takes any number of listeners without a warning', async () => {
    const source = `export default async ({ signal }) => {
        const warnings = [];
        process.on('warning', ({ name }) => warnings.push(name));
        for (let n = 0; n < 100; n += 1) signal.addEventListener('abort', () => {});
        await new Promise((resolve) => setTimeout(resolve, 10));
        return warnings;
      };`;
    const run = workerTask(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
    expect(await real().supervisor.submit({ restart: 'never', run }).value()).toEqual([]);
  });

  test('has the value type of its type argument', async () => {
    const run = workerTask<string, string>(JOBS, { export: 'value', workerData: 'text' });
    expectTypeOf(run).toExtend<KillableTask<string>>();
    expectTypeOf((ctx: WorkerContext<string>) => ctx.workerData.length).toExtend<WorkerFunction<number, string>>();
    const value = await real().supervisor.submit({ restart: 'never', run }).value();
    expectTypeOf(value).toEqualTypeOf<string>();
    expect(value).toBe('text');
  });

  test('ends timers that the function left in its thread', async () => {
    const data = { shared: shared() };
    expect(await job(real().supervisor, 'leavesTimer', { workerData: data }).value()).toBe('left');
    const counted = data.shared[0];
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(data.shared[0]).toBe(counted);
  });
});

describe('an error thrown in a worker', () => {
  test('keeps its name, message, stack, causes and own fields', async () => {
    const error = (await thrownBy('custom')) as Error & Record<string, unknown>;
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'Custom', message: 'of its own', code: 'E_CUSTOM', details: { at: [1, 2] } });
    expect(error.stack).toMatch(/jobs\.mjs/);
    expect(error).not.toHaveProperty('notClonable');
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(error.cause).toMatchObject({ message: 'inner', cause: 'innermost' });
  });

  test('arrives also when it is an AggregateError, a DOMException, a cycle of causes or no error at all', async () => {
    const aggregate = (await thrownBy('aggregate')) as AggregateError;
    expect(aggregate).toBeInstanceOf(AggregateError);
    expect(aggregate.errors).toEqual([expect.any(SyntaxError), 'two']);
    expect(await thrownBy('circle')).toMatchObject({ message: 'round and round', cause: expect.any(AggregateError) });
    expect(await thrownBy('dom')).toMatchObject({ name: 'NotFoundError', message: 'no such thing' });
    expect(await thrownBy('primitive')).toBe(7);
    expect(await thrownBy('nothing')).toBe(undefined);
    expect(await thrownBy('unclonable')).toEqual(matching({ name: 'DataCloneError', message: /cannot be cloned/ }));
    expect(await thrownBy('revoked')).toEqual(matching({ name: 'DataCloneError', message: /cannot be cloned/ }));
  });

  for (const field of ['name', 'message', 'stack', 'cause', 'errors', 'detail'])
    test(`loses no other field when the getter of ${field} throws`, async () => {
      const error = await thrownBy(`hostile ${field}`);
      const whole = { name: 'RangeError', message: 'the real one', stack: /jobs\.mjs/, code: 'E_REAL' };
      // V8 makes the stack on first read, from name and message. So it is lost with either of them.
      const replaced = {
        name: { name: 'Error', stack: /./ },
        message: { message: /cannot be read/, stack: /./ },
        stack: { stack: /./ },
      };
      expect(error).toEqual(matching({ ...whole, ...replaced[field as 'name'] }));
      expect(error).not.toHaveProperty('detail');
    });

  test('has its usual effect when it is a FatalError, RetryError or CanceledError', async () => {
    const { supervisor, recorded } = real({ defaults: { backoff: { firstMs: 60_000 } } });
    const throws = (workerData: string) => job(supervisor, 'throws', { workerData }, { restart: 'onFailure' }).outcome;
    const [fatal, canceled] = await Promise.all([throws('fatal'), throws('canceled')]);
    expect(fatal).toMatchObject({ kind: 'fatal', failure: { message: 'for good', error: { exitCode: 9 } } });
    expect(canceled).toMatchObject({ kind: 'canceled', by: 'task', reason: { why: 1 } });
    const retried = await job(supervisor, 'retriesOnce', {}, { restart: 'onFailure' }).outcome;
    expect(retried).toMatchObject({ kind: 'completed', attempts: 2 });
    expect(recorded.of('backoffScheduled').map(({ delayMs }) => delayMs)).toEqual([0]);
  });
});

describe('the attempt fails, and the restart policy decides, on', () => {
  const data = (text: string): URL => new URL(`data:text/javascript,${encodeURIComponent(text)}`);
  const rows: readonly [name: string, module: URL, options: WorkerTaskOptions, rest: Rest, failure: object][] = [
    [
      'a missing module',
      new URL('./missing.mjs', import.meta.url),
      {},
      {},
      {
        error: { code: 'ERR_MODULE_NOT_FOUND' },
        message: /^Cannot find module '\/.+missing\.mjs' imported from slotvisor-worker$/,
      },
    ],
    [
      'a missing module with a long path, whose message and stack show a part of the path',
      new URL(`file:///none/${'long/'.repeat(100)}missing.mjs`),
      {},
      {},
      {
        message: /^Cannot find module '\/none\/long.{30}….{8}missing\.mjs' imported from slotvisor-worker$/,
        error: { stack: /^.{0,200}\n(?:.{0,200}\n){1,20}.{0,200}$/ },
      },
    ],
    [
      'a folder as module',
      new URL('.', import.meta.url),
      {},
      {},
      { message: /^Directory import '.{1,61}' is not supported resolving ES modules imported from slotvisor-worker$/ },
    ],
    [
      'a missing export with a long name, whose message shows a part of the name',
      JOBS,
      { export: 'n'.repeat(5_000) },
      {},
      { message: /jobs\.mjs has no function export "n{60}…"; it exports / },
    ],
    [
      'a `meta` that is a long function, whose message shows a part of its text',
      JOBS,
      { export: 'value' },
      { meta: new Function(`return ${'x'.repeat(5_000)}`) },
      { message: /^meta cannot be cloned into a worker: .{60}…$/s },
    ],
    [
      'a long function as value, whose message shows a part of its text',
      data(`export default () => () => ${'x'.repeat(5_000)}`),
      {},
      {},
      { message: /^what "default" returned cannot be cloned: .{60}…$/ },
    ],
    [
      'a module that throws',
      data('throw new RangeError("no")'),
      {},
      {},
      { error: { name: 'RangeError', message: 'no' } },
    ],
    ['a module with a syntax error', data('export default ('), {}, {}, { error: { name: 'SyntaxError' } }],
    [
      'a missing export',
      JOBS,
      { export: 'mising' },
      {},
      { message: /has no function export "mising"; it exports .*, value/ },
    ],
    [
      'a missing export of a long data: URL, whose message shows a part of the URL',
      data(`export const other = 1; //${'x'.repeat(5_000)}`),
      {},
      {},
      { message: /^data:text.{51}… has no function export "default"; it exports other$/ },
    ],
    [
      'a missing import in a long data: URL, whose message shows a part of the URL',
      data(`import 'nope'; //${'x'.repeat(5_000)}`),
      {},
      {},
      { message: /^[^x]*"nope" from "data:text.{51}…".{0,99}$/ },
    ],
    ['an export that is not a function', JOBS, { export: 'notAFunction' }, {}, { message: /no function export/ }],
    ['a value that cannot be cloned', JOBS, { export: 'unclonable' }, {}, { error: { name: 'DataCloneError' } }],
    ...[null, 'not today', new Error('not today')].map((thrown): (typeof rows)[number] => [
      `a value with a getter that throws ${thrown}`,
      JOBS,
      { export: 'unreadable', workerData: thrown },
      {},
      {
        message: new RegExp(`^what "unreadable" returned cannot be cloned: ${thrown === null ? 'null' : 'not today'}$`),
        error: { name: 'DataCloneError' },
      },
    ]),
    [
      'a `meta` that cannot be cloned',
      JOBS,
      { export: 'value' },
      { meta: () => {} },
      { message: /^meta cannot be cloned into a worker/ },
    ],
    ['an uncaught error', JOBS, { export: 'uncaught' }, {}, { error: { name: 'RangeError', message: 'not caught' } }],
    ['an unhandled rejection', JOBS, { export: 'rejection' }, {}, { error: { message: 'not caught' } }],
    [
      'flags that Node refuses',
      JOBS,
      { execArgv: ['--no-such-flag'] },
      {},
      { error: { code: 'ERR_WORKER_INVALID_EXEC_ARGV' } },
    ],
    [
      'a heap over `resourceLimits`',
      JOBS,
      { export: 'hoards', resourceLimits: { maxOldGenerationSizeMb: 16 } },
      {},
      { error: { code: 'ERR_WORKER_OUT_OF_MEMORY' } },
    ],
    ['process.exit(3)', JOBS, { export: 'exits', workerData: 3 }, {}, { kind: 'exited', exitCode: 3, signal: null }],
    ['process.exit(0)', JOBS, { export: 'exits', workerData: 0 }, {}, { kind: 'exited', exitCode: 0 }],
  ];

  for (const [name, module, options, rest, failure] of rows)
    test(name, async () => {
      const { supervisor, recorded } = real();
      const run = workerTask(module, options);
      const outcome = await supervisor.submit({ run, maxRetries: 1, backoff: { firstMs: 0 }, ...rest }).outcome;
      expect(outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 2 });
      expect(outcome).toMatchObject({ failure: matching(failure) });
      expect(recorded.of('attemptFailed')).toHaveLength(2);
    });
});

for (const name of ['prints', 'printsCorked'])
  test(`all output of a worker is written, and then nothing keeps the process alive (${name})`, async () => {
    const href = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    const program = `import { Supervisor } from ${href('../../../src/index.ts')};
      import { workerTask } from ${href('../../../src/ext/worker/index.ts')};
      const run = workerTask(${JSON.stringify(JOBS.href)}, { export: '${name}', execArgv: [] });
      const outcome = await new Supervisor().submit({ run, restart: 'never', graceMs: 0, timeoutMs: 200_000 }).outcome;
      const left = process.getActiveResourcesInfo().filter((name) => !/^(TTY|Pipe)Wrap$/.test(name)); // its own output
      console.log(JSON.stringify([outcome.kind, left]));`;
    const flags = ['--import', 'tsx', '--input-type=module'];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, '-e', program]);
    const lines = Array.from({ length: 200 }, (_, n) => `line ${n}`);
    expect(stdout.trimEnd().split('\n')).toEqual([...lines, '["completed",[]]']);
  });

describe('workerTask', () => {
  const rows: readonly [options: unknown, field: string, rule: RegExp][] = [
    [null, 'options', /must be an object, got null/],
    [[], 'options', /must be an object, got an array/],
    [{ exprot: 'a' }, 'exprot', /^exprot is not an option \(did you mean export\?\)/],
    [{ threads: 1 }, 'threads', /is not an option \(known: export, workerData, resourceLimits, execArgv\)/],
    [
      { workerData: { log: () => {} } },
      'workerData',
      /must be something that can be cloned into a worker \(.*could not/,
    ],
    [{ export: '' }, 'export', /must be the name of an export, got ""/],
    [{ export: 1 }, 'export', /got 1/],
    [{ execArgv: '--import' }, 'execArgv', /must be an array of strings/],
    [{ execArgv: [1] }, 'execArgv', /must be an array of strings/],
    [{ resourceLimits: 1 }, 'resourceLimits', /must be an object/],
    [{ resourceLimits: null }, 'resourceLimits', /must be an object, got null/],
    [{ resourceLimits: { memory: 1 } }, 'resourceLimits.memory', /is not an option \(known: maxOld/],
    [{ resourceLimits: { stackSizeMB: 1 } }, 'resourceLimits.stackSizeMB', /did you mean stackSizeMb\?/],
    [{ resourceLimits: { stackSizeMb: 0 } }, 'resourceLimits.stackSizeMb', /more than 0, got 0/],
    [
      { resourceLimits: { stackSizeMb: 0.5 } },
      'resourceLimits.stackSizeMb',
      /1 or more: a smaller stack ends the whole/,
    ],
    [{ resourceLimits: { stackSizeMb: Number.NaN } }, 'resourceLimits.stackSizeMb', /got NaN/],
  ];
  for (const [options, field, rule] of rows)
    test(`refuses ${JSON.stringify(options)} and names the field ${field}`, () => {
      const refused = expect(() => workerTask(JOBS, options as WorkerTaskOptions));
      refused.toThrow(expect.objectContaining({ name: 'OptionError', field, message: expect.stringMatching(rule) }));
    });

  for (const field of ['export', 'workerData', 'resourceLimits', 'execArgv'])
    test(`refuses a getter of ${field} that throws`, () => {
      const options = {
        get [field](): never {
          throw new Error('not today');
        },
      };
      expect(() => workerTask(JOBS, options)).toThrow(
        expect.objectContaining({ name: 'OptionError', field, message: expect.stringMatching(/readable.*not today/) }),
      );
    });

  test('refuses a getter inside workerData that throws', () => {
    const workerData = {
      get log(): never {
        throw new Error('not today');
      },
    };
    const message = 'workerData must be readable, got an error when it was read: not today';
    expect(() => workerTask(JOBS, { workerData })).toThrow(expect.objectContaining({ name: 'OptionError', message }));
  });

  for (const module of ['./job.js', 'some-package', 'https://example.org/job.js', '', 1, undefined])
    test(`refuses the module ${JSON.stringify(module)}`, () => {
      expect(() => workerTask(module as string)).toThrow(
        expect.objectContaining({ name: 'OptionError', field: 'module' }),
      );
    });

  test('reads an undefined option as absent, and copies the others when it is called', async () => {
    const limits = { maxOldGenerationSizeMb: 64, stackSizeMb: undefined };
    const workerData = { n: 1, memory: shared() };
    const options = { export: 'value', workerData, resourceLimits: limits, execArgv: undefined };
    const run = workerTask(JOBS, options);
    Object.assign(options, { export: 'exits', workerData: 5 });
    Object.assign(limits, { maxOldGenerationSizeMb: -1 });
    workerData.n = 2;
    workerData.memory[0] = 3;
    expect(await real().supervisor.submit({ restart: 'never', run }).value()).toEqual({
      n: 1,
      memory: new Int32Array([3, 0]), // shared memory is shared
    });
  });
});
