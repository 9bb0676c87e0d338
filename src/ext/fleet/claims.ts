// The dates that schedules of several processes claim, over a store of claims.

import { randomUUID } from 'node:crypto';
import { anObjectWith, fromCaller, nameText, refuse } from '../../kit.ts';
import type { DateClaims } from '../cron/index.ts';
import { checkSharedName } from './shared-name.ts';

/**
 * Where dates are claimed. Each operation is one atomic step of the engine. It settles within some
 * seconds: an engine that does not answer is an error. The names of schedules are as those of
 * slots: well-formed Unicode without NUL, of at most 2,000 bytes of UTF-8.
 */
export interface ClaimStore {
  /**
   * Claims a date of a schedule, in epoch ms. True if no call has claimed it before. True also if
   * the latest claim of the schedule has this mark: its answer was lost, and the call is repeated.
   *
   * @param mark a random id of the call, the same when it is repeated.
   */
  claim(schedule: string, dueMs: number, mark: string): Promise<boolean>;
  /** The latest date that was claimed, in epoch ms. `undefined` if none was. */
  last(schedule: string): Promise<number | undefined>;
}

/**
 * Makes the `claims` of the schedules of `slotvisor/cron`, over `store`. A claim that failed has
 * the answer that was lost when it is repeated, unless another date was claimed meanwhile.
 *
 * @throws OptionError for a store that lacks an operation.
 */
export function fleetClaims(store: ClaimStore): DateClaims {
  return fromCaller(fleetClaims, () => {
    for (const name of ['claim', 'last'] as const)
      anObjectWith(name, 'store', `must have the operation ${name}`, store);
    return new FleetClaims(store);
  });
}

class FleetClaims implements DateClaims {
  readonly #store: ClaimStore;
  /** By schedule: the claim that failed last. The store may have done it. */
  readonly #failed = new Map<string, { readonly dueMs: number; readonly mark: string }>();

  constructor(store: ClaimStore) {
    this.#store = store;
  }

  async claim(schedule: string, due: Date): Promise<boolean> {
    const name = checkSchedule(schedule);
    const dueMs = epochMs(due);
    const failed = this.#failed.get(name);
    const mark = failed?.dueMs === dueMs ? failed.mark : randomUUID();
    this.#failed.delete(name); // one caller has the answer that was lost
    try {
      return await this.#store.claim(name, dueMs, mark);
    } catch (error) {
      this.#failed.set(name, { dueMs, mark });
      throw error;
    }
  }

  async last(schedule: string): Promise<Date | undefined> {
    const ms = await this.#store.last(checkSchedule(schedule));
    return ms === undefined ? undefined : new Date(ms);
  }
}

function epochMs(due: Date): number {
  anObjectWith('getTime', 'due', 'must be a Date', due);
  const ms = due.getTime();
  return Number.isNaN(ms) ? refuse('due', 'must be a valid Date', due) : ms;
}

function checkSchedule(value: string): string {
  const name = nameText('schedule', value);
  checkSharedName('schedule', name);
  return name;
}
