// Explores every reachable state of a shutdown, breadth first, in a small world: an owner that may
// end at any time, a finisher that waits, and an owner that never ends by itself, each in a stage
// of its own. Timers fire early, late and twice, stages are over at any time, and later calls come
// at any time. The rules are checked at every step. Over 300 lines because all rules of a shutdown
// are checked in one walk.

import type { ShutdownEffect, ShutdownInput, ShutdownState, shutdownStep } from '../../src/policy/shutdown.ts';

type Phase = ShutdownState['phase'];
type Closing = Extract<ShutdownState, { phase: 'closing' }>;
type Effect<Name extends ShutdownEffect['do']> = Extract<ShutdownEffect, { do: Name }>;

export type Step = typeof shutdownStep;

/** A rule that does not hold. The message begins with the rule. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

const PATIENCE_MS = 5_000;
const TIMES = [0, 4, 6, 8, 12, 13];
const GRACES = [
  { graceMs: 12, finishMs: 6 },
  { graceMs: 12, finishMs: 12 },
  { graceMs: 6, finishMs: 2 },
  { graceMs: 0, finishMs: 0 },
  { graceMs: Infinity, finishMs: 6 },
  { graceMs: Infinity, finishMs: Infinity },
] as const;

const PHASES: readonly Phase[] = ['open', 'closing', 'forcing', 'flushing', 'closed'];

/** The phases that may follow each phase. */
const NEXT_PHASES: Readonly<Record<Phase, readonly Phase[]>> = {
  open: ['closing'],
  closing: ['forcing', 'flushing'],
  forcing: ['flushing'],
  flushing: ['closed'],
  closed: [],
};

/** The phases in which each input means something. In the others it is stale. */
const MEANT_IN: Readonly<Record<ShutdownInput['kind'], readonly Phase[]>> = {
  begin: ['open'],
  hasten: ['closing'],
  stageOver: ['closing'],
  time: ['closing'],
  patienceOver: ['forcing'],
  empty: ['closing', 'forcing'],
  flushed: ['flushing'],
};

const ONCE: readonly ShutdownEffect['do'][] = ['close', 'endFinish', 'killOrAbandon', 'patience', 'flush', 'report'];

/** The effect that must have happened before. */
const AFTER: Partial<Record<ShutdownEffect['do'], ShutdownEffect['do']>> = {
  tell: 'close',
  endFinish: 'close',
  wakeAt: 'close',
  killOrAbandon: 'close',
  patience: 'killOrAbandon',
  abandonRest: 'killOrAbandon',
  flush: 'close',
  report: 'flush',
};

/** What is over once the force has begun. */
const BEFORE_FORCE: readonly ShutdownEffect['do'][] = ['tell', 'endFinish', 'wakeAt'];

/** Polite: it may end at any time. Stubborn: its body ends only by `abandonRest`. */
type TaskKind = 'polite' | 'waitingFinisher' | 'stubborn';
const TASKS: readonly { readonly stage: number; readonly kind: TaskKind }[] = [
  { stage: -1, kind: 'polite' },
  { stage: 0, kind: 'waitingFinisher' },
  { stage: 3, kind: 'stubborn' },
];

interface World {
  readonly state: ShutdownState;
  readonly nowMs: number;
  /** When the timer of `wakeAt` fires. `NaN` where none was set or it has fired. */
  readonly timerMs: number;
  /** The highest stage of a `tell`. */
  readonly told: number;
  readonly happened: ReadonlySet<ShutdownEffect['do']>;
  /** Which of `TASKS` have not ended. */
  readonly alive: readonly boolean[];
}

interface Node extends World {
  readonly trail: readonly string[];
}

type Check = (holds: boolean, rule: string) => void;

