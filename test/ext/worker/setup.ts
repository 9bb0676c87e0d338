// Real supervisors and real workers, for the tests of slotvisor/worker.

import { Supervisor, type SupervisorOptions, type TaskContext, type TaskSpec } from 'slotvisor';
import { recordEvents } from 'slotvisor/testing';
import { type WorkerTaskOptions, workerTask } from 'slotvisor/worker';
import { afterEach, expect } from 'vitest';

export const JOBS = new URL('./jobs.mjs', import.meta.url);

const HOUR = 3_600_000;
const opened: Supervisor[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((supervisor) => supervisor.shutdown({ graceMs: 0 })));
  expect(process.getActiveResourcesInfo()).not.toContain('Worker');
});

export function real(options: SupervisorOptions = {}) {
  const supervisor = new Supervisor({ shutdownGraceMs: HOUR, defaults: { graceMs: HOUR }, ...options });
  opened.push(supervisor);
  return { supervisor, recorded: recordEvents(supervisor) };
}

export type Rest = Partial<Omit<TaskSpec, 'run'>>;

/** Runs one export of jobs.mjs as a task. It is not retried unless `rest` says so. */
export function job(supervisor: Supervisor, name: string, options: WorkerTaskOptions = {}, rest: Rest = {}) {
  return supervisor.submit({ restart: 'never', ...rest, run: workerTask(JOBS, { export: name, ...options }) });
}

/**
 * Shared memory: the worker counts in element 0, and element 1 is set to 1 to release a waiting
 * side.
 */
export const shared = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A matcher for a part of an object, at any depth. A regular expression matches a string. */
export function matching(expected: object): unknown {
  const fields = Object.entries(expected).map(([key, value]): [string, unknown] => {
    if (value instanceof RegExp) return [key, expect.stringMatching(value)];
    return [key, typeof value === 'object' && value !== null ? matching(value) : value];
  });
  return expect.objectContaining(Object.fromEntries(fields));
}

/** A context without a supervisor, for calls that a supervisor hides. */
export function fakeContext(rest: object = {}): TaskContext<unknown> {
  const nothing = (): void => {};
  return {
    ...{ id: 'x-1', slot: 's', name: 'n', attempt: 1, meta: undefined, fence: 0n },
    ...{ onCancel: () => nothing, throwIfCanceled: nothing, heartbeat: nothing },
    ...rest,
  } as unknown as TaskContext<unknown>;
}
