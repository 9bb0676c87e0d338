// A flight: an entry of a slot and the submissions that joined it. They share one place, one body
// and one outcome. Each of them may leave before the others, the leader too: its entry keeps the
// place until the last participant has left. An entry that no submission has joined needs no
// flight, and costs none.

/** What a flight needs of its participants. Only policy/ sets these fields. */
export interface Participant<Self extends Participant<Self>> {
  /** The links of the queue. For a joined entry: of its flight. */
  ahead: Self | null;
  behind: Self | null;
  flight: Flight<Self> | null;
}

export class Flight<E extends Participant<E>> {
  /** Its place is the place of the flight, and its spec runs, also after it has left. */
  readonly leader: E;
  leaderLeft = false;
  /** How many have not left. */
  participants = 1;
  /** The joined entries that are left, linked in the order in which they joined. */
  first: E | null = null;
  #last: E | null = null;

  constructor(leader: E) {
    this.leader = leader;
  }

  join(entry: E): void {
    entry.flight = this;
    entry.ahead = this.#last;
    if (this.#last === null) this.first = entry;
    else this.#last.behind = entry;
    this.#last = entry;
    this.participants += 1;
  }

  /** The participant must not have left. */
  leave(entry: E): void {
    this.participants -= 1;
    if (entry === this.leader) {
      this.leaderLeft = true;
      return;
    }
    const { ahead, behind } = entry;
    if (ahead === null) this.first = behind;
    else ahead.behind = behind;
    if (behind === null) this.#last = ahead;
    else behind.ahead = ahead;
    unlink(entry);
  }
}

/** An ended entry that a caller still holds must not keep the others in memory. */
function unlink<E extends Participant<E>>(entry: E): void {
  entry.ahead = null;
  entry.behind = null;
  entry.flight = null;
}

export const leaderOf = <E extends Participant<E>>(entry: E): E => entry.flight?.leader ?? entry;

/** True for a leader that has left, and keeps the place of those that joined it. */
export function hasLeft<E extends Participant<E>>(entry: E): boolean {
  const { flight } = entry;
  return flight?.leaderLeft === true && flight.leader === entry;
}

/** The participants of the leader's flight that are left, in the order in which they came. */
export function remainingOf<E extends Participant<E>>(leader: E): E[] {
  const remaining = hasLeft(leader) ? [] : [leader];
  for (let entry = leader.flight?.first ?? null; entry !== null; entry = entry.behind) remaining.push(entry);
  return remaining;
}

/** How many participants of the leader's flight are left. */
export const participantsOf = <E extends Participant<E>>({ flight }: E): number => flight?.participants ?? 1;

/**
 * The participant that events, views and `by` name: the first that is left. Null once all have
 * left.
 */
export function firstOf<E extends Participant<E>>(leader: E): E | null {
  const { flight } = leader;
  return flight?.leaderLeft === true ? flight.first : leader;
}
