import { describe, expect, test, vi } from 'vitest';
import * as here from '../../src/kernel/copies.ts';

/** The same file, evaluated once more. */
async function another(): Promise<typeof here> {
  vi.resetModules();
  return import('../../src/kernel/copies.ts');
}

function classOf({ looking }: typeof here, name: string) {
  let look!: (value: unknown) => { readonly doubled: number } | undefined;
  class Hiding {
    readonly #count: number;
    static {
      look = looking(Hiding, name, (hiding) => ({ doubled: 2 * hiding.#count }));
    }
    constructor(count: number) {
      this.#count = count;
    }
  }
  return { Hiding, look };
}

describe('looking', () => {
  test('sees what an object hides, also in an object of another copy', async () => {
    const own = classOf(here, 'test-look');
    const other = classOf(await another(), 'test-look');
    expect(own.look(new own.Hiding(1))).toEqual({ doubled: 2 });
    expect(own.look(new other.Hiding(2))).toEqual({ doubled: 4 });
    expect(other.look(new own.Hiding(3))).toEqual({ doubled: 6 });
  });

  test('sees nothing in any other value', () => {
    const { Hiding, look } = classOf(here, 'test-other');
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const others = [undefined, null, 1, 'x', {}, Object.create(Hiding.prototype), new Proxy(new Hiding(1), {}), proxy];
    expect(others.map(look)).toEqual(others.map(() => undefined));
  });

  test('gives the object no property that is listed', () => {
    const { Hiding } = classOf(here, 'test-listed');
    expect(Reflect.ownKeys(new Hiding(1))).toEqual([]);
    expect(Object.keys(Object.getOwnPropertyDescriptors(Hiding.prototype))).toEqual(['constructor']);
  });
});

describe('shared', () => {
  test('gives every copy the value that the first has made', async () => {
    const value = here.shared('test-shared', () => new Map());
    const make = vi.fn(() => new Map());
    expect((await another()).shared('test-shared', make)).toBe(value);
    expect(make).not.toHaveBeenCalled();
    expect(Object.keys(globalThis)).not.toContain('slotvisor.test-shared');
  });

  test('gives each copy a value of its own where the global object is frozen', () => {
    const define = vi.spyOn(Object, 'defineProperty').mockImplementation(() => {
      throw new TypeError('not extensible');
    });
    try {
      expect(here.shared('test-frozen', () => 1)).toBe(1);
      expect(here.shared('test-frozen', () => 2)).toBe(2);
    } finally {
      define.mockRestore();
    }
  });
});
