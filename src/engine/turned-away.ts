// A submission that was turned away at once. Its slot, or the supervisor, has decided before it was
// made, so there is nothing of it but this handle: a busy slot turns away at a third of the cost of
// an admission.

import type { TaskId } from '../model/id.ts';
import type { Outcome, Rejected } from '../model/outcome.ts';
import { showAs } from '../model/record.ts';
import type { Submission } from '../model/submission.ts';
import { identityOf, type SubmissionHost, valueOrThrow } from './submission.ts';
import type { SubmitCall } from './submit-call.ts';

export class TurnedAway implements Submission {
  static {
    showAs(TurnedAway, identityOf);
  }
  readonly #host: SubmissionHost;
  readonly #number: number;
  readonly #slot: string;
  readonly #name: string;
  readonly #rejection: Rejected;
  #outcome: Promise<Outcome> | undefined;

  constructor(host: SubmissionHost, { number, slot, name }: SubmitCall, rejection: Rejected) {
    this.#host = host;
    this.#number = number;
    this.#slot = slot;
    this.#name = name;
    this.#rejection = rejection;
  }
  get id(): TaskId {
    return this.#host.ids.text(this.#number);
  }
  get slot(): string {
    return this.#slot;
  }
  get name(): string {
    return this.#name;
  }
  get admission(): 'rejected' {
    return 'rejected';
  }
  get status(): 'ended' {
    return 'ended';
  }
  get outcome(): Promise<Outcome> {
    this.#outcome ??= Promise.resolve(this.#rejection);
    return this.#outcome;
  }
  async value(): Promise<unknown> {
    return valueOrThrow(await this.outcome, this.#name, this.#host.queueLimit(this.#slot), this.value);
  }
  cancel(): Promise<Outcome> {
    return this.outcome;
  }
  restart(): boolean {
    return false;
  }
}
