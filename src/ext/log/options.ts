// The options of `logTo` and `consoleWriter`: checked on the way in, each read once.

import type { TaskEventType } from '../../index.ts';
import {
  aBoolean,
  aFunction,
  anObjectWith,
  EVENT_TYPES,
  nameText,
  parse,
  parseGiven,
  type Readers,
  reading,
  refuse,
  SUBSCRIBE_READERS,
} from '../../kit.ts';

/** A level of a line, and the method of the logger that writes it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];

/**
 * What {@link logTo} writes to: a pino logger, or any object with these methods. They are looked up
 * and called on the logger at each line. If one returns a promise, the next line waits for it.
 */
export interface Logger {
  /** Writes a line of the level `debug`. */
  debug(fields: object, message: string): unknown;
  /** Writes a line of the level `info`. */
  info(fields: object, message: string): unknown;
  /** Writes a line of the level `warn`. */
  warn(fields: object, message: string): unknown;
  /** Writes a line of the level `error`. */
  error(fields: object, message: string): unknown;
  /** If the logger has it, it is asked before a line is built. */
  isLevelEnabled?(level: LogLevel): boolean;
}

/** The options of {@link logTo}. */
export interface LogToOptions {
  /**
   * The level of all events of a type, in place of the one in the table of the
   * [README](./README.md). `false`: they are left out. Default: none.
   */
  readonly levels?: Readonly<Partial<Record<TaskEventType, LogLevel | false | undefined>>> | undefined;
  /**
   * Returns what the record shows of the `meta` of a task. If it throws, the record says so.
   * Default: the record has no `meta`, because that may hold what must not be logged.
   */
  readonly meta?: ((meta: unknown) => unknown) | undefined;
  /** Log only events of these types, and `eventsDropped`. Default: all types. */
  readonly types?: readonly TaskEventType[] | undefined;
  /** The field of the line that holds the record. Not `err`. Default `slotvisor`. */
  readonly key?: string | undefined;
  /**
   * How many events may wait for the logger. When they are more, new events are dropped, and a line
   * says how many. A whole number, 1 or more. Default 10,000.
   */
  readonly capacity?: number | undefined;
}

/** The options of {@link consoleWriter}. */
export interface ConsoleWriterOptions {
  /** Where the lines are written. Default: stdout of the process. */
  readonly stream?: NodeJS.WritableStream | undefined;
  /**
   * Whether the lines have colour. Default: not if `NO_COLOR` is set; else if `FORCE_COLOR` is set,
   * and not `0` or `false`; else if the stream is a terminal, and `TERM` is not `dumb`.
   */
  readonly color?: boolean | undefined;
}

type GivenLevels = NonNullable<LogToOptions['levels']>;

export interface LogSettings {
  readonly levels: GivenLevels;
  readonly meta: ((meta: unknown) => unknown) | undefined;
  readonly types: readonly TaskEventType[] | undefined;
  readonly key: string;
  readonly capacity: number;
}

const DEFAULTS: LogSettings = { levels: {}, meta: undefined, types: undefined, key: 'slotvisor', capacity: 10_000 };

const LEVELS_READERS = Object.fromEntries(EVENT_TYPES.map((type) => [type, readLevel])) as unknown as Readers<
  Required<GivenLevels>
>;

const READERS: Readers<LogSettings> = {
  levels: (field, value) => parseGiven(field, value as GivenLevels, LEVELS_READERS),
  meta: aFunction,
  types: SUBSCRIBE_READERS.types,
  key: readKey,
  capacity: SUBSCRIBE_READERS.capacity,
};

export const parseLogOptions = (options: LogToOptions): LogSettings => parse('options', options, READERS, DEFAULTS);

function readLevel(field: string, value: unknown): LogLevel | false {
  if (value === false || LOG_LEVELS.includes(value as LogLevel)) return value as LogLevel | false;
  return refuse(field, `must be one of ${LOG_LEVELS.map((level) => `'${level}'`).join(', ')}, or false`, value);
}

function readKey(field: string, value: unknown): string {
  return nameText(field, value) === 'err'
    ? refuse(field, "must not be 'err', which holds the error", value)
    : (value as string);
}

export function checkLogger(logger: unknown): void {
  for (const level of LOG_LEVELS)
    anObjectWith(level, 'logger', `must have the methods ${LOG_LEVELS.join(', ')}`, logger);
  const asked = reading('logger', logger, () => (logger as Logger).isLevelEnabled as unknown);
  if (asked !== undefined) aFunction('logger.isLevelEnabled', asked);
}

export interface ConsoleSettings {
  readonly stream: NodeJS.WritableStream | undefined;
  readonly color: boolean | undefined;
}

const CONSOLE_READERS: Readers<ConsoleSettings> = {
  stream: (field, value) => {
    anObjectWith('write', field, 'must be a writable stream', value);
    return value as NodeJS.WritableStream;
  },
  color: aBoolean,
};

export function parseConsoleOptions(options: ConsoleWriterOptions): ConsoleSettings {
  return parse('options', options, CONSOLE_READERS, { stream: undefined, color: undefined });
}
