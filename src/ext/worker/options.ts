// Checks what is given to workerTask, once, at the door. It starts nothing and looks at no file.

import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { reading, readOptions, refuse } from '../../index.ts';

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

export interface ParsedOptions {
  readonly export: string;
  readonly workerData: unknown;
  readonly resourceLimits: Readonly<Record<string, number>>;
  readonly execArgv: readonly string[] | undefined;
}

const OPTIONS = ['export', 'workerData', 'resourceLimits', 'execArgv'] as const;
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

export function parseOptions(value: unknown): ParsedOptions {
  const {
    export: name = 'default',
    workerData,
    resourceLimits = {},
    execArgv,
  } = readOptions('options', value, OPTIONS);
  if (typeof name !== 'string' || name === '') return refuse('export', 'must be the name of an export', name);
  return Object.freeze({
    export: name,
    workerData: clone(workerData),
    resourceLimits: parseLimits(resourceLimits),
    execArgv: execArgv === undefined ? undefined : parseFlags(execArgv),
  });
}

function clone(workerData: unknown): unknown {
  return reading('workerData', workerData, () => {
    try {
      return structuredClone(workerData);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // a getter's own
      const why = error.message.slice(0, 60); // it may begin with the source text of a function
      return refuse('workerData', `must be something that can be cloned into a worker (${why})`, workerData);
    }
  });
}

function parseLimits(value: unknown): Readonly<Record<string, number>> {
  const limits: Record<string, number> = {};
  for (const [key, got] of Object.entries(readOptions('resourceLimits', value, LIMITS))) {
    if (typeof got !== 'number' || !Number.isFinite(got) || got <= 0)
      return refuse(`resourceLimits.${key}`, 'must be a number of MiB, more than 0', got);
    if (key === 'stackSizeMb' && got < 1)
      return refuse(`resourceLimits.${key}`, 'must be 1 or more: a smaller stack ends the whole process', got);
    limits[key] = got;
  }
  return Object.freeze(limits);
}

function parseFlags(value: unknown): readonly string[] {
  const flags: readonly unknown[] | undefined = reading('execArgv', value, () =>
    Array.isArray(value) ? [...value] : undefined,
  );
  const isText = (flag: unknown): flag is string => typeof flag === 'string';
  return flags?.every(isText) ? Object.freeze(flags) : refuse('execArgv', 'must be an array of strings', value);
}
