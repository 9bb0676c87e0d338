// What people see of a fleet: its processes, and who holds or waits for which slot.

import { parse, type Readers, refuse, show, wholeFrom } from '../../kit.ts';
import { checkSharedName } from './shared-name.ts';

/** Which slots a look shows. An option given as `undefined` counts as absent. */
export interface LookOptions {
  /** Only slots whose name contains this text, exactly. Default `''`: all. */
  readonly q?: string | undefined;
  /** At most so many slots, from 1 to 200. Default 50. */
  readonly limit?: number | undefined;
}

/** What a store is asked to show. */
export interface LookAsk {
  /** Only slots whose name contains this text, exactly: `''` for all. */
  readonly q: string;
  /** At most so many slots: the first ones by name. */
  readonly limit: number;
  /** At most so many names of each line: the first ones. */
  readonly lineLimit: number;
}

/** The fleet as the store knows it. */
export interface FleetLook {
  /** One of each session that is known, by name. */
  readonly processes: readonly FleetProcess[];
  /** Slots that are held or waited for, by name. */
  readonly slots: readonly FleetSlot[];
  /** There are more slots with such a name than these. */
  readonly more: boolean;
}

/** One process of a fleet. */
export interface FleetProcess {
  /** As its option `name` says. Several processes may have the same. */
  readonly name: string;
  /** This process. */
  readonly isSelf: boolean;
  /** The slots that it holds. */
  readonly held: number;
  /** Its places in line. */
  readonly waiting: number;
  /**
   * In how many ms its session expires, unless it beats. 0: that time is over, and the next beat
   * of another process removes it, unless it beats before.
   */
  readonly expiresInMs: number;
}

/** A slot that a process of the fleet holds, or waits for. */
export interface FleetSlot {
  /** The name of the slot. */
  readonly slot: string;
  /** The name of the process that holds it. Absent: the session of the holder is gone. */
  readonly holder?: string;
  /** This process holds it. */
  readonly isOurs: boolean;
  /** The fence of the latest grant. */
  readonly fence: bigint;
  /**
   * The names of the processes in line, at most 20, in their order: a replacement, then those that
   * wait, by arrival. A process that has missed beats is passed over, so the order may change.
   */
  readonly line: readonly string[];
  /** How many processes are in line. */
  readonly waiting: number;
}

const LINE_LIMIT = 20;

interface LookSettings {
  readonly q: string;
  readonly limit: number;
}

const READERS: Readers<LookSettings> = {
  q: readText,
  limit: (field, value) => wholeFrom(field, value, 1, 200),
};
const DEFAULTS: LookSettings = { q: '', limit: 50 };

/** @throws OptionError for an invalid option, and for a text that no name of a slot can contain. */
export const readLook = (options: LookOptions): LookAsk => ({
  ...parse('options', options as LookSettings, READERS, DEFAULTS),
  lineLimit: LINE_LIMIT,
});

function readText(field: string, value: unknown): string {
  if (typeof value !== 'string') return refuse(field, 'must be a string', value);
  checkSharedName(field, value);
  return value;
}

/** @throws TypeError for what is no answer to a look. */
export function checkLook(look: FleetLook): FleetLook {
  const { processes, slots, more } = (look ?? {}) as Partial<FleetLook>;
  const isLook =
    Array.isArray(processes) &&
    Array.isArray(slots) &&
    processes.every((one) => typeof one?.name === 'string' && one.held >= 0 && one.waiting >= 0) &&
    slots.every((one) => typeof one?.slot === 'string' && typeof one.fence === 'bigint' && Array.isArray(one.line)) &&
    typeof more === 'boolean';
  if (isLook) return look;
  throw new TypeError(`a store must answer a look with processes, slots and more, got ${show(look)}`);
}
