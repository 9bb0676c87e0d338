/**
 * `slotvisor/log`: the events of a supervisor as lines of a log.
 *
 * {@link logTo} writes them to a logger of yours, such as one of pino: each event has a level, a
 * sentence and a record. {@link consoleWriter} makes a subscriber that writes lines for people.
 * The sentences and the records are those of `eventText` and `eventRecord`.
 *
 * @privateRemarks
 * Reading order: `options.ts` (the options), `fields.ts` (what a logger gets), `log-to.ts`,
 * `lines.ts` (what people get), `console-writer.ts`. The levels are in `model/event-level.ts`.
 *
 * @module slotvisor/log
 * @document README.md
 */

export { consoleWriter } from './console-writer.ts';
export { logTo } from './log-to.ts';
export type { ConsoleWriterOptions, Logger, LogLevel, LogToOptions } from './options.ts';
