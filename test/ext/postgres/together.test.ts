import { expect, test } from 'vitest';
import { forPeople } from '../../../src/ext/postgres/errors.ts';
import { ALONE, Together } from '../../../src/ext/postgres/together.ts';

interface Item {
  readonly session: string;
  readonly name: string;
}

type Run = (names: string[], isAlone: boolean) => Promise<(string | typeof ALONE)[]>;

function make(run: Run) {
  const asked: string[] = [];
  const together = new Together<Item, string>((items, isAlone) => {
    const names = items.map(({ name }) => name);
    asked.push(`${isAlone ? 'alone' : 'together'} ${names.join(' ')}`);
    return run(names, isAlone);
  });
  return { asked, add: (name: string) => together.add({ session: '1', name }) };
}

const echo: Run = async (names) => names;
const locked = (error: unknown = Object.assign(new Error('locked'), { code: '55P03' })) => forPeople(error, 's');

test('calls go together', async () => {
  const { asked, add } = make(echo);
  expect(await Promise.all(['a', 'b'].map(add))).toEqual(['a', 'b']);
  expect(asked).toEqual(['together a b']);
});

test('an item that cannot go with the others goes alone', async () => {
  const { asked, add } = make(async (names, isAlone) => names.map((name) => (name === 'b' && !isAlone ? ALONE : name)));
  expect(await Promise.all(['a', 'b', 'c'].map(add))).toEqual(['a', 'b', 'c']);
  expect(asked).toEqual(['together a b c', 'alone b']);
});

test('after an error of one item each goes alone, and has its own result', async () => {
  const { asked, add } = make(async (names) => {
    if (names.includes('b')) throw locked();
    return names;
  });
  const results = await Promise.allSettled(['a', 'b', 'c'].map(add));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(asked).toEqual(['together a b c', 'alone a', 'alone b', 'alone c']);
});

test('any other error is that of all, and they are not repeated', async () => {
  const error = new Error('away');
  const { asked, add } = make(() => Promise.reject(error));
  const results = await Promise.allSettled(['a', 'b'].map(add));
  expect(results.map((result) => 'reason' in result && result.reason)).toEqual([error, error]);
  expect(asked).toEqual(['together a b']);
});

test('items that wait alone hold up nothing that goes together', async () => {
  const { add } = make((names, isAlone) =>
    isAlone ? new Promise(() => {}) : Promise.resolve(names.map((name) => (name.startsWith('x') ? ALONE : name))),
  );
  for (let i = 0; i < 10; i++) void add(`x${i}`);
  await new Promise((resolve) => setImmediate(resolve));
  expect(await add('a')).toBe('a');
});

test('what cannot go alone either is an error', async () => {
  const { add } = make(async (names) => names.map(() => ALONE));
  await expect(add('a')).rejects.toThrow('another transaction has locked the slot');
});
