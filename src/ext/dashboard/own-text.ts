// Copies of texts of the user. What is kept must not hold memory that it does not show: a part of a
// string holds the whole string.

/** A copy that shares no memory with `text`. A detour by JSON is the way that copies (measured). */
export const ownText = (text: string): string => JSON.parse(JSON.stringify(text));

/** How many copies are known, before all are forgotten. */
const MAX_KNOWN = 2_000;

/** One copy of each of the names that come often. */
export class OwnNames {
  readonly #known = new Map<string, string>();

  of(name: string): string {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const own = ownText(name);
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(own, own);
    return own;
  }
}
