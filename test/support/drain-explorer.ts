// Explores the steps of a shutdown: every reachable state, breadth first, with every input at every time, stale and repeated ones included.

import type { DrainEffect, DrainInput, DrainPhase, DrainState, drainStep } from '../../src/policy/drain.ts';

export type Step = typeof drainStep;

/** A claim that does not hold; its message begins with the claim. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

const PHASES: readonly DrainPhase[] = ['open', 'draining', 'forcing', 'flushing', 'closed'];

/** Who may follow whom. */
const WAYS_ON: Readonly<Record<DrainPhase, readonly DrainPhase[]>> = {
  open: ['draining'],
  draining: ['forcing', 'flushing'],
  forcing: ['flushing'],
  flushing: ['closed'],
  closed: [],
};

/** `graceUntil` is said anew with each shorter grace, `abandonRest` with each end of a patience: all others once. */
const ONCE: readonly DrainEffect['do'][] = ['stopAll', 'killOrAbandon', 'patienceUntil', 'flush', 'report'];

/** What must have been said before. */
const AFTER: Partial<Record<DrainEffect['do'], DrainEffect['do']>> = {
  graceUntil: 'stopAll',
  killOrAbandon: 'graceUntil',
  patienceUntil: 'killOrAbandon',
  abandonRest: 'killOrAbandon',
  flush: 'stopAll',
  report: 'flush',
};

const TIMES = [0, 5, 10, 15, 20, 25];
const PATIENCE_MS = 5_000;

const INPUTS: readonly DrainInput[] = [
  ...TIMES.flatMap((nowMs) =>
    [0, 5, 10, Infinity].flatMap((graceMs): DrainInput[] => [
      { kind: 'begin', graceMs, nowMs },
      { kind: 'hasten', graceMs, nowMs },
    ]),
  ),
  ...TIMES.map((nowMs): DrainInput => ({ kind: 'graceOver', nowMs })),
  { kind: 'patienceOver' },
  { kind: 'empty' },
  { kind: 'flushed' },
];

/** A state, and what has been said on the way to it. */
interface Node {
  readonly state: DrainState;
  readonly said: ReadonlySet<DrainEffect['do']>;
  readonly trail: readonly DrainInput[];
}

interface Edge {
  readonly from: string;
  readonly to: string;
}

type Claim = (holds: boolean, text: string) => void;

const keyOf = ({ state, said }: Node): string => `${state.phase} ${state.deadlineMs} ${[...said].sort().join()}`;

export function exploreDrain(step: Step, open: DrainState): { readonly states: number; readonly edges: number } {
  const first: Node = { state: open, said: new Set(), trail: [] };
  const nodes = new Map([[keyOf(first), first]]);
  const edges: Edge[] = [];
  for (const [from, node] of nodes)
    for (const input of INPUTS) {
      const next = walk(step, node, input);
      const to = keyOf(next);
      if (!nodes.has(to)) nodes.set(to, next);
      edges.push({ from, to });
    }
  everyoneReports(nodes, edges);
  for (const node of nodes.values()) for (const input of INPUTS) answersInTime(step, node, input);
  const phases = new Set([...nodes.values()].map(({ state }) => state.phase));
  if (phases.size !== PHASES.length) throw new Broken(`every phase is reached: only ${[...phases]}`);
  return { states: nodes.size, edges: edges.length };
}

const claimAfter =
  (trail: readonly DrainInput[]): Claim =>
  (holds, text) => {
    if (!holds) throw new Broken(`${text}\nafter: ${trail.map((input) => JSON.stringify(input)).join(', ')}`);
  };

