// Measures. The contestants of a scenario take turns, round by round, in one process, so that
// everything else on the machine slows all of them alike. A ratio is taken within a round; its
// median over the rounds counts. Absolute times are only for orientation.

export type Unit = 'ns' | 'bytes' | 'ms';

export interface Contestant {
  readonly name: string;
  /** What a peer does not do of what slotvisor does in this scenario. */
  readonly lacks?: string;
  /** One round: resolves with its figure, in the scenario's unit. */
  measure(): Promise<number>;
}

/**
 * A target for slotvisor (or `who`): at most `atMost` times the figure of `of`; without `of`, at
 * most `atMost` in the scenario's unit.
 */
export interface Reach {
  readonly atMost: number;
  readonly of?: string;
  readonly who?: string;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  /**
   * The number of rounds, without a warm-up, for a figure that does not vary or a round that takes
   * long.
   */
  readonly rounds?: number;
  /** What the first contestant does. All others are compared with it. */
  readonly floor: string;
  readonly reaches: readonly Reach[];
  /** Called when the scenario begins, so that no scenario pays for the heap of another. */
  contestants(): readonly Contestant[] | Promise<readonly Contestant[]>;
}

export interface Row {
  readonly name: string;
  readonly lacks: string;
  /** How many rounds were measured. Fewer than requested for a very slow contestant. */
  readonly rounds: number;
  readonly figure: number;
  /** The ratio to the floor of the same run. */
  readonly ratio: number;
}

export interface Verdict {
  readonly reach: string;
  readonly got: number;
  readonly met: boolean;
}

export interface Result {
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  readonly floor: string;
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
}

/** The file that --json writes. */
export interface Report {
  readonly machine: { readonly node: string; readonly cpu: string; readonly cores: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly results: readonly Result[];
}

/** `run` is timed. `end` cleans up and is not timed. */
export interface Round {
  run(): Promise<unknown>;
  end?(): unknown;
}

const WARM_UPS = 1;

/** A peer whose first round uses more CPU time than this is measured in every third round only. */
const PATIENCE_MS = 300;
const SLOW_TAKES_PART_EVERY = 3;

export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('the benchmark needs node --expose-gc');
  globalThis.gc();
}

/**
 * Shorter work is repeated within its round: on a busy machine a short run is rarely interrupted
 * and a long one always.
 */
const LONG_ENOUGH_MS = 60;

/** Measures `run` alone. `prepare`, `end` and the garbage of earlier contestants are not timed. */
export function nsPerOp(
  operations: number,
  prepare: () => Round | Promise<Round>,
  once: typeof nsOnce = nsOnce,
): () => Promise<number> {
  return async () => {
    let ns = 0;
    let done = 0;
    while (ns < LONG_ENOUGH_MS * 1e6) {
      const { run, end } = await prepare();
      collectGarbage();
      ns += operations * (await once(operations, run));
      done += operations;
      await end?.();
    }
    return ns / done;
  };
}

/** For work that cannot be repeated, or with a heap that takes seconds to collect. */
export async function nsOnce(operations: number, run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return ((performance.now() - began) * 1e6) / operations;
}

/** As `nsOnce`, in CPU time of the process: for work whose timers make it wait. */
export async function cpuNsOnce(operations: number, run: () => Promise<unknown>): Promise<number> {
  const began = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(began);
  return ((user + system) * 1e3) / operations;
}

export async function runScenario(scenario: Scenario, asked: number): Promise<Result> {
  const contestants = await scenario.contestants();
  const rounds = scenario.rounds ?? asked;
  const figures = await takeTurns(contestants, rounds, scenario.rounds === undefined ? WARM_UPS : 0);
  const of = (name: string): ReadonlyMap<number, number> => {
    const found = figures.get(name);
    if (found === undefined) throw new Error(`${scenario.name}: no contestant is called ${name}`);
    return found;
  };
  const ratio = (who: string, to: string): number => {
    const mine = of(who);
    const base = of(to);
    const shared = [...mine.keys()].filter((round) => base.has(round));
    return median(shared.map((round) => (mine.get(round) as number) / (base.get(round) as number)));
  };
  const floor = (contestants[0] as Contestant).name;
  const { name, title, unit } = scenario;
  return {
    name,
    title,
    unit,
    floor: scenario.floor,
    rows: contestants.map(({ name, lacks = '' }) => {
      const own = of(name);
      return { name, lacks, rounds: own.size, figure: median(own.values()), ratio: ratio(name, floor) };
    }),
    verdicts: scenario.reaches.map(({ who = 'slotvisor', atMost, of: to }) => {
      const got = to === undefined ? median(of(who).values()) : ratio(who, to);
      const reach = `${who} at most ${atMost}${to === undefined ? ` ${unit}` : ` x ${to}`}`;
      return { reach, got, met: got <= atMost };
    }),
  };
}

/** Figures by contestant and round. */
async function takeTurns(
  contestants: readonly Contestant[],
  rounds: number,
  warmUps: number,
): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
  const figures = new Map(contestants.map(({ name }) => [name, new Map<number, number>()]));
  const slow = new Set<string>();
  for (let round = -warmUps; round < rounds; round += 1)
    for (let turn = 0; turn < contestants.length; turn += 1) {
      // Each round begins with another contestant, so that no contestant always runs after the same
      // one.
      const { name, lacks, measure } = contestants[(turn + round + warmUps) % contestants.length] as Contestant;
      if (slow.has(name) && (round < 0 || round % SLOW_TAKES_PART_EVERY !== 0)) continue;
      const began = process.cpuUsage();
      const figure = await measure();
      const { user, system } = process.cpuUsage(began);
      if (round === -warmUps && lacks !== undefined && user + system > PATIENCE_MS * 1_000) slow.add(name);
      if (round >= 0) figures.get(name)?.set(round, figure);
    }
  return figures;
}

function median(figures: Iterable<number>): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
