// The warnings that reach the process while a test runs.

import { setImmediate as turn } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export interface Warning {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string;
}

/** Records them from now on. The function waits until all are here, and returns them. */
export function recordWarnings(): () => Promise<readonly Warning[]> {
  const warnings: Warning[] = [];
  const onWarning = ({ name, message, code }: Error & { code?: string }): void => {
    warnings.push({ name, code, message });
  };
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  return async () => {
    for (let n = 0; n < 3; n += 1) await turn();
    return warnings;
  };
}
