import { type ChildProcess, spawn } from 'node:child_process';
import { subprocessTask } from 'slotvisor/subprocess';
import { beforeEach, expect, test, vi } from 'vitest';
import { fakeContext, spawnedDuring } from './setup.ts';

vi.mock(import('node:child_process'), { spy: true });
beforeEach(() => void vi.mocked(spawn).mockClear());

/** Holds the `close` event of a process back. Resolves with its release once it is due. */
function holdClose(child: ChildProcess): Promise<() => void> {
  const emit = child.emit.bind(child) as (event: string, ...args: unknown[]) => boolean;
  return new Promise((resolve) => {
    child.emit = (event: string, ...args: unknown[]) => {
      if (event !== 'close') return emit(event, ...args);
      resolve(() => emit(event, ...args));
      return true;
    };
  });
}

for (const [what, text, expected] of [
  ['an attempt ends', '', ['closed', 'ended']],
  ['a kill resolves', 'exec sleep 1000', ['closed', 'ended', 'killed']],
] as const)
  test(`${what} only when Node has closed the pipes of the process`, () =>
    spawnedDuring(async (spawned) => {
      const task = subprocessTask('sh', ['-c', text], { inheritEnv: ['PATH'], stdin: 'x' });
      const ctx = fakeContext();
      const order: string[] = [];
      const end = (): unknown => order.push('ended');
      const run = Promise.resolve(task.run(ctx)).then(end, end);
      const closing = holdClose(spawned[0]?.process as ChildProcess);
      const kill = text !== '' && Promise.resolve(task.kill(ctx)).then(() => order.push('killed'));
      const release = await closing;
      await new Promise((resolve) => setTimeout(resolve, 200)); // longer than a listener is waited for
      order.push('closed');
      release();
      await Promise.all([run, kill]);
      expect(order).toEqual(expected);
    }));

test('a process is spawned with options and an environment that inherit nothing', async () => {
  for (const inheritEnv of [false, true, ['PATH']])
    await subprocessTask('sh', ['-c', ''], { inheritEnv }).run(fakeContext());
  const given = vi.mocked(spawn).mock.calls.map(([, , options]) => options);
  expect(given).toHaveLength(3);
  for (const options of given)
    for (const object of [options, options.env]) expect(Object.getPrototypeOf(object)).toBe(null);
});
