// Checks what is given to subprocessTask, once, at the door. It starts nothing and looks at no file.

import { constants } from 'node:os';
import { SpecError, type TaskContext } from '../../index.ts';

export type OutputStream = 'stdout' | 'stderr';
type OnLine = (line: string, stream: OutputStream, ctx: TaskContext<unknown>) => unknown;

export interface SubprocessOptions {
  /** Working directory. Default: this process's. */
  readonly cwd?: string | URL | undefined;
  /** The whole environment, but for what `inheritEnv` adds. Default: empty. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Variables taken over from this process at each attempt: all (`true`), those named, or none (`false`, default). `env` wins. */
  readonly inheritEnv?: boolean | readonly string[] | undefined;
  /** Written to the process, then closed. Default: nothing, closed from the start. */
  readonly stdin?: string | Uint8Array | undefined;
  /** What becomes of stdout and stderr without `onLine`: `collect` (default) into the value, `ignore`, or `inherit` this process's own. */
  readonly output?: 'collect' | 'ignore' | 'inherit' | undefined;
  /**
   * Called with each line of UTF-8, without its end. A promise holds back the next line of that stream, and in the end the process itself,
   * until it settles. What it throws ends the attempt: the group gets SIGKILL. Lines are not collected as well. Not called after a kill.
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
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isName = (value: unknown): boolean => isText(value) && value !== '' && !value.includes('=');

const CHECKS: Readonly<Record<keyof SubprocessOptions, Check>> = {
  cwd: [
    'must be a path or a file: URL',
    (value) => (isText(value) && value !== '') || (value instanceof URL && value.protocol === 'file:'),
  ],
  env: [
    'must be an object of names and strings',
    (value) => isObject(value) && Object.entries(value).every(([name, text]) => isName(name) && isText(text)),
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

export function parseTask(file: unknown, args: unknown, options: unknown): ParsedTask {
  if (!isText(file) || file === '') return refuse('file', 'must be the name or the path of a program', file);
  if (!isTexts(args)) return refuse('args', 'must be an array of strings without NUL', args);
  if (!isObject(options)) return refuse('options', 'must be an object', options);
  const given: SubprocessOptions = { ...options }; // read once, own fields only
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(CHECKS, key))
      return refuse(key, `is not an option; known: ${Object.keys(CHECKS).join(', ')}`, value);
    const [rule, holds] = CHECKS[key as keyof SubprocessOptions];
    if (value !== undefined && !holds(value)) return refuse(key, rule, value);
  }
  const { cwd, env = {}, inheritEnv = false, stdin, output = 'collect', onLine } = given;
  if (onLine !== undefined && given.output !== undefined)
    return refuse('output', 'must be absent where onLine takes the output', output);
  if (given.shell !== undefined && given.shell !== false && (args as string[]).length > 0)
    return refuse('args', 'must be empty where a shell takes the command line', args);
  return Object.freeze({
    file,
    args: Object.freeze([...(args as string[])]),
    cwd,
    env: Object.freeze({ ...env }),
    inheritEnv: typeof inheritEnv === 'boolean' ? inheritEnv : Object.freeze([...inheritEnv]),
    stdin: typeof stdin === 'object' ? new Uint8Array(stdin) : stdin,
    output: onLine === undefined ? output : 'lines',
    onLine,
    maxBuffer: given.maxBuffer ?? MIB,
    killSignal: given.killSignal ?? 'SIGTERM',
    shell: given.shell ?? false,
  });
}

/** What the process is to see, at the time of the attempt. */
export function environmentOf({ env, inheritEnv }: ParsedTask): Record<string, string | undefined> {
  if (inheritEnv === true) return { ...process.env, ...env };
  if (inheritEnv === false) return { ...env };
  return { ...Object.fromEntries(inheritEnv.map((name) => [name, process.env[name]])), ...env };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(field: string, rule: string, got: unknown): never {
  throw new SpecError(field, rule, got, show(got));
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return 'an array';
  if (isObject(value)) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
