import { expect, test, vi } from 'vitest';
import { LongJobs, PARTS_A_CALL, PARTS_A_TURN } from '../../src/kernel/long-jobs.ts';
import { Rounds } from '../../src/kernel/rounds.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setup(size: number) {
  const map = new Map(Array.from({ length: size }, (_, n) => [n, n]));
  const jobs = new LongJobs();
  return { map, jobs, rounds: new Rounds(jobs, map) };
}

test('a round visits every value once, in order, and then is over', () => {
  const { rounds } = setup(3);
  const calls: unknown[] = [];
  rounds.begin(
    (n) => calls.push(n),
    () => calls.push(rounds.areOver),
  );
  rounds.whenOver(() => calls.push('over'));
  expect(calls).toEqual([0, 1, 2, true, 'over']);
});

test('a round of an empty map visits nothing, and is over at once', () => {
  const { rounds } = setup(0);
  const [visit, isOver] = [vi.fn(), vi.fn()];
  rounds.begin(visit, isOver);
  expect([visit.mock.calls, isOver.mock.calls, rounds.areOver]).toEqual([[], [[]], true]);
});

test('a round of an empty map that begins late does not visit a value that was added meanwhile', async () => {
  const { map, jobs, rounds } = setup(0);
  const visit = vi.fn();
  let left = PARTS_A_CALL;
  jobs.begin(() => {
    left -= 1;
    if (left === 0) rounds.begin(visit); // the call has no part left for it
    return left > 0;
  });
  map.set(0, 0);
  expect(rounds.areOver).toBe(false);
  await turn();
  expect([visit.mock.calls, rounds.areOver]).toEqual([[], true]);
});

test('a round is over as soon as no value is left', () => {
  const { map, rounds } = setup(10 * PARTS_A_CALL);
  const visit = vi.fn(() => map.clear());
  rounds.begin(visit);
  expect([visit.mock.calls, rounds.areOver]).toEqual([[[0]], true]);
});

test('what waits for the end of the rounds waits for rounds that begin meanwhile', async () => {
  const { rounds } = setup(PARTS_A_CALL + 1);
  let [visits, isOver] = [0, false];
  const visit = () => {
    visits += 1;
  };
  rounds.begin(visit, () => rounds.begin(visit));
  rounds.whenOver(() => {
    isOver = true;
  });
  const seen: unknown[] = [[visits, isOver]];
  await turn();
  seen.push([visits, isOver]);
  for (let turns = 0; turns < 2 * PARTS_A_CALL && !isOver; turns += 1) await turn();
  seen.push([visits, isOver]);
  expect(seen).toEqual([
    [PARTS_A_CALL, false],
    [PARTS_A_CALL + PARTS_A_TURN, false],
    [2 * PARTS_A_CALL + 2, true],
  ]);
});

test('a round ends although values leave the map and come back without end', () => {
  const { map, rounds } = setup(10);
  let visits = 0;
  rounds.begin((n) => {
    visits += 1;
    map.delete(n);
    map.set(n, n);
  });
  expect(visits).toBe(10);
});

test('a value that has left the map is not visited', async () => {
  const { map, rounds } = setup(PARTS_A_CALL + 2);
  const late: number[] = [];
  rounds.begin((n) => {
    if (n >= PARTS_A_CALL) late.push(n);
  });
  map.delete(PARTS_A_CALL);
  await turn();
  expect([late, rounds.areOver]).toEqual([[PARTS_A_CALL + 1], true]);
});
