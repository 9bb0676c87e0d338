// The submissions that ended last, for a supervisor with `keepEnded`. Of each it keeps who it was
// and how it ended: no body, no `meta` and no async context.

import type { TaskId } from '../model/id.ts';
import type { Outcome } from '../model/outcome.ts';
import { showAs } from '../model/record.ts';
import type { Admission, Submission } from '../model/submission.ts';
import { identityOf, type LiveSubmission, valueOrThrow } from './submission.ts';

class EndedSubmission implements Submission {
  static {
    showAs(EndedSubmission, identityOf);
  }
  readonly number: number;
  readonly id: TaskId;
  readonly slot: string;
  readonly name: string;
  readonly admission: Admission;
  readonly #outcome: Outcome;
  readonly #queueLimit: number;

  constructor({ number, id, slot, name, admission, queueLimit }: LiveSubmission, outcome: Outcome) {
    this.number = number;
    this.id = id;
    this.slot = slot;
    this.name = name;
    this.admission = admission;
    this.#outcome = outcome;
    this.#queueLimit = queueLimit;
    Object.freeze(this); // callers get this object
  }
  get status(): 'ended' {
    return 'ended';
  }
  get outcome(): Promise<Outcome> {
    return Promise.resolve(this.#outcome);
  }
  async value(): Promise<unknown> {
    return valueOrThrow(this.#outcome, this.name, this.#queueLimit, this.value);
  }
  cancel(): Promise<Outcome> {
    return this.outcome;
  }
  restart(): boolean {
    return false;
  }
}

export class EndedSubmissions {
  readonly #max: number;
  readonly #byNumber = new Map<number, EndedSubmission>();
  /**
   * A ring: `#next` is the place of the oldest once it is full. The first key of a Map, taken again
   * and again, costs more the larger the Map is (measured: 7 us at 10,000).
   */
  readonly #ring: EndedSubmission[] = [];
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get(number: number): Submission | undefined {
    return this.#byNumber.get(number);
  }

  add(submission: LiveSubmission, outcome: Outcome): void {
    const ended = new EndedSubmission(submission, outcome);
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined) this.#byNumber.delete(oldest.number);
    this.#ring[this.#next] = ended;
    this.#next = (this.#next + 1) % this.#max;
    this.#byNumber.set(ended.number, ended);
  }
}
