// What the server part and the page say to each other: the shapes of all JSON, and the words that
// both use. Times named `...Ms` are durations in ms; `at`, `since`, `from`, `to` are epoch ms, by
// the server's clock. Over 300 lines because it is one contract, and each field is documented.

import type {
  AdmissionPolicy,
  Failure,
  RejectReason,
  SlotView,
  Stats,
  StopCause,
  TaskEventType,
  TaskStatus,
  WaitingFor,
} from '../../index.ts';

/** The views of the page. Each is a tab, and a value of the parameter `view` of the stream. */
export const VIEWS = ['slots', 'failures', 'events', 'schedules', 'fleet'] as const;
export type View = (typeof VIEWS)[number];

export const SORTS = ['attention', 'since', 'waiting', 'retries', 'name'] as const;
export type Sort = (typeof SORTS)[number];

/**
 * What slots can be filtered by: the status of the owner; `lease`: the slot waits for its lease;
 * `paused`; `waiting`: a submission waits behind an owner or a pause; `failing`: the owner has
 * failed `FAILING` times in a row or more; `dead`: a vital slot that is dead.
 */
export const SLOT_STATES = [
  'starting',
  'running',
  'backoff',
  'interval',
  'suspended',
  'stopping',
  'overrun',
  'lease',
  'paused',
  'waiting',
  'failing',
  'dead',
] as const;
export type SlotState = (typeof SLOT_STATES)[number];

/** From so many failures in a row on, a task is said to be failing. */
export const FAILING = 5;

/** The longest `q`, in UTF-16 units. */
export const MAX_QUERY = 200;
/** The most rows that one page of slots has. */
export const MAX_PAGE = 200;
/** `offset + limit` may not be more: the page says to narrow the filter. */
export const MAX_DEPTH = 2_000;
/** How much of a line is shown. */
export const MAX_LINE = 50;
/** The most events of one answer, and of one frame. */
export const MAX_EVENTS = 500;

/** What a page can do to a task, a slot or a schedule. */
export type ActionKind = 'cancel' | 'restart' | 'pause' | 'resume' | 'trigger';

export const ACTIONS = ['cancel', 'restart', 'pause', 'resume', 'trigger'] as const satisfies readonly ActionKind[];

/** The body of `POST api/actions/<kind>`. Exactly one of these. */
export interface ActionTarget {
  /** cancel, pause, resume: of all that the slot has. */
  readonly slot?: string;
  /** cancel, restart: one submission. */
  readonly id?: string;
  /** pause, resume, trigger. */
  readonly schedule?: string;
}
/** `done`: it has happened. Else (202) it was asked for, and this does not wait for the end. */
export interface ActionAnswer {
  readonly done: boolean;
  /** What has happened, or will, as a sentence. */
  readonly text: string;
}

/** The body of every answer that is no success. */
export interface ErrorAnswer {
  readonly error: { readonly code: string; readonly message: string };
}

/** How bad something is. Never shown by colour alone. */
export type Level = 'info' | 'warn' | 'bad';

/** Where a warning, a tile or a group leads: parameters of the page's address. */
export interface Link {
  readonly view?: View;
  readonly q?: string;
  readonly group?: string;
  readonly status?: string;
  readonly sort?: Sort;
  readonly slot?: string;
  /** `view=events`. */
  readonly kind?: EventKind;
  readonly types?: string;
  readonly from?: number;
  readonly to?: number;
}

export const WARNING_KINDS = [
  'dead',
  'overrun',
  'failing',
  'longPause',
  'waiting',
  'pausedWithWork',
  'turnedAway',
  'gate',
  'lease',
  'abandoned',
  'loopDelay',
  'eventsDropped',
  'schedule',
  'fleet',
  'closing',
] as const;
export type WarningKind = (typeof WARNING_KINDS)[number];

/** Something that needs a look. */
export interface Warning {
  readonly kind: WarningKind;
  readonly level: 'warn' | 'bad';
  /** One sentence, without the supervisor's name. */
  readonly text: string;
  /** How many slots, submissions or schedules it is about. */
  readonly count: number;
  /** Since when the oldest of them is so. */
  readonly since?: number;
  /** What shows them. */
  readonly link: Link;
}

/** One group of slots. */
export interface GroupRow {
  readonly group: string;
  readonly slots: number;
  readonly waiting: number;
  /** Slots that overran, are failing, are in backoff, or are dead. */
  readonly trouble: number;
}

/** One supervisor, for the choice among several. */
export interface SupervisorRow {
  readonly name: string;
  readonly phase: Stats['phase'];
  readonly slotCount: number;
  readonly warnings: number;
  /** The level of its worst warning. `info`: it has none. */
  readonly level: Level;
}

