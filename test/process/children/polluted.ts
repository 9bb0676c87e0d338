// Adds one name at a time to Object.prototype, and uses the entry point that the argument names.
// Prints each name with which it behaves differently.

import { type KillableTask, Supervisor, type TaskContext } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { subprocessTask } from 'slotvisor/subprocess';
import { VirtualClock } from 'slotvisor/testing';
import { workerTask } from 'slotvisor/worker';

/** Names, each with the values that it gets in turn. */
type Names = Readonly<Record<string, readonly unknown[]>>;

/** Any value will do: the options would be refused, or taken as given. */
const each = (...names: string[]): Names => Object.fromEntries(names.map((name) => [name, ['x']]));
/** Fields of the objects in which the library and its workers keep what they read and report. */
const FIELDS = ['field', 'got', 'code', 'cause', 'errors', 'stack', 'brand', 'fields', 'kind', 'error', 'exitCode'];

/** What each task returns or throws. */
async function ends(...tasks: KillableTask<unknown, unknown>[]): Promise<unknown> {
  const supervisor = new Supervisor({ graceMs: 0, defaults: { restart: 'never' } });
  const ran = tasks.map((task) => async (ctx: TaskContext) => {
    const [end] = await Promise.allSettled([task.run(ctx)]);
    return end;
  });
  const outcomes = await Promise.all(ran.map((run) => supervisor.submit({ run }).outcome));
  await supervisor.shutdown();
  return outcomes.map((outcome) => ({ ...outcome })); // without `toJSON`: `text` looks at the errors
}

/** Called while Object.prototype is as it should be. */
function text(result: unknown): string {
  return JSON.stringify(result, (_, value) => {
    if (!(value instanceof Error)) return value === undefined ? null : value;
    const { name, message } = value;
    return { ...value, name, message, class: value.constructor.name, hasCause: Object.hasOwn(value, 'cause') };
  });
}

const subprocess = (name: string): Promise<unknown> => {
  const show = ['-c', 'echo "$0 $#"; env | sort; pwd; id -u; cat; echo err >&2'];
  const inheritEnv = ['PATH', name];
  return ends(
    subprocessTask('/bin/sh', show, { env: { A: '1' }, stdin: 'in' }),
    subprocessTask('/bin/sh', show, { inheritEnv }),
    subprocessTask('/bin/sh', ['-c', 'cat; echo line; exit 3'], { onLine: () => {} }),
    subprocessTask('/slotvisor/none'),
    subprocessTask('/bin/sh', ['-c', 'exit 0'], { output: 'ignore' }),
  );
};

const module = (text: string): URL => new URL(`data:text/javascript,${encodeURIComponent(text)}`);
const SHOW = module(`import { resourceLimits, workerData } from 'node:worker_threads';
  export default (ctx) => [process.argv.length, process.execArgv, Object.keys(process.env).length, globalThis.EVIL,
    workerData, ctx.workerData, Object.keys(ctx), resourceLimits, process.title];`);
const worker = (): Promise<unknown> => {
  const throws = module("export const named = () => { throw Object.assign(new RangeError('no'), { at: 1 }); }");
  return ends(
    workerTask(SHOW, { execArgv: [] }),
    workerTask(throws, { export: 'named', execArgv: [] }),
    workerTask(module('export default () => Promise.reject(7)'), { execArgv: [] }),
    workerTask(module('export default () => process.exit(3)'), { execArgv: [] }),
  );
};
/** With the flags of this process, which load TypeScript: slower. */
const workerFlags = (): Promise<unknown> => ends(workerTask(SHOW));

