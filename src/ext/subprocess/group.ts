// A process group, named by its leader's id: how it is signaled, and how its end is proved. It spawns nothing and decides nothing.

import { readdirSync, readFileSync } from 'node:fs';
import timers from 'node:timers/promises';

const MAX_PAUSE_MS = 50;
/** Reading the process table costs more than a look: it is done early, and then only now and then, unless the group must be dying. */
const EARLY_SCANS = [2, 5];
const CHECKS_BETWEEN_SCANS = 20;
/** Read without a pause: the table is in memory, and its lines are quicker read than handed to another thread. */
const LINES_AT_ONCE = 64;

const live = new Set<ProcessGroup>();
const killAll = (): void => {
  for (const group of live) group.send('SIGKILL');
};

export class ProcessGroup {
  readonly #leader: number;
  #sigkillSent = false;
  #gone = false;

  constructor(leader: number) {
    this.#leader = leader;
    if (live.size === 0) process.on('exit', killAll);
    live.add(this);
  }

  /** False if there is nobody: the group is gone, and its number may be another's by now, so it is never signaled again. */
  send(signal: NodeJS.Signals | 0): boolean {
    if (this.#gone) return false;
    if (signal === 'SIGKILL') this.#sigkillSent = true;
    try {
      process.kill(-this.#leader, signal);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'ESRCH'; // EPERM: there is somebody, out of reach
    }
    return true;
  }

  /** Resolves when no process of the group can run any more. To be asked once the leader has ended. */
  async untilGone(): Promise<void> {
    let pauseMs = 1;
    for (let look = 1; !(await this.#proves(look)); look += 1) {
      await timers.setTimeout(pauseMs);
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
    this.#gone = true;
    live.delete(this);
    if (live.size === 0) process.off('exit', killAll);
  }

  async #proves(look: number): Promise<boolean> {
    const killed = this.#sigkillSent;
    if (!this.send(killed ? 'SIGKILL' : 0)) return true;
    const scans = killed || EARLY_SCANS.includes(look) || look % CHECKS_BETWEEN_SCANS === 0;
    if (process.platform !== 'linux' || !scans || !(await onlyZombies(this.#leader))) return false;
    // While a process may still fork, a scan can miss its child. After a SIGKILL none can, so that a scan from then on is a proof.
    return killed || !this.send('SIGKILL') || onlyZombies(this.#leader);
  }
}

/**
 * Whether all that is left of the group are zombies: dead, but not yet collected by their parent, which may be never where the first process
 * of a container does not do its duty. They still answer to signals.
 */
async function onlyZombies(group: number): Promise<boolean> {
  let zombies = 0;
  const pids = reading(() => readdirSync('/proc'))?.filter((name) => /^\d+$/.test(name)) ?? [];
  for (const [n, pid] of pids.entries()) {
    if (n % LINES_AT_ONCE === LINES_AT_ONCE - 1) await timers.setImmediate();
    const stat = reading(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
    if (stat === undefined) continue; // gone meanwhile
    const one = parseStat(stat);
    if (one.group !== group) continue;
    if (!one.isDead) return false;
    zombies += 1;
  }
  return zombies > 0;
}

/** The number of threads, counted from the state. */
const THREADS = 17;

/** A line of the process table: "pid (name) state parent group ...", where the name may hold anything. */
export function parseStat(line: string): { readonly group: number; readonly isDead: boolean } {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  // A process whose main thread has ended shows as a zombie while its other threads still work.
  const isDead = (state === 'Z' || state === 'X') && Number(fields[THREADS]) <= 1;
  return { group: Number(group), isDead };
}

function reading<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
