// How the library's errors are told from others: by a registered symbol, so that `instanceof` stays true between two copies of the
// package in one process. And how a foreign value is looked at without being hurt by it.

/** Makes `instanceof` ask for the brand of this class. A subclass without a brand of its own keeps the language's rule. */
export function brand(errorClass: { readonly prototype: object }, name: string): void {
  const symbol = Symbol.for(`slotvisor.${name}`);
  Object.defineProperty(errorClass.prototype, symbol, { value: true });
  Object.defineProperty(errorClass, Symbol.hasInstance, {
    value(this: object, value: unknown): boolean {
      if (this === errorClass) return field(value, symbol) === true;
      try {
        return Function.prototype[Symbol.hasInstance].call(this, value);
      } catch {
        return false; // a proxy that throws when it is asked
      }
    },
  });
}

/** One field of whatever was thrown. A revoked proxy or a throwing getter has no fields. */
export function field(thrown: unknown, name: string | symbol): unknown {
  try {
    return typeof thrown === 'object' && thrown !== null ? (thrown as Record<PropertyKey, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
}
