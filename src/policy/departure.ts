// Entries that leave a slot together, each with those that joined it. That they leave is decided at
// once, in one step. They are taken one by one, so that many outcomes can be given in parts. An
// entry that was not taken yet has left its slot already: nothing that it does changes anything.

import { firstOf, type Participant } from './flight.ts';

/** What a departure needs of an entry. */
interface Departing<Self extends Departing<Self>> extends Participant<Self> {
  place: object | string;
}

export class Departure<E extends Departing<E>> {
  /** The leaders are linked by `behind`. */
  #first: E | null;
  /** The entry that was added last. */
  #last: E | null = null;
  /** How many flights have a participant that was not taken. */
  flights: number;

  constructor(first: E | null = null, flights = first === null ? 0 : 1) {
    this.#first = first;
    this.flights = flights;
  }

  get isEmpty(): boolean {
    return this.#first === null;
  }

  /**
   * Adds an entry that is in no line, and whose `place` shows that it does not wait. The departure
   * was made without an entry, and none was taken.
   */
  add(leader: E): void {
    if (this.#last === null) this.#first = leader;
    else this.#last.behind = leader;
    this.#last = leader;
    this.flights += 1;
  }

  /** The next one: all of a flight, the leader first, then the next flight. There must be one. */
  take(): E {
    const leader = this.#first as E;
    const { flight } = leader;
    const one = firstOf(leader) as E;
    flight?.leave(one);
    one.place = 'done';
    if (flight === null || flight.participants === 0) this.#goOn(leader);
    return one;
  }

  /** An ended entry that a caller still holds must not keep the others in memory. */
  #goOn(leader: E): void {
    this.#first = leader.behind;
    leader.ahead = null;
    leader.behind = null;
    leader.flight = null;
    leader.place = 'done';
    this.flights -= 1;
  }
}
