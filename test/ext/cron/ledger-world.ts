// A schedule in a world that a random script moves: clocks, pauses, updates, claims, a slot that it
// shares, and bodies that take time. What the schedule counts is compared with the model after
// every step.

import { type AdmissionPolicy, type Clock, ClosedError, OptionError, Supervisor, type TaskContext } from 'slotvisor';
import {
  type DateClaims,
  type MissedPolicy,
  type Schedule,
  type ScheduleOptions,
  type ScheduleTotals,
  schedule,
} from 'slotvisor/cron';
import { VirtualClock } from 'slotvisor/testing';
import { expect } from 'vitest';
import { type DateSettings, LedgerModel, type Reading } from './ledger-model.ts';
import { HOUR, SECOND } from './world.ts';

/** All options of one schedule, as plain data. Times are in units: about one date each. */
export interface Plan extends DateSettings {
  readonly maxRuns: number;
  readonly jitterMs: number;
  readonly missed: MissedPolicy;
  readonly admission: AdmissionPolicy;
  /** How long a body takes. */
  readonly bodyMs: number;
}

export type Act =
  | { readonly act: 'advance' | 'block' | 'set' | 'creep' | 'submit' | 'crowd'; readonly ms: number }
  | { readonly act: 'pause' | 'resume' | 'trigger' | 'pauseSlot' | 'resumeSlot' | 'stop' | 'shutdown' | 'again' }
  | { readonly act: 'update'; readonly change: Partial<Plan> };

/** What the store of claims does with one call. */
export interface Answer {
  readonly afterMs: number;
  readonly says: 'yes' | 'no' | 'fails';
}

export interface Script {
  readonly startMs: number;
  readonly plan: Plan;
  readonly acts: readonly Act[];
  /** Undefined: no claims. */
  readonly answers: readonly Answer[] | undefined;
  /** How long before the start the last claimed date came; undefined: there is none. */
  readonly lastBeforeMs: number | undefined;
}

const SLOT = 'shared';
const BOXES = ['ran', 'superseded', 'dropped', 'missed', 'elsewhere', 'errors', 'pending'] as const;
const counted = (totals: ScheduleTotals) => BOXES.reduce((sum, box) => sum + totals[box], 0);

class LedgerWorld {
  readonly clock: VirtualClock;
  readonly made: Schedule;
  /** Every timer that fires makes the world look at the clocks first. */
  readonly #watched: Clock;
  readonly #script: Script;
  readonly #supervisor: Supervisor;
  readonly #model: LedgerModel;
  #plan: Plan;
  #last: Reading;
  /** When the schedule was first seen to have ended. */
  #ended: Reading | undefined;
  #alive = 0;
  #asked = 0;
  #draws = 0;
  #hasAbsence = false;
  #isWallSet = false;
  #hasMonotonic = false;
  readonly #claimed = new Set<number>();

  constructor(script: Script) {
    this.#script = script;
    const clock = new VirtualClock({ wallMs: script.startMs });
    this.clock = clock;
    this.#watched = {
      now: () => clock.now(),
      wallNow: () => clock.wallNow(),
      setTimer: (ms, fire) =>
        clock.setTimer(ms, () => {
          this.#look();
          fire();
        }),
    };
    this.#last = { wall: script.startMs, monotonic: script.startMs, latest: script.startMs, isSet: false };
    this.#supervisor = new Supervisor({ clock: this.#watched });
    this.#plan = script.plan;
    const claims = script.answers && { name: 'ledger', claims: this.#claims(script.answers) };
    this.made = schedule(this.#supervisor, {
      ...this.#options(script.plan),
      ...claims,
      random: () => (this.#draws++ * 0.381_966) % 1,
    } as ScheduleOptions) as Schedule;
    this.#model = new LedgerModel(script.plan, this.#last, claims !== undefined);
    this.#model.rememberAbsence();
    this.#hasMonotonic = this.#model.clock === 'monotonic';
  }

