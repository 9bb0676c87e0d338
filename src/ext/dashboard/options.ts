// The options of `dashboard` and of its `serve`, and which supervisors it was given.

import type { Supervisor } from '../../index.ts';
import {
  aBoolean,
  aFunction,
  anObjectWith,
  GROUP_DEFAULTS,
  nameText,
  numberFrom,
  parse,
  type Readers,
  reading,
  readSupervisors,
  refuse,
  wholeFrom,
} from '../../kit.ts';
import type { FleetSource } from './fleet-rows.ts';
import { hostNameOf, loopbackNamesOf } from './hosts.ts';
import type { HistorySettings } from './recorder.ts';
import type { DashboardSchedule } from './schedule-rows.ts';
import type { ActionKind, ActionTarget } from './wire.ts';

/**
 * What a request asks for. `view` is every request that changes nothing, the page and its files
 * too. A view of one supervisor also shows the names of the others, and how many slots and warnings
 * each has.
 */
export type DashboardAction =
  | {
      readonly kind: 'view';
      /** The name of the supervisor: `default` if there is only one, given without a name. */
      readonly of: string;
    }
  | ({
      readonly kind: ActionKind;
      /** The name of the supervisor: `default` if there is only one, given without a name. */
      readonly of: string;
    } & ActionTarget);

/** How much is remembered, for each supervisor. A full list loses its oldest entry. */
export interface DashboardHistory {
  /** Events of all kinds. From 1 to 100,000. Default 5,000. */
  readonly events?: number | undefined;
  /**
   * Events that matter, and as many submissions that were turned away. From 1 to 100,000. Default
   * 5,000.
   */
  readonly notable?: number | undefined;
  /** Failures that are not the same. From 1 to 10,000. Default 200. */
  readonly problems?: number | undefined;
  /** The slots whose attempts are kept. From 1 to 100,000. Default 1,000. */
  readonly slots?: number | undefined;
  /** The attempts of each of them. From 1 to 1,000. Default 32. */
  readonly attempts?: number | undefined;
  /** The minutes of counts. From 1 to 10,080. Default 1,440, which is a day. */
  readonly minutes?: number | undefined;
}

/** Options of `dashboard`. An option given as `undefined` counts as absent. */
export interface DashboardOptions {
  /** What the page is called. 1 to 1,024 UTF-16 units. Default `'slotvisor'`. */
  readonly title?: string | undefined;
  /**
   * The group of a slot: a short word, the same for slots that do the same work. Where it throws or
   * returns no text, the group is `other`. Default: the slot's name up to its first `:`.
   */
  readonly group?: ((slot: string) => string) | undefined;
  /**
   * What the page shows of the `meta` of a task, at most 2,000 characters of JSON. `undefined`:
   * nothing. Where it throws, the page says so. Default: `meta` is not shown, since it can hold
   * secrets.
   */
  readonly meta?: ((meta: unknown) => unknown) | undefined;
  /**
   * The schedules of a supervisor. Pass `schedulesOf` of slotvisor/cron. At most 1,000 are shown.
   * Default: the page has no schedules.
   */
  readonly schedules?: ((supervisor: Supervisor) => Iterable<DashboardSchedule>) | undefined;
  /**
   * Who in the fleet holds which slot. Pass what `postgresLeases` or `redisLeases` returned. It is
   * read at most every five seconds, and only while somebody looks. Default: the page has no fleet.
   */
  readonly fleet?: FleetSource | undefined;
  /**
   * Called for every request. Only `true`, or a promise of `true`, lets it through: not another
   * value, not a throw, and not a promise that takes longer than five seconds. It must not read the
   * body of the request: `action` says what it holds. An open stream is asked about again each
   * minute, with its request. Default: every request may look.
   */
  readonly authorize?: ((request: Request, action: DashboardAction) => boolean | PromiseLike<boolean>) | undefined;
  /**
   * Whether the page can cancel, restart, pause, resume and trigger. `true` needs `authorize`.
   * Default `false`: it only shows.
   */
  readonly actions?: boolean | undefined;
  /**
   * The host names under which the page may be asked for, without a port. A request with another
   * `Host` gets 421: a site of an attacker whose name leads to this server cannot read it. Default:
   * those of loopback for a `serve` on loopback; else every name.
   */
  readonly hosts?: readonly string[] | undefined;
  /** The most streams at a time: one for each page that is open. From 1 to 10,000. Default 20. */
  readonly maxStreams?: number | undefined;
  /** How often an open page is brought up to date, in ms. From 100 to 60,000. Default 1,000. */
  readonly tickMs?: number | undefined;
  /** How much is remembered. */
  readonly history?: DashboardHistory | undefined;
}

