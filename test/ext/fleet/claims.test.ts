// The claims of schedules, over a store of claims.

import { OptionError } from 'slotvisor';
import { type ClaimStore, fleetClaims } from 'slotvisor/fleet';
import { describe, expect, test } from 'vitest';

/** Keeps every claim. Answers are lost as often as `lost` says. */
class MemoryClaims implements ClaimStore {
  readonly marks = new Map<string, string>();
  lost = 0;

  async claim(schedule: string, dueMs: number, mark: string): Promise<boolean> {
    const date = `${schedule} ${dueMs}`;
    const isOurs = (this.marks.get(date) ?? mark) === mark;
    if (isOurs) this.marks.set(date, mark);
    this.#answer();
    return isOurs;
  }

  async last(schedule: string): Promise<number | undefined> {
    this.#answer();
    return schedule === 'never' ? undefined : 7;
  }

  #answer(): void {
    if (this.lost > 0) {
      this.lost -= 1;
      throw new Error('the answer was lost');
    }
  }
}

const at = (ms: number) => new Date(ms);

describe('a claim whose answer was lost', () => {
  test('has it when it is repeated, once', async () => {
    const store = new MemoryClaims();
    const claims = fleetClaims(store);
    store.lost = 2;
    await expect(claims.claim('s', at(1))).rejects.toThrow('the answer was lost');
    await expect(claims.claim('s', at(1))).rejects.toThrow('the answer was lost');
    expect([await claims.claim('s', at(1)), await claims.claim('s', at(1))]).toEqual([true, false]);
  });

  test('is no claim of another date, of another schedule or of another process', async () => {
    const store = new MemoryClaims();
    const claims = fleetClaims(store);
    store.lost = 1;
    await expect(claims.claim('s', at(1))).rejects.toThrow('the answer was lost');
    expect(await fleetClaims(store).claim('s', at(1))).toBe(false);
    await claims.claim('t', at(1));
    await claims.claim('s', at(2));
    expect(new Set(store.marks.values()).size).toBe(3);
    expect(await claims.claim('s', at(1))).toBe(false);
  });
});

test('the latest date is a Date, or undefined', async () => {
  const claims = fleetClaims(new MemoryClaims());
  expect([await claims.last('s'), await claims.last('never')]).toEqual([at(7), undefined]);
});

test('names and dates that no store can keep are refused, and the store is not called', async () => {
  const store = new MemoryClaims();
  const claims = fleetClaims(store);
  for (const name of ['', undefined, 'a\0b', 'a\ud800', 'é'.repeat(1_001)]) {
    await expect(claims.claim(name as string, at(1))).rejects.toThrow(/^schedule must/);
    await expect(claims.last(name as string)).rejects.toThrow(/^schedule must/);
  }
  await expect(claims.claim('s', at(NaN))).rejects.toThrow(/^due must be a valid Date/);
  await expect(claims.claim('s', 5 as never)).rejects.toThrow(/^due must be a Date/);
  expect(store.marks.size).toBe(0);
});

test('a store that lacks an operation is refused', () => {
  for (const none of [undefined, {}, { claim: () => true }])
    expect(() => fleetClaims(none as never)).toThrow(OptionError);
  expect(() => fleetClaims({ claim: () => true } as never)).toThrow(/^store must have the operation last/);
});
