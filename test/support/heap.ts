// How much memory is in use, once all that can be freed is freed.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
export const collectGarbage: () => void = runInNewContext('gc');

export function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
