// The text of a parser's error, cut for a person.

/** Parsers quote their whole input. What is wrong stands before or after it. */
const MAX_PART_LENGTH = 80;

/** The message of an error that a parser threw. A long one is cut to its beginning and its end. */
export function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text.length <= 2 * MAX_PART_LENGTH) return text;
  return `${text.slice(0, MAX_PART_LENGTH)} … ${text.slice(-MAX_PART_LENGTH)}`;
}
