// Real supervisors and real workers, for the tests of the worker door.

import { Supervisor, type SupervisorOptions, type TaskContext, type TaskSpec } from 'slotvisor';
import { recordEvents } from 'slotvisor/testing';
import { type WorkerTaskOptions, workerTask } from 'slotvisor/worker';
import { afterEach, expect } from 'vitest';

export const JOBS = new URL('./jobs.mjs', import.meta.url);

const opened: Supervisor[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((supervisor) => supervisor.shutdown({ graceMs: 0 })));
  expect(process.getActiveResourcesInfo()).not.toContain('Worker');
});

export function real(options: SupervisorOptions = {}) {
  const supervisor = new Supervisor({ graceMs: 3_600_000, ...options });
  opened.push(supervisor);
  return { supervisor, recorded: recordEvents(supervisor) };
}

export type Rest = Partial<Omit<TaskSpec, 'run'>>;

/** Runs one export of the jobs as a task that is not tried again, unless told otherwise. */
export function job(supervisor: Supervisor, name: string, options: WorkerTaskOptions = {}, rest: Rest = {}) {
  return supervisor.submit({ restart: 'never', ...rest, run: workerTask(JOBS, { export: name, ...options }) });
}

/** Memory that both sides see. The first place is counted up by the worker, the second one is opened by whoever waits for it. */
export const shared = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Objects match in part, at any depth; a regular expression matches a text. */
export function matching(expected: object): unknown {
  const fields = Object.entries(expected).map(([key, value]): [string, unknown] => {
    if (value instanceof RegExp) return [key, expect.stringMatching(value)];
    return [key, typeof value === 'object' && value !== null ? matching(value) : value];
  });
  return expect.objectContaining(Object.fromEntries(fields));
}

/** A context without a supervisor, for what a supervisor does not show. */
export function fakeContext(rest: object = {}): TaskContext<unknown> {
  const nothing = (): void => {};
  return {
    ...{ id: 'x-1', slot: 's', name: 'n', attempt: 1, meta: undefined, fence: 0n },
    ...{ onCancel: () => nothing, throwIfCanceled: nothing, heartbeat: nothing },
    ...rest,
  } as unknown as TaskContext<unknown>;
}
