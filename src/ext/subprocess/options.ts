// Checks what is given to subprocessTask, once, at the door. It starts nothing and looks at no file.

import { constants } from 'node:os';
import { reading, readOptions, refuse, type TaskContext } from '../../index.ts';

export type OutputStream = 'stdout' | 'stderr';
type OnLine = (line: string, stream: OutputStream, ctx: TaskContext<unknown>) => unknown;

export interface SubprocessOptions {
  /** Working directory. Default: this process's. */
  readonly cwd?: string | URL | undefined;
  /** The whole environment, but for what `inheritEnv` adds, and for `NODE_V8_COVERAGE`, which Node hands on by itself. Default: empty. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Variables taken over from this process at each attempt: all (`true`), those named, or none (`false`, default). `env` wins. */
  readonly inheritEnv?: boolean | readonly string[] | undefined;
  /** Written, then closed. How much of it the process takes is its own affair: its exit decides. Default: nothing, closed from the start. */
  readonly stdin?: string | Uint8Array | undefined;
  /**
   * What becomes of stdout and stderr without `onLine`: `collect` (default) into the value, `ignore`, or `inherit` this process's own. Only what
   * comes through a pipe is a heartbeat: for `stallMs` it takes `collect`, or `onLine`.
   */
  readonly output?: 'collect' | 'ignore' | 'inherit' | undefined;
  /**
   * Called with each line of UTF-8, without its end. A promise holds back the next line of that stream, and in the end the process itself,
   * until it settles. What it throws ends the attempt: the group gets SIGKILL. Lines are not collected as well. Not called after a kill; one
   * still pending at a kill is not waited for, and may overlap with the slot's next owner. A line taken is a heartbeat: where a single one may
   * take longer than `stallMs`, call `ctx.heartbeat()` meanwhile.
   */
  readonly onLine?: OnLine | undefined;
  /** Bytes: of each collected stream, or of one line. Over it, the group gets SIGKILL. Default 1 MiB. */
  readonly maxBuffer?: number | undefined;
  /** What a stop request sends to the group. Default `SIGTERM`. */
  readonly killSignal?: NodeJS.Signals | undefined;
  /** `file` is a command line for `/bin/sh`, or for the shell named; `args` must be empty. Quoting is the caller's. Default false. */
  readonly shell?: boolean | string | undefined;
}

export interface ParsedTask {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string | URL | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly inheritEnv: boolean | readonly string[];
  readonly stdin: string | Uint8Array | undefined;
  readonly output: 'collect' | 'ignore' | 'inherit' | 'lines';
  readonly onLine: OnLine | undefined;
  readonly maxBuffer: number;
  readonly killSignal: NodeJS.Signals;
  readonly shell: boolean | string;
}

const MIB = 1_048_576;
const OUTPUTS = ['collect', 'ignore', 'inherit'];
type Check = readonly [rule: string, holds: (value: unknown) => boolean];

// A NUL ends a text for the system: what follows it would be lost.
const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);
const isName = (value: unknown): boolean => isText(value) && value !== '' && !value.includes('=');

const CHECKS: Readonly<Record<keyof SubprocessOptions, Check>> = {
  cwd: [
    'must be a path or a file: URL',
    (value) => (isText(value) && value !== '') || (value instanceof URL && value.protocol === 'file:'),
  ],
  env: [
    'must be an object of names and strings',
    (value) => Object.entries(value as object).every(([name, text]) => isName(name) && isText(text)),
  ],
  inheritEnv: [
    'must be true, false or an array of names',
    (value) => typeof value === 'boolean' || (Array.isArray(value) && value.every(isName)),
  ],
  stdin: ['must be a string or bytes', (value) => typeof value === 'string' || value instanceof Uint8Array],
  output: [`must be one of ${OUTPUTS.join(', ')}`, (value) => OUTPUTS.includes(value as string)],
  onLine: ['must be a function', (value) => typeof value === 'function'],
  maxBuffer: [
    'must be a whole number of bytes, 1 or more',
    (value) => Number.isSafeInteger(value) && Number(value) > 0,
  ],
  killSignal: [
    'must be the name of a signal',
    (value) => typeof value === 'string' && Object.hasOwn(constants.signals, value),
  ],
  shell: [
    'must be true, false or the path of a shell',
    (value) => typeof value === 'boolean' || (isText(value) && value !== ''),
  ],
};

const OPTIONS = Object.keys(CHECKS) as (keyof SubprocessOptions)[];

export function parseTask(file: unknown, args: unknown, options: unknown): ParsedTask {
  if (!isText(file) || file === '') return refuse('file', 'must be the name or the path of a program', file);
  const list = copy('args', args);
  if (!isTexts(list)) return refuse('args', 'must be an array of strings without NUL', args);
  const given = readOptions('options', options, OPTIONS);
  for (const key of OPTIONS) {
    if (given[key] === undefined) continue;
    given[key] = copy(key, given[key]);
    const [rule, holds] = CHECKS[key];
    if (!holds(given[key])) return refuse(key, rule, given[key]);
  }
  const { cwd, env = {}, inheritEnv = false, stdin, output = 'collect', onLine } = given as SubprocessOptions;
  if (onLine !== undefined && given.output !== undefined)
    return refuse('output', 'must be absent where onLine takes the output', output);
  const { maxBuffer = MIB, killSignal = 'SIGTERM', shell = false } = given as SubprocessOptions;
  if (shell !== false && list.length > 0)
    return refuse('args', 'must be empty where a shell takes the command line', args);
  return Object.freeze({
    ...{ file, args: list, cwd, env, inheritEnv, stdin, onLine, maxBuffer, killSignal, shell },
    output: onLine === undefined ? output : 'lines',
  });
}

/** A copy of what could be changed later, so that what was checked is what is used. */
function copy(field: string, value: unknown): unknown {
  return reading(field, value, () => {
    if (field === 'env') return Object.freeze(readOptions(field, value));
    if (Array.isArray(value)) return Object.freeze([...value]);
    if (value instanceof URL) return new URL(value);
    return value instanceof Uint8Array ? new Uint8Array(value) : value;
  });
}

/** What the process is to see, at the time of the attempt. */
export function environmentOf({ env, inheritEnv }: ParsedTask): Record<string, string | undefined> {
  if (inheritEnv === true) return { ...process.env, ...env };
  if (inheritEnv === false) return { ...env };
  return { ...Object.fromEntries(inheritEnv.map((name) => [name, process.env[name]])), ...env };
}
