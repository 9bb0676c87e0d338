// The groups of slots that label metrics and spans.

import { aFunction, refuse, wholeFrom } from './check.ts';
import { FewWords } from './few-words.ts';
import { slotGroup } from './slot-group.ts';

export interface GroupOptions {
  /**
   * The group of a slot: a short word, the same for slots that do the same work. Default: the
   * slot's name up to its first `:` ({@link slotGroup}).
   */
  readonly group?: ((slot: string) => string) | undefined;
  /**
   * How many groups are shown: the first ones that have an attempt. A slot of any further group
   * counts to the group `other`. A whole number, 1 to 10,000. Default 100.
   */
  readonly maxGroups?: number | undefined;
}

export const GROUP_DEFAULTS = { group: slotGroup, maxGroups: 100 } as const;

export const GROUP_READERS = {
  group: (field: string, value: unknown) => aFunction<(slot: string) => string>(field, value),
  maxGroups: (field: string, value: unknown) => wholeFrom(field, value, 1, 10_000),
};

/** The group of each further slot. */
const OTHER_GROUP = 'other';

export class Groups {
  readonly #groupOf: (slot: string) => unknown;
  readonly #groups: FewWords;

  constructor({ group, maxGroups }: { readonly group: (slot: string) => unknown; readonly maxGroups: number }) {
    this.#groupOf = group;
    this.#groups = new FewWords(maxGroups, OTHER_GROUP);
  }

  /** @throws OptionError if `group` returns no text, and whatever `group` throws. */
  of(slot: string): string {
    const group = this.#groupOf(slot);
    return typeof group === 'string' ? this.#groups.of(group) : refuse('group', 'must return a string', group);
  }
}
