// The history of a fleet: what its processes did and what was done to them, line by line, on one
// monotonic clock. `judge` says which promises it breaks. It only reads: how a history came about,
// by processes, in virtual time or by hand, does not matter.

/** What a process did with a slot. Its moment is taken before the body asks whether it may. */
interface Deed {
  readonly is: 'begin' | 'step' | 'end' | 'refused';
  readonly at: number;
  readonly pid: number;
  readonly slot: string;
  readonly fence: string;
}

/**
 * The way of a request: `asks` before the store is called, `waits` when it has answered that the
 * session is in line, `leaves` when the slot or the place goes back.
 */
interface Place {
  readonly is: 'asks' | 'waits' | 'leaves';
  readonly at: number;
  readonly pid: number;
  readonly slot: string;
  readonly mode?: 'try' | 'wait' | 'urgent';
}

/** `stood`: the process did not run, for lack of a processor. `late`: no beat was answered. */
interface Delay {
  readonly is: 'stood' | 'late';
  readonly at: number;
  readonly pid: number;
  readonly since: number;
}

/** What was done to a process. `hindered` to `eased`: its network is cut or stalled. */
interface Fault {
  readonly is: 'up' | 'killed' | 'frozen' | 'thawed' | 'hindered' | 'eased' | 'ending';
  readonly at: number;
  readonly pid: number;
}

type Ending =
  | { readonly is: 'uncaught'; readonly at: number; readonly pid: number; readonly text: string }
  | { readonly is: 'exited'; readonly at: number; readonly pid: number; readonly how: string };

/** `away` to `back`: the store is down, or breaks connections. `healed`: no more faults follow. */
interface StoreFault {
  readonly is: 'away' | 'back' | 'healed';
  readonly at: number;
}

/** Read at the end. `row`: a write that the resource took, in its own order. */
type Remains =
  | { readonly is: 'left'; readonly at: number; readonly what: string; readonly count: number }
  | { readonly is: 'row'; readonly at: number; readonly slot: string; readonly fence: string };

export type HistoryLine = Deed | Place | Delay | Fault | Ending | StoreFault | Remains;

export const RULES = [
  'stale step',
  'overlap',
  'shared fence',
  'falling fence',
  'stale write',
  'silence',
  'order',
  'leftover',
  'uncaught error',
] as const;
export type Rule = (typeof RULES)[number];

export interface Verdict {
  readonly counts: Readonly<Record<Rule, number>>;
  /** The first findings of each rule. */
  readonly words: readonly string[];
  readonly figures: Readonly<
    Record<
      'bodies' | 'steps' | 'refused writes' | 'writes' | 'places judged' | 'silences judged' | 'longest silence, ms',
      number
    >
  >;
}

export interface Measure {
  readonly ttlMs: number;
  /** Slots that always have work. Each must take a step after `healed`. */
  readonly busy?: readonly string[];
  /** Judge how long a busy slot was silent: for a machine that keeps up. */
  readonly judgesSilence?: boolean;
}

export function judge(lines: readonly HistoryLine[], measure: Measure): Verdict {
  const judgement = new Judgement(lines, measure);
  for (const line of lines.toSorted((a, b) => a.at - b.at)) judgement.read(line);
  return judgement.end();
}

type Span = readonly [from: number, to: number];

const touches = (spans: readonly Span[], from: number, to: number): boolean =>
  spans.some(([begin, end]) => begin <= to && end >= from);

/** When something was the matter, known before the lines are read one by one. */
class Disturbances {
  /** When a process did not run. */
  readonly stops = new Map<number, Span[]>();
  /** When anything was the matter with a process. */
  readonly any = new Map<number, Span[]>();
  readonly away: Span[] = [];

  constructor(lines: readonly HistoryLine[]) {
    const open = new Map<string, number>();
    const close = (key: string, to: number): Span => {
      const span = [open.get(key) ?? to, to] as const;
      open.delete(key);
      return span;
    };
    for (const line of lines.toSorted((a, b) => a.at - b.at)) {
      if (line.is === 'frozen' || line.is === 'hindered') open.set(`${line.is} ${line.pid}`, line.at);
      else if (line.is === 'thawed') this.#stop(line.pid, close(`frozen ${line.pid}`, line.at));
      else if (line.is === 'eased') this.#add(this.any, line.pid, close(`hindered ${line.pid}`, line.at));
      else if (line.is === 'killed' || line.is === 'ending') this.#add(this.any, line.pid, [line.at, Infinity]);
      else if (line.is === 'stood') this.#stop(line.pid, [line.since, line.at]);
      else if (line.is === 'late') this.#add(this.any, line.pid, [line.since, line.at]);
      else if (line.is === 'away') open.set('away', line.at);
      else if (line.is === 'back') this.away.push(close('away', line.at));
    }
    for (const [key, from] of open) {
      const [what, pid] = key.split(' ');
      if (what === 'away') this.away.push([from, Infinity]);
      else if (what === 'frozen') this.#stop(Number(pid), [from, Infinity]);
      else this.#add(this.any, Number(pid), [from, Infinity]);
    }
  }

