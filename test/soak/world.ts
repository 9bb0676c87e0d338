// Supervisors on real time under random load and faults: bodies that throw, hang, end late and
// block the event loop; subscribers that throw and hang; a wall clock that jumps. One supervisor
// lives through all rounds and comes to rest after each. In every round a second supervisor is shut
// down under load. A seed makes the choices; the machine interleaves them.

import { getEventListeners } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { type AdmissionPolicy, type Clock, type Outcome, type Submission, Supervisor } from 'slotvisor';
import { seededRandom } from 'slotvisor/testing';
import { ADMISSION_POLICIES } from '../../src/model/settings.ts';
import { blocking, type Dice, flooding, PLANS, type Plan } from './bodies.ts';
import { Findings, Monitor } from './monitor.ts';

/** Real time. Timers are counted, some fire late, and the wall clock is set again and again. */
class FaultyClock implements Clock {
  timers = 0;
  #wallOffsetMs = 0;
  readonly #dice: Dice;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  now(): number {
    return performance.now();
  }
  wallNow(): number {
    return Date.now() + this.#wallOffsetMs;
  }
  setWall(offsetMs: number): void {
    this.#wallOffsetMs = offsetMs;
  }

  setTimer(ms: number, fire: () => void): () => void {
    const due = performance.now() + ms + (this.#dice(100) === 0 ? 20 : 0);
    this.timers += 1;
    let pending = true;
    const end = (): void => {
      if (pending) this.timers -= 1;
      pending = false;
    };
    const arm = (): NodeJS.Timeout =>
      setTimeout(
        () => {
          if (performance.now() < due) {
            timer = arm();
            return;
          }
          end();
          fire();
        },
        Math.ceil(due - performance.now()),
      );
    let timer = arm();
    return () => {
      end();
      clearTimeout(timer);
    };
  }
}

/** `queue` twice: most work of a backend queues. */
const POLICIES: readonly AdmissionPolicy[] = ['queue', ...ADMISSION_POLICIES];
const GRACE_MS = 20;
const CONCURRENCY = 200;
/**
 * Nothing is submitted above this number of live submissions: the soak tests the rules, not the
 * memory.
 */
const MOST_LIVE = 3_000;
/** A wait that takes longer is reported as a hang. */
const PATIENCE_MS = 150_000;
/** Random actions in each round, however slow the machine is. */
const MIN_ACTIONS = 500;

const FAULTS = [
  'stalls',
  'floods',
  'wall jumps',
  'gate closed',
  'pauses',
  'cancels',
  'restarts',
  'signals',
  'bad subscribers',
] as const;
export type Faults = Record<(typeof FAULTS)[number], number>;

/** One supervisor, its monitor, and the code that uses it badly. */
class Load {
  readonly monitor: Monitor;
  readonly #supervisor: Supervisor;
  readonly #clock: FaultyClock;
  readonly #findings: Findings;
  readonly #faults: Faults;
  readonly #dice: Dice;
  readonly #slots: number;
  readonly #recent: Submission[] = [];
  readonly #pauses = new Set<Promise<unknown>>();
  /** Pending calls of `cancel` and `idle`. */
  readonly #calls = new Set<Promise<unknown>>();
  /** One signal is never aborted, the other one now and then. */
  readonly #lasting = new AbortController().signal;
  #parent = new AbortController();
  #unsubscribe: (() => void)[] = [];
  #resting = false;

