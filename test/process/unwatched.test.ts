// What a user sees who runs a program whose tasks fail.

import { describe, test } from 'vitest';
import { run } from './child.ts';

describe.concurrent('a program whose tasks fail', () => {
  test('prints one warning for a group of slots that nothing watches', async ({ expect }) => {
    const { code, lines, stderr } = await run('process/children/unwatched.ts');
    expect({ code, lines }).toEqual({ code: 0, lines: [] });
    expect(stderr.match(/\[SLOTVISOR_UNWATCHED_FAILURE\] SlotvisorWarning: .*/g)).toEqual([
      '[SLOTVISOR_UNWATCHED_FAILURE] SlotvisorWarning: The task "orders:0" failed, and nothing watches it (attempt 1, ' +
        'Error: boom). It is retried in 5 ms. To watch, call supervisor.subscribe(), or await the outcome. This warning ' +
        'comes once for slots of the group "orders". new Supervisor({ warnings: false }) turns it off.',
    ]);
  });

  for (const [mode, lines] of [
    ['off', []],
    ['awaited', ['failed', 'failed', 'failed']],
    ['run', ['failed']],
    ['subscribed', Array.from({ length: 6 }, () => 'attemptFailed')],
  ] as const)
    test(`prints no warning: ${mode}`, async ({ expect }) => {
      expect(await run('process/children/unwatched.ts', { args: [mode] })).toEqual({ code: 0, lines, stderr: '' });
    });
});
