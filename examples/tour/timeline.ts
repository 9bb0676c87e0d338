// The output of the tour: a subscriber that prints events as aligned lines, and the final summary.

import { styleText } from 'node:util';
import type { Failure, Outcome, ShutdownReport, Snapshot, Subscriber, TaskEvent } from 'slotvisor';

type Style = Parameters<typeof styleText>[0] & string;

/** What happened, in one word, and the details. */
type Line = readonly [word: string, detail: string];

// styleText omits the colours in a pipe, in a file, and where NO_COLOR is set.
const STYLES: Readonly<Record<string, Style>> = {
  completed: 'green',
  handover: 'green',
  threw: 'red',
  'timed out': 'red',
  failed: 'red',
  overrun: 'red',
  abandoned: 'red',
  killed: 'red',
  retry: 'yellow',
  stopping: 'yellow',
  queued: 'yellow',
  dropped: 'magenta',
  rejected: 'magenta',
  canceled: 'cyan',
  joined: 'blue',
};

/** The narrowest terminal that shows each line whole. */
const WIDTH = 80;

const ENDS = ['completed', 'failed', 'fatal', 'canceled', 'killed', 'abandoned', 'rejected'] as const;

export class Timeline implements Subscriber {
  readonly name = 'timeline';
  readonly #startedAt = Date.now();
  /** Outcomes by slot, in the order of each slot's first outcome. */
  readonly #ends = new Map<string, Map<Outcome['kind'], number>>();

  onEvent(event: TaskEvent): void {
    if (event.type === 'shutdownStarted') {
      const hint = event.cause === 'signal' ? ' (a second signal ends the grace)' : '';
      this.chapter(`Shutdown: all tasks have ${event.graceMs} ms to end${hint}`);
    }
    if (!('id' in event)) return;
    if (event.type === 'finished') this.#count(event.slot, event.outcome);
    if (event.type === 'rejected') this.#count(event.slot, 'rejected');
    const line = lineOf(event);
    if (line !== undefined) this.#print(event.at, event.slot, line);
  }

  chapter(title: string): void {
    console.log(`\n${styleText('bold', title)}`);
  }

  /** Prints a line for a body, without an event. */
  note(slot: string, word: string, detail: string): void {
    this.#print(Date.now(), slot, [word, detail]);
  }

  summary({ totals }: Snapshot, { cause, clean, abandoned, eventsDropped }: ShutdownReport, most: number): void {
    const ends = ENDS.filter((end) => totals[end] > 0);
    const columns = ['submitted', ...ends];
    const row = (name: string, cells: readonly (string | number)[]) =>
      `  ${name.padEnd(14)}${columns.map((title, i) => `${cells[i] || '·'}`.padStart(title.length + 1)).join('')}`;

    this.chapter('Summary');
    console.log(styleText('dim', row('slot', columns)));
    for (const [slot, counts] of this.#ends) {
      const submitted = [...counts.values()].reduce((sum, count) => sum + count, 0);
      console.log(row(slot, [submitted, ...ends.map((end) => counts.get(end) ?? 0)]));
    }
    // The rows are counted from events, which a slow subscriber may lose. The totals are exact.
    console.log(styleText('bold', row('total', [totals.submitted, ...ends.map((end) => totals[end])])));

    console.log(`
  work       ${totals.attempts} attempts, ${totals.retries} retries, ${totals.dropped} dropped, ${eventsDropped} events lost
  exclusion  most bodies alive at once in one slot: ${most}
  shutdown   cause: ${cause}; ${clean ? 'every body ended by itself' : 'not every body ended by itself'}
  abandoned  ${abandoned.map(({ slot, status }) => `${slot} (${status})`).join(', ') || 'none'}`);
  }

  /** What one of the entry points for logs, traces and metrics has made of all this. */
  seen(title: string, lines: readonly string[]): void {
    this.chapter(title);
    for (const line of lines) console.log(`  ${line.length > WIDTH - 2 ? `${line.slice(0, WIDTH - 3)}…` : line}`);
  }

  #count(slot: string, end: Outcome['kind']): void {
    const counts = this.#ends.get(slot) ?? new Map<Outcome['kind'], number>();
    this.#ends.set(slot, counts.set(end, (counts.get(end) ?? 0) + 1));
  }

  #print(at: number, slot: string, [word, detail]: Line): void {
    const elapsed = `${((at - this.#startedAt) / 1_000).toFixed(3)}s`.padStart(8);
    const painted = styleText(STYLES[word] ?? 'reset', word.padEnd(10));
    console.log(`${styleText('dim', elapsed)}  ${slot.padEnd(13)} ${painted} ${detail}`.trimEnd());
  }
}

/** The line for an event. Undefined for an event that would only repeat another line. */
function lineOf(event: Extract<TaskEvent, { id: unknown }>): Line | undefined {
  const name = event.name === event.slot ? '' : event.name;
  const about = (detail = '') => [name, detail].filter((part) => part !== '').join(', ');
  switch (event.type) {
    case 'queued':
      return ['queued', about(`${event.depth} in queue`)];
    case 'joined':
      return ['joined', about('shares the running attempt')];
    case 'rejected':
      return [event.reason === 'slotBusy' ? 'dropped' : 'rejected', about(event.reason)];
    case 'attemptStarted':
      return ['started', about(event.attempt > 1 ? `attempt ${event.attempt}` : '')];
    case 'attemptFailed':
      return ['threw', about(reasonOf(event.failure))];
    case 'attemptTimedOut':
      return ['timed out', about(`after ${Math.round(event.durationMs)} ms`)];
    case 'backoffScheduled':
      return event.after === 'failure' ? ['retry', about(`in ${Math.round(event.delayMs)} ms`)] : undefined;
    case 'stopRequested':
      return ['stopping', about(`asked by ${event.by}`)];
    case 'overrun':
      return ['overrun', about(`${Math.round(event.sinceMs)} ms after the stop request: ${event.action}`)];
    case 'finished':
      return [event.outcome, about(event.attempts > 1 ? `after ${event.attempts} attempts` : '')];
    default:
      return undefined;
  }
}

/** The cause of a fetch error says more than its message: which connection was refused. */
function reasonOf(failure: Failure): string {
  const cause = failure.kind === 'thrown' && failure.error instanceof Error ? failure.error.cause : undefined;
  return cause instanceof Error ? cause.message : failure.message;
}
