// Real supervisors and real processes, for the tests of slotvisor/subprocess.

import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { Supervisor, type SupervisorOptions, type TaskContext, type TaskSpec } from 'slotvisor';
import { type SubprocessOptions, subprocessTask } from 'slotvisor/subprocess';
import { recordEvents } from 'slotvisor/testing';
import { afterEach, beforeEach } from 'vitest';

const HOUR = 3_600_000;
const opened: Supervisor[] = [];
const handles = (): string[] => process.getActiveResourcesInfo().filter((name) => /^(?:Pipe|Process)Wrap$/.test(name));
let before: string[] = [];
beforeEach(() => {
  before = handles();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((supervisor) => supervisor.shutdown({ graceMs: 0 })));
  await until(() => handles().length <= before.length); // handles take a turn to close
});

export function real(options: SupervisorOptions = {}) {
  const supervisor = new Supervisor({ shutdownGraceMs: HOUR, defaults: { graceMs: HOUR }, ...options });
  opened.push(supervisor);
  return { supervisor, recorded: recordEvents(supervisor) };
}

export type Rest = Partial<Omit<TaskSpec, 'run'>>;

/** Runs a shell script as a task. It is not retried unless `rest` says so. */
export function script(supervisor: Supervisor, text: string, options: SubprocessOptions = {}, rest: Rest = {}) {
  return supervisor.submit({ restart: 'never', ...rest, run: subprocessTask('sh', ['-c', text], options) });
}

/** Collects lines. Those that are numbers are process ids. */
export function listener() {
  const lines: string[] = [];
  return {
    lines,
    onLine: (line: string): void => void lines.push(line),
    get ids() {
      return lines.map(Number).filter(Number.isInteger);
    },
  };
}

/** A script that prints its process id and ignores SIGTERM. */
export const STUBBORN = "trap '' TERM; echo $$; while :; do sleep 1; done";

/** The same, but it closes its output: the end of the output is then no sign of its end. */
export const ALOOF = STUBBORN.replace('; while', '; exec >/dev/null 2>&1; while');

/** The system has a process with that id, which may be an uncollected zombie. */
export function exists(pid: number): boolean {
  if (!(pid > 1)) throw new Error(`no process id: ${pid}`);
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** No process with that id can run: there is none, or it is an uncollected zombie. */
export function isDead(pid: number): boolean {
  return !exists(pid) || (process.platform === 'linux' && ['Z', ''].includes(stateOf(pid)));
}

/** The processes that Node spawns during `work`, and whether Node has closed their pipes. */
export async function spawnedDuring(
  work: (spawned: { readonly process: ChildProcess; closed: boolean }[]) => Promise<void>,
): Promise<void> {
  const spawned: { process: ChildProcess; closed: boolean }[] = [];
  const onSpawn = (message: unknown): void => {
    const child = { process: (message as { process: ChildProcess }).process, closed: false };
    child.process.once('close', () => {
      child.closed = true;
    });
    spawned.push(child);
  };
  subscribe('child_process', onSpawn);
  await work(spawned).finally(() => unsubscribe('child_process', onSpawn));
}

/** The process has stopped (SIGSTOP). Checked on Linux only; elsewhere it returns true. */
export function isStopped(pid: number): boolean {
  return process.platform !== 'linux' || stateOf(pid) === 'T';
}

/** The letter of the process state in Linux. Empty if there is no such process. */
function stateOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.charAt(stat.lastIndexOf(')') + 2);
  } catch {
    return '';
  }
}

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A context without a supervisor, for calls that a supervisor hides. */
export function fakeContext(rest: object = {}): TaskContext<unknown> {
  const nothing = (): void => {};
  const ctx = { id: 'x-1', attempt: 1, onCancel: () => nothing, throwIfCanceled: nothing, heartbeat: nothing, ...rest };
  return ctx as unknown as TaskContext<unknown>;
}
