// Signals of the process, listened to only for as long as somebody asked.

import { constants } from 'node:os';

/** A signal of this platform that is not the kernel's alone. */
export function isCatchable(name: unknown): name is NodeJS.Signals {
  return typeof name === 'string' && Object.hasOwn(constants.signals, name) && name !== 'SIGKILL' && name !== 'SIGSTOP';
}

/** Returns the removal. Registering takes over from the platform's default, which would end the process. */
export function onSignals(signals: readonly NodeJS.Signals[], received: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of signals) process.on(signal, received);
  return () => {
    for (const signal of signals) process.off(signal, received);
  };
}