/** Options of `serve`. */
export interface ServeOptions {
  /**
   * The port, a whole number from 0 to 65,535. With 0, the system chooses a free port. Default 0.
   */
  readonly port?: number | undefined;
  /**
   * The address to listen at. Another one than of loopback needs `authorize`. Default
   * `'127.0.0.1'`.
   */
  readonly host?: string | undefined;
}

export interface DashboardSettings {
  readonly title: string;
  readonly group: (slot: string) => string;
  readonly meta: ((meta: unknown) => unknown) | undefined;
  readonly schedules: ((supervisor: Supervisor) => Iterable<DashboardSchedule>) | undefined;
  readonly fleet: FleetSource | undefined;
  readonly authorize: ((request: Request, action: DashboardAction) => unknown) | undefined;
  readonly actions: boolean;
  readonly hosts: readonly string[] | undefined;
  readonly maxStreams: number;
  readonly tickMs: number;
  readonly history: HistorySettings;
}

const HISTORY_DEFAULTS: HistorySettings = {
  events: 5_000,
  notable: 5_000,
  problems: 200,
  slots: 1_000,
  attempts: 32,
  minutes: 1_440,
};

const upTo =
  (max: number) =>
  (field: string, value: unknown): number =>
    wholeFrom(field, value, 1, max);

const HISTORY_READERS: Readers<HistorySettings> = {
  events: upTo(100_000),
  notable: upTo(100_000),
  problems: upTo(10_000),
  slots: upTo(100_000),
  attempts: upTo(1_000),
  minutes: upTo(10_080),
};

const DEFAULTS: DashboardSettings = {
  title: 'slotvisor',
  group: GROUP_DEFAULTS.group,
  meta: undefined,
  schedules: undefined,
  fleet: undefined,
  authorize: undefined,
  actions: false,
  hosts: undefined,
  maxStreams: 20,
  tickMs: 1_000,
  history: HISTORY_DEFAULTS,
};

const READERS: Readers<DashboardSettings> = {
  title: nameText,
  group: aFunction,
  meta: aFunction,
  schedules: aFunction,
  fleet: readFleet,
  authorize: aFunction,
  actions: aBoolean,
  hosts: readHosts,
  maxStreams: upTo(10_000),
  tickMs: (field, value) => numberFrom(field, value, 100, 60_000),
  history: (field, value) => parse(field, value as HistorySettings, HISTORY_READERS, HISTORY_DEFAULTS),
};

export function parseDashboardOptions(options: unknown): DashboardSettings {
  const settings = parse('options', options as DashboardSettings, READERS, DEFAULTS);
  if (settings.actions && settings.authorize === undefined)
    refuse('actions', 'must not be true without the option authorize, which says who may act', true);
  return settings;
}

export interface ServeSettings {
  readonly port: number;
  readonly host: string;
}

export function parseServeOptions(options: unknown, { authorize }: DashboardSettings): ServeSettings {
  const readers: Readers<ServeSettings> = {
    port: (field, value) => wholeFrom(field, value, 0, 65_535),
    host: nameText,
  };
  const settings = parse('options', options as ServeSettings, readers, { port: 0, host: '127.0.0.1' });
  if (authorize === undefined && loopbackNamesOf(settings.host) === undefined)
    refuse('host', 'must be of loopback, unless the option authorize says who may look', settings.host);
  return settings;
}

function readFleet(field: string, value: unknown): FleetSource {
  anObjectWith('look', field, 'must be a lease store of slotvisor/postgres or slotvisor/redis', value);
  return value as FleetSource;
}

function readHosts(field: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) return refuse(field, 'must be an array of host names', value);
  const names = reading(field, value, () => [...value]) as unknown[];
  if (names.length === 0) refuse(field, 'must have a host name', value);
  return names.map((name, i) => {
    const path = `${field}[${i}]`;
    return (
      hostNameOf(nameText(path, name), 'without a port') ?? refuse(path, 'must be a host name without a port', name)
    );
  });
}

/** A supervisor by its name. */
export interface NamedSupervisor {
  readonly name: string;
  readonly supervisor: Supervisor;
}

/** A supervisor that was given alone has the name `default`. */
export function readNamed(value: unknown): NamedSupervisor[] {
  return readSupervisors<Supervisor>(value).map(({ name = 'default', supervisor }) => ({ name, supervisor }));
}
