// One supervisor that is watched: its phase, and the checks of its slots.

import type { Stats, Supervisor, VitalSlot } from '../../index.ts';
import { SEEN_OF_QUEUE } from '../../kit.ts';
import { DEFAULT_RULE, type Named, type Rule, type Rules } from './options.ts';
import type { NamedCheck } from './report.ts';
import { checkSlot } from './slot-check.ts';

export class Watched {
  /** For texts. */
  readonly name: string;
  readonly #prefix: string;
  readonly #supervisor: Supervisor;
  readonly #rules: ReadonlyMap<string, Rule>;
  readonly #liveRules: ReadonlyMap<string, Rule>;
  #closedAtMs: number | undefined;

  constructor({ prefix, supervisor }: Named, rules: Rules) {
    this.name = prefix === '' ? 'the supervisor' : `supervisor ${prefix.slice(0, -1)}`;
    this.#prefix = prefix;
    this.#supervisor = supervisor;
    const own = Array.from(rules).filter(([name]) => name.startsWith(prefix));
    this.#rules = new Map(own.map(([name, rule]) => [name.slice(prefix.length), rule]));
    this.#liveRules = new Map(Array.from(this.#rules).filter(([, { live }]) => live));
    supervisor.vitalSlots(); // from the first call on it keeps the dead ones
    void supervisor.closed.then(() => {
      this.#closedAtMs = supervisor.clock.now();
    });
  }

  get phase(): Stats['phase'] {
    return this.#supervisor.phase;
  }

  /** Undefined while it is not closed. */
  get closedForMs(): number | undefined {
    return this.#closedAtMs === undefined ? undefined : this.#supervisor.clock.now() - this.#closedAtMs;
  }

  /** Of the slots with a rule, and of the vital ones. */
  *checks(): Generator<NamedCheck> {
    const vital = this.#vital();
    for (const [slot, rule] of this.#rules) yield this.#check(slot, rule, vital.get(slot));
    for (const [slot, one] of vital) if (!this.#rules.has(slot)) yield this.#check(slot, DEFAULT_RULE, one);
  }

  /** Of the slots whose rule says `live`. */
  *liveChecks(): Generator<NamedCheck> {
    if (this.#liveRules.size === 0) return;
    const vital = this.#vital();
    for (const [slot, rule] of this.#liveRules) yield this.#check(slot, rule, vital.get(slot));
  }

  #vital(): Map<string, VitalSlot> {
    return new Map(this.#supervisor.vitalSlots().map((one) => [one.slot, one]));
  }

  #check(slot: string, rule: Rule, vital: VitalSlot | undefined): NamedCheck {
    const queued = rule.waitingMs === Infinity ? 0 : SEEN_OF_QUEUE; // views of a queue cost as much again
    const view = this.#supervisor.slot(slot).view({ queued });
    return [`${this.#prefix}${slot}`, checkSlot(view, rule, vital?.lastOutcome)];
  }
}
