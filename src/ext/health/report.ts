// What a probe says: the findings of one look, put together.

import type { Stats } from '../../index.ts';
import { printable, show } from '../../kit.ts';
import type { LoopDelay } from './loop-delay.ts';
import type { HealthCheck } from './slot-check.ts';

/** What `live()` and `ready()` return: plain data, which JSON can hold. */
export interface HealthReport {
  /** The worst that was found. `warn`: look at it; the process works. */
  readonly status: 'pass' | 'warn' | 'fail';
  /** What was found, a text for people each. Empty for `pass`. Not promised: the words. */
  readonly why: readonly string[];
  /**
   * The phase of the supervisor. Of several: `open` if all are open, `closed` if all are closed,
   * else `closing`.
   */
  readonly phase: Stats['phase'];
  /**
   * The slots that were checked: for `ready()` those with a rule and the vital ones, for `live()`
   * those whose rule says `live`. With several supervisors the key is `supervisor/slot`.
   */
  readonly checks: Readonly<Record<string, HealthCheck>>;
  /** The delay of the event loop since the last call of `live()`. */
  readonly loop: LoopDelay;
}

/** A check, and the name of its slot. */
export type NamedCheck = readonly [name: string, check: HealthCheck];

/** `findings` are about no slot. */
export function reportOf(
  { phase, loop }: Pick<HealthReport, 'phase' | 'loop'>,
  findings: readonly HealthCheck[],
  checks: readonly NamedCheck[],
): HealthReport {
  const why: string[] = [];
  let status: HealthReport['status'] = 'pass';
  const add = (found: HealthCheck, about: string): void => {
    if (found.status === 'pass') return;
    if (status !== 'fail') status = found.status;
    why.push(printable(`${about}${found.why}`));
  };
  for (const found of findings) add(found, '');
  for (const [name, check] of checks) add(check, `slot ${show(name)}: `);
  return { status, why, phase, checks: Object.fromEntries(checks), loop };
}
