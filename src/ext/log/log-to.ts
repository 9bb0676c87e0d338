// `logTo`: a subscriber that writes each event to a logger.

import { eventText, type Subscriber, type Supervisor, type TaskEvent } from '../../index.ts';
import { checkSupervisor, EVENT_TYPES, fromCaller, ignored, levelOf, plainPart } from '../../kit.ts';
import { fieldsOf, type LineFields } from './fields.ts';
import {
  checkLogger,
  type Logger,
  type LogLevel,
  type LogSettings,
  type LogToOptions,
  parseLogOptions,
} from './options.ts';

/**
 * Writes a line to the logger for each event, from now on until the returned function is called or
 * the supervisor has shut down. The line has a level, the record of the event (`eventRecord`), the
 * thrown error, if there is one, and a sentence (`eventText`). The names in it are one line of text
 * that a terminal shows as it is.
 *
 * Promised: `isLevelEnabled` is asked before anything is built. The events of a shutdown are
 * written before its report. If the logger throws, or returns a promise that rejects, that is a
 * `subscriberFailed` for the other subscribers, and harms nothing. A promise is awaited before the
 * next line.
 *
 * Not promised: a line for each event. A subscription is bounded; see `capacity`.
 *
 * @returns ends it. A second call does nothing.
 * @throws OptionError for an invalid supervisor, logger or option.
 */
export function logTo(supervisor: Supervisor, logger: Logger, options: LogToOptions = {}): () => void {
  return fromCaller(logTo, () => {
    checkSupervisor(supervisor);
    checkLogger(logger);
    return start(supervisor, logger, parseLogOptions(options));
  });
}

function start(supervisor: Supervisor, logger: Logger, settings: LogSettings): () => void {
  const { levels, types = EVENT_TYPES, key, capacity } = settings;
  const meta = settings.meta && ((of: unknown) => ignored(settings.meta?.(of)));
  const onEvent = (event: TaskEvent): unknown => {
    const level = levels[event.type] ?? levelOf(event);
    if (level === false || ignored(logger.isLevelEnabled?.(level)) === false) return undefined;
    return write(logger, level, fieldsOf(event, key, meta), eventText(event));
  };
  const subscriber = { name: 'slotvisor/log', onEvent: onEvent as Subscriber['onEvent'] };
  return supervisor.subscribe(subscriber, { types: types.filter((type) => levels[type] !== false), capacity });
}

/** Some serializers throw for an error that is frozen, or whose getters throw. */
function write(logger: Logger, level: LogLevel, fields: LineFields, text: string): unknown {
  try {
    return logger[level](fields, text);
  } catch (error) {
    if (!('err' in fields)) throw error;
    return logger[level]({ ...fields, err: plainPart(fields.err) }, text);
  }
}
