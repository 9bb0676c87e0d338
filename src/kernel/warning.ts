// Warnings of the process. Node prints them to stderr, and `process.on('warning')` gets them.

import { bare } from './bare.ts';

/** Never throws, also where `process.emitWarning` was replaced. */
export function warn(code: string, message: string): void {
  try {
    process.emitWarning(message, bare({ type: 'SlotvisorWarning', code }));
  } catch {
    // a warning that cannot be given harms no task
  }
}
