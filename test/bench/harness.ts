// Runs a scenario. Its contestants take turns, round by round, in one process, so that everything
// else on the machine slows all of them alike. What a reach judges takes part a second time, from a
// copy of the same build: the control. What differs less than these two do is no difference.

import { differs, median, type Rounds, ratio, spread } from './figures.ts';
import { collectGarbage, type Measured } from './measure.ts';

export type Unit = 'ns' | 'bytes' | 'ms' | '%';

export interface Contestant {
  readonly name: string;
  /** What a peer does not do of what slotvisor does in this scenario. */
  readonly lacks?: string;
  /** If it is not the scenario's. */
  readonly unit?: Unit;
  measure(): Promise<Measured>;
}

/**
 * A target for slotvisor (or `who`): at most `atMost` times the figure of `of`; without `of`, at
 * most `atMost` in the unit of `who`.
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

/** The same scenario, compiled a second time over a copy of a build. Nothing is shared. */
export interface Copy {
  readonly name: 'control' | 'against';
  readonly scenario: Scenario;
}

export interface Row {
  readonly name: string;
  readonly lacks: string;
  readonly unit: Unit;
  /** How many rounds were measured. Fewer than requested for a very slow contestant. */
  readonly rounds: number;
  readonly figure: number;
  readonly wall?: number;
  /** The ratio to the floor of the same run, if both have one unit. */
  readonly ratio?: number;
  readonly copy?: Copy['name'];
}

/** What the copies say of a contestant. */
export interface Comparison {
  readonly who: string;
  /** The control as a ratio to `who`. */
  readonly control: number;
  readonly spread: number;
  /** `who` as a ratio to the other build. */
  readonly against?: number;
  readonly differs?: boolean;
}

export interface Verdict {
  readonly who: string;
  readonly atMost: number;
  /** Without it, the reach and what was got are in `unit`. */
  readonly of?: string;
  readonly unit: Unit;
  readonly got: number;
  readonly met: boolean;
  /** Met or missed by less than the control's spread: another run may decide otherwise. */
  readonly close: boolean;
}

export interface Result {
  readonly name: string;
  readonly title: string;
  readonly floor: string;
  readonly rows: readonly Row[];
  readonly comparisons: readonly Comparison[];
  readonly verdicts: readonly Verdict[];
}

/** The file that --json writes. */
export interface Report {
  readonly machine: { readonly node: string; readonly cpu: string; readonly cores: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly results: readonly Result[];
}

const WARM_UPS = 1;

/**
 * A peer, but not the floor, whose first round uses more CPU time than this is measured in every
 * third round only.
 */
const PATIENCE_MS = 300;
const SLOW_TAKES_PART_EVERY = 3;

const OURS = 'slotvisor';

type Entrant = Contestant & { readonly copy?: Copy['name'] };

const copied = (who: string, copy: Copy['name']): string => `${who} (${copy})`;

export async function runScenario(scenario: Scenario, copies: readonly Copy[], asked: number): Promise<Result> {
  collectGarbage();
  const { name, title, floor, reaches } = scenario;
  const judged = new Set([OURS, ...reaches.map(({ who = OURS }) => who)]);
  const entrants: Entrant[] = [...(await scenario.contestants())];
  for (const copy of copies)
    for (const one of await copy.scenario.contestants())
      if (judged.has(one.name)) entrants.push({ ...one, name: copied(one.name, copy.name), copy: copy.name });

  const taken = await takeTurns(entrants, scenario.rounds ?? asked, scenario.rounds === undefined ? WARM_UPS : 0);
  const comparisons = entrants
    .filter(({ name, copy }) => copy === undefined && judged.has(name))
    .map(({ name }) => compare(name, taken.figures));
  return {
    name,
    title,
    floor,
    rows: entrants.map((entrant) => toRow(entrant, entrants[0] as Entrant, scenario.unit, taken)),
    comparisons,
    verdicts: reaches.map((reach) => judge(reach, entrants, scenario.unit, taken.figures, comparisons)),
  };
}

type ByName = ReadonlyMap<string, Rounds>;

interface Taken {
  readonly figures: ByName;
  readonly walls: ByName;
}

function roundsOf(name: string, all: ByName): Rounds {
  const found = all.get(name);
  if (found === undefined) throw new Error(`no contestant is called ${name}`);
  return found;
}

function toRow({ name, lacks = '', unit, copy }: Entrant, floor: Entrant, common: Unit, taken: Taken): Row {
  const own = roundsOf(name, taken.figures);
  const walls = roundsOf(name, taken.walls);
  return {
    name,
    lacks,
    unit: unit ?? common,
    rounds: own.size,
    figure: median(own.values()).at,
    ...(walls.size > 0 && { wall: median(walls.values()).at }),
    ...(unit === floor.unit && { ratio: ratio(own, roundsOf(floor.name, taken.figures)).at }),
    ...(copy && { copy }),
  };
}

function compare(who: string, figures: ByName): Comparison {
  const own = roundsOf(who, figures);
  const control = ratio(roundsOf(copied(who, 'control'), figures), own);
  const apart = spread(control);
  const other = figures.get(copied(who, 'against'));
  const against = other && ratio(own, other).at;
  return {
    who,
    control: control.at,
    spread: apart,
    ...(against !== undefined && { against, differs: differs(against, apart) }),
  };
}

function judge(
  { who = OURS, atMost, of }: Reach,
  entrants: readonly Entrant[],
  common: Unit,
  figures: ByName,
  comparisons: readonly Comparison[],
): Verdict {
  const own = roundsOf(who, figures);
  const got = of === undefined ? median(own.values()).at : ratio(own, roundsOf(of, figures)).at;
  const { spread } = comparisons.find((one) => one.who === who) as Comparison;
  const unit = entrants.find(({ name }) => name === who)?.unit ?? common;
  const close = !differs(got / atMost, spread);
  return { who, atMost, ...(of !== undefined && { of }), unit, got, met: got <= atMost, close };
}

async function takeTurns(entrants: readonly Entrant[], rounds: number, warmUps: number): Promise<Taken> {
  const empty = () => new Map(entrants.map(({ name }) => [name, new Map<number, number>()]));
  const figures = empty();
  const walls = empty();
  const slow = new Set<string>();
  for (let round = -warmUps; round < rounds; round += 1)
    for (let turn = 0; turn < entrants.length; turn += 1) {
      // Each round begins with another contestant, so that no contestant always runs after the same
      // one.
      const entrant = entrants[(turn + round + warmUps) % entrants.length] as Entrant;
      const { name, measure } = entrant;
      const mayRest = entrant.lacks !== undefined && entrant !== entrants[0];
      if (slow.has(name) && (round < 0 || round % SLOW_TAKES_PART_EVERY !== 0)) continue;
      const began = process.cpuUsage();
      const { figure, wall } = await measure();
      const { user, system } = process.cpuUsage(began);
      if (round === -warmUps && mayRest && user + system > PATIENCE_MS * 1_000) slow.add(name);
      if (round < 0) continue;
      figures.get(name)?.set(round, figure);
      if (wall !== undefined) walls.get(name)?.set(round, wall);
    }
  return { figures, walls };
}
