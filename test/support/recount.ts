// What `stats()` counts, counted again: every live task and every slot is looked at, one by one.

import type { SlotView, Stats, Supervisor, TaskView } from 'slotvisor';
import { TASK_STATUSES } from '../../src/model/view.ts';

type Recount = Pick<Stats, 'tasks' | 'joined' | 'slotCount' | 'owners' | 'queued' | 'pending' | 'overrun'> & {
  readonly atGate: number;
};

const AT_GATE: readonly unknown[] = ['gate', 'rate', 'supervisorPaused'] satisfies TaskView['waitingFor'][];

function recount(tasks: readonly TaskView[], slots: readonly SlotView[]): Recount {
  const owners = slots.flatMap(({ owner }) => owner ?? []);
  const queued = slots.reduce((sum, slot) => sum + slot.queued.length, 0);
  // Each participant of a flight of n counts 1/n, so that the flight counts once.
  const flights = (status: string) =>
    Math.round(tasks.reduce((sum, task) => sum + (task.status === status ? 1 / ((task.joined ?? 0) + 1) : 0), 0));
  const statuses = TASK_STATUSES.filter((status) => status !== 'ended');
  const counts = Object.fromEntries(statuses.map((status) => [status, flights(status)])) as Stats['tasks'];
  const atGate = owners.filter(({ waitingFor }) => AT_GATE.includes(waitingFor));
  const toBegin = [...atGate, ...owners.filter(({ status }) => status === 'suspended')];
  return {
    tasks: counts,
    joined: tasks.length - Object.values(counts).reduce((sum, count) => sum + count),
    slotCount: slots.length,
    owners: owners.length,
    queued,
    pending: queued + toBegin.filter(({ attempt }) => attempt === 0).length,
    overrun: owners.filter(({ status }) => status === 'overrun').length,
    atGate: atGate.length,
  };
}

const sameTasks = (a: Stats['tasks'], b: Stats['tasks']): boolean =>
  TASK_STATUSES.every((status) => status === 'ended' || a[status] === b[status]);

/** Where `stats()` and the views differ; empty where they agree. */
export function wrongCounts(supervisor: Supervisor): string[] {
  const stats = supervisor.stats();
  const slots = [...supervisor.slots()];
  const expected = recount(supervisor.tasks(), slots);
  const got: Recount = { ...stats, atGate: stats.gate.queued };
  const wrong = (Object.keys(expected) as (keyof Recount)[])
    .filter((what) => (what === 'tasks' ? !sameTasks(got.tasks, expected.tasks) : got[what] !== expected[what]))
    .map((what) => `${what}: stats() has ${JSON.stringify(got[what])}, the views ${JSON.stringify(expected[what])}`);
  for (const slot of slots)
    if (slot.queuedCount !== slot.queued.length) wrong.push(`queuedCount of ${slot.name}: ${slot.queuedCount}`);
  const rejected = Object.values(stats.rejections).reduce((sum, count) => sum + count);
  if (rejected !== stats.totals.rejected) wrong.push(`${rejected} reasons for ${stats.totals.rejected} rejections`);
  return wrong;
}
