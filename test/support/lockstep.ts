// Runs each step on the real supervisor and on the reference model, and then compares both.

import {
  type ShutdownReport,
  type Submission,
  Supervisor,
  type TaskContext,
  type TaskEvent,
  type TaskSpec,
} from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { type Ask, type FakeLease, leaseWith, UncheckedLeaseStore } from './fake-lease-store.ts';
import { eventText, numberOf, OWN_ERROR, outcomeText, whyText } from './lockstep-text.ts';
import { ProbeCount } from './probe-count.ts';
import { wrongCounts } from './recount.ts';
import { Reference } from './reference.ts';
import type { LeaseReply } from './reference-leases.ts';
import { PLAIN, type Place, type Plan, type Setting, type Task, TIMES } from './reference-nouns.ts';

export type Step =
  | { readonly do: 'submit'; readonly plan: Plan }
  | { readonly do: 'cancel' | 'restart'; readonly pick: number }
  | { readonly do: 'end'; readonly pick: number; readonly how: 'value' | 'error' }
  | { readonly do: 'cancelSlot' | 'pause' | 'resume'; readonly slot: string }
  | { readonly do: 'configure'; readonly slot: string; readonly queueLimit: number; readonly dropsOldest: boolean }
  | { readonly do: 'answer'; readonly slot: string; readonly reply: LeaseReply }
  | { readonly do: 'lose' | 'expire' | 'revoke' | 'contend'; readonly slot: string }
  | { readonly do: 'pauseAll' | 'resumeAll' }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'shutdown'; readonly graceMs: number; readonly finishMs: number };

export const SLOTS = ['a', 'b'] as const;

const NOTHING: Step = { do: 'advance', ms: 0 };

interface Alive {
  readonly task: number;
  readonly attempt: number;
  end(how: 'value' | 'error' | 'reason'): void;
}

export class Lockstep {
  readonly reference: Reference;
  readonly clock = new VirtualClock();
  readonly supervisor: Supervisor;
  readonly #probes = new ProbeCount();
  readonly #store = new UncheckedLeaseStore();
  /** For each slot, the calls of the store in their order. */
  readonly #calls = new Map<string, string[]>();
  readonly #submissions: Submission[] = [];
  readonly #outcomes: (string | undefined)[] = [];
  /** Why each submission ended: first as its outcome says it, then as its `finished` event does. */
  readonly #why: { readonly outcome: string[]; readonly event: string[] } = { outcome: [], event: [] };
  readonly #settled = new Map<string, number[]>();
  readonly #events: string[][] = [];
  readonly #alive: Alive[] = [];
  readonly #started: string[] = [];
  /** In the order of their ends. */
  readonly #ended: number[] = [];
  report: ShutdownReport | undefined;
  steps = 0;

