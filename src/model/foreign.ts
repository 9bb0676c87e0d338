// Reads values from user code, such as thrown ones. A getter or a proxy trap that throws does no
// harm.

/**
 * One field of any value, inherited ones included. `undefined` when the value is not an object or
 * reading throws.
 */
export function field(value: unknown, name: string | symbol): unknown {
  try {
    return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
}