const ZONES = Intl.supportedValuesOf('timeZone');
let zone = 0;
async function cron(): Promise<unknown> {
  const clock = new VirtualClock({ wallMs: Date.UTC(2020, 0, 1) });
  const supervisor = new Supervisor({ clock });
  const task = { run: (_: unknown, due: Date) => due.getTime() };
  const made = [
    schedule(supervisor, { cron: '*/2 * 1 * FRI', timezone: 'Europe/Rome', startAt: '2019-12-31T23:00', task }),
    // Another zone each time: the check of a zone is made once.
    schedule(supervisor, { everyMs: 45_000, timezone: ZONES[zone++ % ZONES.length], missed: { catchUp: 2 }, task }),
    schedule(supervisor, { at: '2020-01-01T00:01:00Z', task }),
  ];
  const next = made.map((each) => each.next(3));
  await clock.advance(100_000);
  clock.block(200_000);
  await clock.advance(100_000);
  const ran = made.map(({ runs, totals, status }) => [runs.map(({ kind, at }) => [kind, at]), totals, status]);
  await supervisor.shutdown();
  return [next, ran];
}

const TABLES: Readonly<Record<string, { probe: (name: string) => Promise<unknown>; names: Names }>> = {
  subprocess: {
    probe: subprocess,
    names: {
      ...each(...FIELDS, 'env', 'inheritEnv', 'stdin', 'output', 'onLine', 'maxBuffer', 'stdout', 'EVIL', 'PWD'),
      ...each('NODE_OPTIONS', 'LD_PRELOAD', 'NODE_V8_COVERAGE', 'file', 'args', 'envPairs', 'argv0', 'serialization'),
      cwd: ['/', '/slotvisor/none', 1],
      shell: [true, '/slotvisor/none'],
      uid: [65_534, 'x'],
      gid: [65_534, 'x'],
      detached: [false, 'x'],
      stdio: ['ignore', 'inherit'],
      timeout: [1, 'x'],
      killSignal: ['SIGKILL', 'x'],
      windowsHide: [true, 'x'],
      windowsVerbatimArguments: [true, 'x'],
    },
  },
  worker: {
    probe: worker,
    names: {
      ...each(...FIELDS, 'workerData', 'export', 'module', 'type', 'credentials', 'transferList', 'trackUnmanagedFds'),
      argv: [['evil'], 'x'],
      env: [{ EVIL: '1' }, 'x'],
      eval: [true],
      stdin: [true],
      stdout: [true],
      stderr: [true],
      name: ['evil', 1],
      resourceLimits: [{ maxOldGenerationSizeMb: 1 }],
      maxOldGenerationSizeMb: [1],
      maxYoungGenerationSizeMb: [1],
      codeRangeSizeMb: [1],
      stackSizeMb: [1],
    },
  },
  workerFlags: {
    probe: workerFlags,
    names: { execArgv: [['--import', 'data:text/javascript,globalThis.EVIL = 1'], ['--title=evil'], 'x'] },
  },
  cron: {
    probe: cron,
    names: {
      ...each(
        ...FIELDS,
        'cron',
        'everyMs',
        'at',
        'timezone',
        'startAt',
        'endAt',
        'maxRuns',
        'jitterMs',
        'missed',
        'catchUp',
      ),
      ...each('toleranceMs', 'historySize', 'random', 'onError', 'task', 'first', 'failure', 'next', 'anchor', 'clock'),
      ...each('stopAt', 'interval', 'catch', 'unref', 'utcOffset', 'protect', 'context', 'legacyMode', 'domAndDow'),
      ...each(
        'paused',
        'mode',
        'alternativeWeekdays',
        'sloppyRanges',
        'fixedTimeRule',
        'allowPast',
        'dayOffset',
        'name',
      ),
      localeMatcher: ['x'],
      dateStyle: ['x'],
      calendar: ['no calendar'],
    },
  },
};

const { probe, names } = TABLES[process.argv[2] ?? ''] as (typeof TABLES)[string];
const expected = text(await probe('EVIL'));
const differing: unknown[] = [];
for (const [name, values] of Object.entries(names))
  for (const value of values) {
    Object.defineProperty(Object.prototype, name, { value, writable: true, enumerable: true, configurable: true });
    const result = await probe(name).catch((error: unknown) => ['the probe threw', error]);
    Reflect.deleteProperty(Object.prototype, name);
    const got = text(result);
    if (got !== expected) differing.push({ name, value: String(value), got, expected });
  }
console.log(JSON.stringify({ names: Object.keys(names).length, differing }));