/** `JSON.stringify` would show Infinity as null. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === 'number' ? String(part) : part));

const keyOf = ({ state, nowMs, timerMs, told, happened, alive }: World): string =>
  textOf([state, nowMs, timerMs, told, [...happened].sort(), alive]);

export function exploreShutdown(step: Step, open: ShutdownState): { readonly states: number; readonly edges: number } {
  const first: Node = {
    state: open,
    nowMs: 0,
    timerMs: Number.NaN,
    told: -Infinity,
    happened: new Set(),
    alive: TASKS.map(() => true),
    trail: [],
  };
  const nodes = new Map([[keyOf(first), first]]);
  const into = new Map<string, string[]>();
  let edges = 0;
  for (const [from, node] of nodes)
    for (const next of [...moves(node), ...inputs(node).map((input) => takeStep(step, node, input))]) {
      const to = keyOf(next);
      if (!nodes.has(to)) nodes.set(to, next);
      into.set(to, [...(into.get(to) ?? []), from]);
      edges += 1;
    }
  checkReportReachable(nodes, into);
  const phases = new Set([...nodes.values()].map(({ state }) => state.phase));
  if (phases.size !== PHASES.length) throw new Violation(`every phase can be reached: only ${[...phases]} were`);
  return { states: nodes.size, edges };
}

/** What happens without the shutdown: time passes, a task ends. */
function moves(node: Node): Node[] {
  const nextMs = TIMES[TIMES.indexOf(node.nowMs) + 1];
  const later = nextMs === undefined ? [] : [{ ...node, nowMs: nextMs, trail: [...node.trail, `at ${nextMs}`] }];
  const ends = TASKS.flatMap(({ stage, kind }, i): Node[] =>
    node.alive[i] && kind !== 'stubborn'
      ? [{ ...node, alive: node.alive.with(i, false), trail: [...node.trail, `the task of stage ${stage} ends`] }]
      : [],
  );
  return [...later, ...ends];
}

/** The stages that have not begun and are not empty. */
const stagesOf = ({ told, alive }: World): number[] =>
  TASKS.filter(({ stage }, i) => alive[i] && stage > told).map(({ stage }) => stage);

function inputs(node: Node): ShutdownInput[] {
  const moment = { nowMs: node.nowMs, stages: stagesOf(node) };
  const all: ShutdownInput[] = [
    ...GRACES.flatMap((times): ShutdownInput[] => [
      { kind: 'begin', cause: 'caller', ...times, nowMs: node.nowMs },
      { kind: 'hasten', ...times, ...moment },
    ]),
    { kind: 'stageOver', ...moment },
    { kind: 'time', ...moment },
    { kind: 'patienceOver' },
    { kind: 'empty' },
    { kind: 'flushed' },
  ];
  return all.filter(({ kind }) => kind !== 'empty' || !node.alive.includes(true) || isStale(node.state, 'empty'));
}

const isStale = ({ phase }: ShutdownState, kind: ShutdownInput['kind']): boolean => !MEANT_IN[kind].includes(phase);

/** The earliest end that a closing shutdown waits for. */
const nextEnd = ({ stageUntilMs, finishOver, finishUntilMs, deadlineMs }: Closing): number =>
  Math.min(stageUntilMs, finishOver ? Infinity : finishUntilMs, deadlineMs);

/** Takes one step and checks the rules. */
function takeStep(step: Step, node: Node, input: ShutdownInput): Node {
  const trail = [...node.trail, textOf(input)];
  const check: Check = (holds, rule) => {
    if (!holds) throw new Violation(`${rule}\nafter: ${trail.join(', ')}`);
  };
  const { state, effects } = step(Object.freeze({ ...node.state }), Object.freeze({ ...input }));
  const did = effects.map((effect) => effect.do);
  const stops = did.includes('tell') || did.includes('endFinish');
  check(!(stops && did.includes('killOrAbandon')), 'the force comes a turn after the last stop request');
  check(!textOf([state, effects]).includes('NaN'), 'every time is a number');
  check(state.phase === node.state.phase || NEXT_PHASES[node.state.phase].includes(state.phase), 'phases only go on');
  if (isStale(node.state, input.kind))
    check(textOf([state, effects]) === textOf([node.state, []]), `stale ${input.kind} changes nothing`);

  let world: World = { ...node, state, timerMs: input.kind === 'time' ? Number.NaN : node.timerMs };
  for (const effect of effects) {
    checkEffect(check, world, effect);
    checkMoment(check, node, world, effect, input);
    world = afterEffect(world, effect);
  }
  checkState(check, world);
  if (!isStale(node.state, input.kind)) checkAnswer(check, node, world, input, effects);
  return { ...world, trail };
}

