// Listens to signals of the process, and only for as long as it is asked to.

import { constants } from 'node:os';

/** True for a signal of this platform that a process can handle. */
export function isCatchable(name: unknown): name is NodeJS.Signals {
  return typeof name === 'string' && Object.hasOwn(constants.signals, name) && name !== 'SIGKILL' && name !== 'SIGSTOP';
}

/**
 * Calls `received` for each of these signals, in place of the platform's default, which would end
 * the process. Returns a function that removes the listeners.
 */
export function onSignals(signals: readonly NodeJS.Signals[], received: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of signals) process.on(signal, received);
  return () => {
    for (const signal of signals) process.off(signal, received);
  };
}
