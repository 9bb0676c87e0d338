// A probe that counts: every attempt is opened once, and ended once.

import type { Probe, Supervisor } from 'slotvisor';

export class ProbeCount implements Probe {
  opened = 0;
  /** Attempts that have not ended, but for the abandoned ones. */
  open = 0;
  readonly wrong: string[] = [];

  attempt({ id, attempt }: { readonly id: string; readonly attempt: number }) {
    let [runs, ends] = [0, 0];
    this.opened += 1;
    this.open += 1;
    const check = (is: number, what: string): void => {
      if (is !== 1) this.wrong.push(`attempt ${attempt} of ${id} ${what} ${is} times`);
    };
    return {
      run: <R>(body: () => R): R => {
        runs += 1;
        check(runs, 'is run');
        return body();
      },
      ended: () => {
        ends += 1;
        this.open -= 1;
        check(runs, 'was run');
        check(ends, 'has ended');
      },
    };
  }

  /** Where it differs from what the supervisor counts; empty where both agree. */
  differences(supervisor: Supervisor): string[] {
    const { totals, bodies } = supervisor.stats();
    const differences = [...this.wrong];
    if (this.opened !== totals.attempts) differences.push(`${this.opened} probes for ${totals.attempts} attempts`);
    if (this.open !== bodies) differences.push(`${this.open} open probes for ${bodies} bodies`);
    return differences;
  }
}