/** The rules that hold for an effect wherever it comes from. */
function checkEffect(check: Check, { happened, told }: World, effect: ShutdownEffect): void {
  const needed = AFTER[effect.do];
  check(needed === undefined || happened.has(needed), `${effect.do} comes after ${needed}`);
  check(!(ONCE.includes(effect.do) && happened.has(effect.do)), `${effect.do} happens once`);
  check(
    !(BEFORE_FORCE.includes(effect.do) && happened.has('killOrAbandon')),
    `${effect.do} does not come after the force`,
  );
  if (effect.do !== 'killOrAbandon') return;
  check(told === Infinity, 'every stage has begun before the force');
  check(happened.has('endFinish'), 'the finish time is over before the force');
}

/** The rules of when an effect may come. */
function checkMoment(check: Check, before: Node, world: World, effect: ShutdownEffect, input: ShutdownInput): void {
  const { state, nowMs } = world;
  switch (effect.do) {
    case 'tell':
      checkTell(check, before, world, effect, input);
      return;
    case 'endFinish':
      check(nowMs >= (state as Closing).finishUntilMs, 'the finish time is not cut short');
      return;
    case 'killOrAbandon':
      check(input.kind === 'time', 'the force comes by a timer, not within a call');
      check(nowMs >= (before.state as Closing).deadlineMs, 'the grace is not cut short');
      return;
    case 'patience':
      check(effect.ms === PATIENCE_MS, 'a killed body has 5,000 ms');
      return;
  }
}

function checkTell(check: Check, before: Node, world: World, { stage }: Effect<'tell'>, input: ShutdownInput): void {
  const { nowMs } = world;
  const state = world.state as Closing;
  const stages = stagesOf(world);
  const graceOver = nowMs >= state.deadlineMs;
  check(stage > world.told, 'a later stage is a higher one');
  check(!graceOver || stage === Infinity, 'the end of the grace begins every stage at once');
  const passedOver = stages.filter((one) => one < stage).length;
  check(passedOver === 0 || graceOver || (stage === Infinity && passedOver === 1), 'no stage is passed over');
  const { kind } = input;
  check(
    kind === 'stageOver' || graceOver || nowMs >= (before.state as Closing).stageUntilMs,
    'a stage keeps its time until it is over',
  );
  const untilMs = stage === Infinity ? Infinity : nowMs + (state.deadlineMs - nowMs) / stages.length;
  check(state.stageUntilMs === untilMs, 'a stage gets an equal share of what is left of the grace');
}

function afterEffect(world: World, effect: ShutdownEffect): World {
  const happened = new Set([...world.happened, effect.do]);
  const endAll = (ends: (kind: TaskKind) => boolean): boolean[] =>
    world.alive.map((is, i) => is && !ends((TASKS[i] as (typeof TASKS)[number]).kind));
  switch (effect.do) {
    case 'tell':
      return { ...world, happened, told: effect.stage };
    case 'wakeAt':
      return { ...world, happened, timerMs: effect.atMs };
    case 'endFinish':
      return { ...world, happened, alive: endAll((kind) => kind === 'waitingFinisher') };
    case 'killOrAbandon':
      return { ...world, happened, alive: endAll((kind) => kind !== 'stubborn') };
    case 'abandonRest':
      return { ...world, happened, alive: endAll(() => true) };
    default:
      return { ...world, happened };
  }
}

/** The rules that hold in every state. */
function checkState(check: Check, { state, told, happened, timerMs }: World): void {
  check(PHASES.includes(state.phase), 'a shutdown has five phases');
  check((state.phase === 'closed') === happened.has('report'), 'a shutdown is closed exactly when it has reported');
  check(
    (state.phase === 'open') === !happened.has('close'),
    'a shutdown is open exactly until it has closed the slots',
  );
  if (state.phase !== 'closing') return;
  check(state.stage === told, 'the stage that has begun is the stage of the last tell');
  check(state.finishOver === happened.has('endFinish'), 'the finish time is over exactly after endFinish');
  check(state.finishUntilMs <= state.deadlineMs, 'the finish time is part of the grace');
  check(timerMs === nextEnd(state), 'a timer runs for the next end');
}

