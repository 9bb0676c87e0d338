// Which names of slots and schedules every store can keep.

import { refuse } from '../../kit.ts';

const MAX_BYTES = 2_000;

/**
 * PostgreSQL keeps no NUL. A lone surrogate would become the same text as another one. An index of
 * PostgreSQL holds 2,704 bytes an entry.
 */
export function checkSharedName(field: string, name: string): void {
  if (/\p{Surrogate}/u.test(name)) refuse(field, 'must be well-formed Unicode to be shared by processes', name);
  if (name.includes('\0')) refuse(field, 'must have no NUL to be shared by processes', name);
  if (Buffer.byteLength(name) > MAX_BYTES)
    refuse(field, `must be at most ${MAX_BYTES} bytes of UTF-8 to be shared by processes`, name);
}
