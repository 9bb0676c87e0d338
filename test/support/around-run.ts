// Code of a user around the `run` of a killable task.

import type { KillableTask, TaskContext } from 'slotvisor';

/**
 * Runs the task, kills it once `ready` resolves, and returns what came first: the end of the
 * cleanup after `run`, which takes many microtasks, or the end of the kill.
 */
export async function cleanupAndKill(
  task: KillableTask,
  ctx: TaskContext,
  ready: () => Promise<void> = async () => {},
): Promise<string[]> {
  const order: string[] = [];
  const around = async (): Promise<void> => {
    try {
      await task.run(ctx);
    } finally {
      for (let n = 0; n < 20; n += 1) await undefined;
      order.push('cleaned up');
    }
  };
  const running = around().catch(() => {});
  await ready();
  await task.kill(ctx);
  order.push('killed');
  await running;
  return order;
}
