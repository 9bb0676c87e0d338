// Guards that events do not pile up: what waits for a subscriber holds memory, and is lost when its
// queue is full. Events are counted, not timed.

import { expect, test } from 'vitest';
import { setup } from '../support/setup.ts';

const BURST = 10_000;

test('a subscriber that takes its events at once keeps up with a supervisor that is never idle', async () => {
  const { supervisor } = setup({ slotDefaults: { queueLimit: BURST } });
  let handled = 0;
  let isLast = (): void => {};
  const last = new Promise<void>((resolve) => {
    isLast = resolve;
  });
  supervisor.subscribe(
    ({ type }) => {
      handled += 1;
      if (type === 'finished' && supervisor.stats().totals.completed === BURST) isLast();
    },
    { capacity: 2 * BURST }, // room for what the calls of submit publish themselves
  );
  for (let n = 0; n < BURST; n += 1) supervisor.submit({ slot: 's', run: async () => {} });
  await supervisor.idle();
  await last;
  expect(supervisor.stats().eventsDropped).toBe(0);
  expect(handled).toBeGreaterThan(5 * BURST);
});
