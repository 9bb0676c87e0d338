// What copies of the package in one process have in common: the ES modules and the CommonJS build,
// or two installed versions. Registered symbols name it, so that each copy finds it. The other copy
// may be older: what needs another shape in a later version gets another name there.

/**
 * Lets every copy look at what the objects of this class hide. No public name leads there.
 *
 * @returns the look: `undefined` for a value that is no such object.
 */
export function looking<Of extends object, Seen>(
  at: { readonly prototype: Of },
  name: string,
  look: (object: Of) => Seen,
): (value: unknown) => Seen | undefined {
  const symbol = Symbol.for(`slotvisor.${name}`);
  Object.defineProperty(at.prototype, symbol, {
    get(this: Of) {
      return look(this);
    },
  });
  return (value) => {
    try {
      return (value as { readonly [symbol]?: Seen } | null | undefined)?.[symbol];
    } catch {
      return undefined; // a proxy, or an object that only inherits from such an object
    }
  };
}

/** A value that all copies share. The first that asks for it makes it. */
export function shared<T>(name: string, make: () => T): T {
  const symbol = Symbol.for(`slotvisor.${name}`);
  const global = globalThis as { [symbol]?: T };
  const found = global[symbol];
  if (found !== undefined) return found;
  const value = make();
  try {
    Object.defineProperty(global, symbol, { value });
  } catch {
    // the global object is frozen: this copy keeps its own
  }
  return value;
}
