// Checks the arguments of workerTask, once, when the task is made. Starts no thread, reads no file.

import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bare, brief, parse, parseGiven, type Readers, reading, refuse } from '../../kit.ts';

/**
 * Limits of the worker's V8 heap, in MiB, as in `node:worker_threads`. Each default is V8's own. A
 * worker that exceeds a heap limit ends with `ERR_WORKER_OUT_OF_MEMORY`. Buffers and other memory
 * outside of the heap are not limited.
 */
export interface WorkerResourceLimits {
  /**
   * The main heap, in MiB. A `--max-old-space-size` of the process (flag or `NODE_OPTIONS`)
   * overrides this limit.
   */
  readonly maxOldGenerationSizeMb?: number | undefined;
  /** The heap for new objects, in MiB. */
  readonly maxYoungGenerationSizeMb?: number | undefined;
  /** The memory for generated code, in MiB. */
  readonly codeRangeSizeMb?: number | undefined;
  /**
   * The stack of the thread, in MiB, 1 or more. With a smaller stack Node ends the whole process.
   */
  readonly stackSizeMb?: number | undefined;
}

/** Options of `workerTask`. */
export interface WorkerTaskOptions<D = unknown> {
  /** The name of the exported function. Default `'default'`. */
  readonly export?: string | undefined;
  /**
   * Data for the function, which reads it as `ctx.workerData`. The module also finds it as
   * `workerData` of `node:worker_threads`. It is cloned when the task is made, and that clone is
   * cloned for each attempt. A `SharedArrayBuffer` in it is shared. Default: none.
   */
  readonly workerData?: D | undefined;
  /** Limits of the worker's memory. Default: V8's own. */
  readonly resourceLimits?: WorkerResourceLimits | undefined;
  /** Node's flags for the worker, such as `['--import', 'tsx']`. Default: those of this process. */
  readonly execArgv?: readonly string[] | undefined;
}

export interface ParsedWorkerOptions {
  readonly export: string;
  readonly workerData: unknown;
  readonly resourceLimits: Readonly<Record<string, number>>;
  readonly execArgv: readonly string[] | undefined;
}

const READERS: Readers<ParsedWorkerOptions> = {
  export: (field, value) =>
    typeof value === 'string' && value !== '' ? value : refuse(field, 'must be the name of an export', value),
  workerData: clone,
  resourceLimits: readLimits,
  execArgv: readFlags,
};

const DEFAULTS: ParsedWorkerOptions = {
  export: 'default',
  workerData: undefined,
  resourceLimits: bare({}),
  execArgv: undefined,
};

const LIMIT_READERS: Readers<Record<keyof WorkerResourceLimits, number>> = {
  maxOldGenerationSizeMb: readMb,
  maxYoungGenerationSizeMb: readMb,
  codeRangeSizeMb: readMb,
  stackSizeMb: readStackMb,
};

/** Returns an absolute URL, as text. */
export function parseModule(value: unknown): string {
  const text = reading('module', value, () => (value instanceof URL ? value.href : value));
  if (typeof text !== 'string') return refuse('module', 'must be a URL or an absolute path', value);
  if (isAbsolute(text)) return pathToFileURL(text).href;
  if (/^(?:file|data):/.test(text) && URL.canParse(text)) return new URL(text).href;
  return refuse(
    'module',
    "must be a file: or data: URL, or an absolute path, as new URL('./job.js', import.meta.url) is",
    value,
  );
}

export function parseWorkerOptions(value: unknown): ParsedWorkerOptions {
  return parse('options', value, READERS, DEFAULTS);
}

function clone(field: string, value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error; // a getter of the value threw it
    // The message may begin with the source text of a function.
    return refuse(field, `must be something that can be cloned into a worker (${brief(error.message)})`, value);
  }
}

function readLimits(field: string, value: unknown): Readonly<Record<string, number>> {
  return parseGiven(field, value, LIMIT_READERS);
}

function readMb(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  return refuse(field, 'must be a number of MiB, more than 0', value);
}

function readStackMb(field: string, value: unknown): number {
  const megabytes = readMb(field, value);
  if (megabytes >= 1) return megabytes;
  return refuse(field, 'must be 1 or more: a smaller stack ends the whole process', value);
}

function readFlags(field: string, value: unknown): readonly string[] {
  const flags: readonly unknown[] = Array.isArray(value) ? [...value] : [value];
  const isText = (flag: unknown): flag is string => typeof flag === 'string';
  return Array.isArray(value) && flags.every(isText) ? flags : refuse(field, 'must be an array of strings', value);
}
