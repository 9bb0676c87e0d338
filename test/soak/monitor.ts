// Watches a supervisor from outside: what was submitted, which bodies are alive, what came of it. It knows the promises and nothing
// of how they are kept. What it asks the supervisor for is told in one step: a status, a count, a view.

import type { AdmissionPolicy, Outcome, Submission, Supervisor, TaskContext, TaskEvent, TaskSpec } from 'slotvisor';
import { ClosedError } from 'slotvisor';

export const WRONGS = [
  'overlapping bodies',
  'lost outcomes',
  'double outcomes',
  'outcomes that are not true',
  'order violations',
  'lost wakeups',
  'starts that nobody may make',
  'bodies past the concurrency',
  'events out of order',
  'books that do not agree',
  'escaped errors',
  'heap growth',
] as const;
export type Wrong = (typeof WRONGS)[number];

const SHOWN = 5;

/** What went wrong, counted; the first few of each kind in words. */
export class Findings {
  readonly counts: Record<Wrong, number>;
  readonly words: string[] = [];

  constructor() {
    this.counts = Object.fromEntries(WRONGS.map((wrong) => [wrong, 0])) as Record<Wrong, number>;
  }

  add(wrong: Wrong, words: string): void {
    this.counts[wrong] += 1;
    if (this.counts[wrong] <= SHOWN) this.words.push(`${wrong}: ${words}`);
  }

  get sound(): boolean {
    return Object.values(this.counts).every((count) => count === 0);
  }
}

interface Entry {
  readonly submission: Submission;
  readonly policy: AdmissionPolicy;
  readonly abandons: boolean;
  /** Where it stands in line; what goes ahead of the line has 0. */
  readonly order: number;
  calls: number;
  value: unknown;
  /** Others may share its run: when it leaves, its body goes on for them. */
  shared: boolean;
}

interface Life {
  readonly entry: Entry;
  readonly ctx: TaskContext;
  over: boolean;
}

interface SlotBook {
  readonly alive: Set<Life>;
  line: Entry[];
  next: Entry | undefined;
  /** What was waiting when the slot was paused, or has come since. */
  heldBack: Set<Entry> | undefined;
}

/** What a wrapped body is told: how to count itself dead when it is ended from outside. */
export type Inner = (ctx: TaskContext, dead: () => void) => unknown;

export type Kill = (ctx: TaskContext) => void | PromiseLike<void>;

const waiting = (entry: Entry | undefined): boolean => entry?.submission.status === 'queued';

export class Monitor {
  readonly outcomes: Record<Outcome['kind'], number> = {
    completed: 0,
    failed: 0,
    fatal: 0,
    canceled: 0,
    killed: 0,
    abandoned: 0,
    rejected: 0,
  };
  submitted = 0;
  bodies = 0;
  alive = 0;
  events = 0;
  readonly #findings: Findings;
  readonly #supervisor: Supervisor;
  readonly #concurrency: number;
  readonly #slots = new Map<string, SlotBook>();
  readonly #live = new Map<string, Entry>();
  /** Bodies that may be given up: as many more than one a slot may be alive as the supervisor says that it has given up. */
  readonly #mayBeAstray = new Set<Life>();
  #order = 0;
  readonly #told = new Map<string, 'submitted' | 'started'>();
  #seq = 0;
  #closing = false;

