// The live schedules of a supervisor, by name.

import { refuse } from '../../kit.ts';

export class Names<T extends { readonly name: string }> {
  readonly #live = new Map<string, T>();
  /** Of each default name that was taken: the last number that was put behind it. */
  readonly #numbers = new Map<string, number>();

  /** Oldest first. */
  get all(): T[] {
    return [...this.#live.values()];
  }

  /**
   * The name of a new schedule: the given one, or else `byDefault`, with a number if it is taken.
   *
   * @throws OptionError if the given name is taken.
   */
  pick(given: string | undefined, byDefault: string): string {
    if (given !== undefined)
      return this.#live.has(given)
        ? refuse('name', 'must not be the name of a live schedule (find it with schedulesOf, and update it)', given)
        : given;
    if (!this.#live.has(byDefault)) return byDefault;
    let number = this.#numbers.get(byDefault) ?? 1;
    do number += 1;
    while (this.#live.has(`${byDefault}#${number}`));
    this.#numbers.set(byDefault, number);
    return `${byDefault}#${number}`;
  }

  add(schedule: T): void {
    this.#live.set(schedule.name, schedule);
  }

  delete({ name }: T): void {
    this.#live.delete(name);
    this.#numbers.delete(name);
  }
}
