// Checks the arguments of subprocessTask, once, when the task is made. Starts no process.
// Looks for files only where the name of the program has a space. command.ts checks in the same way
// what a function returns.

import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TaskContext } from '../../index.ts';
import { aFunction, oneOf, parse, type Readers, readFields, reading, refuse } from '../../kit.ts';

/** The stream that a line was written to. */
export type OutputStream = 'stdout' | 'stderr';
/** @inline */
type OnLine = (line: string, stream: OutputStream, ctx: TaskContext<unknown>) => unknown;

/** One attempt, as the functions `args` and `env` see it. */
export interface SubprocessContext extends Pick<TaskContext, 'id' | 'slot' | 'name' | 'attempt' | 'fence'> {
  /**
   * The date of the run, in a task that slotvisor/cron runs. Each attempt of the run has the same
   * date, and the run may be late. In a run by `trigger` it is the moment of that call. Undefined
   * without a schedule.
   */
  readonly due: Date | undefined;
}

/**
 * The arguments of the program, or a function that returns those of an attempt.
 *
 * @inline
 */
export type SubprocessArguments = readonly string[] | ((ctx: SubprocessContext) => readonly string[]);

/**
 * Variables, or a function that returns those of an attempt.
 *
 * @inline
 */
type Environment = Readonly<Record<string, string>> | ((ctx: SubprocessContext) => Readonly<Record<string, string>>);

/** Options of `subprocessTask`. */
export interface SubprocessOptions {
  /** The working directory. Default: that of this process. */
  readonly cwd?: string | URL | undefined;
  /**
   * The environment, or a function that returns it at each attempt. The process gets these
   * variables, those of `inheritEnv`, and the following ones, unless `env` has them itself:
   *
   * - `SLOTVISOR_DUE`: the date of the run as ISO 8601 text in UTC, if slotvisor/cron runs it;
   * - `SLOTVISOR_FENCE` and `SLOTVISOR_SLOT`: the fence in decimal and the slot, if the fence is
   *   not `0n`. A slot whose name has a NUL is left out.
   *
   * It gets no others. (Node itself passes `NODE_V8_COVERAGE` on.) If the function throws, or
   * returns no such object, the attempt fails and nothing is spawned. Default: empty.
   */
  readonly env?: Environment | undefined;
  /**
   * The variables that are copied from this process at each attempt: all (`true`), the named ones,
   * or none (`false`). `env` takes precedence. `SLOTVISOR_DUE`, `SLOTVISOR_FENCE` and
   * `SLOTVISOR_SLOT` are never copied: they belong to one attempt. Default `false`.
   */
  readonly inheritEnv?: boolean | readonly string[] | undefined;
  /**
   * Written to the process, then closed. The process may exit before it has read everything: its
   * exit code decides whether the attempt failed. Default: none, and stdin is closed from the
   * start.
   */
  readonly stdin?: string | Uint8Array | undefined;
  /**
   * What happens to stdout and stderr. `collect`: they become the value. `ignore`: they are
   * discarded. `inherit`: they go to those of this process. Only `collect` and `onLine` give
   * heartbeats. Cannot be combined with `onLine`. Default `collect`.
   */
  readonly output?: 'collect' | 'ignore' | 'inherit' | undefined;
  /**
   * Called with each line, decoded as UTF-8, without its line end. The lines are not collected.
   *
   * If it returns a promise, the next line of that stream waits until the promise settles. The pipe
   * then fills up, and the process itself has to wait. If it throws or rejects, the group gets
   * SIGKILL and the attempt fails with that error.
   *
   * Each line that it has taken is a heartbeat. If one line can take longer than `stallMs`, call
   * `ctx.heartbeat()` in between.
   *
   * After a kill it is not called again. A call that is pending then is waited for, at most 100 ms
   * after the end of the group. If it hangs for longer, it may overlap with the slot's next owner.
   */
  readonly onLine?: OnLine | undefined;
  /**
   * The limit in bytes: of each collected stream, or of one line with `onLine`. Above it the group
   * gets SIGKILL and the attempt fails. Default 1,048,576 (1 MiB).
   */
  readonly maxBuffer?: number | undefined;
  /** The signal that a stop request sends to the group. Default `SIGTERM`. */
  readonly killSignal?: NodeJS.Signals | undefined;
  /**
   * `true`: `file` is a command line for `/bin/sh`. A string: the shell to use. `args` must then be
   * empty, and no function. You must quote the command line yourself. Default `false`.
   */
  readonly shell?: boolean | string | undefined;
}