/** One step on, with what holds of every step. */
function walk(step: Step, { state, said: before, trail: way }: Node, input: DrainInput): Node {
  const trail = [...way, input];
  const claim = claimAfter(trail);
  const { state: next, effects } = step(Object.freeze({ ...state }), Object.freeze({ ...input }));

  claim(PHASES.includes(next.phase), 'there are five phases');
  claim(next.phase === state.phase || WAYS_ON[state.phase].includes(next.phase), 'phases only go forward');
  claim(next.deadlineMs <= state.deadlineMs, 'a deadline never gets later');

  const said = new Set(before);
  for (const effect of effects) {
    const needed = AFTER[effect.do];
    claim(needed === undefined || said.has(needed), `${effect.do} comes after ${needed}`);
    claim(!(ONCE.includes(effect.do) && said.has(effect.do)), `${effect.do} is said once`);
    said.add(effect.do);
  }
  claim((next.phase === 'closed') === said.has('report'), 'the report is the end');
  return { state: next, said, trail };
}

interface Answer {
  readonly claim: string;
  readonly phase: DrainPhase;
  readonly deadlineMs: number;
  readonly effects: readonly DrainEffect[];
}

function answersInTime(step: Step, { state, trail }: Node, input: DrainInput): void {
  const stale = { claim: `stale ${input.kind} changes nothing`, ...state, effects: [] };
  const { claim, effects, ...expected } = answer(state, input) ?? stale;
  const got = step(state, input);
  const same = JSON.stringify(got.effects) === JSON.stringify(effects);
  const there = got.state.phase === expected.phase && got.state.deadlineMs === expected.deadlineMs;
  claimAfter([...trail, input])(same && there, claim);
}

/** What each input does in its time; at any other it is stale. */
function answer({ phase, deadlineMs }: DrainState, input: DrainInput): Answer | undefined {
  switch (input.kind) {
    case 'begin': {
      if (phase !== 'open') return undefined;
      const atMs = input.nowMs + input.graceMs;
      const effects: DrainEffect[] = [{ do: 'stopAll' }, { do: 'graceUntil', atMs }];
      return { claim: 'a shutdown begins, and its grace', phase: 'draining', deadlineMs: atMs, effects };
    }
    case 'hasten': {
      const atMs = input.nowMs + input.graceMs;
      if (phase !== 'draining' || atMs >= deadlineMs) return undefined;
      return { claim: 'a shorter grace hastens', phase, deadlineMs: atMs, effects: [{ do: 'graceUntil', atMs }] };
    }
    case 'graceOver': {
      if (phase !== 'draining' || input.nowMs < deadlineMs) return undefined;
      const patience: DrainEffect = { do: 'patienceUntil', atMs: input.nowMs + PATIENCE_MS };
      const effects: DrainEffect[] = [{ do: 'killOrAbandon' }, patience];
      return { claim: 'the end of the grace forces', phase: 'forcing', deadlineMs, effects };
    }
    case 'patienceOver':
      if (phase !== 'forcing') return undefined;
      return { claim: 'the end of the patience abandons', phase, deadlineMs, effects: [{ do: 'abandonRest' }] };
    case 'empty':
      if (phase !== 'draining' && phase !== 'forcing') return undefined;
      return { claim: 'when nothing is left it flushes', phase: 'flushing', deadlineMs, effects: [{ do: 'flush' }] };
    case 'flushed':
      if (phase !== 'flushing') return undefined;
      return { claim: 'what is flushed reports', phase: 'closed', deadlineMs, effects: [{ do: 'report' }] };
  }
}

/** Backward from all that have reported. */
function everyoneReports(nodes: ReadonlyMap<string, Node>, edges: readonly Edge[]): void {
  const into = new Map<string, string[]>();
  for (const { from, to } of edges) {
    const sources = into.get(to);
    if (sources === undefined) into.set(to, [from]);
    else sources.push(from);
  }
  const reaches = new Set([...nodes].filter(([, { said }]) => said.has('report')).map(([key]) => key));
  for (const key of reaches) for (const from of into.get(key) ?? []) reaches.add(from);
  const stuck = [...nodes.keys()].filter((key) => !reaches.has(key));
  if (stuck.length > 0) throw new Broken(`the report is reached from everywhere: not from ${stuck.join('; ')}`);
}
