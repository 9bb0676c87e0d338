// Bodies that block the event loop, and a process that is stopped: all bodies wait, and nothing
// else goes wrong.

import { describe, test } from 'vitest';
import { run, start } from './child.ts';

describe.concurrent('a blocked event loop', () => {
  for (const [hog, claim] of [
    ['block', 'a body that blocks the event loop for 300 ms'],
    ['flood', 'a body that floods the microtask queue for 300 ms'],
  ] as const)
    test(`${claim} delays other bodies, but breaks neither order, exclusion nor outcomes, and causes no stall`, async ({
      expect,
    }) => {
      const { lines, ...ended } = await run('process/children/hog.ts', { args: [hog] });
      expect(ended).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(lines.at(-1) ?? 'null')).toEqual({
        outcomes: Array.from({ length: 6 }, () => 'completed 1'),
        order: ['first', 'hog', 'behind', 'last'],
        overlaps: 0,
        starved: true,
        bad: [],
        gaps: 0,
        slots: 0,
      });
    });

  test('a process that SIGSTOP holds for three times `stallMs` causes no stall', async ({ expect }) => {
    const child = await start('process/children/stall.ts');
    await child.printed('heartbeat');
    child.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    child.signal('SIGCONT');
    const { lines, ...ended } = await child.ended;
    expect(ended).toEqual({ code: 0, stderr: '' });
    expect(lines.filter((line) => line !== 'heartbeat').map((line) => JSON.parse(line))).toEqual([
      { withHeartbeats: 'completed', events: ['attemptSucceeded'] },
      { withoutHeartbeats: 'stalled' },
    ]);
  });
});