/** What each input does in its own phase. */
function checkAnswer(
  check: Check,
  before: Node,
  after: World,
  input: ShutdownInput,
  effects: readonly ShutdownEffect[],
): void {
  const { state } = after;
  const did = effects.map((effect) => effect.do).join();
  switch (input.kind) {
    case 'begin':
      check(
        state.phase === 'closing' &&
          state.deadlineMs === input.nowMs + input.graceMs &&
          state.finishUntilMs === input.nowMs + input.finishMs,
        'begin sets the end of the grace and of the finish time',
      );
      check(did === 'close,wakeAt', 'no stage begins before the slots are closed');
      return;
    case 'hasten':
      checkHasten(check, before.state as Closing, state as Closing, input, effects);
      return;
    case 'stageOver':
      check(before.told === Infinity ? did === '' : after.told > before.told, 'after a stage the next one begins');
      return;
    case 'time':
      checkTime(check, before, after);
      return;
    case 'patienceOver':
      check(did === 'abandonRest', 'the end of the patience abandons the rest');
      return;
    case 'empty':
      check(state.phase === 'flushing' && did === 'flush', 'an empty supervisor flushes its events');
      return;
    case 'flushed':
      check(state.phase === 'closed' && did === 'report', 'after the flush the shutdown reports');
  }
}

function checkTime(check: Check, before: Node, { state, told }: World): void {
  const { nowMs, happened } = before;
  const was = before.state as Closing;
  if (nowMs >= was.deadlineMs && before.told === Infinity && happened.has('endFinish')) {
    check(state.phase === 'forcing', 'the end of the grace forces the rest');
    return;
  }
  if (state.phase !== 'closing') return; // too early: the grace was cut short
  check(nowMs < was.stageUntilMs || told > before.told, 'a stage begins at the end of the share of the one before');
  check(nowMs < was.finishUntilMs || state.finishOver, 'the end of the finish time ends it');
  check(state.deadlineMs === was.deadlineMs && state.finishUntilMs === was.finishUntilMs, 'a timer moves no deadline');
}

function checkHasten(
  check: Check,
  was: Closing,
  is: Closing,
  { graceMs, finishMs, nowMs, stages }: Extract<ShutdownInput, { kind: 'hasten' }>,
  effects: readonly ShutdownEffect[],
): void {
  check(is.deadlineMs <= was.deadlineMs && is.finishUntilMs <= was.finishUntilMs, 'a deadline never gets later');
  check(is.deadlineMs === Math.min(was.deadlineMs, nowMs + graceMs), 'a shorter grace moves its end');
  check(is.finishUntilMs === Math.min(was.finishUntilMs, nowMs + finishMs), 'a shorter finish time moves its end');
  if (is.stage !== was.stage) return;
  const shareMs = (is.deadlineMs - nowMs) / (stages.length + 1);
  const shareUntilMs = was.stage === Infinity ? Infinity : Math.min(was.stageUntilMs, nowMs + shareMs);
  const untilMs = was.stage === -Infinity ? is.deadlineMs : shareUntilMs;
  check(is.stageUntilMs === untilMs, 'a shorter grace shortens the stage to its new share');
  if (textOf(is) === textOf(was)) check(effects.length === 0, 'a later call that shortens nothing sets no timer');
}

/** Walks backwards from every state that has reported. */
function checkReportReachable(nodes: ReadonlyMap<string, Node>, into: ReadonlyMap<string, readonly string[]>): void {
  const reaches = new Set([...nodes].filter(([, { happened }]) => happened.has('report')).map(([key]) => key));
  for (const key of reaches) for (const from of into.get(key) ?? []) reaches.add(from);
  const stuck = [...nodes.keys()].filter((key) => !reaches.has(key));
  if (stuck.length > 0)
    throw new Violation(`the report can be reached from every state: not from ${stuck.slice(0, 3).join('; ')}`);
}
