import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { type Vital, VitalSlots } from '../../src/engine/vital-slots.ts';
import { STOP_CAUSES } from '../../src/model/error.ts';
import { thrownFailure } from '../../src/model/failure.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { SEED } from '../support/effort.ts';

const failure = thrownFailure(new Error('boom'));
const completed: Outcome = { kind: 'completed', value: 1, attempts: 1 };
const failed: Outcome = { kind: 'failed', failure, attempts: 1, because: 'policy' };
const fatal: Outcome = { kind: 'fatal', failure, attempts: 1 };

/** Vital slots, each with an owner. `end` empties one. */
function setup(deadFraction: number, ...names: string[]) {
  const tooManyDied = vi.fn();
  const vitals = new VitalSlots(deadFraction, () => 0, tooManyDied);
  for (const name of names) vitals.add(name);
  const end = (name: string, outcome: Outcome): Vital | undefined => {
    const vital = vitals.find(name) as Vital;
    vital.ownerEnded(outcome);
    return vitals.changed(vital, true);
  };
  return { vitals, end, tooManyDied };
}

describe('a vital slot that is empty', () => {
  test.for<readonly [Outcome, boolean]>([
    [completed, false],
    [failed, true],
    [fatal, true],
    ...STOP_CAUSES.flatMap((by): (readonly [Outcome, boolean])[] => {
      const isPossible = by !== 'task' && by !== 'queueTimeout'; // these stop no body that could overrun
      const forced = (['killed', 'abandoned'] as const).map((kind) => [{ kind, by, attempts: 1 }, true] as const);
      return [[{ kind: 'canceled', by, attempts: 1 }, false], ...(isPossible ? forced : [])];
    }),
  ])('after %j is dead: %s', ([outcome, isDead]) => {
    const { vitals, end } = setup(1, 'a', 'b');
    expect(end('a', outcome) !== undefined).toBe(isDead);
    const b = { slot: 'b', alive: true };
    const a = { slot: 'a', alive: false, lastOutcome: outcome.kind };
    expect(vitals.views()).toEqual(isDead ? [a, b] : [b]);
  });

  test('is dead where a vital submission was refused its lease', () => {
    const { vitals } = setup(1, 'a');
    const vital = vitals.find('a') as Vital;
    vital.ownerEnded(completed);
    vital.leaseRefused();
    vitals.changed(vital, true);
    expect(vitals.views()).toEqual([{ slot: 'a', alive: false, lastOutcome: 'rejected' }]);
  });

  test('is forgotten at its death while nothing asks for the dead', () => {
    const { vitals, end } = setup(Infinity, 'early', 'late');
    expect(end('early', failed)).toBeUndefined();
    expect(vitals.views()).toEqual([{ slot: 'late', alive: true }]);
    end('late', failed);
    expect(vitals.views()).toEqual([{ slot: 'late', alive: false, lastOutcome: 'failed' }]);
  });

  test('is alive again with an owner, and dead again if that leaves without an end of its own', () => {
    const { vitals, end } = setup(1, 'a');
    const vital = end('a', failed) as Vital;
    vitals.changed(vital, false);
    expect(vitals.views()).toMatchObject([{ alive: true }]);
    vitals.changed(vital, true);
    expect(vitals.views()).toMatchObject([{ alive: false }]);
  });
});

describe('the dead are too many', () => {
  const names = ['a', 'b', 'c'];

  test('once their share reaches the fraction, and are then named', () => {
    const { vitals, end, tooManyDied } = setup(2 / 3, ...names);
    end('a', failed);
    expect([tooManyDied.mock.calls.length, vitals.tooMany]).toEqual([0, undefined]);
    end('c', fatal);
    expect(tooManyDied).toHaveBeenCalledTimes(1);
    expect(vitals.tooMany).toEqual({ slots: ['a', 'c'], of: 3, threshold: 2 / 3 });
  });

  test('also because a slot that is alive is vital no more', () => {
    const { vitals, end, tooManyDied } = setup(0.5, ...names);
    end('a', failed);
    end('b', completed);
    expect(tooManyDied).toHaveBeenCalledTimes(1);
    expect(vitals.tooMany).toEqual({ slots: ['a'], of: 2, threshold: 0.5 });
  });

  test('with a fraction of 0 at the first death, and not before', () => {
    const { end, tooManyDied } = setup(0, ...names);
    end('a', completed);
    expect(tooManyDied).not.toHaveBeenCalled();
    end('b', failed);
    expect(tooManyDied).toHaveBeenCalledTimes(1);
  });

  test('exactly at a fraction that no binary number is', () => {
    const { end, tooManyDied } = setup(0.07, ...Array.from({ length: 100 }, (_, n) => `${n}`));
    for (const n of [1, 2, 3, 4, 5, 6]) end(`${n}`, failed);
    expect(tooManyDied).not.toHaveBeenCalled();
    end('7', failed);
    expect(tooManyDied).toHaveBeenCalledTimes(1);
  });

  test('never without a vital slot', () => {
    const { vitals, end, tooManyDied } = setup(0, 'a');
    end('a', completed);
    expect([tooManyDied.mock.calls.length, vitals.tooMany]).toEqual([0, undefined]);
  });
});

test('the counts of random lives and deaths are those of a recount', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const happening = fc.record({ name, outcome: fc.constantFrom(completed, failed), stays: fc.boolean() });
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
      const { vitals } = setup(0);
      const recount = new Map<string, boolean>();
      for (const { name: slot, outcome, stays } of happenings) {
        const vital = vitals.find(slot) ?? vitals.add(slot);
        vital.ownerEnded(outcome);
        vitals.changed(vital, !stays);
        if (stays || outcome === failed) recount.set(slot, stays);
        else recount.delete(slot);
        const dead = [...recount].filter(([, alive]) => !alive).map(([one]) => one);
        expect(new Map(vitals.views().map(({ slot: one, alive }) => [one, alive]))).toEqual(recount);
        expect(vitals.tooMany?.slots.toSorted()).toEqual(dead.length === 0 ? undefined : dead.sort());
        if (dead.length > 0) expect(vitals.tooMany?.of).toBe(recount.size);
      }
    }),
    { seed: SEED },
  );
});
