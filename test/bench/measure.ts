// The tools of a contestant: to measure time, memory and the turns of the event loop.

import { setTimeout as sleep } from 'node:timers/promises';

/**
 * One round's figure. A time is CPU time of the process, its collector's threads included: on a
 * busy machine wall time says how busy it is. The wall time stands beside it.
 */
export interface Measured {
  readonly figure: number;
  readonly wall?: number;
}

/** `run` is measured. `end` cleans up and is not measured. */
export interface Round {
  run(): Promise<unknown>;
  end?(): unknown;
}

export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('the benchmark needs node --expose-gc');
  globalThis.gc();
}

/** In ns an operation. */
export async function once(operations: number, run: () => Promise<unknown>): Promise<Measured> {
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(cpuBefore);
  const wallMs = performance.now() - began;
  return { figure: ((user + system) * 1e3) / operations, wall: (wallMs * 1e6) / operations };
}

/** A round works at least so long: little work is repeated within it. */
const LONG_ENOUGH_MS = 60;

/**
 * In ns an operation. `prepare`, `end` and the garbage of earlier contestants are not measured.
 */
export function repeated(operations: number, prepare: () => Round | Promise<Round>): () => Promise<Measured> {
  return async () => {
    let figure = 0;
    let wall = 0;
    let times = 0;
    while (figure * operations < LONG_ENOUGH_MS * 1e6) {
      const { run, end } = await prepare();
      collectGarbage();
      const one = await once(operations, run);
      await end?.();
      figure += one.figure;
      wall += one.wall as number;
      times += 1;
    }
    return { figure: figure / times, wall: wall / times };
  };
}

export const inMs = ({ figure, wall }: Measured): Measured => ({
  figure: figure / 1e6,
  ...(wall !== undefined && { wall: wall / 1e6 }),
});

export function heapUsed(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Looks at the turns of the event loop, by a timer every millisecond. The returned function returns
 * the longest one in ms: the CPU time of the process between two looks, and beside it how late the
 * timer came in wall time. On a busy machine that is mostly the wait for a core.
 */
export function watchTurns(): () => Measured {
  const everyMs = 1;
  let figure = 0;
  let wall = 0;
  let due = performance.now() + everyMs;
  let before = process.cpuUsage();
  const look = (): void => {
    const { user, system } = process.cpuUsage(before);
    const now = performance.now();
    figure = Math.max(figure, (user + system) / 1e3);
    wall = Math.max(wall, now - due);
    due = now + everyMs;
    before = process.cpuUsage();
  };
  const timer = setInterval(look, everyMs);
  return () => {
    clearInterval(timer);
    look();
    return { figure, wall };
  };
}

/** One run gives several figures, in a heap without other runs. Each figure is returned once. */
export class Together {
  readonly #run: () => Promise<Readonly<Record<string, Measured>>>;
  readonly #figures = new Map<string, Measured>();

  constructor(run: () => Promise<Readonly<Record<string, Measured>>>) {
    this.#run = run;
  }

  /** The `measure` of a contestant. */
  figure(name: string): () => Promise<Measured> {
    return async () => {
      if (!this.#figures.has(name))
        for (const [key, one] of Object.entries(await this.#run())) this.#figures.set(key, one);
      const figure = this.#figures.get(name);
      this.#figures.delete(name);
      if (figure === undefined) throw new Error(`no figure is called ${name}`);
      return figure;
    };
  }
}

/** Made when it is first asked for: of a copy's contestants only some take part. */
export function lazily<T>(make: () => T): () => T {
  let made: { readonly one: T } | undefined;
  return () => {
    made ??= { one: make() };
    return made.one;
  };
}

const TICK_MS = 10;
const SETTLE_MS = 300;

/** What a steady load cost while it was measured. */
export interface Load {
  readonly operations: number;
  readonly cpuNs: number;
  readonly wallNs: number;
}

/** Works at a steady rate, and measures some seconds of it, after the first turns. */
export async function atRate(perSecond: number, seconds: number, work: () => unknown): Promise<Load> {
  let operations = 0;
  collectGarbage();
  const ticking = setInterval(() => {
    for (let n = 0; n < (perSecond * TICK_MS) / 1_000; n += 1) work();
    operations += (perSecond * TICK_MS) / 1_000;
  }, TICK_MS);
  await sleep(SETTLE_MS);
  operations = 0;
  const { figure, wall } = await once(1, () => sleep(seconds * 1_000));
  clearInterval(ticking);
  return { operations, cpuNs: figure, wallNs: wall as number };
}
