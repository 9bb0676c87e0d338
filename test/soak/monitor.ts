// Watches a supervisor from outside: submissions, live bodies, outcomes, events. It knows the
// promises of the library and nothing about the implementation. It asks the supervisor only for a
// status, a count or a view.

import type { AdmissionPolicy, Outcome, Submission, Supervisor, TaskContext, TaskEvent, TaskSpec } from 'slotvisor';
import { ClosedError } from 'slotvisor';
import { ZERO_COUNTS } from '../support/outcomes.ts';

export const WRONGS = [
  'overlapping bodies',
  'lost outcomes',
  'double outcomes',
  'false outcomes',
  'order violations',
  'lost wakeups',
  'forbidden starts',
  'bodies past the concurrency',
  'events out of order',
  'inconsistent counts',
  'escaped errors',
  'heap growth',
] as const;
export type Wrong = (typeof WRONGS)[number];

const SHOWN = 5;

/**
 * A slot that is only paused and resumed. The events about it mark a place in the sequence of
 * events.
 */
const MARKER = 'marker';

/** Counts the violations. The first few of each kind are described in words. */
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
  /** The position in the queue. A replacement goes ahead of the queue and has 0. */
  readonly order: number;
  calls: number;
  value: unknown;
  /** Other submissions may share its run. When it leaves, its body continues for them. */
  shared: boolean;
  /** Whose body it shares: its own, unless it joined another submission. */
  leader: Entry | undefined;
  /** Of a leader: all that share its place, itself included. */
  readonly members: Submission[];
}

interface Life {
  readonly entry: Entry;
  readonly ctx: TaskContext;
  over: boolean;
}

interface SlotBook {
  readonly alive: Set<Life>;
  queue: Entry[];
  next: Entry | undefined;
  /** The submissions that were queued when the slot was paused, or have been queued since. */
  heldBack: Set<Entry> | undefined;
}

/** A body to wrap. It calls `dead` when its `kill` has ended it. */
export type Inner = (ctx: TaskContext, dead: () => void) => unknown;

export type Kill = (ctx: TaskContext) => void | PromiseLike<void>;

/** Its place is taken. Its submitter may have left those that joined it. */
const waiting = (entry: Entry | undefined): boolean =>
  entry?.members.some(({ status }) => status === 'queued') ?? false;

export class Monitor {
  readonly outcomes: Record<Outcome['kind'], number> = { ...ZERO_COUNTS };
  submitted = 0;
  bodies = 0;
  alive = 0;
  events = 0;
  readonly #findings: Findings;
  readonly #supervisor: Supervisor;
  readonly #concurrency: number;
  readonly #slots = new Map<string, SlotBook>();
  readonly #live = new Map<string, Entry>();
  /**
   * Bodies that may be abandoned. A slot may exceed one live body by as many as the supervisor
   * reports as abandoned.
   */
  readonly #mayBeAbandoned = new Set<Life>();
  #order = 0;
  readonly #progress = new Map<string, 'submitted' | 'joined' | 'started'>();
  #seq = 0;
  #markerHeard = (): void => {};
  #closing = false;

