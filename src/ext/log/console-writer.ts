// `consoleWriter`: a subscriber that writes lines for people to a stream.

import type { Subscriber } from '../../index.ts';
import { fromCaller, isError } from '../../kit.ts';
import { thrownIn } from './fields.ts';
import { COLORED, errorLinesOf, lineOf, PLAIN } from './lines.ts';
import { type ConsoleWriterOptions, parseConsoleOptions } from './options.ts';

/**
 * Makes a subscriber that writes one line for each event: the local time, the level, the slot and a
 * sentence. Below it follows the beginning of an error, the first time that the error is seen:
 * indented lines that begin with `|`. A name or a message cannot add a line, or colour one.
 *
 *     supervisor.subscribe(consoleWriter());
 *
 * Promised: a stream that is closed gets nothing, and harms nothing. A stream that is full is
 * waited for: then the events wait in the subscription, which is bounded.
 *
 * Not promised: a format that programs can read. For that use `logTo`.
 *
 * @throws OptionError for an invalid option.
 */
export function consoleWriter(options: ConsoleWriterOptions = {}): Subscriber {
  const settings = fromCaller(consoleWriter, () => parseConsoleOptions(options));
  const { stream = process.stdout } = settings;
  const { color = hasColor(stream, process.env) } = settings;
  const paint = color ? COLORED : PLAIN;
  const shown = new WeakSet<object>();
  return {
    name: 'slotvisor/log console',
    onEvent: (event) => {
      const error = thrownIn(event)?.error;
      const isNew = isError(error) && !shown.has(error);
      if (isNew) shown.add(error);
      const lines = [lineOf(event, paint), ...(isNew ? errorLinesOf(error, paint) : [])];
      return write(stream, lines.map((line) => `${line}\n`).join(''));
    },
  };
}

/** As most programs decide it. `FORCE_COLOR` counts for a pipe, too. */
function hasColor(stream: NodeJS.WritableStream & { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  const { NO_COLOR = '', FORCE_COLOR = '', TERM } = env;
  if (NO_COLOR !== '') return false;
  if (FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return stream.isTTY === true && TERM !== 'dumb';
}

/** Returns a promise if the stream is full: it resolves when the stream has room or is closed. */
function write(stream: NodeJS.WritableStream, text: string): void | Promise<void> {
  if (stream.writable === false) return undefined; // closed
  const hasRoom = stream.write(text, (error) => {
    // The stream emits the error next. Without a listener that would end the process.
    if (error && stream.listenerCount('error') === 0) stream.once('error', () => {});
  });
  if (hasRoom) return undefined;
  return new Promise((resolve) => {
    const goOn = (): void => {
      stream.off('drain', goOn).off('close', goOn);
      resolve();
    };
    stream.once('drain', goOn).once('close', goOn);
  });
}
