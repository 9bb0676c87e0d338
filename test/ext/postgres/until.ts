import { setTimeout as pause } from 'node:timers/promises';

/** Resolves when the condition holds: real servers answer when they like. */
export async function until(condition: () => unknown, withinMs = 30_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`this has not become true: ${condition}`);
    await pause(5);
  }
}
