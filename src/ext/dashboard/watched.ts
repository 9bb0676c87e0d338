// The supervisors that are watched: what is remembered of each, and what is shown of all of them.

import { randomBytes } from 'node:crypto';
import type { Clock, Supervisor } from '../../index.ts';
import { show } from '../../kit.ts';
import { Refusal } from './answer.ts';
import { FleetReader } from './fleet-rows.ts';
import { glanceOf } from './glance.ts';
import type { DashboardSettings, NamedSupervisor } from './options.ts';
import { ProcessWatch } from './process-watch.ts';
import type { SlotQuery } from './query.ts';
import { Recorder } from './recorder.ts';
import { type ShowMeta, safeGroup } from './rows.ts';
import { Schedules } from './schedule-rows.ts';
import { slotDetail } from './slot-detail.ts';
import { Sweeper, viewerAgeMs } from './sweep.ts';
import type { Tally } from './tally.ts';
import type { Troubles } from './troubles.ts';
import { warningsOf } from './warnings.ts';
import {
  ACTIONS,
  type FleetPage,
  type Glance,
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

/** How old may be what is shown of a supervisor that is not the one looked at. */
const OTHERS_MS = 5_000;
/** For so long what was read of the fleet counts for warnings. */
const FLEET_MS = 10_000;

/** One supervisor. */
export class Watched {
  readonly name: string;
  readonly supervisor: Supervisor;
  readonly recorder: Recorder;
  readonly schedules: Schedules | undefined;
  readonly #sweeper: Sweeper;
  readonly #meta: ShowMeta | undefined;

  constructor(
    { name, supervisor }: NamedSupervisor,
    { group, meta, schedules, history }: DashboardSettings,
    clock: Clock,
    troubles: Troubles,
  ) {
    this.name = name;
    this.supervisor = supervisor;
    this.#meta = meta;
    const groupOf = safeGroup(group);
    this.recorder = new Recorder(supervisor, { history, groupOf }, clock);
    this.#sweeper = new Sweeper(supervisor, { groupOf, meta }, clock);
    this.schedules = schedules && new Schedules(() => schedules(supervisor), clock, troubles);
  }

  /** How old may be what a stream shows. */
  get streamAgeMs(): number {
    return viewerAgeMs(this.#sweeper.costMs);
  }

  page(query: SlotQuery, maxAgeMs: number): Promise<SlotsPage> {
    return this.#sweeper.page(query, maxAgeMs);
  }

  tally(maxAgeMs: number): Promise<Tally> {
    return this.#sweeper.tally(maxAgeMs);
  }

  detail(slot: string): SlotDetail | undefined {
    return slotDetail(this.supervisor, this.recorder, slot, { meta: this.#meta });
  }

  scheduleRows(maxAgeMs: number): readonly ScheduleRow[] {
    return this.schedules?.rows(maxAgeMs) ?? [];
  }

  close(): void {
    this.recorder.close();
    this.#sweeper.close();
  }
}

/** All supervisors of one dashboard. */
export class AllWatched {
  /** Another one after each start, so that a page notices a restart of the process. */
  readonly epoch = randomBytes(8).toString('hex');
  readonly all: readonly Watched[];
  readonly #settings: DashboardSettings;
  readonly #clock: Clock;
  readonly #process: ProcessWatch;
  readonly #fleet: FleetReader | undefined;
  /** The last page of the fleet that was shown. */
  #fleetPage: FleetPage | undefined;
  #fleetShownMs = -Infinity;

  constructor(named: readonly NamedSupervisor[], settings: DashboardSettings, clock: Clock, troubles: Troubles) {
    this.all = named.map((one) => new Watched(one, settings, clock, troubles));
    this.#fleet = settings.fleet && new FleetReader(settings.fleet, clock);
    this.#settings = settings;
    this.#clock = clock;
    const recorders = this.all.map(({ recorder }) => recorder);
    this.#process = new ProcessWatch(recorders, clock);
  }

  get first(): Watched {
    return this.all[0] as Watched; // `readNamed` refuses an empty list
  }

  /** @throws Refusal if no supervisor has this name. `null`: the first one. */
  of(name: string | null): Watched {
    const found = name === null ? this.first : this.all.find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new Refusal(404, 'unknownSupervisor', `no supervisor has the name ${show(name)} (see the parameter 'of')`);
  }

  get now(): number {
    return this.#clock.wallNow();
  }

  async glance(watched: Watched, maxAgeMs: number): Promise<Glance> {
    const tally = await watched.tally(maxAgeMs);
    const { recorder } = watched;
    return glanceOf({ recorder, tally, schedules: watched.scheduleRows(OTHERS_MS), now: this.now });
  }

  async summary(watched: Watched, maxAgeMs: number): Promise<Summary> {
    const looks = await Promise.all(
      this.all.map(async (one) => {
        const tally = await one.tally(one === watched ? maxAgeMs : Math.max(maxAgeMs, OTHERS_MS));
        return { one, tally, warnings: this.#warnings(one, tally) };
      }),
    );
    const { tally, warnings } = looks.find(({ one }) => one === watched) as (typeof looks)[number];
    const { gate, ...stats } = watched.supervisor.stats();
    const { schedules, fleet, title, actions, tickMs } = this.#settings;
    const optional: Partial<Record<View, unknown>> = { schedules, fleet };
    const views = VIEWS.filter((view) => !(view in optional) || optional[view] !== undefined);
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
      groups: tally.groups,
      groupCount: tally.groupCount,
      warnings,
      actions: actions ? ACTIONS : [],
      views,
    };
  }

  #warnings(one: Watched, tally: Tally): Warning[] {
    const { supervisor, recorder } = one;
    const schedules = one.scheduleRows(OTHERS_MS);
    const fleet = this.#fleet && { ...this.#latelyShown };
    const [stats, process] = [supervisor.stats(), this.#process.row()];
    return warningsOf({ stats, tally, recorder, process, schedules, fleet });
  }

  /** Undefined without the option `fleet`. */
  async fleetPage(q: string): Promise<FleetPage | undefined> {
    const page = await this.#fleet?.page(q);
    this.#fleetPage = page;
    this.#fleetShownMs = this.#clock.now();
    return page;
  }

  /** An error that was read long ago may be over: the fleet is read only while somebody looks. */
  get #latelyShown(): FleetPage | undefined {
    return this.#clock.now() - this.#fleetShownMs <= FLEET_MS ? this.#fleetPage : undefined;
  }

  close(): void {
    this.#fleet?.close();
    for (const one of this.all) one.close();
    this.#process.close();
  }
}

function supervisorRow({ name, supervisor }: Watched, warnings: readonly Warning[]): SupervisorRow {
  const level: Level = warnings.some((one) => one.level === 'bad') ? 'bad' : warnings.length > 0 ? 'warn' : 'info';
  const { phase, slotCount } = supervisor.stats();
  return { name, phase, slotCount, warnings: warnings.length, level };
}
