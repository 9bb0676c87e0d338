// A process group, identified by its leader's process id: sends signals to it and proves its end.
// It spawns no process and makes no decision about when to stop one.

import { readdirSync, readFileSync } from 'node:fs';
// Imported by name: fake timers replace neither, and the proof of an end needs real time.
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';

const MAX_PAUSE_MS = 50;
/**
 * A check sends a signal, which is cheap. A scan reads the process table, which is not. Before a
 * SIGKILL, only these checks and then every 20th also scan. After it, every check does.
 */
const EARLY_SCANS = [2, 5];
const CHECKS_BETWEEN_SCANS = 20;
/**
 * Entries of the process table that are read before the event loop gets a turn. The reads are
 * synchronous: the table is in memory, and a read costs less than a call to the thread pool.
 */
const ENTRIES_PER_TURN = 64;

const live = new Set<ProcessGroup>();
const killAll = (): void => {
  for (const group of live) group.send('SIGKILL');
};

export class ProcessGroup {
  readonly #leader: number;
  #leaderCollected = false;
  #sigkillSent = false;
  #gone = false;

  constructor(leader: number) {
    this.#leader = leader;
    if (live.size === 0) process.on('exit', killAll);
    live.add(this);
  }

  /**
   * Call it when the leader's exit has been collected (waited for), in the turn of its `exit`
   * event. The leader's number may belong to another process from then on.
   */
  leaderCollected(): void {
    this.#leaderCollected = true;
  }

  /**
   * Sends a signal to every process of the group; 0 only checks that the group exists. Returns
   * false if the group has no process. If its leader has been collected too, the group has ended,
   * and is never signaled again: the system may reuse its number.
   */
  send(signal: NodeJS.Signals | 0): boolean {
    if (this.#gone) return false;
    if (signal === 'SIGKILL') this.#sigkillSent = true;
    // The system gives the leader's number to no new process while the group has one. So a process
    // with this number shows that the group has ended. It may lead a group of its own by now. It is
    // looked for directly before each signal: any wait in between would give it time to appear.
    const exists = !(this.#leaderCollected && accepts(this.#leader, 0)) && accepts(-this.#leader, signal);
    if (!exists && this.#leaderCollected) this.#end();
    return exists;
  }

  /**
   * Resolves when no process of the group can run any more. Call it after `leaderCollected`.
   */
  async untilGone(): Promise<void> {
    let pauseMs = 1;
    for (let check = 1; !(await this.#hasEnded(check)); check += 1) {
      await pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
    this.#end();
  }

  #end(): void {
    this.#gone = true;
    if (live.delete(this) && live.size === 0) process.off('exit', killAll);
  }

  async #hasEnded(check: number): Promise<boolean> {
    const killed = this.#sigkillSent;
    if (!this.send(killed ? 'SIGKILL' : 0)) return true;
    const scans = killed || EARLY_SCANS.includes(check) || check % CHECKS_BETWEEN_SCANS === 0;
    if (process.platform !== 'linux' || !scans || !(await onlyZombies(this.#leader))) return false;
    // A live process can fork during the scan, and the scan can miss its child. After a SIGKILL no
    // process can fork, so only a scan that starts after a SIGKILL is a proof.
    return killed || !this.send('SIGKILL') || onlyZombies(this.#leader);
  }
}

/** Whether there is a process, or a group with a negative `id`, to send the signal to. */
function accepts(id: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(id, signal);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'; // EPERM: it belongs to another user
  }
  return true;
}

/**
 * Whether the group has only zombies left: processes that have ended but that their parent has not
 * collected (waited for). In a container whose first process collects no orphans, they stay
 * forever. A signal to a zombie succeeds, so signals alone cannot prove the end.
 */
async function onlyZombies(group: number): Promise<boolean> {
  let zombies = 0;
  const pids = tryRead(() => readdirSync('/proc'))?.filter((name) => /^\d+$/.test(name)) ?? [];
  for (const [n, pid] of pids.entries()) {
    if (n % ENTRIES_PER_TURN === ENTRIES_PER_TURN - 1) await turn();
    const stat = tryRead(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
    if (stat === undefined) continue; // the process has gone since the listing
    const entry = parseStat(stat);
    if (entry.group !== group) continue;
    if (!entry.isDead) return false;
    zombies += 1;
  }
  return zombies > 0;
}

/** The index of the field with the number of threads. The state has index 0. */
const THREADS = 17;

/**
 * Parses one entry of the process table: "pid (name) state parent group ...". The name may contain
 * any character, parentheses included.
 */
export function parseStat(entry: string): { readonly group: number; readonly isDead: boolean } {
  const fields = entry.slice(entry.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  // A process whose main thread has ended is shown as a zombie while its other threads still run.
  const isDead = (state === 'Z' || state === 'X') && Number(fields[THREADS]) <= 1;
  return { group: Number(group), isDead };
}

function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