  constructor(findings: Findings, faults: Faults, random: () => number, slots: number) {
    this.#findings = findings;
    this.#faults = faults;
    this.#dice = (bound) => Math.floor(random() * bound);
    this.#slots = slots;
    this.#clock = new FaultyClock(this.#dice);
    this.#supervisor = new Supervisor({
      clock: this.#clock,
      random,
      concurrency: CONCURRENCY,
      subscriberGraceMs: 2_000,
      slotDefaults: { queueLimit: 4 },
      defaults: { graceMs: GRACE_MS, maxRetries: 3, backoff: { firstMs: 1, maxMs: 20, jitter: 'full' } },
    });
    this.monitor = new Monitor(findings, this.#supervisor, CONCURRENCY);
  }

  /**
   * Random actions until the time is over. Rare faults have a rate per second, however fast the
   * machine is.
   */
  async run(ms: number): Promise<void> {
    const until = performance.now() + ms;
    let actions = 0;
    for (let before = performance.now(); before < until || actions < MIN_ACTIONS; ) {
      await sleep(this.#dice(4));
      const passedMs = performance.now() - before;
      before += passedMs;
      for (let n = this.#dice(40); n > 0; n -= 1) {
        this.#act();
        actions += 1;
      }
      const due = (everyMs: number): boolean => this.#dice(1_000_000) < (passedMs / everyMs) * 1_000_000;
      if (due(4_000)) this.#hog('stalls', blocking(200));
      if (due(4_000)) this.#hog('floods', flooding(50));
      if (due(300)) this.#jump();
      if (due(1_000)) this.#closeGate();
      if (due(300)) this.#abortParent();
      if (due(500)) this.#subscribeBadly();
      if (due(500)) this.monitor.check();
    }
  }

  /** Submits nothing more and cancels every live task. Everything has to end. */
  async calm(): Promise<void> {
    this.#resting = true;
    await Promise.all(this.#pauses);
    this.monitor.check();
    for (const { id } of this.#supervisor.tasks()) void this.#supervisor.cancel(id, 'calm');
    await this.#inTime('idle', this.#supervisor.idle());
    await this.#rest();
    this.#resting = false;
  }

  /** Shuts down under load. */
  async end(): Promise<void> {
    const shutdown = this.#supervisor.shutdown({ graceMs: this.#dice(2 * GRACE_MS) });
    this.monitor.closing();
    this.#resting = true;
    await this.#inTime('shutdown', shutdown);
    await Promise.all(this.#pauses);
    await this.#rest();
  }

  /** Waits for abandoned bodies to end and for the last events. */
  async #rest(): Promise<void> {
    await this.#inTime('idle and cancel', Promise.all(this.#calls));
    for (const until = performance.now() + PATIENCE_MS; this.monitor.alive > 0 && performance.now() < until; )
      await sleep(10);
    await turn(); // the supervisor sees the end of a body after the monitor
    await this.#inTime('events', this.monitor.gotAll());
    this.monitor.expectAtRest(this.#clock.timers);
    const listeners = getEventListeners(this.#lasting, 'abort').length;
    if (listeners > 0) this.#findings.add('inconsistent counts', `${listeners} listeners on a lasting signal`);
    this.#recent.length = 0;
  }

  async #inTime(what: string, ending: Promise<unknown>): Promise<void> {
    const given = new AbortController();
    const late = sleep(PATIENCE_MS, 'late', { signal: given.signal }).catch(() => {});
    if ((await Promise.race([ending, late])) === 'late') this.#findings.add('lost outcomes', `${what} did not end`);
    given.abort();
  }

  #act(): void {
    const action = this.#dice(100);
    if (action < 84) this.#submit(this.#slot());
    else if (action < 90) this.#cancel();
    else if (action < 94) this.#restart();
    else if (action < 96) this.#wait(this.#supervisor.slot(this.#slot()).cancel({ why: 'all of it' }));
    else if (action < 97) this.#wait(this.#supervisor.slot(this.#slot()).idle());
    else if (action < 99) this.#pause();
    else this.#configure();
  }

  /** A few slots are busy, many are mostly idle. */
  #slot(): string {
    return `slot ${this.#dice(2) === 0 ? this.#dice(this.#slots) : this.#dice(20)}`;
  }

  #submit(slot: string, plan: Plan = this.#plan(slot)): void {
    if (this.#resting || this.monitor.live > MOST_LIVE) return;
    const signal = [this.#lasting, this.#parent.signal][this.#dice(4)];
    const admission = POLICIES[this.#dice(POLICIES.length)] ?? 'queue';
    const queueTimeoutMs = this.#dice(5) === 0 ? this.#dice(50) : undefined;
    const priority = this.#dice(3);
    const { spec, inner, kill } = plan;
    const submission = this.monitor.submit({ slot, admission, signal, queueTimeoutMs, priority, ...spec }, inner, kill);
    if (submission !== undefined) this.#recent[this.#dice(256)] = submission;
  }

  #plan(slot: string): Plan {
    const plans = Object.values(PLANS);
    const make = plans[this.#dice(plans.length)] as (typeof plans)[number];
    return make(this.#dice, () => this.#submit(slot));
  }

  #hog(fault: 'stalls' | 'floods', plan: Plan): void {
    this.#faults[fault] += 1;
    this.#submit(`${fault} ${this.#dice(5)}`, plan);
  }

  #cancel(): void {
    this.#faults.cancels += 1;
    const cancel = this.#recent[this.#dice(256)]?.cancel({ why: 'enough' });
    if (cancel !== undefined) this.#wait(cancel);
  }

  #restart(): void {
    if (this.#recent[this.#dice(256)]?.restart() === true) this.#faults.restarts += 1;
  }

  #wait(call: Promise<unknown>): void {
    this.#calls.add(call);
    void call.then(() => this.#calls.delete(call));
  }

  #later(ms: number, act: () => void): void {
    const pause = sleep(ms).then(() => {
      act();
      this.#pauses.delete(pause);
    });
    this.#pauses.add(pause);
  }

  #pause(): void {
    this.#faults.pauses += 1;
    const slot = this.#slot();
    this.monitor.pause(slot);
    this.#later(this.#dice(100), () => this.monitor.resume(slot));
  }

  #closeGate(): void {
    this.#faults['gate closed'] += 1;
    this.#supervisor.pause();
    this.#later(this.#dice(50), () => this.#supervisor.resume());
  }

  #configure(): void {
    const onFull = this.#dice(2) === 0 ? 'reject' : 'dropOldest';
    this.#supervisor.slot(this.#slot()).configure({ queueLimit: this.#dice(6), onFull });
  }

  #abortParent(): void {
    this.#faults.signals += 1;
    this.#parent.abort(new Error('the caller has gone'));
    this.#parent = new AbortController();
  }

  #jump(): void {
    this.#faults['wall jumps'] += 1;
    this.#clock.setWall((this.#dice(3) - 1) * 3_600_000);
  }

  /**
   * Replaces the bad subscribers: one throws, one rejects, one never resolves, one reads a few
   * events and leaves.
   */
  #subscribeBadly(): void {
    this.#faults['bad subscribers'] += 4;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    const types = ['started', 'finished', 'rejected'] as const;
    this.#unsubscribe = [
      this.#supervisor.subscribe(
        () => {
          throw new Error('a subscriber that throws');
        },
        { types },
      ),
      this.#supervisor.subscribe(() => Promise.reject(new Error('a subscriber that rejects')), { types }),
      this.#supervisor.subscribe(() => new Promise(() => {}), { capacity: 8 }),
    ];
    void this.#read();
  }

  async #read(): Promise<void> {
    let left = this.#dice(50);
    for await (const _ of this.#supervisor.events({ capacity: 8 })) {
      left -= 1;
      if (left <= 0) return;
    }
  }
}

