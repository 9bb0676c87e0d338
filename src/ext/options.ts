// How the doors read the options that they are given: by the core's own checks, in its words. Only this file, which all doors share, looks
// past the porch for them.

import { reading, refuse, refuseUnknown } from '../model/check.ts';

export { describe } from '../model/failure.ts';
export { reading, refuse };

/**
 * The own fields of an options object, each read once, so that what was checked is what is used. An `undefined` is left out.
 *
 * @param field what the object is called in a refusal; fields of `options` go by their own name.
 * @param known the names there are. Default: any.
 * @throws SpecError for what is no object, for an unknown name (with the nearest known one), and for what throws when it is read.
 */
export function readOptions<K extends string>(
  field: string,
  value: unknown,
  known?: readonly K[],
): { [name in K]?: unknown } {
  const keys = reading(field, value, () =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.keys(value)
      : refuse(field, 'must be an object', value),
  );
  const owner = field === 'options' ? '' : `${field}.`;
  const fields = new Map<string, unknown>();
  for (const key of keys) {
    const got = reading(owner + key, value, () => (value as Record<string, unknown>)[key]);
    if (known !== undefined && !(known as readonly string[]).includes(key)) refuseUnknown(owner, key, got, known);
    if (got !== undefined) fields.set(key, got);
  }
  return Object.fromEntries(fields) as { [name in K]?: unknown };
}
