// Explores the steps of a shutdown: every reachable state, breadth first, with every input at every time, stale and repeated ones included.

import type {
  ShutdownEffect,
  ShutdownInput,
  ShutdownPhase,
  ShutdownState,
  shutdownStep,
} from '../../src/policy/shutdown.ts';

export type Step = typeof shutdownStep;

/** A claim that does not hold; its message begins with the claim. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

const PHASES: readonly ShutdownPhase[] = ['open', 'draining', 'forcing', 'flushing', 'closed'];

/** Who may follow whom. */
const WAYS_ON: Readonly<Record<ShutdownPhase, readonly ShutdownPhase[]>> = {
  open: ['draining'],
  draining: ['forcing', 'flushing'],
  forcing: ['flushing'],
  flushing: ['closed'],
  closed: [],
};

/** `graceUntil` is said anew with each shorter grace, `abandonRest` with each end of a patience: all others once. */
const ONCE: readonly ShutdownEffect['do'][] = ['stopAll', 'killOrAbandon', 'patienceUntil', 'flush', 'report'];

/** What must have been said before. */
const AFTER: Partial<Record<ShutdownEffect['do'], ShutdownEffect['do']>> = {
  graceUntil: 'stopAll',
  killOrAbandon: 'graceUntil',
  patienceUntil: 'killOrAbandon',
  abandonRest: 'killOrAbandon',
  flush: 'stopAll',
  report: 'flush',
};

const TIMES = [0, 5, 10, 15, 20, 25];
const PATIENCE_MS = 5_000;

const INPUTS: readonly ShutdownInput[] = [
  ...TIMES.flatMap((nowMs) =>
    [0, 5, 10, Infinity].flatMap((graceMs): ShutdownInput[] => [
      { kind: 'begin', cause: 'caller', graceMs, nowMs },
      { kind: 'hasten', graceMs, nowMs },
    ]),
  ),
  ...TIMES.map((nowMs): ShutdownInput => ({ kind: 'graceOver', nowMs })),
  { kind: 'patienceOver' },
  { kind: 'empty' },
  { kind: 'flushed' },
];

/** A state, and what has been said on the way to it. */
interface Node {
  readonly state: ShutdownState;
  readonly said: ReadonlySet<ShutdownEffect['do']>;
  readonly trail: readonly ShutdownInput[];
}

interface Edge {
  readonly from: string;
  readonly to: string;
}

type Claim = (holds: boolean, text: string) => void;

const keyOf = ({ state, said }: Node): string => `${JSON.stringify(state)} ${[...said].sort().join()}`;

/** `Infinity` while no grace runs. */
const deadlineOf = (state: ShutdownState): number => (state.phase === 'draining' ? state.deadlineMs : Infinity);

export function exploreShutdown(step: Step, open: ShutdownState): { readonly states: number; readonly edges: number } {
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
  (trail: readonly ShutdownInput[]): Claim =>
  (holds, text) => {
    if (!holds) throw new Broken(`${text}\nafter: ${trail.map((input) => JSON.stringify(input)).join(', ')}`);
  };

/** One step on, with what holds of every step. */
function walk(step: Step, { state, said: before, trail: way }: Node, input: ShutdownInput): Node {
  const trail = [...way, input];
  const claim = claimAfter(trail);
  const { state: next, effects } = step(Object.freeze({ ...state }), Object.freeze({ ...input }));

  claim(PHASES.includes(next.phase), 'there are five phases');
  claim(next.phase === state.phase || WAYS_ON[state.phase].includes(next.phase), 'phases only go forward');
  claim(next.phase !== 'draining' || deadlineOf(next) <= deadlineOf(state), 'a deadline never gets later');

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
  readonly state: ShutdownState;
  readonly effects: readonly ShutdownEffect[];
}

function answersInTime(step: Step, { state, trail }: Node, input: ShutdownInput): void {
  const stale: Answer = { claim: `stale ${input.kind} changes nothing`, state, effects: [] };
  const { claim, ...expected } = answer(state, input) ?? stale;
  const { state: next, effects } = step(state, input);
  const same = JSON.stringify({ state: next, effects }) === JSON.stringify(expected);
  claimAfter([...trail, input])(same, claim);
}

/** What each input does when it is expected. At any other time it is stale, and the answer is `undefined`. */
function answer(state: ShutdownState, input: ShutdownInput): Answer | undefined {
  switch (input.kind) {
    case 'begin': {
      if (state.phase !== 'open') return undefined;
      const atMs = input.nowMs + input.graceMs;
      return {
        claim: 'a shutdown begins, and its grace',
        state: { phase: 'draining', cause: input.cause, deadlineMs: atMs },
        effects: [{ do: 'stopAll' }, { do: 'graceUntil', atMs }],
      };
    }
    case 'hasten': {
      const atMs = input.nowMs + input.graceMs;
      if (state.phase !== 'draining' || atMs >= state.deadlineMs) return undefined;
      const hastened: ShutdownState = { ...state, deadlineMs: atMs };
      return { claim: 'a shorter grace hastens', state: hastened, effects: [{ do: 'graceUntil', atMs }] };
    }
    case 'graceOver': {
      if (state.phase !== 'draining' || input.nowMs < state.deadlineMs) return undefined;
      const patience: ShutdownEffect = { do: 'patienceUntil', atMs: input.nowMs + PATIENCE_MS };
      const effects: ShutdownEffect[] = [{ do: 'killOrAbandon' }, patience];
      return { claim: 'the end of the grace forces', state: { phase: 'forcing', cause: state.cause }, effects };
    }
    case 'patienceOver':
      if (state.phase !== 'forcing') return undefined;
      return { claim: 'the end of the patience abandons', state, effects: [{ do: 'abandonRest' }] };
    case 'empty': {
      if (state.phase !== 'draining' && state.phase !== 'forcing') return undefined;
      const forced = state.phase === 'forcing';
      return {
        claim: 'when nothing is left it flushes',
        state: { phase: 'flushing', cause: state.cause, forced },
        effects: [{ do: 'flush', withinGrace: !forced }],
      };
    }
    case 'flushed':
      if (state.phase !== 'flushing') return undefined;
      return {
        claim: 'after the flush it reports',
        state: { phase: 'closed' },
        effects: [{ do: 'report', cause: state.cause, withinGrace: !state.forced }],
      };
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
