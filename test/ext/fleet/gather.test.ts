import { Gather } from 'slotvisor/fleet';
import { expect, test } from 'vitest';

/** Batches that end when the test says so. */
function batches(options: { lanes?: number; most?: number; key?: (item: string) => unknown } = {}) {
  const begun: string[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const gather = new Gather<string, string>({
    lanes: 2,
    most: 500,
    key: () => 0,
    ...options,
    run: (items) => {
      begun.push(items.join(' '));
      return new Promise((resolve, reject) => {
        ends.push((error) => (error === undefined ? resolve(items.map((item) => `${item}!`)) : reject(error)));
      });
    },
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const end = async (i: number, error?: Error) => {
    ends[i]?.(error);
    await turn();
  };
  const add = async (...items: string[]) => {
    const all = items.map((item) => gather.add(item));
    for (const one of all) one.catch(() => {});
    await turn();
    return { results: () => Promise.allSettled(all) };
  };
  return { begun, add, end };
}

test('items of one turn go as one batch, and each gets its own result', async () => {
  const { begun, add, end } = batches();
  const { results } = await add('a', 'b', 'c');
  expect(begun).toEqual(['a b c']);
  await end(0);
  expect((await results()).map((result) => 'value' in result && result.value)).toEqual(['a!', 'b!', 'c!']);
});

test('an item does not wait while a lane is free', async () => {
  const { begun, add } = batches();
  await add('a');
  await add('b');
  expect(begun).toEqual(['a', 'b']);
});

test('while all lanes are busy the rest gathers, and goes as one when a lane is free', async () => {
  const { begun, add, end } = batches();
  await add('a');
  await add('b');
  await add('c');
  await add('d', 'e');
  expect(begun).toEqual(['a', 'b']);
  await end(1);
  expect(begun).toEqual(['a', 'b', 'c d e']);
});

test('a batch has at most `most` items', async () => {
  const { begun, add, end } = batches({ lanes: 1, most: 2 });
  await add('a', 'b', 'c');
  await end(0);
  expect(begun).toEqual(['a b', 'c']);
});

test('only items with the same key go together, in their order', async () => {
  const { begun, add, end } = batches({ lanes: 1, key: (item) => item[0] });
  await add('a1', 'a2', 'b1', 'a3');
  for (let i = 0; i < 3; i++) await end(i);
  expect(begun).toEqual(['a1 a2', 'b1', 'a3']);
});

test('an error is the result of every item of its batch, and the next batch begins', async () => {
  const { begun, add, end } = batches({ lanes: 1 });
  const failing = await add('a', 'b');
  const later = await add('c');
  const error = new Error('away');
  await end(0, error);
  expect(await failing.results()).toEqual([
    { status: 'rejected', reason: error },
    { status: 'rejected', reason: error },
  ]);
  await end(1);
  expect(begun).toEqual(['a b', 'c']);
  expect(await later.results()).toEqual([{ status: 'fulfilled', value: 'c!' }]);
});

test('a lane is free again after its last batch', async () => {
  const { begun, add, end } = batches({ lanes: 1 });
  await add('a');
  await end(0, new Error('away'));
  await add('b');
  expect(begun).toEqual(['a', 'b']);
});
