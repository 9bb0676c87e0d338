import { VirtualClock } from 'slotvisor/testing';
import { expect, test } from 'vitest';
import { Delays } from '../../../src/ext/fleet/delay.ts';

test('the delays of one series double up to their limit, and each is spread over its second half', async () => {
  const clock = new VirtualClock();
  const delays = new Delays(clock, 200);
  for (const longest of [50, 100, 200, 200]) {
    const before = clock.now();
    let isOver = false;
    void delays.next().then(() => {
      isOver = true;
    });
    await clock.next();
    expect(isOver).toBe(true);
    expect(clock.now() - before).toBeGreaterThanOrEqual(longest / 2);
    expect(clock.now() - before).toBeLessThanOrEqual(longest);
  }
});

test('a delay that is ended leaves no timer', async () => {
  const clock = new VirtualClock();
  const delays = new Delays(clock, 200);
  const wait = delays.next();
  delays.end();
  await wait;
  expect(clock.timers).toBe(0);
  delays.end(); // nothing waits: no effect
});
