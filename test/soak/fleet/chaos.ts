// The conductor of the chaos: starts the processes of a fleet, each behind a proxy of its own,
// breaks what can break, and judges the history of it all. A seed draws the faults; the machine
// interleaves them.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { seededRandom } from 'slotvisor/testing';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { type Backend, postgresBackend, redisBackend } from './backend.ts';
import { type HistoryLine, judge, type Measure, type Verdict } from './history.ts';
import { MUTANTS, type MutantName } from './mutants.ts';
import { kindOf, monotonicMs, RESOURCE, slotOf, type WorkerOrder } from './order.ts';

export const FAULTS = ['kill', 'freeze', 'cut', 'stall', 'end', 'restart', 'break', 'step'] as const;
export type FaultName = (typeof FAULTS)[number];

export interface Course {
  readonly store: 'postgres' | 'redis';
  readonly seconds: number;
  readonly seed: number;
  readonly processes: number;
  readonly slots: number;
  readonly ttlMs: number;
  /** A database for the resource. Its `search_path` leads to an empty schema. */
  readonly resourceUrl: string;
  readonly judgesSilence?: boolean;
  /** Default: all. */
  readonly faults?: readonly FaultName[];
  readonly mutant?: MutantName | undefined;
}

export interface Report extends Verdict {
  readonly faults: Readonly<Record<FaultName, number>>;
}