export interface ParsedTask {
  readonly file: string;
  readonly args: SubprocessArguments;
  readonly cwd: string | URL | undefined;
  readonly env: Environment;
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

// Arrays and objects are copied, so that a later change by the caller has no effect.
const READERS: Readers<Options> = {
  cwd: readDirectory,
  env: (field, value) => (typeof value === 'function' ? (value as Environment) : readEnvironment(field, value, 'be')),
  inheritEnv: readInherited,
  stdin: readStdin,
  output: (field, value) => oneOf(field, value, OUTPUTS),
  onLine: aFunction,
  maxBuffer: readBytes,
  killSignal: readSignal,
  shell: readShell,
};

// The system ends a string at NUL: everything after it would be lost.
export const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
const isName = (value: unknown): value is string => isText(value) && value !== '' && !value.includes('=');

export function parseTask(file: unknown, args: unknown, options: unknown): ParsedTask {
  if (!isText(file) || file === '') return refuse('file', 'must be the name or the path of a program', file);
  const given = typeof args === 'function' ? (args as SubprocessArguments) : readArguments('args', args, 'be');
  const { output, ...rest } = parse('options', options, READERS, DEFAULTS);
  if (rest.onLine !== undefined && output !== undefined)
    return refuse('output', 'must not be combined with onLine', output);
  if (rest.shell !== false && (typeof given === 'function' || given.length > 0))
    return refuse('args', 'must be empty where a shell takes the command line', args);
  if (rest.shell === false && isCommandLine(file, rest.cwd))
    return refuse('file', 'must be a program, not a command line (give its arguments apart, or set shell: true)', file);
  return { ...rest, file, args: given, output: rest.onLine === undefined ? (output ?? 'collect') : 'lines' };
}

/**
 * Such as `ls -l`. A program may have a space in its name, too: it is then given as a path. A path
 * to no file is a command line if its part before the space is a file, and may exist later if not.
 */
function isCommandLine(file: string, cwd: string | URL | undefined): boolean {
  const [first = ''] = file.trim().split(/\s/, 1);
  if (first === file) return false;
  const folder = cwd instanceof URL ? fileURLToPath(cwd) : (cwd ?? '');
  if (file.includes('/') && isFile(resolve(folder, file))) return false;
  return !first.includes('/') || isFile(resolve(folder, first));
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** `return`: it is what a function returned. */
type Verb = 'be' | 'return';

export function readArguments(field: string, value: unknown, verb: Verb): readonly string[] {
  const list = reading(field, value, (): readonly unknown[] => (Array.isArray(value) ? [...value] : [undefined]));
  if (list.every(isText)) return list;
  const hint = verb === 'be' ? ' (options are the third argument)' : '';
  return refuse(field, `must ${verb} an array of strings without NUL${hint}`, value);
}

function readDirectory(field: string, value: unknown): string | URL {
  if (isText(value) && value !== '') return value;
  if (value instanceof URL && value.protocol === 'file:') return new URL(value);
  return refuse(field, 'must be a path or a file: URL', value);
}

export function readEnvironment(field: string, value: unknown, verb: Verb): Readonly<Record<string, string>> {
  const rule = `must ${verb} a plain object of names and strings`;
  // A promise or a Map has no fields of its own: the process would get an empty environment.
  const kind = reading(field, value, () => Object.prototype.toString.call(value));
  if (kind !== '[object Object]') return refuse(field, rule, value);
  const given = readFields(field, value);
  if (Object.entries(given).every(([name, text]) => isName(name) && isText(text)))
    return given as Record<string, string>;
  return refuse(field, rule, value);
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