/** How busy the process is. */
export interface ProcessRow {
  /** Since the process started. */
  readonly upMs: number;
  /** The longest delay of the event loop in the last full second. */
  readonly loopDelayMs: number;
  /** The share of the last full second in which the event loop was busy, 0 to 1. */
  readonly utilization: number;
  /** The CPU time of the last full second, as a share of one core. */
  readonly cpu: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

export interface Summary {
  readonly now: number;
  /** Another value after each start of the server part. */
  readonly epoch: string;
  readonly title: string;
  /** The supervisor that this is about. `supervisors` has all, this one too. */
  readonly of: string;
  readonly supervisors: readonly SupervisorRow[];
  /** Since when events are remembered. */
  readonly since: number;
  /** How often a stream says something, if only that it is there. */
  readonly tickMs: number;
  readonly phase: Stats['phase'];
  readonly totals: Stats['totals'];
  readonly rejections: Stats['rejections'];
  readonly failures: Stats['failures'];
  readonly tasks: Stats['tasks'];
  readonly slotCount: number;
  readonly queued: number;
  readonly bodies: number;
  readonly overrun: number;
  readonly abandonedAlive: number;
  readonly eventsDropped: number;
  /** `concurrency`: null where there is no limit. */
  readonly gate: {
    readonly paused: boolean;
    readonly concurrency: number | null;
    readonly inside: number;
    readonly queued: number;
  };
  readonly process: ProcessRow;
  /** Slots by state, as the last sweep found them. A slot can count to several. */
  readonly states: Readonly<Record<SlotState, number>>;
  /** At most 200, those with trouble first. `groupCount`: all. */
  readonly groups: readonly GroupRow[];
  readonly groupCount: number;
  /** The worst first. */
  readonly warnings: readonly Warning[];
  /** What this page may ask for. Empty: it only shows. */
  readonly actions: readonly ActionKind[];
  /** Which views there are. */
  readonly views: readonly View[];
}

export interface FailureRow {
  readonly kind: Failure['kind'];
  readonly message: string;
}

/** An error, cut to what a page shows. */
export interface ErrorRow {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: ErrorRow;
}

export interface TaskRow {
  readonly id: string;
  readonly name: string;
  readonly policy: AdmissionPolicy;
  readonly status: TaskStatus;
  readonly waitingFor?: WaitingFor;
  readonly stop?: { readonly by: StopCause; readonly sinceMs: number };
  readonly attempt: number;
  readonly retries: number;
  readonly streak: number;
  readonly sinceMs: number;
  readonly ageMs: number;
  readonly nextAttemptInMs?: number;
  readonly failure?: FailureRow;
  readonly joined?: number;
  /** What the option `meta` shows of it, as JSON. Absent where that is nothing. */
  readonly meta?: unknown;
}

export interface SlotRow {
  readonly slot: string;
  readonly phase: SlotView['phase'];
  readonly paused: boolean;
  readonly waiting: number;
  /** How long the first that waits has waited. */
  readonly firstWaitsMs?: number;
  readonly vital?: 'alive' | 'dead';
  readonly owner?: TaskRow;
}

export interface SlotsPage {
  /** How many match. */
  readonly total: number;
  /** How many there are. */
  readonly of: number;
  readonly offset: number;
  /** When the rows were read: the times in them are of then. */
  readonly at: number;
  readonly rows: readonly SlotRow[];
}

/**
 * One attempt. `to` and `end` are null while it runs. `end` stays null where its end was not heard
 * of: its events were lost, or no submission was left that they could name.
 */
export interface AttemptRow {
  readonly id: string;
  readonly name: string;
  readonly attempt: number;
  readonly from: number;
  readonly to: number | null;
  readonly end: 'succeeded' | 'failed' | 'timedOut' | 'stalled' | 'canceled' | null;
  readonly message?: string;
}

/** The last failure that is remembered of a slot, with its stack. */
export interface SlotFailure {
  readonly at: number;
  readonly id: string;
  readonly name: string;
  readonly attempt: number;
  readonly kind: Failure['kind'];
  readonly message: string;
  readonly error?: ErrorRow;
}

/** One slot. `row` is null where the slot is idle: then only what is remembered is left. */
export interface SlotDetail {
  readonly slot: string;
  readonly row: SlotRow | null;
  /** `slot.explain()`: why it does not run what it should. */
  readonly explain: string;
  /** What waits, in the order in which it will start: the first `MAX_LINE`. */
  readonly line: readonly TaskRow[];
  /** Oldest first. */
  readonly attempts: readonly AttemptRow[];
  readonly lastFailure?: SlotFailure;
  /** What was turned away or stopped, and by whom: newest first, at most 20. */
  readonly events: readonly EventRow[];
}

/** One event. */
export interface EventRow {
  readonly seq: number;
  readonly at: number;
  readonly type: TaskEventType;
  readonly level: Level;
  readonly slot?: string;
  readonly id?: string;
  readonly name?: string;
  /** The other submission that it names: which turned it away, takes its place, or leads it. */
  readonly other?: string;
  /** What happened, in words, without slot and time. */
  readonly text: string;
}

export interface EventsPage {
  /** Newest first. */
  readonly events: readonly EventRow[];
  /** The oldest event of this kind that is remembered. Absent: nothing is. */
  readonly keptSince?: number;
  /** There are more, older than the last of `events`. */
  readonly more: boolean;
}

/** Which of the remembered events: those that matter, those turned away, or all. */
export const EVENT_KINDS = ['notable', 'rejected', 'all'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** Failures that are the same but for words with digits. */
export interface ProblemRow {
  readonly group: string;
  readonly kind: Failure['kind'];
  readonly name?: string;
  readonly code?: string;
  /** The message, with `#` for each word that holds a digit. */
  readonly text: string;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  /** The latest slots, at most five, the newest last. */
  readonly slots: readonly string[];
  /** The latest whose stack was read: of a flood, not all are. If none was, the latest. */
  readonly latest: SlotFailure;
}

export const SERIES_FIELDS = ['succeeded', 'failed', 'canceled', 'rejected', 'overruns', 'loopDelayMs'] as const;
export type SeriesField = (typeof SERIES_FIELDS)[number];
export type SeriesStep = 'second' | 'minute';

/** Counts per step, oldest first. `loopDelayMs` is the longest of the step. */
export interface SeriesView {
  readonly step: SeriesStep;
  readonly stepMs: number;
  /** The begin of the first step. Nothing earlier is known. */
  readonly from: number;
  readonly fields: Readonly<Record<SeriesField, readonly number[]>>;
}

export interface ScheduleRow {
  readonly name: string;
  readonly slot: string;
  readonly when: string;
  readonly status: 'active' | 'paused' | 'ended';
  /** The next three. */
  readonly next: readonly number[];
  readonly totals: Readonly<Record<string, number>>;
  /** Newest last, at most ten. `outcome`: absent while it runs. */
  readonly runs: readonly ScheduleRunRow[];
  /** Why its dates could not be read. */
  readonly error?: string;
}

export interface ScheduleRunRow {
  readonly kind: 'submitted' | 'missed' | 'elsewhere' | 'error';
  readonly due?: number;
  readonly at: number;
  readonly cause?: 'date' | 'trigger';
  readonly outcome?: string;
  /** Why a run was rejected. */
  readonly reason?: RejectReason;
  readonly count?: number;
  readonly text?: string;
}

/**
 * One process of a fleet.
 *
 * @inline
 */
export interface FleetProcessRow {
  /** Its name. */
  readonly name: string;
  /** This one. */
  readonly isSelf: boolean;
  /** The slots that it holds. */
  readonly held: number;
  /** Its places in line. */
  readonly waiting: number;
  /** In how many ms it is taken for dead, unless it beats. 0: at any moment. */
  readonly expiresInMs: number;
}

/**
 * A slot of a fleet that a process holds, or waits for.
 *
 * @inline
 */
export interface FleetSlotRow {
  /** The name of the slot. */
  readonly slot: string;
  /** The name of the process. Absent: its session is gone. */
  readonly holder?: string;
  /** This process holds it. */
  readonly isOurs: boolean;
  /** The fence of the latest grant. */
  readonly fence: string;
  /** The names of the first processes in line, at most 20, the first first. */
  readonly line: readonly string[];
  /** How many wait in line. */
  readonly waiting: number;
}

export interface FleetPage {
  readonly processes: readonly FleetProcessRow[];
  readonly slots: readonly FleetSlotRow[];
  /** There are more slots that match than these. */
  readonly more: boolean;
  /** When it was read. It is read at most every five seconds. */
  readonly at: number;
  /** The store could not be read, and why. What is shown is older then. */
  readonly error?: string;
}

/** What begins next: a try of a task that waits for it, or a date of a schedule. */
export interface NextRow {
  readonly kind: 'try' | 'date';
  readonly at: number;
  readonly slot: string;
  /** Of the task, or of the schedule. */
  readonly name: string;
}

/** The answers that other views have in full, beside the table of slots. */
export interface Glance {
  /** What keeps failing, the one that came last first. */
  readonly problems: readonly Omit<ProblemRow, 'latest'>[];
  /** What was turned away or asked to stop, newest first. */
  readonly stopped: readonly EventRow[];
  /** The soonest first. */
  readonly next: readonly NextRow[];
}

/** The data of a `state` frame of the stream: all that the shown view needs. */
export interface State {
  readonly summary: Summary;
  /** The last two minutes, or with `step=minute` the last 24 hours. */
  readonly series: SeriesView;
  /** `view=slots`. */
  readonly page?: SlotsPage;
  /** `view=slots`, while no slot is open. */
  readonly glance?: Glance;
  /** `slot=...`. */
  readonly slot?: SlotDetail;
  /** `view=failures`. */
  readonly problems?: readonly ProblemRow[];
  /** `view=schedules`. */
  readonly schedules?: readonly ScheduleRow[];
  /** `view=fleet`. */
  readonly fleet?: FleetPage;
}

/** The data of an `events` frame: newer than all before, the oldest first. */
export interface Tail {
  /** Events between the last frame and this one are not remembered, or did not fit. */
  readonly gap: boolean;
  readonly events: readonly EventRow[];
}
