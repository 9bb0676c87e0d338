// Bodies that keep the event loop to themselves, and a process that is stopped altogether: everybody waits, nothing else goes wrong.

import { describe, test } from 'vitest';
import { run, start } from './child.ts';

describe.concurrent('an event loop that does not turn', () => {
  for (const [hog, claim] of [
    ['block', 'a body that blocks the event loop for 300 ms'],
    ['flood', 'a body that floods the microtask queue for 300 ms'],
  ] as const)
    test(`${claim} starves its neighbours, and harms neither order nor exclusion nor outcomes, and is nobody's silence`, async ({
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

  test('a process stopped for a second, twice the longest silence, has not been silent (stallMs)', async ({
    expect,
  }) => {
    const child = await start('process/children/stall.ts');
    await child.printed('beat');
    child.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    child.signal('SIGCONT');
    const { lines, ...ended } = await child.ended;
    expect(ended).toEqual({ code: 0, stderr: '' });
    expect(lines.filter((line) => line !== 'beat').map((line) => JSON.parse(line))).toEqual([
      { beating: 'completed', stopped: true, events: ['attemptSucceeded'] },
      { silent: 'stalled' },
    ]);
  });
});
