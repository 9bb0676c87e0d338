// Warns of failures that nothing watches. Without a subscriber, and without a look at an outcome, a
// user would not learn that a task fails. One warning of the process says so for each group of
// slots. Nothing is kept of a failure for longer than one turn of the event loop, and an attempt
// that does not fail never comes here.

import { LaterTurn } from '../kernel/later-turn.ts';
import { warn } from '../kernel/warning.ts';
import { brief, firstLine, show } from '../model/error.ts';
import type { TaskEventType } from '../model/event.ts';
import type { Failure } from '../model/failure.ts';
import { field } from '../model/foreign.ts';
import type { Outcome } from '../model/outcome.ts';
import { printable } from '../model/printable.ts';
import { slotGroup } from '../model/slot-group.ts';
import { remainingOf } from '../policy/flight.ts';
import { type EventPublisher, FAILURE_EVENTS } from './events.ts';
import type { Probes } from './probes.ts';
import type { LiveSubmission } from './submission.ts';

/** The most warnings of one supervisor. */
const MAX_WARNINGS = 20;

const FAILED = 'SLOTVISOR_UNWATCHED_FAILURE';
const HELD = 'SLOTVISOR_OVERRUN_HELD';
type Code = typeof FAILED | typeof HELD;

export class Unwatched {
  readonly #events: EventPublisher;
  readonly #probes: Pick<Probes, 'active'>;
  readonly #isWrapped: boolean;
  readonly #warned: Readonly<Record<Code, Set<string | undefined>>> = { [FAILED]: new Set(), [HELD]: new Set() };
  #left = MAX_WARNINGS;
  readonly #sightings = new LaterTurn<Sighting>((sightings) => this.#lookAgain(sightings));

  /** `isWrapped`: an `aroundAttempt` sees every attempt. */
  constructor(events: EventPublisher, probes: Pick<Probes, 'active'>, isWrapped: boolean) {
    this.#events = events;
    this.#probes = probes;
    this.#isWrapped = isWrapped;
  }

  /**
   * An attempt failed. Called before anything follows: a flight that ends loses its participants.
   * `undefined` if there is nothing to warn of. Otherwise what follows has to be passed on.
   */
  failed(leader: LiveSubmission, attempt: number, failure: Failure): Sighting | undefined {
    return this.#see(FAILED, FAILURE_EVENTS[failure.kind], leader, () => failedText(attempt, failure));
  }

  /** The grace of an attempt is over, and its body keeps the slot. */
  overrunHeld(leader: LiveSubmission, attempt: number, sinceMs: number): void {
    this.#see(HELD, 'overrun', leader, () => heldText(attempt, sinceMs));
  }

  #see(code: Code, type: TaskEventType, leader: LiveSubmission, what: () => string): Sighting | undefined {
    // Most failures end here: a task that is alone, and whose outcome was asked for.
    if (leader.flight === null && leader.isOutcomeAsked) return undefined;
    if (this.#left === 0 || this.#warned[code].has(groupOf(leader))) return undefined;
    const participants = remainingOf(leader);
    if (participants.length === 0 || this.#isWatched(type, participants)) return undefined;
    const sighting = new Sighting(code, type, participants, what());
    this.#sightings.add(sighting);
    return sighting;
  }

  /** All that counts as watching, in one place. */
  #isWatched(type: TaskEventType, participants: readonly LiveSubmission[]): boolean {
    if (this.#isWrapped || this.#probes.active) return true;
    return this.#events.reaches(type) || participants.some((one) => one.isOutcomeAsked);
  }

  /** A caller that has submitted and awaits the outcome may not have come to that line before. */
  #lookAgain(sightings: readonly Sighting[]): void {
    for (const { code, type, participants, text } of sightings) {
      const group = groupOf(participants[0] as LiveSubmission);
      const warned = this.#warned[code];
      if (this.#left === 0 || warned.has(group) || this.#isWatched(type, participants)) continue;
      this.#left -= 1;
      warned.add(group);
      warn(code, printable(`${text} ${this.#advice(group)}`));
    }
  }

  #advice(group: string | undefined): string {
    const which = group === undefined ? 'slots without a name' : `slots of the group ${show(group)}`;
    const last = this.#left === 0 ? ', and is the last one of its supervisor' : '';
    return `To watch, call supervisor.subscribe(), or await the outcome. This warning comes once for ${which}${last}. new Supervisor({ warnings: false }) turns it off.`;
  }
}

/** An attempt that failed or overran, and that nothing watched then. */
export class Sighting {
  readonly code: Code;
  readonly type: TaskEventType;
  /** At the time. */
  readonly participants: readonly LiveSubmission[];
  readonly #what: string;
  #follows = '';

  constructor(code: Code, type: TaskEventType, participants: readonly LiveSubmission[], what: string) {
    this.code = code;
    this.type = type;
    this.participants = participants;
    this.#what = what;
  }

  /** What follows the failure is decided. `retryInMs` is undefined where no retry is due later. */
  decided(retryInMs: number | undefined): void {
    this.#follows = ` ${followsText(retryInMs, this.participants[0]?.settledTo)}`;
  }

  get text(): string {
    return `The task ${show(this.participants[0]?.name)} ${this.#what}${this.#follows}`;
  }
}

/** A slot of its own, which a submission without slot and name gets, has no group. */
const groupOf = ({ slot, id }: LiveSubmission): string | undefined => (slot === id ? undefined : slotGroup(slot));

const failedText = (attempt: number, failure: Failure): string =>
  `failed, and nothing watches it (attempt ${attempt}, ${failureText(failure)}).`;

const heldText = (attempt: number, sinceMs: number): string =>
  `has overrun its grace, and nothing watches it (attempt ${attempt} was asked to stop ${Math.round(sinceMs)} ms ago, and has not ended). Its slot stays busy until the body ends.`;

/** The name and the first line of what was thrown. */
function failureText(failure: Failure): string {
  const line = brief(firstLine(failure.message.trim()));
  const name = failure.kind === 'thrown' ? field(failure.error, 'name') : undefined;
  return typeof name === 'string' && name !== '' ? `${brief(name)}: ${line}` : line;
}

function followsText(retryInMs: number | undefined, outcome: Outcome | undefined): string {
  if (retryInMs !== undefined) return `It is retried in ${Math.round(retryInMs)} ms.`;
  if (outcome === undefined) return 'The next attempt follows at once.';
  const why = 'because' in outcome ? `, because of ${outcome.because}` : 'by' in outcome ? `, by ${outcome.by}` : '';
  return `It ended ${outcome.kind}${why}.`;
}
