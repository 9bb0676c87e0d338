// Who runs a date of a schedule, agreed in Redis: one key a schedule, with its latest claimed date.

import { randomUUID } from 'node:crypto';
import type { DateClaims } from '../cron/index.ts';
import { checkFit, type Port, run, within } from './client.ts';
import { CLAIM } from './script.ts';

const ANSWER_MS = 5_000;

export class RedisClaims implements DateClaims {
  readonly #port: Port;
  readonly #prefix: string;
  readonly #allowEviction: boolean;
  #isChecked = false;
  /**
   * The claims that failed, by schedule: Redis may have done them. A repeated claim has the same
   * mark, so it gets the answer that was lost.
   */
  readonly #failed = new Map<string, { readonly dueMs: number; readonly mark: string }>();

  constructor(port: Port, { prefix, allowEviction }: { readonly prefix: string; readonly allowEviction: boolean }) {
    this.#port = port;
    this.#prefix = prefix;
    this.#allowEviction = allowEviction;
  }

  async claim(schedule: string, due: Date): Promise<boolean> {
    const key = this.#key(schedule);
    const dueMs = due.getTime();
    if (!this.#isChecked) await checkFit(this.#port, ANSWER_MS, this.#allowEviction);
    this.#isChecked = true;
    const failed = this.#failed.get(schedule);
    const mark = failed?.dueMs === dueMs ? failed.mark : randomUUID();
    this.#failed.delete(schedule); // one of several callers gets the answer
    try {
      return Number(await within(ANSWER_MS, 'claim', run(this.#port, CLAIM, key, [`${dueMs}`, mark]))) === 1;
    } catch (error) {
      this.#failed.set(schedule, { dueMs, mark });
      throw error;
    }
  }

  async last(schedule: string): Promise<Date | undefined> {
    const claimed = await within(ANSWER_MS, 'GET', this.#port.send('GET', [this.#key(schedule)]));
    return claimed === null ? undefined : new Date(Number(String(claimed).split(' ')[0]));
  }

  #key(schedule: string): string {
    if (/\p{Surrogate}/u.test(schedule))
      throw new Error(
        `the name of a schedule with claims must be well-formed Unicode, got ${JSON.stringify(schedule)}`,
      );
    return `{${this.#prefix}}:claim:${schedule}`;
  }
}
