// Explores every reachable state of the slot machine, breadth first, and checks the invariants in
// each state. slot-world.ts has the world around the machine, and the invariants.
//
// A state is reached by its inputs, from the start: the machine has no copy of its own whole state.

import { type Bounds, type Input, type Machine, Violation, World } from './slot-world.ts';

export interface Explored {
  readonly states: number;
  readonly edges: number;
}

/**
 * Visits all states within the bounds. Throws a {@link Violation} with the inputs that lead to it.
 * In addition to the invariants of every state it checks that rest can be reached from every state.
 */
export function explore(create: () => Machine, bounds: Bounds): Explored {
  const found = new States();
  const reach = (trail: readonly Input[]): World => {
    const world = new World(create(), bounds);
    for (const input of trail) world.apply(input);
    return world;
  };
  found.add(reach([]), -1, undefined);
  for (let at = 0; at < found.count; at += 1) {
    const trail = found.trailOf(at);
    const here = reach(trail);
    const inputs = here.inputs();
    inputs.forEach((input, i) => {
      const world = i === inputs.length - 1 ? here : reach(trail); // the last one may use the world up
      world.apply(input);
      world.check();
      found.add(world, at, input);
    });
  }
  found.checkThatRestIsReached();
  return { states: found.count, edges: found.edges };
}

class States {
  readonly #numbers = new Map<string, number>();
  readonly #inputs: (Input | undefined)[] = [];
  readonly #parents: number[] = [];
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #resting: number[] = [];

  get count(): number {
    return this.#inputs.length;
  }
  get edges(): number {
    return this.#to.length;
  }

  add(world: World, from: number, input: Input | undefined): void {
    const key = world.key();
    let to = this.#numbers.get(key);
    if (to === undefined) {
      to = this.count;
      this.#numbers.set(key, to);
      this.#inputs.push(input);
      this.#parents.push(from);
      if (world.atRest) this.#resting.push(to);
      world.checkStale();
    }
    if (from < 0) return;
    this.#from.push(from);
    this.#to.push(to);
  }

  /** The shortest way to a state. */
  trailOf(state: number): readonly Input[] {
    const trail: Input[] = [];
    for (let at = state; at > 0; at = this.#parents[at] as number) trail.push(this.#inputs[at] as Input);
    return trail.reverse();
  }

  checkThatRestIsReached(): void {
    const before: number[][] = Array.from({ length: this.count }, () => []);
    this.#to.forEach((to, edge) => {
      before[to]?.push(this.#from[edge] as number);
    });
    const reaches = new Set(this.#resting);
    for (const state of reaches) for (const earlier of before[state] ?? []) reaches.add(earlier);
    for (let at = 0; at < this.count; at += 1)
      if (!reaches.has(at)) throw new Violation('liveness', 'rest cannot be reached', this.trailOf(at));
  }
}

/** A `queueLimit` of 1 drops the oldest. */
export const everything = (queueLimit: number, submissions: number): Bounds => ({
  submissions,
  queueLimit,
  onFull: queueLimit === 1 ? 'dropOldest' : 'reject',
  isLocal: false,
});
