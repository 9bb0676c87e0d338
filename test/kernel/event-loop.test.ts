import { createRequire, syncBuiltinESMExports } from 'node:module';
import { expect, onTestFinished, test, vi } from 'vitest';
import { eventLoopTurn } from '../../src/kernel/event-loop.ts';

test('a turn of the event loop is that of the platform, also where node:timers/promises was replaced since', async () => {
  const timers = createRequire(import.meta.url)('node:timers/promises') as { setImmediate: unknown };
  const { setImmediate } = timers;
  onTestFinished(() => {
    timers.setImmediate = setImmediate;
    syncBuiltinESMExports();
  });
  const fake = vi.fn(() => Promise.resolve());
  timers.setImmediate = fake;
  syncBuiltinESMExports();
  await eventLoopTurn();
  expect(fake).not.toHaveBeenCalled();
});
