// Checks what is given to workerTask, once, at the door. It starts nothing and looks at no file.

import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SpecError } from '../../index.ts';

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
  /** Cloned into every attempt's worker: `ctx.workerData`, and `workerData` of `node:worker_threads` there. */
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

const OPTIONS = ['export', 'workerData', 'resourceLimits', 'execArgv'];
const LIMITS = ['maxOldGenerationSizeMb', 'maxYoungGenerationSizeMb', 'codeRangeSizeMb', 'stackSizeMb'];

/** @returns an absolute URL, as text. */
export function parseModule(value: unknown): string {
  const text = value instanceof URL ? value.href : value;
  if (typeof text !== 'string') return refuse('module', 'must be a URL or an absolute path', value);
  if (isAbsolute(text)) return pathToFileURL(text).href;
  if (/^(?:file|data):/.test(text) && URL.canParse(text)) return text;
  return refuse(
    'module',
    "must be a file: or data: URL, or an absolute path, as new URL('./job.js', import.meta.url) is",
    value,
  );
}

export function parseOptions(value: unknown): ParsedOptions {
  const given = fields('options', value, OPTIONS);
  const { export: name = 'default', execArgv } = given;
  if (typeof name !== 'string' || name === '') return refuse('export', 'must be the name of an export', name);
  if (execArgv !== undefined && !isListOfText(execArgv))
    return refuse('execArgv', 'must be an array of strings', execArgv);
  const resourceLimits: Record<string, number> = {};
  for (const [key, got] of Object.entries(fields('resourceLimits', given.resourceLimits ?? {}, LIMITS))) {
    if (got === undefined) continue;
    if (typeof got !== 'number' || !Number.isFinite(got) || got <= 0)
      return refuse(`resourceLimits.${key}`, 'must be a number of MiB, more than 0', got);
    if (key === 'stackSizeMb' && got < 1)
      return refuse(`resourceLimits.${key}`, 'must be 1 or more: a smaller stack ends the whole process', got);
    resourceLimits[key] = got;
  }
  return Object.freeze({
    export: name,
    workerData: given.workerData,
    resourceLimits: Object.freeze(resourceLimits),
    execArgv: execArgv && Object.freeze([...execArgv]),
  });
}

function fields(field: string, value: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(field, 'must be an object', value);
  const got = { ...value } as Record<string, unknown>; // read once, own fields only
  for (const key of Object.keys(got))
    if (!known.includes(key))
      refuse(field === 'options' ? key : `${field}.${key}`, `is not an option; known: ${known.join(', ')}`, got[key]);
  return got;
}

const isListOfText = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

function refuse(field: string, rule: string, got: unknown): never {
  throw new SpecError(field, rule, got, show(got));
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
