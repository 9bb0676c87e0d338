import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Supervisor } from 'slotvisor';

/** `tick` is synchronous. A turn after each step lets the supervisor go on before the next one. */
async function advance(ms: number, stepMs = 1_000): Promise<void> {
  await turn();
  for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
    mock.timers.tick(stepMs);
    await turn();
  }
}

afterEach(() => mock.timers.reset());

test('with mock timers, enabled before the supervisor is made', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const supervisor = new Supervisor({ defaults: { backoff: { firstMs: 30_000, jitter: 'none' } } });
  const task = supervisor.submit({
    run: ({ attempt }) => {
      if (attempt < 3) throw new Error('no answer');
      return 'fresh rates';
    },
  });
  await advance(60_000); // two retries, each after 30 s
  assert.equal(task.status, 'ended');
  assert.equal(await task.value(), 'fresh rates');
});