  constructor(setting: Setting) {
    this.reference = new Reference(setting);
    this.supervisor = new Supervisor({
      clock: this.clock,
      concurrency: setting.concurrency,
      limits: { pending: setting.pending },
      deadFraction: setting.deadFraction,
      shutdownGraceMs: TIMES.shutdown,
      finishMs: TIMES.finish,
      keepEnded: setting.keepEnded,
      ...(setting.leases !== 'local' && { leases: this.#store }),
    });
    this.#store.givesUpBodies = true;
    this.#store.respond = ({ request: { slot, policy, owner } }) => {
      this.#called(slot, `acquire ${policy} for ${numberOf(owner)}`);
      return setting.leases === 'prompt' ? this.#promptLease(slot) : undefined;
    };
    this.#store.onRelease = ({ slot, fence }) => this.#called(slot, `release ${fence}`);
    this.supervisor.subscribe((event) => this.#onEvent(event), { capacity: Infinity });
    this.supervisor.instrument(this.#probes);
    this.supervisor.vitalSlots(); // from here on the dead are kept
    void this.supervisor.closed.then((report) => {
      this.report = report;
    });
  }

  #promptLease(slot: string): FakeLease {
    const lease = this.#store.make(slot);
    lease.graceMs = TIMES.leaseGrace;
    return lease;
  }

  /** Runs the step on both sides and compares them. */
  async take(choice: Step): Promise<void> {
    this.steps += 1;
    const step = this.#aimed(choice); // before either side changes
    this.#takeOn(this.reference, step);
    this.reference.time.settle();
    if (step.do === 'advance') await this.clock.advance(step.ms);
    else this.#act(step);
    await this.clock.settle();
    this.compare();
  }

  /** Ends everything that can end, and checks that nothing is left. */
  async finish(): Promise<void> {
    await this.take({ do: 'shutdown', graceMs: TIMES.shutdown, finishMs: TIMES.finish });
    await this.take({ do: 'advance', ms: TIMES.shutdown });
    for (const slot of SLOTS) await this.take({ do: 'answer', slot, reply: 'grant' });
    await this.take({ do: 'advance', ms: TIMES.storeClose });
    while (this.reference.attempts.bodies.length > 0) await this.take({ do: 'end', pick: 0, how: 'value' });
    await this.clock.settle();
    same('timers left', this.clock.timers, 0);
    same('slots left', this.supervisor.snapshot().slots.filter(({ paused }) => !paused).length, 0);
    same('outcomes', this.#outcomes.filter((outcome) => outcome === undefined).length, 0);
    same('phase', this.supervisor.snapshot().phase, 'closed');
    const dead = this.report?.dead;
    const text = dead && `${dead.slots.toSorted()} of ${dead.of}, ${dead.threshold}`;
    same('the dead that the report names', text, this.reference.vitals.dead);
    same('clean', this.report?.clean, this.report?.abandoned.length === 0);
    same('leases left', this.#store.leases.filter(({ state }) => state !== 'released').length, 0);
    same('misuse of the store', this.#store.violations.join(), '');
  }

  #called(slot: string, call: string): void {
    this.#calls.set(slot, [...(this.#calls.get(slot) ?? []), call]);
  }

  /** Turns a pick into the number of a live task, the index of a body, or a slot with a lease. */
  #aimed(step: Step): Step {
    const { tasks, attempts } = this.reference;
    switch (step.do) {
      case 'end':
        return { ...step, pick: step.pick % Math.max(1, attempts.bodies.length) };
      case 'cancel':
      case 'restart': {
        const live = tasks.filter(({ outcome }) => outcome === undefined);
        return { ...step, pick: live[step.pick % live.length]?.number ?? 0 };
      }
      case 'answer':
        return this.#aimedAnswer(step);
      case 'lose':
      case 'expire':
      case 'revoke':
      case 'contend': {
        const slot = this.#slotWhere(step.slot, (place) => this.reference.leases.heldBy(place) !== undefined);
        return slot === undefined ? NOTHING : { ...step, slot };
      }
      default:
        return step;
    }
  }

  #aimedAnswer(step: Extract<Step, { do: 'answer' }>): Step {
    const slot = this.#slotWhere(step.slot, ({ ask }) => ask !== undefined);
    if (slot === undefined) return NOTHING;
    const hasFence = this.reference.leases.lastFence(slot) > 0;
    return { ...step, slot, reply: step.reply === 'stale' && !hasFence ? 'grant' : step.reply };
  }

  #slotWhere(preferred: string, isMeant: (place: Place) => boolean): string | undefined {
    return [preferred, ...SLOTS].find((slot) => isMeant(this.reference.place(slot)));
  }

  #takeOn(reference: Reference, step: Step): void {
    switch (step.do) {
      case 'submit':
        reference.submit(step.plan);
        return;
      case 'cancel':
      case 'restart':
        reference[step.do](step.pick);
        return;
      case 'end': {
        const body = reference.attempts.bodies[step.pick];
        if (body !== undefined) reference.attempts.end(body, step.how);
        return;
      }
      case 'configure':
        reference.configure(step.slot, step.queueLimit, step.dropsOldest);
        return;
      case 'answer':
        reference.leases.answer(reference.place(step.slot), step.reply);
        return;
      case 'lose':
      case 'expire':
      case 'revoke':
      case 'contend':
        reference.leases[step.do](reference.place(step.slot));
        return;
      case 'pauseAll':
        reference.attempts.pause();
        return;
      case 'resumeAll':
        reference.attempts.resumeAll();
        return;
      case 'advance':
        reference.time.advance(step.ms);
        return;
      case 'shutdown':
        reference.closing.call(step.graceMs, step.finishMs);
        return;
      default:
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
        const { queueLimit, dropsOldest } = step;
        supervisor.slot(step.slot).configure({ queueLimit, onFull: dropsOldest ? 'dropOldest' : 'reject' });
        return;
      }
      case 'answer':
        this.#answer(step.slot, step.reply);
        return;
      case 'lose':
      case 'expire':
      case 'revoke':
      case 'contend':
        this.#tell(this.#lease(step.slot), step.do);
        return;
      case 'pauseAll':
        supervisor.pause();
        return;
      case 'resumeAll':
        supervisor.resume();
        return;
      case 'shutdown': {
        const { graceMs, finishMs } = step;
        void supervisor.shutdown({ graceMs, finishMs });
        return;
      }
      case 'cancelSlot':
        void supervisor.slot(step.slot).cancel();
        return;
      default:
        supervisor.slot(step.slot)[step.do]();
    }
  }

  #pendingAsk(slot: string): Ask | undefined {
    return this.#store.asks.findLast(({ request, answered }) => request.slot === slot && !answered);
  }

  #answer(slot: string, reply: LeaseReply): void {
    const ask = this.#pendingAsk(slot);
    if (ask === undefined) return;
    if (reply === 'grant') ask.grant();
    if (reply === 'deny') ask.deny();
    if (reply === 'superseded') ask.supersede();
    if (reply === 'throw') ask.fail(new Error('the store is away'));
    if (reply === 'stale') {
      const fence = BigInt(this.reference.leases.lastFence(slot));
      ask.answer(leaseWith({ fence, release: () => this.#called(slot, `release ${fence}`) }));
    }
  }

  /** The lease of the slot's owner is the last one that was granted. */
  #lease(slot: string): FakeLease {
    return this.#store.leases.findLast((lease) => lease.slot === slot) as FakeLease;
  }

  #tell(lease: FakeLease, what: 'lose' | 'expire' | 'revoke' | 'contend'): void {
    if (what === 'lose') lease.lose();
    else if (what === 'revoke') lease.revoke();
    else if (what === 'expire') lease.held = false;
    else lease.contended = true;
  }

  #submit(plan: Plan): void {
    // A closed supervisor would throw, and the reference accepts nothing either.
    if (this.supervisor.snapshot().phase !== 'open') return;
    const number = this.#submissions.length + 1;
    this.#events.push([]);
    this.#outcomes.push(undefined);
    const submission = this.supervisor.submit(this.#spec(plan, number));
    this.#submissions.push(submission);
    void submission.outcome.then((outcome) => {
      if (outcome.kind !== 'rejected') this.#why.outcome[number - 1] = whyText(outcome);
      if (this.#outcomes[number - 1] !== undefined) throw new Error(`two outcomes of ${number}`);
      this.#outcomes[number - 1] = outcomeText(outcome);
      this.#settled.set(plan.slot, [...(this.#settled.get(plan.slot) ?? []), number]);
    });
  }

  #spec(plan: Plan, number: number): TaskSpec {
    return {
      slot: plan.slot,
      admission: plan.policy,
      restart: plan.restart,
      maxRetries: plan.maxRetries,
      stableMs: plan.stableMs,
      backoff: { firstMs: TIMES.backoff, factor: 2, jitter: 'none', maxMs: Infinity },
      ...(plan.restart === 'always' && { intervalMs: TIMES.interval }),
      graceMs: TIMES.grace,
      onOverrun: plan.onOverrun,
      onShutdown: plan.onShutdown,
      shutdownStage: plan.stage,
      vital: plan.vital,
      ...(plan.timed === 'timeout' && { timeoutMs: TIMES.timeout }),
      ...(plan.timed === 'queueTimeout' && { queueTimeoutMs: TIMES.queueTimeout }),
      ...(plan.timed === 'deadline' && { deadlineMs: TIMES.deadline }),
      run: (ctx) => this.#body(plan, number, ctx),
    };
  }

  #body({ slot, script }: Plan, task: number, ctx: TaskContext): unknown {
    this.#started.push(`${task}/${ctx.fence}`);
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

  #onEvent(event: TaskEvent): void {
    if (!('id' in event)) return;
    this.#events[numberOf(event.id) - 1]?.push(eventText(event));
    if (event.type === 'finished' || event.type === 'rejected') this.#ended.push(numberOf(event.id));
    if (event.type === 'finished') this.#why.event[numberOf(event.id) - 1] = whyText(event);
  }

  compare(): void {
    const { reference } = this;
    const { attempts } = reference;
    same('submissions', this.#submissions.length, reference.tasks.length);
    same('starts', this.#started.join(), attempts.started.join());
    const kept = this.#kept;
    for (const task of reference.tasks) this.#compareTask(task, kept);
    same(
      'bodies alive',
      this.#alive.map(({ task, attempt }) => `${task}.${attempt}`).join(),
      attempts.bodies.map(({ task, attempt }) => `${task.number}.${attempt}`).join(),
    );
    for (const slot of SLOTS) {
      this.#comparePlace(reference.place(slot));
      this.#compareLeases(reference.place(slot));
      const order = `order of outcomes in ${slot}`;
      same(order, this.#settled.get(slot)?.join(), reference.settled.get(slot)?.join());
    }
    same('timers', this.clock.timers, reference.time.timers.length);
    this.#compareCounts();
    this.#compareVital();
    this.#compareStats();
  }

  /**
   * The last ones that ended, but those that `submit` turned away. The order of ends in two slots
   * within one instant is not promised, so it is that of the events.
   */
  get #kept(): ReadonlySet<number> {
    const { keepEnded } = this.reference.setting;
    const kept = this.#ended.filter((number) => this.#submissions[number - 1]?.admission !== 'rejected');
    return new Set(keepEnded === 0 ? [] : kept.slice(-keepEnded));
  }

  #compareTask(task: Task, kept: ReadonlySet<number>): void {
    const { number, admission, outcome, events, flight } = task;
    const submission = this.#submissions[number - 1];
    same(`admission of ${number}`, submission?.admission, admission);
    same(`outcome of ${number}`, this.#outcomes[number - 1], outcome);
    same(`events of ${number}`, this.#events[number - 1]?.join('\n'), events.join('\n'));
    same(`why ${number} ended, in its event`, this.#why.event[number - 1], this.#why.outcome[number - 1]);
    const found = submission && this.supervisor.get(submission.id);
    const isFound = flight !== undefined || kept.has(number);
    same(`get(${number})`, found?.status, isFound ? submission?.status : undefined);
    const owns = flight !== undefined && this.reference.place(flight.plan.slot).owner === flight;
    same(`status of ${number}`, submission?.status, flight === undefined ? 'ended' : owns ? flight.status : 'queued');
  }

  #comparePlace(place: Place): void {
    const { slot, owner, waiting } = place;
    const { queued, owner: ownerView, phase, paused } = this.supervisor.slot(slot).view();
    const views = ownerView === undefined ? queued : [ownerView, ...queued];
    const flights = owner === undefined ? waiting : [owner, ...waiting];
    same(
      `owner and queue of ${slot}`,
      views.map(({ id, joined }) => `${numberOf(id)}+${joined ?? 0}`).join(),
      flights.map(({ first, participants }) => `${first.number}+${Math.max(0, participants.length - 1)}`).join(),
    );
    same(`phase of ${slot}`, phase, place.phase);
    same(`pause of ${slot}`, paused, place.paused);
  }

  #compareLeases({ slot, ask }: Place): void {
    const { leases } = this.reference;
    same(
      `calls of the store for ${slot}`,
      (this.#calls.get(slot) ?? []).join('\n'),
      (leases.calls.get(slot) ?? []).join('\n'),
    );
    const real = this.#pendingAsk(slot);
    same(`urgent request for ${slot}`, real?.urgent.aborted, ask?.urgent);
    same(`request for ${slot} called off`, real?.signal.aborted, ask?.calledOff);
  }

  #compareVital(): void {
    const views = this.supervisor.vitalSlots();
    const shown = views.map(({ slot, alive, lastOutcome = '' }) =>
      `${slot} ${alive ? 'alive' : 'dead'} ${lastOutcome}`.trim(),
    );
    same('vital slots', sorted(shown), sorted(`${this.reference.vitals}`.split(',')));
    for (const slot of SLOTS) {
      const alive = views.find((view) => view.slot === slot)?.alive;
      const expected = alive === undefined ? undefined : alive ? 'alive' : 'dead';
      same(`${slot} is vital`, this.supervisor.slot(slot).view().vital, expected);
    }
  }

  #compareCounts(): void {
    const { totals, owners, queued, abandonedAlive, slots, phase } = this.supervisor.snapshot();
    const { tasks, allPlaces, attempts, closing } = this.reference;
    const of = (kind: string): number => tasks.filter(({ outcome }) => outcome?.startsWith(kind) === true).length;
    for (const kind of ['completed', 'failed', 'canceled', 'abandoned', 'rejected'] as const)
      same(`total ${kind}`, totals[kind], of(kind));
    same('total dropped', totals.dropped, of('rejected slotBusy'));
    same('total attempts', totals.attempts, this.#started.length);
    same('owners', owners, allPlaces.filter(({ owner }) => owner !== undefined).length);
    same(
      'queued',
      queued,
      allPlaces.reduce((sum, { waiting }) => sum + waiting.length, 0),
    );
    // A shutdown still lists an abandoned body that has ended since, so compare only before it.
    if (phase === 'open')
      same('abandoned alive', abandonedAlive, attempts.bodies.filter(({ abandoned }) => abandoned).length);
    same('live slots', sorted(slots.map(({ name }) => name)), sorted(allPlaces.map(({ slot }) => slot)));
    same('phase', phase, closing.storeClosed ? 'closed' : closing.began ? 'closing' : 'open');
  }

  #compareStats(): void {
    same('counts', wrongCounts(this.supervisor).join('\n'), '');
    same('probes', this.#probes.differences(this.supervisor).join('\n'), '');
    const { bodies, gate, rejections, failures, totals } = this.supervisor.stats();
    const { attempts, tasks } = this.reference;
    const owned = attempts.bodies.filter(({ abandoned }) => !abandoned).length;
    same('bodies that are not abandoned', bodies, owned);
    same('inside of the gate', gate.inside, owned);
    same(
      'failures',
      `${failures.thrown}+${failures.timedOut}`,
      `${attempts.failures.thrown}+${attempts.failures.timedOut}`,
    );
    for (const [reason, count] of Object.entries(rejections))
      same(
        `rejections ${reason}`,
        count,
        tasks.filter(({ outcome }) => outcome?.startsWith(`rejected ${reason}`)).length,
      );
    same('overruns', totals.overruns, attempts.overruns);
  }
}

/** No order of slots is promised. */
const sorted = (slots: readonly string[]): string => [...slots].sort().join();

function same(what: string, got: unknown, expected: unknown): void {
  if (got !== expected)
    throw new Error(`${what}\n--- supervisor:\n${String(got)}\n--- reference:\n${String(expected)}`);
}
