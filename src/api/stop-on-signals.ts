// `stopOnSignals`: shuts a supervisor down when the process gets a signal.

import { fromCaller } from '../model/error.ts';
import { parseStopOptions, type StopOnSignalsOptions } from './call-options.ts';
import { SignalStop } from './signal-stop.ts';
import { type Supervisor, stoppableOf } from './supervisor.ts';

/**
 * Shuts the supervisor down when the process gets a signal. In this order: `before` is called and
 * awaited, `delayMs` passes, the supervisor shuts down with the cause `signal`, and `after` gets
 * the report. A second signal ends `before`, the delay and the grace at once. The handlers are
 * removed with the report, whatever began the shutdown: the next signal ends the process.
 *
 * The process exits by itself once nothing keeps it alive. Only if a body was given up and is alive
 * it exits with `exitCode`, since that body might keep it alive forever. Where signals have begun
 * the stop of several supervisors, that waits for the last of them.
 *
 * Not promised: that the process ends. A server or a timer of your own keeps it alive: close it in
 * `before` or `after`. And without a signal nothing is called: neither `before` nor `after` by a
 * shutdown that began otherwise.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { stopOnSignals, Supervisor } from 'slotvisor';
 *
 * const supervisor = new Supervisor();
 * const server = createServer().listen();
 * stopOnSignals(supervisor, {
 *   before: () => void server.close(), // accepts nothing more
 *   after: (report) => console.log(report.clean),
 * });
 * ```
 *
 * @returns what removes the handlers. What a signal has begun goes on.
 * @throws OptionError for an invalid option.
 */
export function stopOnSignals(supervisor: Supervisor, options: StopOnSignalsOptions = {}): () => void {
  return fromCaller(stopOnSignals, () => {
    const stoppable = stoppableOf(supervisor);
    const settings = parseStopOptions(options);
    stoppable.times(settings); // refuses a finish time that is more than the grace
    return new SignalStop(stoppable, settings).end;
  });
}
