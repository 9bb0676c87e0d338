// Who runs a date of a schedule, agreed in Redis: one key a schedule, with its latest dates.

import { SystemClock } from '../../kit.ts';
import type { ClaimStore } from '../fleet/index.ts';
import { checkFit, type Port, run, within } from './client.ts';
import { CLAIM } from './script.ts';

const LIMIT_MS = 5_000;

export class RedisClaims implements ClaimStore {
  readonly #port: Port;
  readonly #prefix: string;
  readonly #allowEviction: boolean;
  readonly #clock = new SystemClock();
  #isChecked = false;

  constructor(port: Port, { prefix, allowEviction }: { readonly prefix: string; readonly allowEviction: boolean }) {
    this.#port = port;
    this.#prefix = prefix;
    this.#allowEviction = allowEviction;
  }

  async claim(schedule: string, dueMs: number, mark: string): Promise<boolean> {
    if (!this.#isChecked) await checkFit(this.#port, this.#clock, LIMIT_MS, this.#allowEviction);
    this.#isChecked = true;
    const claiming = run(this.#port, CLAIM, this.#key(schedule), [`${dueMs}`, mark]);
    return Number(await within(this.#clock, LIMIT_MS, 'claim', claiming)) === 1;
  }

  async last(schedule: string): Promise<number | undefined> {
    const latest = this.#port.send('ZRANGE', [this.#key(schedule), '-1', '-1']);
    const [claimed] = (await within(this.#clock, LIMIT_MS, 'ZRANGE', latest)) as unknown[];
    return claimed === undefined ? undefined : Number(String(claimed).split(' ')[0]);
  }

  #key(schedule: string): string {
    return `{${this.#prefix}}:claim:${schedule}`;
  }
}
