// Code of another package may add fields to Object.prototype ("prototype pollution"). Then every
// plain object inherits them, also the options of Node and of libraries.

import { describe, test } from 'vitest';
import { run } from './child.ts';

describe.concurrent('what Object.prototype inherits to all objects', () => {
  for (const [what, program, names] of [
    ['reaches no option of a process, and no environment', 'subprocess', 38],
    ['reaches no option of a worker, and no report of one', 'worker', 30],
    ['reaches no flags of a worker', 'workerFlags', 1],
    ['reaches no option of a schedule, and none of its dates', 'cron', 51],
  ] as const)
    test(what, async ({ expect }) => {
      const { lines, ...ended } = await run('process/children/polluted.ts', { args: [program] });
      expect(ended).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(lines.at(-1) ?? 'null')).toEqual({ names, differing: [] });
    });
});