export interface Report {
  readonly seconds: number;
  readonly rounds: number;
  readonly longestTurnMs: number;
  readonly submissions: number;
  readonly bodies: number;
  readonly events: number;
  readonly outcomes: Readonly<Record<Outcome['kind'], number>>;
  readonly faults: Readonly<Faults>;
  readonly findings: Findings;
  /** After each round, when everything has ended and been collected. */
  readonly heapBytes: readonly number[];
  /** Heap growth from the end of the warm-up to the end, by linear regression. */
  readonly grownBytes: number;
}

export interface Course {
  readonly seed: number;
  /** Under load, without the rests between the rounds. */
  readonly minutes: number;
  readonly slots: number;
  readonly mostGrownBytes: number;
  /** Called after each round. */
  readonly progress: (line: string) => void;
}

/** Needs --expose-gc: otherwise garbage that is not collected yet would count as growth. */
export async function soak({ seed, minutes, slots, mostGrownBytes, progress }: Course): Promise<Report> {
  const random = seededRandom(seed);
  const findings = new Findings();
  const stopWatching = watchEscapes(findings);
  const faults = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Faults;
  const lasting = new Load(findings, faults, random, slots);
  const guests = { submissions: 0, bodies: 0, events: 0 };
  const heapBytes: number[] = [];

  const delay = monitorEventLoopDelay();
  delay.enable();
  const began = performance.now();
  const totalMs = minutes * 60_000;
  const roundMs = Math.min(20_000, totalMs / 8);
  for (let loadMs = 0; loadMs < totalMs; loadMs += roundMs) {
    const guest = new Load(findings, faults, random, 50);
    await Promise.all([lasting.run(roundMs), guest.run(roundMs)]);
    await Promise.all([lasting.calm(), guest.end()]);
    guests.submissions += guest.monitor.submitted;
    guests.bodies += guest.monitor.bodies;
    guests.events += guest.monitor.events;
    heapBytes.push(await heap());
    progress(
      `round ${heapBytes.length}: ${lasting.monitor.submitted + guests.submissions} submissions, heap ${megabytes(heapBytes.at(-1) ?? 0)}`,
    );
  }
  stopWatching();
  delay.disable();

  const grownBytes = growth(heapBytes.slice(Math.floor(heapBytes.length / 3)));
  if (grownBytes > mostGrownBytes) findings.add('heap growth', megabytes(grownBytes));
  return {
    seconds: (performance.now() - began) / 1_000,
    rounds: heapBytes.length,
    longestTurnMs: delay.max / 1e6,
    submissions: lasting.monitor.submitted + guests.submissions,
    bodies: lasting.monitor.bodies + guests.bodies,
    events: lasting.monitor.events + guests.events,
    outcomes: lasting.monitor.outcomes,
    faults,
    findings,
    heapBytes,
    grownBytes,
  };
}

export const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MB`;

function watchEscapes(findings: Findings): () => void {
  const names = ['unhandledRejection', 'uncaughtException', 'warning'] as const;
  const undo = names.map((name) => {
    const report = (what: unknown): void => findings.add('escaped errors', `${name}: ${what}`);
    process.on(name, report);
    return () => process.off(name, report);
  });
  return () => {
    for (const stop of undo) stop();
  };
}

async function heap(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i += 1) {
    globalThis.gc?.();
    await turn();
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
}

/** The growth from the first sample to the last, on the line of least squares. */
function growth(samples: readonly number[]): number {
  const middle = (samples.length - 1) / 2;
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  let covariance = 0;
  let variance = 0;
  samples.forEach((sample, i) => {
    covariance += (i - middle) * (sample - mean);
    variance += (i - middle) ** 2;
  });
  return variance === 0 ? 0 : (covariance / variance) * (samples.length - 1);
}
