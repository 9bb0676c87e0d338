// The limit of dates and the text of parser errors.

/** The latest time that a JavaScript `Date` can hold, in epoch ms. The earliest is its negative. */
export const MAX_DATE_MS = 8.64e15;

/** Parsers quote their whole input. What is wrong stands before or after it. */
const MAX_PART_LENGTH = 80;

/** The message of an error that a parser threw. A long one is cut to its beginning and its end. */
export function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text.length <= 2 * MAX_PART_LENGTH) return text;
  return `${text.slice(0, MAX_PART_LENGTH)} … ${text.slice(-MAX_PART_LENGTH)}`;
}