  #options({ admission, bodyMs, ...options }: Partial<Plan>): object {
    const isTask = admission !== undefined || bodyMs !== undefined;
    const plan = { ...this.#plan, ...(admission && { admission }), ...(bodyMs !== undefined && { bodyMs }) };
    const task = {
      slot: SLOT,
      admission: plan.admission,
      restart: 'never',
      run: (ctx: TaskContext) => this.#body(ctx, plan.bodyMs),
    };
    return { historySize: 10_000, ...options, ...(isTask && { task }) };
  }

  async #body(ctx: TaskContext, ms: number): Promise<void> {
    this.#alive += 1;
    expect(this.#alive, 'bodies of one slot').toBe(1);
    try {
      if (ms > 0) await ctx.sleep(ms);
      if (ms % 2 === 1) throw new Error('a body failed');
    } finally {
      this.#alive -= 1;
    }
  }

  #claims(answers: readonly Answer[]): DateClaims {
    const answer = async (): Promise<Answer['says']> => {
      const { afterMs, says } = answers[this.#asked++ % answers.length] as Answer;
      await new Promise<void>((resolve) => void this.#watched.setTimer(afterMs, resolve));
      if (says === 'fails' && this.#asked % 7 !== 0) throw new Error('the store is away');
      return says;
    };
    return {
      claim: async (_, due) => {
        const isOurs = (await answer()) === 'yes';
        expect(this.#claimed.has(due.getTime()), 'claimed twice').toBe(false);
        this.#claimed.add(due.getTime());
        return isOurs;
      },
      last: async () => {
        await answer();
        const { lastBeforeMs, startMs } = this.#script;
        if (lastBeforeMs === undefined) return undefined;
        this.#hasAbsence = true;
        return new Date(startMs - lastBeforeMs);
      },
    };
  }

  /** Reads the clocks. Called before anything follows from the time that they show. */
  #look(): void {
    if (this.#ended === undefined && this.made.status === 'ended') this.#ended = this.#last;
    const [wall, monotonic] = [this.clock.wallNow(), this.clock.now() + this.#script.startMs];
    this.#last = { wall, monotonic, latest: Math.max(this.#last.latest, wall), isSet: this.#isWallSet };
  }

  async step(act: Act): Promise<void> {
    this.#look();
    await this.#do(act);
    await this.clock.settle();
    this.#look();
    this.#check();
  }

  async #do(act: Act): Promise<void> {
    const { clock, made } = this;
    if (act.act === 'advance') await clock.advance(Math.abs(act.ms));
    else if (act.act === 'block') clock.block(Math.abs(act.ms));
    else if (act.act === 'set') this.#setWall(act.ms);
    else if (act.act === 'creep') await this.#creep(act.ms);
    else if (act.act === 'submit' || act.act === 'crowd') this.#submit(act.ms, act.act === 'crowd' ? 3 : 1);
    else if (act.act === 'pause' || act.act === 'resume') made[act.act]();
    else if (act.act === 'pauseSlot') this.#supervisor.slot(SLOT).pause();
    else if (act.act === 'resumeSlot') this.#supervisor.slot(SLOT).resume();
    else if (act.act === 'stop') void made.stop();
    else if (act.act === 'shutdown') void this.#supervisor.shutdown();
    else if (made.status === 'ended') return;
    else if (act.act === 'trigger') void made.trigger();
    else if (act.act === 'update') this.#update(act.change);
    else this.#update(this.#plan);
  }

  /** Never back by more than an hour from the latest time that the clock has shown. */
  #setWall(ms: number): void {
    this.#isWallSet = true;
    this.clock.setWall(Math.max(this.clock.wallNow() + ms, this.#last.latest - HOUR));
    this.#look();
  }

  /** Many small steps. */
  async #creep(ms: number): Promise<void> {
    for (let step = 0; step < 20; step += 1) {
      this.#setWall(ms);
      await this.clock.advance(2 * Math.abs(ms));
      this.#look();
    }
  }

  #submit(ms: number, times: number): void {
    if (this.#supervisor.phase !== 'open') return;
    for (let i = 0; i < times; i += 1)
      this.#supervisor.submit({
        slot: SLOT,
        admission: i === 1 ? 'replace' : 'queue',
        restart: 'never',
        run: (ctx: TaskContext) => this.#body(ctx, Math.abs(ms)),
      });
  }

  #update(change: Partial<Plan>): void {
    const { made } = this;
    const kinds = (['cron', 'everyMs', 'at'] as const).filter((kind) => change[kind] !== undefined);
    const before = counted(made.totals);
    try {
      made.update(this.#options(change) as never);
    } catch (error) {
      // What has come runs first, and may use up maxRuns.
      if (made.status !== 'ended') expect(error).toBeInstanceOf(OptionError);
      else expect(error).toBeInstanceOf(ClosedError);
      expect(counted(made.totals), 'counted after a refused update').toBe(before);
      return;
    }
    const noKind = kinds.length > 0 ? { cron: undefined, everyMs: undefined, at: undefined } : {};
    this.#plan = { ...this.#plan, ...noKind, ...change };
    // A used-up maxRuns has ended it with the old dates.
    if (made.status === 'ended' && made.totals.ran >= this.#plan.maxRuns) return;
    this.#model.update(this.#plan, this.#last, before, {
      counted: counted(made.totals),
      next: made.next()[0]?.getTime(),
    });
    this.#hasMonotonic ||= this.#model.clock === 'monotonic';
  }