  constructor(findings: Findings, supervisor: Supervisor, concurrency: number) {
    this.#findings = findings;
    this.#supervisor = supervisor;
    this.#concurrency = concurrency;
    // A queue that never fills: an event that does not arrive was not published.
    supervisor.subscribe((event) => this.#receive(event), { capacity: 10_000_000 });
  }

  get live(): number {
    return this.#live.size;
  }

  /** Submits with the body wrapped. Returns `undefined` only when the supervisor is closing. */
  submit(
    spec: Omit<TaskSpec, 'run'> & { readonly slot: string; readonly admission: AdmissionPolicy },
    inner: Inner,
    kill?: Kill,
  ): Submission | undefined {
    const book = this.#book(spec.slot);
    const latest = book.queue.find((one) => one.policy === 'keepLatest' && waiting(one));
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
    const members = [submission];
    entry = {
      submission,
      policy,
      abandons,
      order,
      calls: 0,
      value: undefined,
      shared: false,
      leader: undefined,
      members,
    };
    this.submitted += 1;
    this.#live.set(submission.id, entry);
    this.#place(book, entry);
    void submission.outcome.then((outcome) => this.#ended(entry, outcome));
    return submission;
  }

  pause(slot: string): void {
    const book = this.#book(slot);
    this.#supervisor.slot(slot).pause();
    book.heldBack = new Set([...book.queue, book.next].filter((one): one is Entry => waiting(one)));
  }

  resume(slot: string): void {
    this.#book(slot).heldBack = undefined;
    this.#supervisor.slot(slot).resume();
  }

  /** Resolves when all events published so far have been received. */
  gotAll(): Promise<void> {
    if (this.#closing) return Promise.resolve(); // a shutdown delivers them before it resolves
    return new Promise((resolve) => {
      this.#markerHeard = resolve;
      const marker = this.#supervisor.slot(MARKER);
      marker.pause();
      marker.resume();
    });
  }

  /** Nothing may start after this call. */
  closing(): void {
    this.#closing = true;
  }

  /** A queued submission waits for an owner or for the end of a pause. */
  check(): void {
    for (const { name, phase, owner, queued } of this.#supervisor.snapshot().slots) {
      if (this.#book(name).heldBack !== undefined) continue;
      if (owner === undefined && queued.length > 0)
        this.#findings.add('lost wakeups', `${queued.length} wait on ${name}, which has no owner`);
      if (phase === 'idle') this.#findings.add('inconsistent counts', `${name} is in the table, and idle`);
    }
  }

  /** With no work left: all counts agree, and the supervisor holds nothing. */
  expectAtRest(timers: number): void {
    const { totals, slots, owners, queued, overrun, abandonedAlive } = this.#supervisor.snapshot();
    const expect = (what: string, is: number, should: number): void => {
      if (is !== should) this.#findings.add('inconsistent counts', `${what}: ${is}, not ${should}`);
    };
    for (const { submission } of this.#live.values())
      this.#findings.add('lost outcomes', `${submission.id} on ${submission.slot} is ${submission.status}`);
    for (const [id, state] of this.#progress) this.#findings.add('events out of order', `${id} ends as ${state}`);
    expect('submitted', totals.submitted, this.submitted);
    expect('attempts', totals.attempts, this.bodies);
    for (const [kind, count] of Object.entries(this.outcomes)) expect(kind, totals[kind as Outcome['kind']], count);
    expect('slots in the table', slots.length, 0);
    expect('live tasks', this.#supervisor.tasks().length, 0);
    expect('owners, queued, overrun, abandoned', owners + queued + overrun + abandonedAlive, 0);
    expect('bodies alive', this.alive, 0);
    expect('timers', timers, 0);
    this.#slots.clear();
  }

  #book(slot: string): SlotBook {
    let book = this.#slots.get(slot);
    if (book === undefined) {
      book = { alive: new Set(), queue: [], next: undefined, heldBack: undefined };
      this.#slots.set(slot, book);
    }
    return book;
  }

  #place(book: SlotBook, entry: Entry): void {
    const { submission, policy } = entry;
    book.queue = book.queue.filter(waiting);
    switch (submission.admission) {
      case 'queued':
        if (policy === 'replace') book.next = entry;
        else book.queue.push(entry);
        book.heldBack?.add(entry);
        return;
      case 'started': {
        // A replacement goes ahead of the queue. It starts at once if the owner had no live body.
        const past = policy === 'replace' ? [] : book.queue;
        if (past.length > 0 || waiting(book.next))
          this.#findings.add('order violations', `${submission.id} (${policy}) was started before queued submissions`);
        if (book.heldBack !== undefined) this.#findings.add('forbidden starts', `${submission.id} on a paused slot`);
        return;
      }
      case 'joined': {
        const { phase, owner, queued } = this.#supervisor.slot(submission.slot).view();
        const named = this.#live.get((phase === 'running' ? owner?.id : queued[0]?.id) ?? '');
        if (named === undefined) this.#findings.add('false outcomes', `${submission.id} joined nothing`);
        else this.#join(entry, named.leader ?? named);
      }
    }
  }

  #join(entry: Entry, leader: Entry): void {
    entry.leader = leader;
    entry.shared = true;
    leader.shared = true;
    leader.members.push(entry.submission);
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

    if (submission.status === 'ended' && !entry.shared) wrong('forbidden starts', 'it has its outcome');
    if (this.#closing) wrong('forbidden starts', 'after the shutdown began');
    if (ctx.attempt !== entry.calls) wrong('forbidden starts', `it is call ${entry.calls}`);
    if (book.heldBack?.has(entry) === true) wrong('forbidden starts', 'its slot is paused');
    if (book.next !== entry && waiting(book.next)) wrong('order violations', 'a replacement waits');
    if (entry.calls === 1) {
      const before = book.queue.filter((one) => one.order < entry.order && waiting(one));
      if (before.length > 0) wrong('order violations', `${before.length} came before it`);
      if (book.next === entry) book.next = undefined;
    }
    for (const other of book.alive)
      if (!(other.entry.abandons && other.ctx.canceled))
        wrong('overlapping bodies', `${other.entry.submission.id} is alive`);

    book.alive.add(life);
    this.alive += 1;
    if (book.alive.size > 1 && this.#excess() > this.#supervisor.snapshot().abandonedAlive)
      wrong('overlapping bodies', 'more than have been abandoned');
    if (entry.abandons) this.#mayBeAbandoned.add(life);
    if (
      this.alive > this.#concurrency &&
      this.alive > this.#concurrency + [...this.#mayBeAbandoned].filter((one) => one.ctx.canceled).length
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
    this.#mayBeAbandoned.delete(life);
  }

  #ended(entry: Entry, outcome: Outcome): void {
    const { submission } = entry;
    const wrong = (words: string): void =>
      this.#findings.add('false outcomes', `${submission.id} on ${submission.slot}, ${outcome.kind}: ${words}`);
    this.outcomes[outcome.kind] += 1;
    if (!this.#live.delete(submission.id)) this.#findings.add('double outcomes', submission.id);
    if (outcome.kind === 'rejected') {
      // A shared body may be called for the others, before the outcome of its leader is heard.
      if (entry.calls > 0 && !entry.shared) wrong('its body was called');
      return;
    }
    if (!entry.shared && outcome.attempts !== entry.calls) wrong(`${outcome.attempts} attempts, ${entry.calls} calls`);
    if (!entry.shared && outcome.kind === 'completed' && outcome.value !== entry.value)
      wrong('not what its body returned');
    if (outcome.kind === 'abandoned' || (outcome.kind === 'canceled' && entry.shared)) return;
    for (const { entry: other, ctx } of this.#book(submission.slot).alive)
      if (other === entry && !(entry.abandons && ctx.canceled)) wrong('its body is alive');
  }

  #receive(event: TaskEvent): void {
    this.events += 1;
    const wrong = (words: string): void => this.#findings.add('events out of order', `${event.type}: ${words}`);
    if (event.seq <= this.#seq) wrong(`seq ${event.seq} after ${this.#seq}`);
    this.#seq = event.seq;
    if (event.type === 'slotResumed' && event.slot === MARKER) this.#markerHeard();
    if (!('id' in event)) return;
    const { id, type } = event;
    const state = this.#progress.get(id);
    const expect = (...should: (typeof state)[]): void => {
      if (!should.includes(state)) wrong(`${id} is ${state ?? 'unknown'}`);
    };
    switch (type) {
      case 'submitted':
        expect(undefined);
        this.#progress.set(id, 'submitted');
        return;
      case 'queued':
        expect('submitted');
        return;
      case 'joined':
        expect('submitted');
        this.#progress.set(id, type);
        return;
      case 'started': // of a flight, for the first that is left
        expect('submitted', 'joined');
        this.#progress.set(id, type);
        return;
      case 'rejected':
        expect('submitted', 'joined');
        this.#progress.delete(id);
        return;
      case 'finished':
        // After a submission has left a shared run, its events may come under another id. No event
        // follows `finished`.
        expect('started', 'joined');
        this.#progress.delete(id);
        return;
      default:
        expect('started', 'joined');
    }
  }
}
