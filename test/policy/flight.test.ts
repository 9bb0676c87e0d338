import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Flight, firstOf, hasLeft, leaderOf, participantsOf, remainingOf } from '../../src/policy/flight.ts';
import { Entry } from '../support/slot-world.ts';

const entries = (count: number): readonly Entry[] => Array.from({ length: count }, (_, n) => new Entry(n, 'join'));

/** A leader with `count` that joined it. */
function flightOf(count: number) {
  const leader = new Entry(-1, 'queue');
  const flight = new Flight(leader);
  leader.flight = flight;
  const joined = entries(count);
  for (const entry of joined) flight.join(entry);
  return { leader, flight, joined };
}

describe('an entry that no submission has joined', () => {
  test('is its own leader, and the only participant', () => {
    const entry = new Entry(0, 'queue');
    expect([leaderOf(entry), firstOf(entry), participantsOf(entry), hasLeft(entry)]).toEqual([entry, entry, 1, false]);
    expect(remainingOf(entry)).toEqual([entry]);
  });
});

describe('a flight', () => {
  test('names its leader first, then those that joined it, in the order in which they came', () => {
    const { leader, flight, joined } = flightOf(3);
    const order: (Entry | null)[] = [];
    const all = [leader, ...joined];
    const remaining: unknown[] = [];
    for (const entry of all) {
      order.push(firstOf(leader));
      remaining.push(remainingOf(leader));
      flight.leave(entry);
    }
    expect(remaining).toEqual(all.map((_, n) => all.slice(n)));
    expect(remainingOf(leader)).toEqual([]);
    expect([order, firstOf(leader), participantsOf(leader)]).toEqual([[leader, ...joined], null, 0]);
  });

  test('has a leader that has left, while the others have not', () => {
    const { leader, flight, joined } = flightOf(1);
    flight.leave(leader);
    expect([hasLeft(leader), ...joined.map(hasLeft), ...joined.map(leaderOf)]).toEqual([true, false, leader]);
  });

  test('keeps no link in an entry that has left, so that it can be collected', () => {
    const { leader, flight, joined } = flightOf(3);
    for (const entry of [leader, ...joined]) flight.leave(entry);
    const links = joined.flatMap(({ ahead, behind, flight }) => [ahead, behind, flight]);
    expect(links).toEqual(Array(9).fill(null));
  });

  test('has, after any joins and leaves in any order, those that have not left, in the order in which they joined', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 40 }), (steps) => {
        const { leader, flight } = flightOf(0);
        const left: Entry[] = [];
        let n = 0;
        for (const step of steps) {
          const leaves = left[step];
          if (leaves === undefined) {
            n += 1;
            const entry = new Entry(n, 'join');
            flight.join(entry);
            left.push(entry);
          } else {
            flight.leave(leaves);
            left.splice(step, 1);
          }
          expect([flight.first, participantsOf(leader)]).toEqual([left[0] ?? null, left.length + 1]);
        }
      }),
    );
  });
});
