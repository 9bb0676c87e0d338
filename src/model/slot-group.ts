// The group of a slot, by its name.

import { nameText } from './check.ts';
import { fromCaller } from './error.ts';

/**
 * The group of a slot: its name up to the first `:`, or the whole name. `orders:7` and `orders:8`
 * are of the group `orders`. For labels of metrics and logs, which must be few.
 *
 * @throws OptionError for an invalid name.
 */
export function slotGroup(name: string): string {
  return fromCaller(slotGroup, () => nameText('name', name)).split(':', 1)[0] as string;
}
