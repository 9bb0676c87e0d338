// Real supervisors and real processes, for the tests of the subprocess door.

import { readFileSync } from 'node:fs';
import { Supervisor, type SupervisorOptions, type TaskContext, type TaskSpec } from 'slotvisor';
import { type SubprocessOptions, subprocessTask } from 'slotvisor/subprocess';
import { recordEvents } from 'slotvisor/testing';
import { afterEach, beforeEach } from 'vitest';

const opened: Supervisor[] = [];
const handles = (): string[] => process.getActiveResourcesInfo().filter((name) => /^(?:Pipe|Process)Wrap$/.test(name));
let before: string[] = [];
beforeEach(() => {
  before = handles();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((supervisor) => supervisor.shutdown({ graceMs: 0 })));
  await until(() => handles().length <= before.length); // what is being closed takes a turn
});

export function real(options: SupervisorOptions = {}) {
  const supervisor = new Supervisor({ graceMs: 3_600_000, ...options });
  opened.push(supervisor);
  return { supervisor, recorded: recordEvents(supervisor) };
}

export type Rest = Partial<Omit<TaskSpec, 'run'>>;

/** Runs a shell script as a task that is not tried again, unless told otherwise. */
export function script(supervisor: Supervisor, text: string, options: SubprocessOptions = {}, rest: Rest = {}) {
  return supervisor.submit({ restart: 'never', ...rest, run: subprocessTask('sh', ['-c', text], options) });
}

/** Takes lines; those that are numbers are process ids. */
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

/** A script that says its process id and then heeds no SIGTERM. */
export const STUBBORN = "trap '' TERM; echo $$; while :; do sleep 1; done";

/** The same, and it lets go of its output, so that nothing but its life can be waited for. */
export const ALOOF = STUBBORN.replace('; while', '; exec >/dev/null 2>&1; while');

/** No process of that id can run: there is none, or it is a zombie that nobody has collected. */
export function isDead(pid: number): boolean {
  if (!(pid > 1)) throw new Error(`no process id: ${pid}`);
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  return process.platform === 'linux' && ['Z', ''].includes(stateOf(pid));
}

/** It has stopped (SIGSTOP). Only Linux can tell; elsewhere it is taken on trust. */
export function isStopped(pid: number): boolean {
  return process.platform !== 'linux' || stateOf(pid) === 'T';
}

/** The letter that Linux has for what a process does; empty for one that is gone. */
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

/** A context without a supervisor, for what a supervisor does not show. */
export function fakeContext(rest: object = {}): TaskContext<unknown> {
  const nothing = (): void => {};
  const ctx = { id: 'x-1', attempt: 1, onCancel: () => nothing, throwIfCanceled: nothing, heartbeat: nothing, ...rest };
  return ctx as unknown as TaskContext<unknown>;
}
