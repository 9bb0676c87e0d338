// Limits and texts that the files of this entry point share.

/** The largest time that a JavaScript date can hold, in ms from the epoch, either way. */
export const MAX_DATE_MS = 8.64e15;

/** Parsers quote their input, however long it is, and say before or after it what is wrong. */
const MAX_PART_LENGTH = 80;

/** What a parser threw, in one line: of a long text the beginning and the end. */
export function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text.length <= 2 * MAX_PART_LENGTH) return text;
  return `${text.slice(0, MAX_PART_LENGTH)} … ${text.slice(-MAX_PART_LENGTH)}`;
}
