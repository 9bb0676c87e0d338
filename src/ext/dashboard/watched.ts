// The supervisors that are watched: what is remembered of each, and what is shown of all of them.

import { randomBytes } from 'node:crypto';
import type { Clock, Supervisor } from '../../index.ts';
import { ignored, plainPart } from '../../kit.ts';
import { Refusal } from './answer.ts';
import type { DashboardSettings, NamedSupervisor } from './options.ts';
import { type DashboardSchedule, scheduleRow, schedulesFrom } from './schedule-rows.ts';
import { ProcessWatch, Recorder, type SlotQuery, Sweeper, slotDetail, type Tally, warningsOf } from './stand-in.ts';
import type { Troubles } from './troubles.ts';
import {
  ACTIONS,
  type FleetPage,
  type Level,
  type ScheduleRow,
  type SlotDetail,
  type SlotsPage,
  type Summary,
  type SupervisorRow,
  VIEWS,
  type View,
  type Warning,
} from './wire.ts';

/** The most groups of a summary. */
const MAX_GROUPS = 200;
/** How old may be what is shown of a supervisor that is not the one looked at. */
const OTHERS_MS = 5_000;
/** The group of a slot for which the option `group` gives no text. */
const OTHER_GROUP = 'other';

/** One supervisor. */
export class Watched {
  readonly name: string;
  readonly supervisor: Supervisor;
  readonly recorder: Recorder;
  readonly #sweeper: Sweeper;
  readonly #list: DashboardSettings['schedules'];
  readonly #settings: { readonly groupOf: (slot: string) => string; readonly meta?: (meta: unknown) => unknown };
  readonly #troubles: Troubles;

  constructor({ name, supervisor }: NamedSupervisor, settings: DashboardSettings, clock: Clock, troubles: Troubles) {
    this.name = name;
    this.supervisor = supervisor;
    this.#list = settings.schedules;
    this.#troubles = troubles;
    this.#settings = guarded(settings, troubles);
    this.recorder = new Recorder(supervisor, { history: settings.history, ...this.#settings }, clock);
    this.#sweeper = new Sweeper(supervisor, this.#settings, clock);
    supervisor.vitalSlots(); // from the first call on it keeps the dead ones
  }

  /** What a stream may show, in ms of age: it then takes at most a twentieth of a core. */
  get streamAgeMs(): number {
    return Math.max(500, 20 * this.#sweeper.costMs);
  }

  page(query: SlotQuery, maxAgeMs: number): Promise<SlotsPage> {
    return this.#sweeper.page(query, maxAgeMs);
  }

  tally(maxAgeMs: number): Promise<Tally> {
    return this.#sweeper.tally(maxAgeMs);
  }

  detail(slot: string): SlotDetail | undefined {
    return slotDetail(this.supervisor, this.recorder, slot, this.#settings);
  }

  schedules(): readonly DashboardSchedule[] {
    if (this.#list === undefined) return [];
    try {
      return schedulesFrom(this.#list, this.supervisor);
    } catch (error) {
      this.#troubles.report('schedules', error);
      return [];
    }
  }

  scheduleRows(): readonly ScheduleRow[] {
    return this.schedules().map(scheduleRow);
  }

  close(): void {
    this.recorder.close();
    this.#sweeper.close();
  }
}

/** The functions of the options, such that they never throw. */
function guarded({ group, meta }: DashboardSettings, troubles: Troubles) {
  const guard =
    <A, R>(spot: 'group' | 'meta', call: (given: A) => R, otherwise: R) =>
    (given: A): R => {
      try {
        return call(given);
      } catch (error) {
        troubles.report(spot, error);
        return otherwise;
      }
    };
  const groupOf = (slot: string): string => {
    const name: unknown = ignored(group(slot));
    return typeof name === 'string' ? name : OTHER_GROUP;
  };
  return {
    groupOf: guard('group', groupOf, OTHER_GROUP),
    ...(meta !== undefined && { meta: guard('meta', (given: unknown) => plainPart(ignored(meta(given))), undefined) }),
  };
}

/** All supervisors of one dashboard. */
export class AllWatched {
  /** Another one after each start, so that a page notices a restart of the process. */
  readonly epoch = randomBytes(8).toString('hex');
  readonly all: readonly Watched[];
  readonly #settings: DashboardSettings;
  readonly #clock: Clock;
  readonly #process = new ProcessWatch();

  constructor(named: readonly NamedSupervisor[], settings: DashboardSettings, clock: Clock, troubles: Troubles) {
    this.all = named.map((one) => new Watched(one, settings, clock, troubles));
    this.#settings = settings;
    this.#clock = clock;
  }

  get first(): Watched {
    return this.all[0] as Watched; // `readSupervisors` refuses an empty list
  }

  /** @throws Refusal if no supervisor has this name. `null`: the first one. */
  of(name: string | null): Watched {
    const found = name === null ? this.first : this.all.find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new Refusal(404, 'unknownSupervisor', 'no supervisor has the name that the parameter of gives');
  }

  get now(): number {
    return this.#clock.wallNow();
  }

  async summary(watched: Watched, maxAgeMs: number, fleet?: FleetPage): Promise<Summary> {
    const looks = await Promise.all(
      this.all.map(async (one) => {
        const tally = await one.tally(one === watched ? maxAgeMs : Math.max(maxAgeMs, OTHERS_MS));
        return { one, tally, warnings: this.#warnings(one, tally, fleet) };
      }),
    );
    const { tally, warnings } = looks.find(({ one }) => one === watched) as (typeof looks)[number];
    const { gate, ...stats } = watched.supervisor.stats();
    const { schedules, fleet: hasFleet, title, actions, tickMs } = this.#settings;
    const views = VIEWS.filter((view) => !isMissing(view, schedules === undefined, hasFleet === undefined));
    return {
      now: this.now,
      epoch: this.epoch,
      title,
      of: watched.name,
      supervisors: looks.map((look) => supervisorRow(look.one, look.warnings)),
      since: watched.recorder.since,
      tickMs,
      phase: stats.phase,
      totals: stats.totals,
      rejections: stats.rejections,
      failures: stats.failures,
      tasks: stats.tasks,
      slotCount: stats.slotCount,
      queued: stats.queued,
      bodies: stats.bodies,
      overrun: stats.overrun,
      abandonedAlive: stats.abandonedAlive,
      eventsDropped: stats.eventsDropped,
      gate: { ...gate, concurrency: gate.concurrency === Infinity ? null : gate.concurrency },
      process: this.#process.row(),
      states: tally.states,
      groups: tally.groups.slice(0, MAX_GROUPS),
      groupCount: tally.groupCount,
      warnings,
      actions: actions ? ACTIONS : [],
      views,
    };
  }

  #warnings(one: Watched, tally: Tally, fleet: FleetPage | undefined): Warning[] {
    const { supervisor, recorder } = one;
    const schedules = one.scheduleRows();
    return warningsOf({ stats: supervisor.stats(), tally, recorder, process: this.#process.row(), schedules, fleet });
  }

  close(): void {
    for (const one of this.all) one.close();
    this.#process.close();
  }
}

function isMissing(view: View, noSchedules: boolean, noFleet: boolean): boolean {
  return (view === 'schedules' && noSchedules) || (view === 'fleet' && noFleet);
}

function supervisorRow({ name, supervisor }: Watched, warnings: readonly Warning[]): SupervisorRow {
  const level: Level = warnings.some((one) => one.level === 'bad') ? 'bad' : warnings.length > 0 ? 'warn' : 'info';
  const { phase, slotCount } = supervisor.stats();
  return { name, phase, slotCount, warnings: warnings.length, level };
}
