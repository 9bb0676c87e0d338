// Labels of metrics and spans must be few, and what they are made from is without bound.

/** Tells at most `max` words apart: those that it meets first. Each further word is `other`. */
export class FewWords {
  readonly #max: number;
  readonly #other: string;
  readonly #known = new Set<string>();

  constructor(max: number, other: string) {
    this.#max = max;
    this.#other = other;
  }

  of(word: string): string {
    if (this.#known.has(word)) return word;
    if (this.#known.size >= this.#max) return this.#other;
    this.#known.add(word);
    return word;
  }
}
