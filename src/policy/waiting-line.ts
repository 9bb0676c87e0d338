// What waits in one slot: the replacement, and the queue behind it. It keeps the order and decides
// nothing. The links of the queue are stored in the entries, so every change is O(1), also in the
// middle of the queue.

import type { AdmissionPolicy } from '../model/settings.ts';

interface Linked<Self> {
  readonly policy: AdmissionPolicy;
  ahead: Self | null;
  behind: Self | null;
}

export class WaitingLine<E extends Linked<E>> {
  /**
   * It was cut off its slot, and nothing in it waits any more. An entry that waits has its line as
   * its place, so a line of any length is cut off in one step.
   */
  isCut = false;
  /** Goes first. */
  replacement: E | null = null;
  /** The `keepLatest` of the queue. There is at most one. */
  latest: E | null = null;
  queueLength = 0;
  #head: E | null = null;
  #tail: E | null = null;

  /** The entry that starts next. */
  get first(): E | null {
    return this.replacement ?? this.#head;
  }
  /** How many wait, the replacement included. */
  get length(): number {
    return this.replacement === null ? this.queueLength : this.queueLength + 1;
  }
  /** In the order in which they start. */
  *[Symbol.iterator](): IterableIterator<E> {
    if (this.replacement !== null) yield this.replacement;
    for (let entry = this.#head; entry !== null; entry = entry.behind) yield entry;
  }

  /** A line of copies. `copyOf` answers for the same entry with the same copy, links included. */
  copy<C extends Linked<C>>(copyOf: (entry: E) => C): WaitingLine<C> {
    const copy = new WaitingLine<C>();
    copy.replacement = this.replacement && copyOf(this.replacement);
    copy.latest = this.latest && copyOf(this.latest);
    copy.#head = this.#head && copyOf(this.#head);
    copy.#tail = this.#tail && copyOf(this.#tail);
    copy.queueLength = this.queueLength;
    return copy;
  }

  /** The head of the queue, or the entry behind it. The queue must have it. */
  oldest(skipsHead: boolean): E {
    const head = this.#head as E;
    return skipsHead ? (head.behind as E) : head;
  }

  /** The last ones of the queue, in their order: as many as there are, but at most `count`. */
  newest(count: number): E[] {
    const newest: E[] = [];
    for (let entry = this.#tail; entry !== null && newest.length < count; entry = entry.ahead) newest.push(entry);
    return newest.reverse();
  }

  /** Cuts the whole line off. Returns its first entry. All are linked by `behind`. */
  cut(): E | null {
    this.isCut = true;
    if (this.replacement !== null) this.replacement.behind = this.#head;
    return this.first;
  }

  append(entry: E): void {
    this.#link(entry, this.#tail, null);
  }

  /** `entry` takes the place of `old`, which leaves the queue. */
  takePlace(old: E, entry: E): void {
    const { ahead, behind } = old;
    this.remove(old);
    this.#link(entry, ahead, behind);
  }

  remove(entry: E): void {
    if (entry === this.replacement) {
      this.replacement = null;
      return;
    }
    const { ahead, behind } = entry;
    if (ahead === null) this.#head = behind;
    else ahead.behind = behind;
    if (behind === null) this.#tail = ahead;
    else behind.ahead = ahead;
    entry.ahead = null;
    entry.behind = null;
    this.queueLength -= 1;
    if (entry === this.latest) this.latest = null;
  }

  #link(entry: E, ahead: E | null, behind: E | null): void {
    entry.ahead = ahead;
    entry.behind = behind;
    if (ahead === null) this.#head = entry;
    else ahead.behind = entry;
    if (behind === null) this.#tail = entry;
    else behind.ahead = entry;
    this.queueLength += 1;
    if (entry.policy === 'keepLatest') this.latest = entry;
  }
}