  constructor(findings: Findings, supervisor: Supervisor, concurrency: number) {
    this.#findings = findings;
    this.#supervisor = supervisor;
    this.#concurrency = concurrency;
    // A line that never fills up: what it does not hear was not told.
    supervisor.subscribe((event) => this.#hear(event), { capacity: 10_000_000 });
  }

  get live(): number {
    return this.#live.size;
  }

  /** Submits with the body wrapped. Undefined once the supervisor is closing, and for nothing else. */
  submit(
    spec: Omit<TaskSpec, 'run'> & { readonly slot: string; readonly admission: AdmissionPolicy },
    inner: Inner,
    kill?: Kill,
  ): Submission | undefined {
    const book = this.#book(spec.slot);
    const latest = book.line.find((one) => one.policy === 'keepLatest' && waiting(one));
    let entry: Entry;
    const run = (ctx: TaskContext) => this.#call(entry, ctx, inner);
    let submission: Submission;
    try {
      submission = this.#supervisor.submit({ ...spec, run: kill === undefined ? run : { run, kill } });
    } catch (error) {
      if (!(error instanceof ClosedError && this.#closing)) this.#findings.add('escaped errors', `submit: ${error}`);
      return undefined;
    }
    const policy = spec.admission;
    const inPlace = policy === 'keepLatest' && latest !== undefined && !waiting(latest);
    const order = policy === 'replace' ? 0 : inPlace ? latest.order : ++this.#order;
    const abandons = spec.onOverrun === 'abandon';
    entry = { submission, policy, abandons, order, calls: 0, value: undefined, shared: false };
    this.submitted += 1;
    this.#live.set(submission.id, entry);
    this.#place(book, entry);
    void submission.outcome.then((outcome) => this.#ended(entry, outcome));
    return submission;
  }

  pause(slot: string): void {
    const book = this.#book(slot);
    this.#supervisor.slot(slot).pause();
    book.heldBack = new Set([...book.line, book.next].filter((one): one is Entry => waiting(one)));
  }

  resume(slot: string): void {
    this.#book(slot).heldBack = undefined;
    this.#supervisor.slot(slot).resume();
  }

  /** Nothing may start from here on. */
  closing(): void {
    this.#closing = true;
  }

  /** Whoever waits, waits for somebody: an owner, or the end of a pause. */
  look(): void {
    for (const { name, phase, owner, queued } of this.#supervisor.snapshot().slots) {
      if (this.#book(name).heldBack !== undefined) continue;
      if (owner === undefined && queued.length > 0)
        this.#findings.add('lost wakeups', `${queued.length} wait on ${name}, and nobody owns it`);
      if (phase === 'idle') this.#findings.add('books that do not agree', `${name} is in the table, and idle`);
    }
  }

  /** With neither work nor wait left: everything agrees, and nothing is held. */
  mustBeQuiet(timers: number): void {
    const { totals, slots, running, queued, overrun, abandonedAlive } = this.#supervisor.snapshot();
    const expect = (what: string, is: number, should: number): void => {
      if (is !== should) this.#findings.add('books that do not agree', `${what}: ${is}, not ${should}`);
    };
    for (const { submission } of this.#live.values())
      this.#findings.add('lost outcomes', `${submission.id} on ${submission.slot} is ${submission.status}`);
    for (const [id, state] of this.#told) this.#findings.add('events out of order', `${id} ends as ${state}`);
    expect('submitted', totals.submitted, this.submitted);
    expect('attempts', totals.attempts, this.bodies);
    for (const [kind, count] of Object.entries(this.outcomes)) expect(kind, totals[kind as Outcome['kind']], count);
    expect('slots in the table', slots.length, 0);
    expect('live tasks', this.#supervisor.tasks().length, 0);
    expect('running, queued, overrun, abandoned', running + queued + overrun + abandonedAlive, 0);
    expect('bodies alive', this.alive, 0);
    expect('timers', timers, 0);
    this.#slots.clear();
  }

  #book(slot: string): SlotBook {
    let book = this.#slots.get(slot);
    if (book === undefined) {
      book = { alive: new Set(), line: [], next: undefined, heldBack: undefined };
      this.#slots.set(slot, book);
    }
    return book;
  }

  #place(book: SlotBook, entry: Entry): void {
    const { submission, policy } = entry;
    book.line = book.line.filter(waiting);
    switch (submission.admission) {
      case 'queued':
        if (policy === 'replace') book.next = entry;
        else book.line.push(entry);
        book.heldBack?.add(entry);
        return;
      case 'started': {
        // A replacement goes ahead of the line, at once where the owner had no body to end.
        const past = policy === 'replace' ? [] : book.line;
        if (past.length > 0 || waiting(book.next))
          this.#findings.add('order violations', `${submission.id} (${policy}) was started past those that wait`);
        if (book.heldBack !== undefined)
          this.#findings.add('starts that nobody may make', `${submission.id} on a paused slot`);
        return;
      }
      case 'joined': {
        const owner = this.#supervisor.slot(submission.slot).view().owner;
        if (owner === undefined) this.#findings.add('outcomes that are not true', `${submission.id} joined nobody`);
        else {
          const leader = this.#live.get(owner.id); // it may have left what it shares
          if (leader !== undefined) leader.shared = true;
        }
        entry.shared = true;
      }
    }
  }

  #call(entry: Entry, ctx: TaskContext, inner: Inner): unknown {
    const life = this.#begin(entry, ctx);
    const end = (): void => this.#end(life);
    let result: unknown;
    try {
      result = inner(ctx, end);
    } catch (error) {
      end();
      throw error;
    }
    if (!(result instanceof Promise)) {
      entry.value = result;
      end();
      return result;
    }
    return result.then(
      (value) => {
        entry.value = value;
        end();
        return value;
      },
      (error) => {
        end();
        throw error;
      },
    );
  }

  #begin(entry: Entry, ctx: TaskContext): Life {
    const { submission } = entry;
    const book = this.#book(submission.slot);
    const life: Life = { entry, ctx, over: false };
    this.bodies += 1;
    entry.calls += 1;
    const wrong = (kind: Wrong, words: string): void =>
      this.#findings.add(kind, `${submission.id} on ${submission.slot}, attempt ${ctx.attempt}: ${words}`);

    if (submission.status === 'ended' && !entry.shared) wrong('starts that nobody may make', 'it has its outcome');
    if (this.#closing) wrong('starts that nobody may make', 'after the shutdown began');
    if (ctx.attempt !== entry.calls) wrong('starts that nobody may make', `it is call ${entry.calls}`);
    if (book.heldBack?.has(entry) === true) wrong('starts that nobody may make', 'its slot is paused');
    if (book.next !== entry && waiting(book.next)) wrong('order violations', 'a replacement waits');
    if (entry.calls === 1) {
      const before = book.line.filter((one) => one.order < entry.order && waiting(one));
      if (before.length > 0) wrong('order violations', `${before.length} came before it`);
      if (book.next === entry) book.next = undefined;
    }
    for (const other of book.alive)
      if (!(other.entry.abandons && other.ctx.canceled))
        wrong('overlapping bodies', `${other.entry.submission.id} is alive`);

    book.alive.add(life);
    this.alive += 1;
    if (book.alive.size > 1 && this.#excess() > this.#supervisor.snapshot().abandonedAlive)
      wrong('overlapping bodies', 'more than have been given up');
    if (entry.abandons) this.#mayBeAstray.add(life);
    if (
      this.alive > this.#concurrency &&
      this.alive > this.#concurrency + [...this.#mayBeAstray].filter((one) => one.ctx.canceled).length
    )
      wrong('bodies past the concurrency', `${this.alive} alive`);
    return life;
  }

  #excess(): number {
    let excess = 0;
    for (const { alive } of this.#slots.values()) excess += Math.max(0, alive.size - 1);
    return excess;
  }

  #end(life: Life): void {
    if (life.over) return;
    life.over = true;
    this.alive -= 1;
    this.#book(life.entry.submission.slot).alive.delete(life);
    this.#mayBeAstray.delete(life);
  }

  #ended(entry: Entry, outcome: Outcome): void {
    const { submission } = entry;
    const wrong = (words: string): void =>
      this.#findings.add(
        'outcomes that are not true',
        `${submission.id} on ${submission.slot}, ${outcome.kind}: ${words}`,
      );
    this.outcomes[outcome.kind] += 1;
    if (!this.#live.delete(submission.id)) this.#findings.add('double outcomes', submission.id);
    if (outcome.kind === 'rejected') {
      if (entry.calls > 0) wrong('its body was called');
      return;
    }
    if (!entry.shared && outcome.attempts !== entry.calls) wrong(`${outcome.attempts} attempts, ${entry.calls} calls`);
    if (!entry.shared && outcome.kind === 'completed' && outcome.value !== entry.value)
      wrong('not what its body returned');
    if (outcome.kind === 'abandoned' || (outcome.kind === 'canceled' && entry.shared)) return;
    for (const { entry: other, ctx } of this.#book(submission.slot).alive)
      if (other === entry && !(entry.abandons && ctx.canceled)) wrong('its body is alive');
  }

  #hear(event: TaskEvent): void {
    this.events += 1;
    const wrong = (words: string): void => this.#findings.add('events out of order', `${event.type}: ${words}`);
    if (event.seq <= this.#seq) wrong(`seq ${event.seq} after ${this.#seq}`);
    this.#seq = event.seq;
    if (!('id' in event)) return;
    const { id, type } = event;
    const state = this.#told.get(id);
    const expect = (should: string | undefined): void => {
      if (state !== should) wrong(`${id} is ${state ?? 'unknown'}`);
    };
    switch (type) {
      case 'submitted':
        expect(undefined);
        this.#told.set(id, 'submitted');
        return;
      case 'queued':
        expect('submitted');
        return;
      case 'started':
      case 'joined':
        expect('submitted');
        this.#told.set(id, 'started');
        return;
      case 'rejected':
        expect('submitted');
        this.#told.delete(id);
        return;
      case 'finished':
        // What leaves a shared run may be told of by another name; what has ended is told of no more.
        expect('started');
        this.#told.delete(id);
        return;
      default:
        expect('started');
    }
  }
}
