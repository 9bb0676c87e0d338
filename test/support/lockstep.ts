// Runs each step on the real supervisor and on the reference model, and then compares both.

import {
  type Outcome,
  type ShutdownReport,
  type Submission,
  Supervisor,
  type TaskContext,
  type TaskEvent,
  type TaskSpec,
} from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { PLAIN, type Plan, Reference, TIMES } from './reference.ts';

export type Step =
  | { readonly do: 'submit'; readonly plan: Plan }
  | { readonly do: 'cancel' | 'restart'; readonly pick: number }
  | { readonly do: 'end'; readonly pick: number; readonly how: 'value' | 'error' }
  | { readonly do: 'cancelSlot' | 'pause' | 'resume'; readonly slot: string }
  | { readonly do: 'configure'; readonly slot: string; readonly queueLimit: number; readonly dropOldest: boolean }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'shutdown' };

interface Alive {
  readonly task: number;
  readonly attempt: number;
  end(how: 'value' | 'error' | 'reason'): void;
}

/** The error that a body throws by itself. Its identity distinguishes it from every other error. */
const OWN_ERROR = new Error('own');

export class Lockstep {
  readonly reference = new Reference();
  readonly clock = new VirtualClock();
  readonly supervisor = new Supervisor({
    clock: this.clock,
    shutdownGraceMs: TIMES.shutdown,
    finishMs: TIMES.finish,
  });
  readonly #submissions: Submission[] = [];
  readonly #outcomes: (string | undefined)[] = [];
  readonly #events: string[][] = [];
  readonly #alive: Alive[] = [];
  readonly #started: number[] = [];
  readonly #slots = new Set<string>();
  report: ShutdownReport | undefined;
  steps = 0;

  constructor() {
    this.supervisor.subscribe((event) => this.#onEvent(event), { capacity: Infinity });
  }

  /** Runs the step on both sides and compares them. */
  async take(choice: Step): Promise<void> {
    this.steps += 1;
    const step = this.#aimed(choice); // before either side changes
    this.#takeOn(this.reference, step);
    this.reference.settle();
    if (step.do === 'advance') await this.clock.advance(step.ms);
    else this.#act(step);
    await this.clock.settle();
    this.compare();
  }

  /** Ends everything that can end, and checks that nothing is left. */
  async finish(): Promise<void> {
    await this.take({ do: 'shutdown' });
    await this.take({ do: 'advance', ms: TIMES.shutdown });
    while (this.reference.bodies.length > 0) await this.take({ do: 'end', pick: 0, how: 'value' });
    await this.clock.settle();
    same('timers left', this.clock.timers, 0);
    same('slots left', this.supervisor.snapshot().slots.filter(({ paused }) => !paused).length, 0);
    same('outcomes', this.#outcomes.filter((outcome) => outcome === undefined).length, 0);
    same('phase', this.supervisor.snapshot().phase, 'closed');
  }

  /** Turns a pick into the number of a live task, or into the index of a body. */
  #aimed(step: Step): Step {
    const { tasks, bodies } = this.reference;
    if (step.do === 'end') return { ...step, pick: step.pick % Math.max(1, bodies.length) };
    if (step.do !== 'cancel' && step.do !== 'restart') return step;
    const live = tasks.filter(({ outcome }) => outcome === undefined);
    return { ...step, pick: live[step.pick % live.length]?.number ?? 0 };
  }

  #takeOn(reference: Reference, step: Step): void {
    switch (step.do) {
      case 'submit':
        this.#slots.add(step.plan.slot);
        reference.submit(step.plan);
        return;
      case 'cancel':
        reference.cancel(step.pick);
        return;
      case 'restart':
        reference.restart(step.pick);
        return;
      case 'end': {
        const body = reference.bodies[step.pick];
        if (body !== undefined) reference.end(body, step.how);
        return;
      }
      case 'configure':
        reference.configure(step.slot, step.queueLimit, step.dropOldest);
        return;
      case 'advance':
        reference.advance(step.ms);
        return;
      case 'shutdown':
        reference.shutdown();
        return;
      default:
        this.#slots.add(step.slot);
        reference[step.do](step.slot);
    }
  }

