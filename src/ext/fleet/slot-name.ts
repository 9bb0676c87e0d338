// Which names of slots every store can keep.

import { refuse } from '../../kit.ts';

const MAX_BYTES = 2_000;

/**
 * PostgreSQL keeps no NUL. A lone surrogate would become the same text as another one. An index of
 * PostgreSQL holds 2,704 bytes an entry.
 */
export function checkSlotName(slot: string): void {
  if (/\p{Surrogate}/u.test(slot)) refuse('slot', 'must be well-formed Unicode to be shared by processes', slot);
  if (slot.includes('\0')) refuse('slot', 'must have no NUL to be shared by processes', slot);
  if (Buffer.byteLength(slot) > MAX_BYTES)
    refuse('slot', `must be at most ${MAX_BYTES} bytes of UTF-8 to be shared by processes`, slot);
}
