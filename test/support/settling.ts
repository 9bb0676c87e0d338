// Whether a promise has settled, and when.

import type { Setup } from './setup.ts';

/** Whether the promise has settled. Does not wait for it. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = {};
  await new Promise((resolve) => setImmediate(resolve));
  return (await Promise.race([promise, Promise.resolve(open)])) !== open;
}

/** The virtual time in ms at which the promise settles. */
export async function settledAt({ clock }: Setup, promise: Promise<unknown>): Promise<number> {
  let at: number | undefined;
  const note = () => {
    at = clock.now();
  };
  promise.then(note, note);
  await clock.settle();
  while (at === undefined && (await clock.next()));
  if (at === undefined) throw new Error('it never settles');
  return at;
}
