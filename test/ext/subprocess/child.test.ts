import { spawn } from 'node:child_process';
import { subprocessTask } from 'slotvisor/subprocess';
import { expect, test, vi } from 'vitest';
import { fakeContext } from './setup.ts';

vi.mock(import('node:child_process'), { spy: true });

test('a process is spawned with options and an environment that inherit nothing', async () => {
  for (const inheritEnv of [false, true, ['PATH']])
    await subprocessTask('sh', ['-c', ''], { inheritEnv }).run(fakeContext());
  const given = vi.mocked(spawn).mock.calls.map(([, , options]) => options);
  expect(given).toHaveLength(3);
  for (const options of given)
    for (const object of [options, options.env]) expect(Object.getPrototypeOf(object)).toBe(null);
});