  #stop(pid: number, span: Span): void {
    this.#add(this.stops, pid, span);
    this.#add(this.any, pid, span);
  }
  #add(spans: Map<number, Span[]>, pid: number, span: Span): void {
    spans.set(pid, [...(spans.get(pid) ?? []), span]);
  }
}

interface Waiter {
  readonly pid: number;
  readonly mode: Place['mode'];
  readonly askedAt: number;
  inLineAt: number | undefined;
}

interface SlotState {
  /** The bodies that are alive, by process. */
  readonly alive: Map<number, string>;
  readonly ownerOf: Map<string, number>;
  readonly waiters: Map<number, Waiter>;
  newest: bigint;
  newestStep: bigint;
  lastStepAt: number | undefined;
  lastWrite: bigint;
}

const MOST_WORDS = 5;
/** Added to the ttl: the next in line has to notice, and its body to begin. */
const SPARE_MS = 2_000;

class Judgement {
  readonly #measure: Measure;
  readonly #disturbed: Disturbances;
  readonly #slots = new Map<string, SlotState>();
  readonly #dead = new Set<number>();
  readonly #words: string[] = [];
  readonly #counts = Object.fromEntries(RULES.map((rule) => [rule, 0])) as Record<Rule, number>;
  readonly #figures = {
    bodies: 0,
    steps: 0,
    'refused writes': 0,
    writes: 0,
    'places judged': 0,
    'silences judged': 0,
    'longest silence, ms': 0,
  };
  #healedAt: number | undefined;

  constructor(lines: readonly HistoryLine[], measure: Measure) {
    this.#measure = measure;
    this.#disturbed = new Disturbances(lines);
  }

  read(line: HistoryLine): void {
    switch (line.is) {
      case 'begin':
        this.#begin(line, this.#slot(line.slot));
        break;
      case 'step':
        this.#step(line, this.#slot(line.slot));
        break;
      case 'end':
        this.#slot(line.slot).alive.delete(line.pid);
        break;
      case 'refused':
        this.#figures['refused writes'] += 1;
        break;
      case 'asks':
      case 'waits':
      case 'leaves':
        this.#place(line, this.#slot(line.slot).waiters);
        break;
      case 'row':
        this.#write(line.slot, BigInt(line.fence), this.#slot(line.slot));
        break;
      case 'healed':
        this.#healedAt = line.at;
        break;
      case 'left':
        if (line.count > 0) this.#find('leftover', `${line.count} of ${line.what}`);
        break;
      case 'uncaught':
        this.#find('uncaught error', `process ${line.pid}: ${line.text}`);
        break;
      case 'killed':
        this.#bury(line.pid);
        break;
      case 'exited':
        if (line.how !== '0' && !this.#dead.has(line.pid))
          this.#find('uncaught error', `process ${line.pid} ended with ${line.how}`);
        this.#bury(line.pid);
    }
  }

  end(): Verdict {
    for (const slot of this.#healedAt === undefined ? [] : (this.#measure.busy ?? [])) {
      const { lastStepAt } = this.#slot(slot);
      if (lastStepAt === undefined || lastStepAt < (this.#healedAt as number))
        this.#find('silence', `${slot} took no step after the last fault`);
    }
    return { counts: this.#counts, words: this.#words, figures: this.#figures };
  }

  #begin({ at, pid, slot, fence }: Deed, state: SlotState): void {
    if (this.#dead.has(pid)) return;
    this.#figures.bodies += 1;
    for (const [other, otherFence] of state.alive)
      if (!touches(this.#disturbed.stops.get(other) ?? [], at - this.#measure.ttlMs, at))
        this.#find('overlap', `${slot}: ${fence} of ${pid} began beside ${otherFence} of ${other}, at ${at}`);
    state.alive.set(pid, fence);

    const owner = state.ownerOf.get(fence);
    if (owner !== undefined && owner !== pid)
      this.#find('shared fence', `${slot}: ${fence} of ${owner} and of ${pid}, at ${at}`);
    if (owner === undefined) this.#granted(pid, at, slot, state);
    state.ownerOf.set(fence, pid);
    if (BigInt(fence) < state.newest)
      this.#find('falling fence', `${slot}: ${fence} of ${pid} began after ${state.newest}, at ${at}`);
    else state.newest = BigInt(fence);
  }

  /** A process that waited in line before this one asked has to be first, unless one was urgent. */
  #granted(pid: number, at: number, slot: string, { waiters }: SlotState): void {
    const mine = waiters.get(pid);
    waiters.delete(pid);
    if (mine === undefined || mine.mode === 'urgent') return;
    for (const { pid: other, mode, inLineAt } of waiters.values()) {
      if (mode === 'urgent' || inLineAt === undefined) continue;
      if (this.#isDisturbed(other, inLineAt, at)) continue;
      this.#figures['places judged'] += 1;
      if (inLineAt >= mine.askedAt) continue;
      this.#find('order', `${slot}: ${pid} asked after ${other} was in line, and went before it, at ${at}`);
    }
  }

  /** After a disturbance a session comes last in its lines until it has beaten. */
  #isDisturbed(pid: number, from: number, to: number): boolean {
    const since = from - this.#measure.ttlMs;
    return touches(this.#disturbed.any.get(pid) ?? [], since, to) || touches(this.#disturbed.away, since, to);
  }

  #step({ at, pid, slot, fence }: Deed, state: SlotState): void {
    this.#figures.steps += 1;
    if (BigInt(fence) < state.newestStep)
      this.#find('stale step', `${slot}: a step of ${pid} under ${fence} after ${state.newestStep}, at ${at}`);
    else state.newestStep = BigInt(fence);
    if (state.lastStepAt !== undefined && this.#measure.busy?.includes(slot)) this.#silent(slot, state.lastStepAt, at);
    state.lastStepAt = at;
  }

  #silent(slot: string, from: number, to: number): void {
    const { ttlMs, judgesSilence } = this.#measure;
    // After a restart the store waits for a ttl before it takes a slot from a process.
    if (touches(this.#disturbed.away, from - ttlMs, to)) return;
    const ms = to - from;
    this.#figures['silences judged'] += 1;
    this.#figures['longest silence, ms'] = Math.max(this.#figures['longest silence, ms'], ms);
    const hit = [...this.#disturbed.any.values()].filter((spans) => touches(spans, from - ttlMs, to)).length;
    const mostMs = (hit > 1 ? 2 : 1) * ttlMs + SPARE_MS;
    if (judgesSilence && ms > mostMs) this.#find('silence', `${slot} took no step for ${Math.round(ms)} ms, at ${to}`);
  }

  #place({ is, at, pid, mode }: Place, waiters: Map<number, Waiter>): void {
    if (is === 'leaves') waiters.delete(pid);
    else if (is === 'asks') waiters.set(pid, { pid, mode, askedAt: at, inLineAt: undefined });
    else {
      const waiter = waiters.get(pid);
      if (waiter !== undefined) waiter.inLineAt = at;
    }
  }

  #write(slot: string, fence: bigint, state: SlotState): void {
    this.#figures.writes += 1;
    if (!state.ownerOf.has(`${fence}`)) this.#find('stale write', `${slot}: a write under ${fence}, which no body had`);
    if (fence < state.lastWrite) this.#find('stale write', `${slot}: a write under ${fence} after ${state.lastWrite}`);
    else state.lastWrite = fence;
  }

  #bury(pid: number): void {
    this.#dead.add(pid);
    for (const { alive, waiters } of this.#slots.values()) {
      alive.delete(pid);
      waiters.delete(pid);
    }
  }

  #slot(name: string): SlotState {
    let state = this.#slots.get(name);
    if (state === undefined) {
      state = {
        alive: new Map(),
        ownerOf: new Map(),
        waiters: new Map(),
        newest: -1n,
        newestStep: -1n,
        lastStepAt: undefined,
        lastWrite: -1n,
      };
      this.#slots.set(name, state);
    }
    return state;
  }

  #find(rule: Rule, words: string): void {
    this.#counts[rule] += 1;
    if (this.#counts[rule] <= MOST_WORDS) this.#words.push(`${rule}: ${words}`);
  }
}
