// Errors that no answer may show: what the functions of the options threw, and what failed within.

import { cut, describe, printable, warn } from '../../kit.ts';

/** What failed: an option that is the user's code, or an answer or a frame that we make. */
export type TroubleSpot = 'authorize' | 'schedules' | 'request' | 'stream';

/** Each is a warning of the process, the first time that it happens at a spot. */
export class Troubles {
  readonly #reported = new Set<TroubleSpot>();

  report(spot: TroubleSpot, error: unknown): void {
    if (this.#reported.has(spot)) return;
    this.#reported.add(spot);
    const what = spot === 'request' || spot === 'stream' ? `a ${spot} failed` : `the option ${spot} failed`;
    warn(
      'SLOTVISOR_DASHBOARD',
      `slotvisor/dashboard: ${what}: ${printable(cut(describe(error), 300))}. This is warned of once.`,
    );
  }
}
