import { afterEach, expect, test, vi } from 'vitest';
import { LongJobs, PARTS_A_CALL, PARTS_A_TURN } from '../../src/kernel/long-jobs.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

afterEach(() => {
  vi.restoreAllMocks();
});

/** A job of this many parts, which calls `onPart` for each. */
function jobOf(parts: number, onPart: () => void = () => {}): () => boolean {
  let left = parts;
  return () => {
    onPart();
    left -= 1;
    return left > 0;
  };
}

test('a job that one call has room for is done within the call', () => {
  let parts = 0;
  expect(new LongJobs().begin(jobOf(PARTS_A_CALL, () => (parts += 1)))).toBe(true);
  expect(parts).toBe(PARTS_A_CALL);
});

test('a longer job is done in parts, with a turn of the event loop between', async () => {
  let parts = 0;
  const seen: number[] = [];
  expect(new LongJobs().begin(jobOf(PARTS_A_CALL + PARTS_A_TURN + 1, () => (parts += 1)))).toBe(false);
  for (let n = 0; n < 4; n += 1) {
    seen.push(parts);
    await turn();
  }
  expect(seen.map((count) => count - PARTS_A_CALL)).toEqual([0, PARTS_A_TURN, PARTS_A_TURN + 1, PARTS_A_TURN + 1]);
});

test('a job that another one begins shares its parts', async () => {
  const jobs = new LongJobs();
  let parts = 0;
  let rest: boolean | undefined;
  const count = () => {
    parts += 1;
  };
  jobs.begin(() => {
    rest = jobs.begin(jobOf(PARTS_A_CALL, count));
    return false;
  });
  expect([rest, parts]).toEqual([false, PARTS_A_CALL - 1]);
  await turn();
  expect(parts).toBe(PARTS_A_CALL);
});

test('long jobs take turns, so none waits for the end of another one', async () => {
  const jobs = new LongJobs();
  let isDone = false;
  jobs.begin(jobOf(50 * PARTS_A_CALL));
  let left = PARTS_A_CALL + 1;
  jobs.begin(() => {
    left -= 1;
    isDone = left === 0;
    return !isDone;
  });
  for (let n = 0; n < 3; n += 1) await turn();
  expect(isDone).toBe(true);
});

test('a turn is asked for once, and only while a job is unfinished', async () => {
  const turns = vi.spyOn(globalThis, 'setImmediate');
  const jobs = new LongJobs();
  vi.restoreAllMocks();
  jobs.begin(jobOf(PARTS_A_CALL));
  expect(turns).not.toHaveBeenCalled();
  jobs.begin(jobOf(PARTS_A_CALL + 1));
  jobs.begin(jobOf(1));
  expect(turns).toHaveBeenCalledTimes(1);
  await turn();
  jobs.begin(jobOf(1));
  expect(turns).toHaveBeenCalledTimes(1);
});

test('a job that throws ends, and the others go on', async () => {
  const jobs = new LongJobs();
  let parts = 0;
  jobs.begin(jobOf(PARTS_A_CALL + 3, () => (parts += 1)));
  const fail = (): boolean => {
    throw new Error('broken');
  };
  expect(() => jobs.begin(fail)).toThrow('broken');
  await turn();
  expect(parts).toBe(PARTS_A_CALL + 3);
});