  #act(step: Exclude<Step, { do: 'advance' }>): void {
    const { supervisor } = this;
    switch (step.do) {
      case 'submit':
        this.#submit(step.plan);
        return;
      case 'cancel':
        void this.#submissions[step.pick - 1]?.cancel();
        return;
      case 'restart':
        this.#submissions[step.pick - 1]?.restart();
        return;
      case 'end':
        this.#alive[step.pick]?.end(step.how);
        return;
      case 'configure': {
        const { queueLimit, dropOldest } = step;
        supervisor.slot(step.slot).configure({ queueLimit, onFull: dropOldest ? 'dropOldest' : 'reject' });
        return;
      }
      case 'shutdown':
        void supervisor.shutdown().then((report) => {
          this.report = report;
        });
        return;
      case 'cancelSlot':
        void supervisor.slot(step.slot).cancel();
        return;
      default:
        supervisor.slot(step.slot)[step.do]();
    }
  }

  #submit(plan: Plan): void {
    // A closed supervisor would throw, and the reference accepts nothing either.
    if (this.supervisor.snapshot().phase !== 'open') return;
    const number = this.#submissions.length + 1;
    this.#events.push([]);
    this.#outcomes.push(undefined);
    this.#submissions.push(this.supervisor.submit(this.#spec(plan, number)));
    void this.#submissions[number - 1]?.outcome.then((outcome) => {
      if (this.#outcomes[number - 1] !== undefined) throw new Error(`two outcomes of ${number}`);
      this.#outcomes[number - 1] = outcomeText(outcome, (id) => this.#numberOf(id));
    });
  }

  #spec(plan: Plan, number: number): TaskSpec {
    return {
      slot: plan.slot,
      admission: plan.policy,
      restart: plan.restart,
      maxRetries: plan.maxRetries,
      backoff: { firstMs: TIMES.backoff, factor: 2, jitter: 'none', maxMs: Infinity },
      ...(plan.restart === 'always' && { intervalMs: TIMES.interval }),
      graceMs: TIMES.grace,
      onOverrun: plan.onOverrun,
      onShutdown: plan.onShutdown,
      ...(plan.timed === 'timeout' && { timeoutMs: TIMES.timeout }),
      ...(plan.timed === 'queueTimeout' && { queueTimeoutMs: TIMES.queueTimeout }),
      ...(plan.timed === 'deadline' && { deadlineMs: TIMES.deadline }),
      run: (ctx) => this.#body(plan, number, ctx),
    };
  }

  #body({ slot, script }: Plan, task: number, ctx: TaskContext): unknown {
    this.#started.push(task);
    const { onStart, onStop } = script;
    if (onStart === 'return') return 'value';
    if (onStart === 'throw') throw OWN_ERROR;
    if (onStart !== 'nothing') this.#submit({ ...PLAIN, slot, policy: onStart });
    return new Promise((resolve, reject) => {
      const alive: Alive = {
        task,
        attempt: ctx.attempt,
        end: (how) => {
          const at = this.#alive.indexOf(alive);
          if (at < 0) return;
          this.#alive.splice(at, 1);
          if (how === 'value') resolve('value');
          else if (how === 'error') reject(OWN_ERROR);
          else reject(ctx.signal.reason);
        },
      };
      this.#alive.push(alive);
      ctx.onCancel(() => {
        if (onStop === 'resubmit') this.#submit({ ...PLAIN, slot, policy: 'queue' });
        if (onStop === 'reject' || onStop === 'resubmit') alive.end('reason');
        if (onStop === 'return') alive.end('value');
        if (onStop === 'throw') alive.end('error');
        if (onStop === 'lateReturn') this.clock.setTimer(TIMES.late, () => alive.end('value'));
        if (onStop === 'lateThrow') this.clock.setTimer(TIMES.late, () => alive.end('error'));
      });
    });
  }

  #numberOf(id: string): number {
    return Number(id.slice(id.lastIndexOf('-') + 1)); // the alphabet of nanoid has '-' too
  }

  #onEvent(event: TaskEvent): void {
    if (!('id' in event)) return;
    const text = eventText(event, (id) => this.#numberOf(id));
    this.#events[this.#numberOf(event.id) - 1]?.push(text);
  }

  compare(): void {
    const { reference, supervisor } = this;
    same('submissions', this.#submissions.length, reference.tasks.length);
    same('starts', this.#started.join(), reference.started.join());
    for (const task of reference.tasks) {
      const at = task.number - 1;
      same(`admission of ${task.number}`, this.#submissions[at]?.admission, task.admission);
      same(`outcome of ${task.number}`, this.#outcomes[at], task.outcome);
      same(`events of ${task.number}`, this.#events[at]?.join('\n'), task.events.join('\n'));
    }
    const bodies = ({ task, attempt }: Alive) => `${task}.${attempt}`;
    same(
      'bodies alive',
      this.#alive.map(bodies).join(),
      reference.bodies.map((body) => bodies({ task: body.task.number, attempt: body.attempt, end: () => {} })).join(),
    );
    for (const slot of this.#slots) {
      const view = supervisor.slot(slot).view();
      const place = reference.place(slot);
      const waiting = view.queued.map(({ id }) => this.#numberOf(id));
      same(`queue of ${slot}`, waiting.join(), place.waiting.map(({ members }) => members[0]?.number).join());
      const owner = view.owner && this.#numberOf(view.owner.id);
      const { leader } = place.owner ?? {};
      same(`owner of ${slot}`, owner, (leader?.members[0] ?? leader)?.number);
      const stopping = place.owner?.stop !== undefined;
      same(`phase of ${slot}`, view.phase, place.owner === undefined ? 'idle' : stopping ? 'stopping' : 'running');
      same(`pause of ${slot}`, view.paused, place.paused);
    }
    same('timers', this.clock.timers, reference.timers.length);
    this.#compareCounts();
  }

  #compareCounts(): void {
    const { totals, running, queued, abandonedAlive, slots } = this.supervisor.snapshot();
    const { tasks, places, bodies } = this.reference;
    const of = (kind: string): number => tasks.filter(({ outcome }) => outcome?.startsWith(kind) === true).length;
    for (const kind of ['completed', 'failed', 'canceled', 'abandoned', 'rejected'] as const)
      same(`total ${kind}`, totals[kind], of(kind));
    same('total dropped', totals.dropped, of('rejected slotBusy'));
    same('total attempts', totals.attempts, this.#started.length);
    const all = [...places.values()];
    same('running', running, all.filter(({ owner }) => owner !== undefined).length);
    same(
      'queued',
      queued,
      all.reduce((sum, { waiting }) => sum + waiting.length, 0),
    );
    // A shutdown still lists an abandoned body that has ended since, so compare only before it.
    if (this.report === undefined && this.supervisor.snapshot().phase === 'open')
      same('abandoned alive', abandonedAlive, bodies.filter(({ abandoned }) => abandoned).length);
    same('slots in the table', slots.length, all.filter((place) => place.owner || place.paused).length);
  }
}

function same(what: string, got: unknown, expected: unknown): void {
  if (got !== expected)
    throw new Error(`${what}\n--- supervisor:\n${String(got)}\n--- reference:\n${String(expected)}`);
}

function outcomeText(outcome: Outcome, numberOf: (id: string) => number): string {
  switch (outcome.kind) {
    case 'completed':
      return `completed ${outcome.attempts}`;
    case 'failed':
      return `failed ${outcome.failure.kind} ${outcome.because} ${outcome.attempts}`;
    case 'canceled': {
      const { failure } = outcome;
      const own = failure?.kind === 'thrown' && failure.error === OWN_ERROR ? 'its own error' : failure?.kind;
      return `canceled ${outcome.by} ${outcome.attempts}${own === undefined ? '' : ` with ${own}`}`;
    }
    case 'rejected':
      return `rejected ${outcome.reason}${outcome.by === undefined ? '' : ` ${numberOf(outcome.by)}`}`;
    case 'fatal':
      return `fatal ${outcome.attempts}`;
    case 'killed':
    case 'abandoned':
      return `${outcome.kind} ${outcome.by} ${outcome.attempts}`;
  }
}

function eventText(event: Extract<TaskEvent, { id: unknown }>, numberOf: (id: string) => number): string {
  switch (event.type) {
    case 'submitted':
    case 'started':
      return event.type;
    case 'queued':
      return `queued ${event.depth}`;
    case 'joined':
      return `joined ${numberOf(event.leader)}`;
    case 'rejected':
      return `rejected ${event.reason}${event.by === undefined ? '' : ` ${numberOf(event.by)}`}`;
    case 'backoffScheduled':
      return `backoffScheduled ${event.delayMs} ${event.after}`;
    case 'stopRequested':
      return `stopRequested ${event.by}`;
    case 'overrun':
      return `overrun ${event.action}`;
    case 'finished':
      return `finished ${event.outcome} ${event.attempts}`;
    default:
      return `${event.type} ${event.attempt}`;
  }
}
