// A job that is asked for any number of times, and done once, on the next turn of the event loop.

export class LaterTurn {
  readonly #job: () => void;
  /** Taken once, as all timers of a supervisor are. */
  readonly #setImmediate: (job: () => void) => unknown = setImmediate;
  #isAsked = false;
  readonly #onTurn = () => {
    this.#isAsked = false;
    this.#job();
  };

  /** The job must not throw. */
  constructor(job: () => void) {
    this.#job = job;
  }

  ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#setImmediate(this.#onTurn);
  }
}
