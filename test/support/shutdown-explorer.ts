// Explores every reachable state of a shutdown, breadth first, with every input at every time.
// Stale and repeated inputs are included.

import type { ShutdownEffect, ShutdownInput, ShutdownState, shutdownStep } from '../../src/policy/shutdown.ts';

type ShutdownPhase = ShutdownState['phase'];

export type Step = typeof shutdownStep;

/** A rule that does not hold. The message begins with the rule. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

const PHASES: readonly ShutdownPhase[] = ['open', 'draining', 'forcing', 'flushing', 'closed'];

/** The phases that may follow each phase. */
const NEXT_PHASES: Readonly<Record<ShutdownPhase, readonly ShutdownPhase[]>> = {
  open: ['draining'],
  draining: ['forcing', 'flushing'],
  forcing: ['flushing'],
  flushing: ['closed'],
  closed: [],
};

/**
 * `graceUntil` happens for each shorter grace, and `abandonRest` for each end of the patience. All
 * others happen once.
 */
const ONCE: readonly ShutdownEffect['do'][] = ['stopAll', 'killOrAbandon', 'patienceUntil', 'flush', 'report'];

/** The effect that must have happened before. */
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

/** A state, with the effects and inputs that led to it. */
interface Node {
  readonly state: ShutdownState;
  readonly happened: ReadonlySet<ShutdownEffect['do']>;
  readonly trail: readonly ShutdownInput[];
}

interface Edge {
  readonly from: string;
  readonly to: string;
}

type Check = (holds: boolean, rule: string) => void;

const keyOf = ({ state, happened }: Node): string => `${JSON.stringify(state)} ${[...happened].sort().join()}`;

/** `Infinity` while no grace runs. */
const deadlineOf = (state: ShutdownState): number => (state.phase === 'draining' ? state.deadlineMs : Infinity);

export function exploreShutdown(step: Step, open: ShutdownState): { readonly states: number; readonly edges: number } {
  const first: Node = { state: open, happened: new Set(), trail: [] };
  const nodes = new Map([[keyOf(first), first]]);
  const edges: Edge[] = [];
  for (const [from, node] of nodes)
    for (const input of INPUTS) {
      const next = takeStep(step, node, input);
      const to = keyOf(next);
      if (!nodes.has(to)) nodes.set(to, next);
      edges.push({ from, to });
    }
  checkReportReachable(nodes, edges);
  for (const node of nodes.values()) for (const input of INPUTS) checkAnswer(step, node, input);
  const phases = new Set([...nodes.values()].map(({ state }) => state.phase));
  if (phases.size !== PHASES.length) throw new Violation(`every phase can be reached: only ${[...phases]} were`);
  return { states: nodes.size, edges: edges.length };
}

const checkAfter =
  (trail: readonly ShutdownInput[]): Check =>
  (holds, rule) => {
    if (!holds) throw new Violation(`${rule}\nafter: ${trail.map((input) => JSON.stringify(input)).join(', ')}`);
  };

/** Takes one step and checks the rules that hold for every step. */
function takeStep(step: Step, { state, happened: before, trail: earlier }: Node, input: ShutdownInput): Node {
  const trail = [...earlier, input];
  const check = checkAfter(trail);
  const { state: next, effects } = step(Object.freeze({ ...state }), Object.freeze({ ...input }));

  check(PHASES.includes(next.phase), 'a shutdown has five phases');
  check(next.phase === state.phase || NEXT_PHASES[state.phase].includes(next.phase), 'phases only go forward');
  check(next.phase !== 'draining' || deadlineOf(next) <= deadlineOf(state), 'a deadline never gets later');

  const happened = new Set(before);
  for (const effect of effects) {
    const needed = AFTER[effect.do];
    check(needed === undefined || happened.has(needed), `${effect.do} comes after ${needed}`);
    check(!(ONCE.includes(effect.do) && happened.has(effect.do)), `${effect.do} happens once`);
    happened.add(effect.do);
  }
  check((next.phase === 'closed') === happened.has('report'), 'a shutdown is closed exactly when it has reported');
  return { state: next, happened, trail };
}

interface Answer {
  readonly rule: string;
  readonly state: ShutdownState;
  readonly effects: readonly ShutdownEffect[];
}

function checkAnswer(step: Step, { state, trail }: Node, input: ShutdownInput): void {
  const stale: Answer = { rule: `stale ${input.kind} changes nothing`, state, effects: [] };
  const { rule, ...expected } = answer(state, input) ?? stale;
  const { state: next, effects } = step(state, input);
  const same = JSON.stringify({ state: next, effects }) === JSON.stringify(expected);
  checkAfter([...trail, input])(same, rule);
}

/**
 * What each input does in its own phase. In any other phase it is stale, and the answer is
 * `undefined`.
 */
function answer(state: ShutdownState, input: ShutdownInput): Answer | undefined {
  switch (input.kind) {
    case 'begin': {
      if (state.phase !== 'open') return undefined;
      const atMs = input.nowMs + input.graceMs;
      return {
        rule: 'begin starts the shutdown and its grace',
        state: { phase: 'draining', cause: input.cause, deadlineMs: atMs },
        effects: [{ do: 'stopAll' }, { do: 'graceUntil', atMs }],
      };
    }
    case 'hasten': {
      const atMs = input.nowMs + input.graceMs;
      if (state.phase !== 'draining' || atMs >= state.deadlineMs) return undefined;
      const earlier: ShutdownState = { ...state, deadlineMs: atMs };
      return { rule: 'a shorter grace moves the deadline', state: earlier, effects: [{ do: 'graceUntil', atMs }] };
    }
    case 'graceOver': {
      if (state.phase !== 'draining' || input.nowMs < state.deadlineMs) return undefined;
      const patience: ShutdownEffect = { do: 'patienceUntil', atMs: input.nowMs + PATIENCE_MS };
      const effects: ShutdownEffect[] = [{ do: 'killOrAbandon' }, patience];
      return { rule: 'the end of the grace forces the rest', state: { phase: 'forcing', cause: state.cause }, effects };
    }
    case 'patienceOver':
      if (state.phase !== 'forcing') return undefined;
      return { rule: 'the end of the patience abandons the rest', state, effects: [{ do: 'abandonRest' }] };
    case 'empty': {
      if (state.phase !== 'draining' && state.phase !== 'forcing') return undefined;
      const withinGrace = state.phase === 'draining';
      return {
        rule: 'an empty supervisor flushes its events',
        state: { phase: 'flushing', cause: state.cause, withinGrace },
        effects: [{ do: 'flush', withinGrace }],
      };
    }
    case 'flushed':
      if (state.phase !== 'flushing') return undefined;
      return {
        rule: 'after the flush the shutdown reports',
        state: { phase: 'closed' },
        effects: [{ do: 'report', cause: state.cause, withinGrace: state.withinGrace }],
      };
  }
}

/** Walks backwards from every state that has reported. */
function checkReportReachable(nodes: ReadonlyMap<string, Node>, edges: readonly Edge[]): void {
  const into = new Map<string, string[]>();
  for (const { from, to } of edges) {
    const sources = into.get(to);
    if (sources === undefined) into.set(to, [from]);
    else sources.push(from);
  }
  const reaches = new Set([...nodes].filter(([, { happened }]) => happened.has('report')).map(([key]) => key));
  for (const key of reaches) for (const from of into.get(key) ?? []) reaches.add(from);
  const stuck = [...nodes.keys()].filter((key) => !reaches.has(key));
  if (stuck.length > 0) throw new Violation(`the report can be reached from every state: not from ${stuck.join('; ')}`);
}
