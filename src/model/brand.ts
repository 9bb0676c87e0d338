// How the library's errors are told from others: by a registered symbol, so that `instanceof` stays true between two copies of the
// package in one process. And how a foreign value is looked at without being hurt by it.

export const brandOf = (name: string): symbol => Symbol.for(`slotvisor.${name}`);

/** On the prototype: no instance carries it, and no type shows it. */
export function mark(base: { readonly prototype: object }, brand: symbol): void {
  Object.defineProperty(base.prototype, brand, { value: true });
}

/** `instanceof` by brand for the class itself; subclasses keep the language's own rule. */
export function isInstance(self: object, base: object, brand: symbol, value: unknown): boolean {
  if (self === base) return field(value, brand) === true;
  try {
    return Function.prototype[Symbol.hasInstance].call(self, value);
  } catch {
    return false;
  }
}

/** One field of whatever was thrown. A revoked proxy or a throwing getter has no fields. */
export function field(thrown: unknown, name: string | symbol): unknown {
  try {
    return typeof thrown === 'object' && thrown !== null ? (thrown as Record<PropertyKey, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
}
