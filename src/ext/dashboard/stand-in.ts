import type { Clock, SlotView, Stats, Supervisor, TaskView } from '../../index.ts';
import type {
  AttemptRow,
  EventKind,
  EventRow,
  EventsPage,
  FleetPage,
  GroupRow,
  ProblemRow,
  ProcessRow,
  ScheduleRow,
  SeriesStep,
  SeriesView,
  SlotDetail,
  SlotFailure,
  SlotRow,
  SlotState,
  SlotsPage,
  Sort,
  Tail,
  TaskRow,
  Warning,
} from './wire.ts';

export interface SlotQuery {
  readonly q: string;
  readonly group?: string;
  readonly states: readonly SlotState[];
  readonly sort: Sort;
  readonly offset: number;
  readonly limit: number;
}
export interface EventQuery {
  readonly kind: EventKind;
  readonly before?: number;
  readonly limit: number;
  readonly from?: number;
  readonly to?: number;
  readonly q?: string;
  readonly slot?: string;
  readonly types?: ReadonlySet<string>;
}
export class Recorder {
  readonly since: number;
  seq = 0;
  readonly #rows: EventRow[] = [];
  readonly #end: () => void;
  constructor(supervisor: Supervisor, _settings: unknown, clock: Clock) {
    this.since = clock.wallNow();
    this.#end = supervisor.subscribe((event) => {
      this.seq = event.seq;
      this.#rows.push({
        seq: event.seq,
        at: event.at,
        type: event.type,
        level: 'info',
        ...('slot' in event && { slot: event.slot as string }),
        text: event.type,
      });
      if (this.#rows.length > 5_000) this.#rows.shift();
    });
  }
  attemptsOf(_slot: string): readonly AttemptRow[] {
    return [];
  }
  lastFailureOf(_slot: string): SlotFailure | undefined {
    return undefined;
  }
  problems(): readonly ProblemRow[] {
    return [];
  }
  events(query: EventQuery): EventsPage {
    return { events: this.#rows.slice(-query.limit).reverse(), more: false };
  }
  after(seq: number, _filter: unknown, limit: number): Tail {
    return { gap: false, events: this.#rows.filter((row) => row.seq > seq).slice(-limit) };
  }
  series(step: SeriesStep, now: number): SeriesView {
    const stepMs = step === 'second' ? 1_000 : 60_000;
    const zeros = Array.from({ length: 120 }, () => 0);
    return {
      step,
      stepMs,
      from: Math.floor(now / stepMs) * stepMs - 120 * stepMs,
      fields: {
        succeeded: zeros,
        failed: zeros,
        canceled: zeros,
        rejected: zeros,
        overruns: zeros,
        loopDelayMs: zeros,
      },
    };
  }
  close(): void {
    this.#end();
  }
}
export class ProcessWatch {
  row(): ProcessRow {
    return {
      upMs: process.uptime() * 1_000,
      loopDelayMs: 0,
      utilization: 0,
      cpu: 0,
      rssBytes: process.memoryUsage.rss(),
      heapBytes: process.memoryUsage().heapUsed,
    };
  }
  close(): void {}
}
export interface Tally {
  readonly states: Readonly<Record<SlotState, number>>;
  readonly groups: readonly GroupRow[];
  readonly groupCount: number;
}
const taskRow = (task: TaskView): TaskRow => ({
  id: task.id,
  name: task.name,
  policy: task.policy,
  status: task.status,
  attempt: task.attempt,
  retries: task.retries,
  failuresInARow: task.retries,
  sinceMs: task.sinceMs,
  ageMs: task.ageMs,
  ...(task.lastFailure && { failure: { kind: task.lastFailure.kind, message: task.lastFailure.message } }),
});
const slotRow = (view: SlotView): SlotRow => ({
  slot: view.name,
  phase: view.phase,
  paused: view.paused,
  waiting: view.queuedCount,
  ...(view.owner && { owner: taskRow(view.owner) }),
});
export class Sweeper {
  readonly costMs = 1;
  readonly #supervisor: Supervisor;
  constructor(supervisor: Supervisor, _settings: unknown, _clock: Clock) {
    this.#supervisor = supervisor;
  }
  async page(query: SlotQuery, _maxAgeMs: number): Promise<SlotsPage> {
    const all = [...this.#supervisor.slots({ queued: 1 })].filter(({ name }) => name.includes(query.q));
    return {
      total: all.length,
      of: this.#supervisor.stats().slotCount,
      offset: query.offset,
      at: 0,
      rows: all.slice(query.offset, query.offset + query.limit).map(slotRow),
    };
  }
  async tally(_maxAgeMs: number): Promise<Tally> {
    const states = {
      starting: 0,
      running: 0,
      backoff: 0,
      interval: 0,
      suspended: 0,
      stopping: 0,
      overrun: 0,
      lease: 0,
      paused: 0,
      waiting: 0,
      failing: 0,
      dead: 0,
    };
    for (const { owner } of this.#supervisor.slots({ queued: 0 }))
      if (owner && owner.status in states) states[owner.status as 'running'] += 1;
    return { states, groups: [], groupCount: 0 };
  }
  close(): void {}
}
export function slotDetail(
  supervisor: Supervisor,
  _recorder: Recorder,
  name: string,
  _settings: unknown,
): SlotDetail | undefined {
  const view = supervisor.slot(name).view({ queued: 50 });
  if (view.phase === 'idle' && !view.paused) return undefined;
  return {
    slot: name,
    row: slotRow(view),
    explain: supervisor.slot(name).explain(),
    line: view.queued.map(taskRow),
    attempts: [],
    events: [],
  };
}
export function warningsOf(_given: {
  stats: Stats;
  tally: Tally;
  recorder: Recorder;
  process: ProcessRow;
  schedules: readonly ScheduleRow[] | undefined;
  fleet: FleetPage | undefined;
}): Warning[] {
  return [];
}
