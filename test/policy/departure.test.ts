import { expect, test } from 'vitest';
import { Departure } from '../../src/policy/departure.ts';
import { Flight, leaderOf, participantsOf } from '../../src/policy/flight.ts';
import { Entry } from '../support/slot-world.ts';

/** A leader with `joined` that joined it. */
function flightOf(n: number, joined: number): Entry[] {
  const leader = new Entry(n, 'queue');
  leader.place = 'done';
  const others = Array.from({ length: joined }, (_, i) => new Entry(n + i + 1, 'join'));
  if (joined > 0) leader.flight = new Flight(leader);
  for (const one of others) leader.flight?.join(one);
  return [leader, ...others];
}

const takeAll = (departure: Departure<Entry>): Entry[] => {
  const all: Entry[] = [];
  while (!departure.isEmpty) all.push(departure.take());
  return all;
};

function departureOf(...flights: readonly Entry[][]) {
  const departure = new Departure<Entry>();
  for (const [leader] of flights) departure.add(leader as Entry);
  return departure;
}

test('a departure gives each flight whole: the leader, and then those that joined it, in order', () => {
  const flights = [flightOf(0, 0), flightOf(10, 2), flightOf(20, 1)];
  expect(takeAll(departureOf(...flights))).toEqual(flights.flat());
});

test('a leader that has left before is not given again', () => {
  const [leader, ...others] = flightOf(0, 2) as [Entry, Entry, Entry];
  leader.flight?.leave(leader);
  expect(takeAll(departureOf([leader]))).toEqual(others);
});

test('those that were not taken yet know of each other, and the flights that are left are counted', () => {
  const [leader, first, second] = flightOf(0, 2) as [Entry, Entry, Entry];
  const departure = departureOf([leader], flightOf(9, 0));
  const shown = () => [departure.flights, participantsOf(leaderOf(second))];
  const seen = [shown()];
  for (const _ of [leader, first, second]) {
    departure.take();
    seen.push(shown());
  }
  expect(seen).toEqual([
    [2, 3],
    [2, 2],
    [2, 1],
    [1, 1],
  ]);
});

test('a departure of one flight counts one, and an empty one none', () => {
  const [leader] = flightOf(0, 2);
  expect([new Departure(leader).flights, new Departure<Entry>().flights]).toEqual([1, 0]);
});

test('an entry that was taken is done, and keeps no link, so that it can be collected', () => {
  const flights = [flightOf(0, 2), flightOf(9, 0)];
  takeAll(departureOf(...flights));
  for (const { place, ahead, behind, flight } of flights.flat())
    expect([place, ahead, behind, flight]).toEqual(['done', null, null, null]);
});