  #check(): void {
    const { totals } = this.made;
    const now = this.#ended ?? this.#last;
    if (this.#hasAbsence) {
      this.#hasAbsence = false;
      const { lastBeforeMs = 0, startMs } = this.#script;
      // Only an end by `stop` takes the question back.
      this.#model.addAbsence(startMs - lastBeforeMs, this.#ended === undefined);
    }
    const [low, high] = this.#model.come(now);
    const sum = counted(totals);
    expect(sum < low || sum > high ? { sum, low, high, totals } : 'counted').toBe('counted');
    this.#checkRuns(totals);
  }

  /** The entries are those that were counted; no date twice, and none early. */
  #checkRuns(totals: ScheduleTotals): void {
    const { runs } = this.made;
    if (runs.length >= 10_000) return;
    const dues: number[] = [];
    const got = { submitted: 0, missed: 0, elsewhere: 0, errors: 0 };
    for (const run of runs) {
      if (run.kind === 'missed') got.missed += run.count;
      else if (run.kind === 'elsewhere') got.elsewhere += 1;
      else if (run.kind === 'error') got.errors += run.due === undefined ? 0 : 1;
      else got.submitted += 1;
      if (run.kind !== 'submitted' || run.cause !== 'date') continue;
      dues.push(run.due.getTime());
      // The wall clock may be set back while the claim of a date is under way.
      const hasCome = this.#script.answers && this.#isWallSet ? this.#last.latest : run.at.getTime();
      if (!this.#showsOddDates) expect(run.due.getTime() <= hasCome ? 'on time' : run).toBe('on time');
    }
    expect(totals).toMatchObject(got);
    if (!this.#showsOddDates) expect(dues.length - new Set(dues).size, 'submitted twice').toBe(0);
  }

  /** Dates of the monotonic clock are shown by the wall clock, as it was set then. */
  get #showsOddDates(): boolean {
    return this.#isWallSet && this.#hasMonotonic;
  }

  /** Everything goes on until the clock has shown all times, and then to the end. */
  async finish(): Promise<void> {
    await this.step({ act: 'resumeSlot' });
    await this.step({ act: 'resume' });
    await this.step({ act: 'advance', ms: this.#last.latest - this.#last.wall });
    await this.step({ act: 'advance', ms: 61 * SECOND });
    await this.step({ act: 'stop' });
    for (let turns = 0; this.clock.timers > 0 && turns < 50_000; turns += 1) await this.clock.next();
    this.#look();
    this.#check();
    expect(this.made.totals.pending, 'pending at the end').toBe(0);
    expect(this.clock.timers, 'timers at the end').toBe(0);
  }
}

/** Returns whether the plan is one of a schedule: the others are refused. */
export async function runScript(script: Script): Promise<boolean> {
  const world = begin(script);
  if (world === undefined) return false;
  for (const act of script.acts) await world.step(act);
  await world.finish();
  return true;
}

function begin(script: Script): LedgerWorld | undefined {
  try {
    return new LedgerWorld(script);
  } catch (error) {
    if (error instanceof OptionError) return undefined;
    throw error;
  }
}
