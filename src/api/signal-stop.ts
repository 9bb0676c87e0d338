// What a signal of the process does to a supervisor: `before`, the delay, the shutdown, `after`,
// and the exit if it is needed. `run` and `stopOnSignals` use it.

import { after, type Clock } from '../kernel/clock.ts';
import { shared } from '../kernel/copies.ts';
import { deferred, ignore } from '../kernel/deferred.ts';
import { onSignals } from '../kernel/signals.ts';
import { warn } from '../kernel/warning.ts';
import { describe } from '../model/foreign.ts';
import { printable } from '../model/printable.ts';
import type { ShutdownReport } from '../model/view.ts';
import type { ShutdownTimes } from '../policy/shutdown.ts';
import type { ShutdownOptions, StopSettings } from './call-options.ts';

/** What it needs of a supervisor. */
export interface Stoppable {
  readonly clock: Clock;
  readonly closed: Promise<ShutdownReport>;
  /** How many bodies were given up and are alive. */
  readonly abandonedAlive: number;
  /**
   * The times of a call that gives these.
   *
   * @throws OptionError for a finish time that is more than the grace.
   */
  times(given: ShutdownOptions): ShutdownTimes;
  /** Begins the shutdown, or hastens it. */
  stop(times: ShutdownTimes): void;
}

const AT_ONCE: ShutdownTimes = { graceMs: 0, finishMs: 0 };

/**
 * The stops that a signal has begun. The exit of one would cut the others short, so the last to end
 * decides for all.
 */
const begun = shared('signal-stops', () => new Set<SignalStop>());

export class SignalStop {
  readonly #supervisor: Stoppable;
  readonly #settings: StopSettings;
  /** Ends the wait for `before` and the delay. */
  readonly #cut = deferred<void>();
  #isCut = false;
  #received = 0;
  #isOver = false;
  /** Removes the signal handlers. What a signal has begun goes on. */
  readonly end: () => void;

  constructor(supervisor: Stoppable, settings: StopSettings) {
    this.#supervisor = supervisor;
    this.#settings = settings;
    this.end = onSignals(settings.signals, () => this.#onSignal());
    void supervisor.closed.then(() => {
      this.#cutShort();
      this.end();
    });
  }

  #onSignal(): void {
    this.#received += 1;
    if (this.#received === 1) {
      begun.add(this);
      ignore(this.#stop());
    } else {
      this.#cutShort();
      this.#supervisor.stop(AT_ONCE);
    }
  }

  #cutShort(): void {
    this.#isCut = true;
    this.#cut.resolve();
  }

  async #stop(): Promise<void> {
    const { before, delayMs, after: afterwards } = this.#settings;
    if (before !== undefined) await Promise.race([guarded('before', before), this.#cut.promise]);
    if (delayMs > 0 && !this.#isCut) await this.#delay(delayMs);
    this.#supervisor.stop(this.#supervisor.times(this.#settings));
    const report = await this.#supervisor.closed;
    if (afterwards !== undefined) await guarded('after', () => afterwards(report));
    this.#isOver = true;
    exitIfNeeded();
  }

  async #delay(ms: number): Promise<void> {
    const over = deferred<void>();
    const stopTimer = after(this.#supervisor.clock, ms, over.resolve);
    await Promise.race([over.promise, this.#cut.promise]);
    stopTimer();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Undefined where the process need not exit. */
  get exitCode(): number | undefined {
    return this.#supervisor.abandonedAlive > 0 ? this.#settings.exitCode : undefined;
  }
}

/** A body that was given up may hold a timer or a socket, so that the process never ends. */
function exitIfNeeded(): void {
  const all = [...begun];
  if (!all.every(({ isOver }) => isOver)) return;
  begun.clear();
  const exitCode = all.map((one) => one.exitCode).find((code) => code !== undefined);
  if (exitCode !== undefined) process.exit(exitCode);
}

/** What it throws must not keep the shutdown from its course. */
async function guarded(name: string, call: () => unknown): Promise<void> {
  try {
    await call();
  } catch (error) {
    warn('SLOTVISOR_CALLBACK_FAILED', printable(`${name} of stopOnSignals failed: ${describe(error)}`));
  }
}
