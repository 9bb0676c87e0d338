// Checks what is given to workerTask, once, at the door. It starts nothing and looks at no file.

import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse, type Readers, reading, readOptions, refuse } from '../../kit.ts';

/**
 * As in `node:worker_threads`: MiB of V8's heap. Buffers and other memory outside of it are not counted. A `--max-old-space-size` that
 * the process itself was given (flag or NODE_OPTIONS) overrules `maxOldGenerationSizeMb`.
 */
export interface WorkerResourceLimits {
  readonly maxOldGenerationSizeMb?: number | undefined;
  readonly maxYoungGenerationSizeMb?: number | undefined;
  readonly codeRangeSizeMb?: number | undefined;
  readonly stackSizeMb?: number | undefined;
}

export interface WorkerTaskOptions<D = unknown> {
  /** Name of the exported function. Default `default`. */
  readonly export?: string | undefined;
  /**
   * Cloned when the task is made, and from that clone into every attempt's worker: `ctx.workerData`, and `workerData` of `node:worker_threads`
   * there. Shared memory (`SharedArrayBuffer`) stays shared.
   */
  readonly workerData?: D | undefined;
  /** Default: V8's own. */
  readonly resourceLimits?: WorkerResourceLimits | undefined;
  /** Node's flags in the worker, for example `['--import', 'tsx']`. Default: this process's own. */
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
  resourceLimits: {},
  execArgv: undefined,
};

const LIMITS = ['maxOldGenerationSizeMb', 'maxYoungGenerationSizeMb', 'codeRangeSizeMb', 'stackSizeMb'] as const;

/** @returns an absolute URL, as text. */
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
    if (!(error instanceof DOMException)) throw error; // thrown by a getter of the value
    const why = error.message.slice(0, 60); // it may begin with the source text of a function
    return refuse(field, `must be something that can be cloned into a worker (${why})`, value);
  }
}

function readLimits(field: string, value: unknown): Readonly<Record<string, number>> {
  const limits: Record<string, number> = {};
  for (const [key, got] of Object.entries(readOptions(field, value, LIMITS))) {
    if (typeof got !== 'number' || !Number.isFinite(got) || got <= 0)
      return refuse(`${field}.${key}`, 'must be a number of MiB, more than 0', got);
    if (key === 'stackSizeMb' && got < 1)
      return refuse(`${field}.${key}`, 'must be 1 or more: a smaller stack ends the whole process', got);
    limits[key] = got;
  }
  return limits;
}

function readFlags(field: string, value: unknown): readonly string[] {
  const flags: readonly unknown[] = Array.isArray(value) ? [...value] : [value];
  const isText = (flag: unknown): flag is string => typeof flag === 'string';
  return Array.isArray(value) && flags.every(isText) ? flags : refuse(field, 'must be an array of strings', value);
}
