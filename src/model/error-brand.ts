// Marks the library's errors with a registered symbol. `instanceof` is then true also for an error
// that another copy of the package in this process has made.

import { field } from './foreign.ts';

/**
 * Makes `instanceof` of this class test for its brand. A subclass without a brand of its own keeps
 * the language's rule.
 */
export function brand(errorClass: { readonly prototype: object }, name: string): void {
  const symbol = Symbol.for(`slotvisor.${name}`);
  Object.defineProperty(errorClass.prototype, symbol, { value: true });
  Object.defineProperty(errorClass, Symbol.hasInstance, {
    configurable: true,
    writable: true,
    value(this: object, value: unknown): boolean {
      if (this === errorClass) return field(value, symbol) === true;
      try {
        return Function.prototype[Symbol.hasInstance].call(this, value);
      } catch {
        return false; // a proxy whose trap throws
      }
    },
  });
}
