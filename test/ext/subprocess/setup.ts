// Real supervisors and real processes, for the tests of slotvisor/subprocess.

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

/** No process with that id can run: there is none, or it is an uncollected zombie. */
export function isDead(pid: number): boolean {
  if (!(pid > 1)) throw new Error(`no process id: ${pid}`);
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  return process.platform === 'linux' && ['Z', ''].includes(stateOf(pid));
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
