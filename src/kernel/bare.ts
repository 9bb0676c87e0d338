// An object without a prototype.

/**
 * A copy of `fields` that inherits nothing. Node and the libraries read options, and environments,
 * with all that they inherit. From a plain object they would also read what any code has added to
 * `Object.prototype`.
 */
export function bare<T extends object>(fields: T): T {
  return Object.assign(Object.create(null), fields);
}
