// The options of `health`, and which supervisors it was given.

import type { Supervisor } from '../../index.ts';
import {
  aBoolean,
  count,
  durationMs,
  nameText,
  parse,
  positiveMs,
  type Readers,
  readFields,
  readSupervisors,
  refuse,
} from '../../kit.ts';

/** What must hold in one slot. An option that is absent has its default. */
export interface SlotRule {
  /**
   * The slot must be in use: it has an owner, or a submission waits there, for a lease too. If not,
   * the check fails. Default `true`.
   */
  readonly owned?: boolean | undefined;
  /**
   * The check fails once the owner's body has overrun its grace for this long, in ms, 0 or more.
   * `Infinity`: never. Default 0.
   */
  readonly overrunMs?: number | undefined;
  /**
   * The check fails once a task has waited for this long, in ms, 0 or more: in the queue, for the
   * lease, or at the concurrency gate for its next attempt. `Infinity`: never. Default `Infinity`.
   */
  readonly waitingMs?: number | undefined;
  /**
   * The check warns while the owner is in backoff after this many failures in a row. A whole
   * number, 1 or more. `Infinity`: never. Default 5.
   */
  readonly failures?: number | undefined;
  /**
   * The check warns once the owner has been in one backoff for this long, in ms, 0 or more.
   * `Infinity`: never. Default `Infinity`.
   */
  readonly backoffMs?: number | undefined;
  /**
   * The check counts for `live()` too: if it fails, the process is to be restarted. Only for what a
   * restart can cure. Default `false`.
   */
  readonly live?: boolean | undefined;
}

/** Options of `health`. */
export interface HealthOptions {
  /**
   * Rules by slot. They are for slots that are not vital, and for vital ones that need other than
   * the default rule. With several supervisors the key is `supervisor/slot`. Default: none.
   */
  readonly rules?: Readonly<Record<string, SlotRule>> | undefined;
  /**
   * `live()` fails once the event loop was delayed by more than this in three windows in a row: the
   * 99th percentile, in ms, more than 0. `Infinity`: never. Default 1,000.
   */
  readonly maxDelayMs?: number | undefined;
  /**
   * `live()` fails once a supervisor has been closed for longer than this, in ms, 0 or more: the
   * process should be gone by then. `Infinity`: never. Default 30,000.
   */
  readonly closedMs?: number | undefined;
}

/** A rule, complete. */
export interface Rule {
  readonly owned: boolean;
  readonly overrunMs: number;
  readonly waitingMs: number;
  readonly failures: number;
  readonly backoffMs: number;
  readonly live: boolean;
}

export const DEFAULT_RULE: Rule = {
  owned: true,
  overrunMs: 0,
  waitingMs: Infinity,
  failures: 5,
  backoffMs: Infinity,
  live: false,
};

const RULE_READERS: Readers<Rule> = {
  owned: aBoolean,
  overrunMs: durationMs,
  waitingMs: durationMs,
  failures: (field, value) => count(field, value, 1),
  backoffMs: durationMs,
  live: aBoolean,
};

/** The rules by the name of their check. */
export type Rules = ReadonlyMap<string, Rule>;

export interface HealthSettings {
  readonly rules: Rules;
  readonly maxDelayMs: number;
  readonly closedMs: number;
}

/** What the name of each check of a supervisor begins with: nothing, if it is the only one. */
export interface Named {
  readonly prefix: string;
  readonly supervisor: Supervisor;
}

export function parseHealthOptions(options: unknown, supervisors: readonly Named[]): HealthSettings {
  const readers: Readers<HealthSettings> = {
    rules: (field, value) => readRules(field, value, supervisors),
    maxDelayMs: positiveMs,
    closedMs: durationMs,
  };
  return parse('options', options as HealthSettings, readers, {
    rules: new Map(),
    maxDelayMs: 1_000,
    closedMs: 30_000,
  });
}

function readRules(field: string, value: unknown, supervisors: readonly Named[]): Rules {
  return new Map(
    Object.entries(readFields(field, value)).map(([key, given]) => {
      const path = `${field}.${key}`;
      const owner = supervisors.find(({ prefix }) => key.startsWith(prefix));
      if (owner === undefined) {
        const prefixes = supervisors.map(({ prefix }) => `'${prefix}'`).join(', ');
        return refuse(path, `must begin with the name of its supervisor (${prefixes})`, given);
      }
      nameText(path, key.slice(owner.prefix.length));
      return [key, parse(path, given as Rule, RULE_READERS, DEFAULT_RULE)];
    }),
  );
}

export function readNamed(value: unknown): Named[] {
  return readSupervisors<Supervisor>(value).map(({ name, supervisor }) => {
    if (name === undefined) return { prefix: '', supervisor };
    if (name.includes('/')) refuse(`supervisor.${name}`, 'must have a name without /', supervisor);
    return { prefix: `${name}/`, supervisor };
  });
}