export async function chaos(course: Course): Promise<Report> {
  const conductor = await Conductor.start(course);
  try {
    return await conductor.run();
  } finally {
    await conductor.remove();
  }
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Ends a wait that hangs. Nothing is judged by it. */
const PATIENCE_MS = 90_000;
/** The part of the news that never arrives. */
const LOST_NEWS = 0.1;

// The test runner sets these for itself. The processes must not inherit them.
const { FORCE_COLOR: _, NO_COLOR: __, NODE_OPTIONS: ___, ...env } = process.env;

interface Member {
  readonly index: number;
  readonly proxy: TcpProxy;
  child: ChildProcessByStdio<Writable, Readable, null>;
  exited: Promise<unknown>;
  /** It has come up, and handles signals. */
  isUp: Promise<unknown>;
  hasComeUp: () => void;
  /** It has not come up yet, or a fault is at work on it. */
  isInTrouble: boolean;
}

class Conductor {
  readonly #course: Course;
  readonly #backend: Backend;
  readonly #random: () => number;
  readonly #lines: HistoryLine[] = [];
  readonly #members: Member[] = [];
  readonly #counts = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<FaultName, number>;
  /** Faults that end later. */
  readonly #later = new Set<Promise<void>>();
  #onLine: (line: HistoryLine) => void = () => {};

  static async start(course: Course): Promise<Conductor> {
    const mutant = course.mutant && MUTANTS[course.mutant];
    const backend = await (course.store === 'postgres' ? postgresBackend(mutant) : redisBackend());
    return new Conductor(course, backend);
  }

  private constructor(course: Course, backend: Backend) {
    this.#course = course;
    this.#backend = backend;
    this.#random = seededRandom(course.seed);
  }

  async run(): Promise<Report> {
    const { seconds, slots, processes, ttlMs, judgesSilence = false } = this.#course;
    await this.#makeResource();
    for (let index = 0; index < processes; index += 1) await this.#join(index);
    await this.#untilBusy();
    for (const endAt = monotonicMs() + seconds * 1_000; monotonicMs() < endAt; ) {
      await sleep(500 + this.#random() * 1_000);
      await this.#fault();
    }
    await Promise.all(this.#later);
    this.#note({ is: 'healed', at: monotonicMs() });
    await this.#untilBusy();
    await this.#untilDeadAreForgotten();
    await Promise.all(this.#members.map((member) => this.#end(member)));
    await this.#readRemains();
    const busy = Array.from({ length: slots }, (_, i) => i).filter((i) => kindOf(i) !== 'rival');
    const measure: Measure = { ttlMs, busy: busy.map(slotOf), judgesSilence };
    return { ...judge(this.#lines, measure), faults: this.#counts };
  }

  async remove(): Promise<void> {
    for (const { child, proxy } of this.#members) {
      child.kill('SIGKILL');
      await proxy.close();
    }
    await this.#backend.remove();
  }

  #note(line: HistoryLine): void {
    this.#lines.push(line);
    this.#onLine(line);
  }

  async #join(index: number): Promise<void> {
    const proxy = await TcpProxy.start(this.#backend.url);
    this.#members[index] = { index, proxy, ...this.#spawn(index, proxy) };
  }

  #spawn(index: number, proxy: TcpProxy): Omit<Member, 'index' | 'proxy'> {
    const { store, ttlMs, slots, resourceUrl, mutant } = this.#course;
    const order: WorkerOrder = {
      store: store === 'postgres' ? store : index % 2 === 0 ? 'ioredis' : 'node-redis',
      url: proxy.url,
      resourceUrl,
      ttlMs,
      slots,
      seed: Math.floor(this.#random() * 2 ** 31),
      lostNews: LOST_NEWS,
      mutant,
    };
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/soak/fleet/worker.ts', JSON.stringify(order)], {
      cwd: ROOT,
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface(child.stdout).on('line', (text) => this.#read(text));
    const exited = once(child, 'close').then(([code, signal]) => {
      this.#note({ is: 'exited', at: monotonicMs(), pid: child.pid as number, how: `${code ?? signal}` });
    });
    let hasComeUp = (): void => {};
    const isUp = new Promise<void>((resolve) => {
      hasComeUp = resolve;
    });
    return { child, exited, isUp, hasComeUp, isInTrouble: true };
  }

  /** The last line of a process that was killed may be a part of one. */
  #read(text: string): void {
    if (!text.endsWith('}')) return;
    const line: HistoryLine = JSON.parse(text);
    this.#note(line);
    if (line.is !== 'up') return;
    const member = this.#members.find(({ child }) => child.pid === line.pid);
    if (member === undefined) return;
    member.isInTrouble = false;
    member.hasComeUp();
  }

  async #fault(): Promise<void> {
    const { faults = FAULTS } = this.#course;
    const fault = faults[Math.floor(this.#random() * faults.length)] as FaultName;
    const member = this.#members[Math.floor(this.#random() * this.#members.length)] as Member;
    const part = this.#random();
    if (member.isInTrouble) return;
    this.#counts[fault] += 1;
    await this.#doFault(fault, member, part);
  }

  async #doFault(fault: FaultName, member: Member, part: number): Promise<void> {
    const { ttlMs } = this.#course;
    switch (fault) {
      case 'kill':
        this.#mark('killed', member);
        member.child.kill('SIGKILL');
        await member.exited;
        Object.assign(member, this.#spawn(member.index, member.proxy));
        break;
      case 'end':
        await this.#end(member);
        Object.assign(member, this.#spawn(member.index, member.proxy));
        break;
      case 'freeze':
        this.#mark('frozen', member);
        member.child.kill('SIGSTOP');
        this.#after(1.7 * ttlMs, member, () => {
          this.#mark('thawed', member);
          member.child.kill('SIGCONT');
        });
        break;
      case 'cut':
      case 'stall':
        this.#mark('hindered', member);
        member.proxy[fault](true);
        this.#after(part * 1.6 * ttlMs, member, () => {
          member.proxy[fault](false);
          this.#mark('eased', member);
        });
        break;
      case 'restart':
        await this.#away(() => this.#backend.restart(part < 0.5 ? 'fast' : 'immediate'));
        break;
      case 'break':
        await this.#away(() => this.#backend.breakConnections());
        break;
      case 'step':
        await this.#away(() => this.#backend.stepClock((part - 0.5) * 7_200_000));
    }
  }

  #mark(is: 'killed' | 'frozen' | 'thawed' | 'hindered' | 'eased' | 'ending', { child }: Member): void {
    this.#note({ is, at: monotonicMs(), pid: child.pid as number });
  }

  async #away(work: () => Promise<void>): Promise<void> {
    this.#note({ is: 'away', at: monotonicMs() });
    await work();
    this.#note({ is: 'back', at: monotonicMs() });
  }

  #after(ms: number, member: Member, act: () => void): void {
    member.isInTrouble = true;
    const done = sleep(ms).then(() => {
      act();
      member.isInTrouble = false;
      this.#later.delete(done);
    });
    this.#later.add(done);
  }

  /** A process that hangs is killed, which the history shows. */
  async #end(member: Member): Promise<void> {
    await Promise.race([member.isUp, member.exited]);
    this.#mark('ending', member);
    member.child.kill('SIGTERM');
    const timer = setTimeout(() => member.child.kill('SIGKILL'), PATIENCE_MS);
    await member.exited;
    clearTimeout(timer);
  }

  /**
   * Waits for a step of each slot that always has work. Lines of earlier steps may still be on
   * their way.
   */
  async #untilBusy(): Promise<void> {
    const since = monotonicMs();
    const { slots } = this.#course;
    const silent = new Set(
      Array.from({ length: slots }, (_, i) => i)
        .filter((i) => kindOf(i) !== 'rival')
        .map(slotOf),
    );
    await Promise.race([
      sleep(PATIENCE_MS, undefined, { ref: false }),
      new Promise<void>((resolve) => {
        this.#onLine = (line) => {
          if (line.is === 'step' && line.at >= since && silent.delete(line.slot) && silent.size === 0) resolve();
        };
      }),
    ]);
    this.#onLine = () => {};
  }

  /** Waits until no session is left of a process that was killed. */
  async #untilDeadAreForgotten(): Promise<void> {
    const endAt = monotonicMs() + PATIENCE_MS;
    while ((await this.#backend.left()).sessions > this.#members.length && monotonicMs() < endAt) await sleep(100);
  }

  async #makeResource(): Promise<void> {
    await this.#withResource(async (client) => {
      await client.query(RESOURCE);
      const names = Array.from({ length: this.#course.slots }, (_, i) => slotOf(i));
      await client.query('insert into resource (slot) select unnest($1::text[])', [names]);
    });
  }

  async #readRemains(): Promise<void> {
    const at = monotonicMs();
    await this.#withResource(async (client) => {
      const { rows } = await client.query('select slot, fence from written order by id');
      for (const { slot, fence } of rows) this.#note({ is: 'row', at, slot, fence });
    });
    for (const [what, count] of Object.entries(await this.#backend.left())) this.#note({ is: 'left', at, what, count });
  }

  async #withResource(work: (client: pg.Client) => Promise<void>): Promise<void> {
    const client = new pg.Client(this.#course.resourceUrl);
    await client.connect();
    await work(client);
    await client.end();
  }
}
