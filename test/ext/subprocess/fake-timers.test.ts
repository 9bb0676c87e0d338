// A process is ended and its end is proved in real time, whatever timers a test has put in.

import { mock } from 'node:test';
import { subprocessTask } from 'slotvisor/subprocess';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeContext, listener, real, STUBBORN, script, until } from './setup.ts';

afterEach(() => {
  vi.useRealTimers();
  mock.timers.reset();
});

const FAKES: Record<string, () => void> = {
  vitest: () => void vi.useFakeTimers(),
  'node:test': () => mock.timers.enable(),
};
for (const [name, putIn] of Object.entries(FAKES)) {
  test(`under the fake timers of ${name} a task ends once its group is gone and its lines are read`, async () => {
    const { supervisor } = real();
    const { lines, onLine } = listener();
    putIn();
    const count = 'i=0; while [ $i -lt 200 ]; do echo line; i=$((i+1)); done';
    const submission = script(supervisor, `${count}; sleep 0.1 & exit 0`, { onLine });
    expect(await submission.outcome).toMatchObject({ kind: 'completed' });
    expect(lines).toHaveLength(200);
  });

  test(`under the fake timers of ${name} a kill resolves, also while a line is never taken`, async () => {
    let lines = 0;
    const onLine = (): Promise<void> => {
      lines += 1;
      return new Promise(() => {});
    };
    const task = subprocessTask('sh', ['-c', STUBBORN], { onLine });
    const ctx = fakeContext();
    const run = Promise.resolve(task.run(ctx)).catch((error: Error) => error.message);
    await until(() => lines === 1);
    putIn();
    await task.kill(ctx);
    expect(await run).toBe('sh was ended by SIGKILL');
  });
}
