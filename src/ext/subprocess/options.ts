// Checks what is given to subprocessTask, once, at the door. It starts nothing and looks at no file.

import { constants } from 'node:os';
import type { TaskContext } from '../../index.ts';
import { aFunction, oneOf, parse, type Readers, reading, readOptions, refuse } from '../../kit.ts';

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
const OUTPUTS = ['collect', 'ignore', 'inherit'] as const;

type Options = Omit<ParsedTask, 'file' | 'args' | 'output'> & { readonly output: (typeof OUTPUTS)[number] | undefined };

const DEFAULTS: Options = {
  cwd: undefined,
  env: {},
  inheritEnv: false,
  stdin: undefined,
  output: undefined,
  onLine: undefined,
  maxBuffer: MIB,
  killSignal: 'SIGTERM',
  shell: false,
};

// What could be changed later is copied, so that the checked value is the used value.
const READERS: Readers<Options> = {
  cwd: readDirectory,
  env: readEnvironment,
  inheritEnv: readInherited,
  stdin: readStdin,
  output: (field, value) => oneOf(field, value, OUTPUTS),
  onLine: aFunction,
  maxBuffer: readBytes,
  killSignal: readSignal,
  shell: readShell,
};

// For the system a NUL ends a text: everything after it would be lost.
const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
const isName = (value: unknown): value is string => isText(value) && value !== '' && !value.includes('=');

export function parseTask(file: unknown, args: unknown, options: unknown): ParsedTask {
  if (!isText(file) || file === '') return refuse('file', 'must be the name or the path of a program', file);
  const list = reading('args', args, () => readArguments(args));
  const { output, ...rest } = parse('options', options, READERS, DEFAULTS);
  if (rest.onLine !== undefined && output !== undefined)
    return refuse('output', 'must be absent where onLine takes the output', output);
  if (rest.shell !== false && list.length > 0)
    return refuse('args', 'must be empty where a shell takes the command line', args);
  return { ...rest, file, args: list, output: rest.onLine === undefined ? (output ?? 'collect') : 'lines' };
}

function readArguments(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? [...value] : [undefined];
  return list.every(isText) ? list : refuse('args', 'must be an array of strings without NUL', value);
}

function readDirectory(field: string, value: unknown): string | URL {
  if (isText(value) && value !== '') return value;
  if (value instanceof URL && value.protocol === 'file:') return new URL(value);
  return refuse(field, 'must be a path or a file: URL', value);
}

function readEnvironment(field: string, value: unknown): Readonly<Record<string, string>> {
  const given = readOptions(field, value);
  if (Object.entries(given).every(([name, text]) => isName(name) && isText(text)))
    return given as Record<string, string>;
  return refuse(field, 'must be an object of names and strings', value);
}

function readInherited(field: string, value: unknown): boolean | readonly string[] {
  if (typeof value === 'boolean') return value;
  const names: readonly unknown[] = Array.isArray(value) ? [...value] : [undefined];
  return names.every(isName) ? names : refuse(field, 'must be true, false or an array of names', value);
}

function readStdin(field: string, value: unknown): string | Uint8Array {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? new Uint8Array(value) : refuse(field, 'must be a string or bytes', value);
}

function readBytes(field: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  return refuse(field, 'must be a whole number of bytes, 1 or more', value);
}

function readSignal(field: string, value: unknown): NodeJS.Signals {
  if (typeof value === 'string' && Object.hasOwn(constants.signals, value)) return value as NodeJS.Signals;
  return refuse(field, 'must be the name of a signal', value);
}

function readShell(field: string, value: unknown): boolean | string {
  if (typeof value === 'boolean' || (isText(value) && value !== '')) return value;
  return refuse(field, 'must be true, false or the path of a shell', value);
}

/** What the process is to see, at the time of the attempt. */
export function environmentOf({ env, inheritEnv }: ParsedTask): Record<string, string | undefined> {
  if (inheritEnv === true) return { ...process.env, ...env };
  if (inheritEnv === false) return { ...env };
  return { ...Object.fromEntries(inheritEnv.map((name) => [name, process.env[name]])), ...env };
}
