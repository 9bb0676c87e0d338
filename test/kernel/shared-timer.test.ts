import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { SharedTimer } from '../../src/kernel/shared-timer.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const setup = () => {
  const clock = new VirtualClock();
  return { clock, timer: new SharedTimer(clock) };
};

test('many waits have one timer, and none is left when all have fired or were canceled', async () => {
  const { clock, timer } = setup();
  const cancels = [300, 100, 200, 100].map((ms) => timer.set(ms, () => {}));
  expect(clock.timers).toBe(1);
  await clock.advance(100);
  expect(clock.timers).toBe(1);
  cancels[0]?.();
  expect(clock.timers).toBe(1);
  cancels[2]?.();
  expect(clock.timers).toBe(0);
  timer.set(5, () => {});
  await clock.advance(5);
  expect(clock.timers).toBe(0);
});

test('a wait that is canceled twice, or after it has fired, changes no other wait', async () => {
  const { clock, timer } = setup();
  const fire = vi.fn();
  const [fired, canceled] = [timer.set(1, () => {}), timer.set(2, () => {})];
  timer.set(3, fire);
  await clock.advance(1);
  for (const cancel of [fired, canceled, canceled]) cancel();
  await clock.advance(2);
  expect([fire.mock.calls.length, clock.timers]).toEqual([1, 0]);
});

test('a wait that is set while others fire gets the one timer that is set after them', async () => {
  const { clock, timer } = setup();
  timer.set(1, () => timer.set(5, () => {}));
  timer.set(1, () => timer.set(3, () => {}));
  const timers = vi.spyOn(clock, 'setTimer');
  await clock.advance(1);
  expect(timers.mock.calls.map(([ms]) => ms)).toEqual([3]);
});

test('a wait of 0 ms that is set while another one fires is over on a later turn', async () => {
  const { clock, timer } = setup();
  const order: string[] = [];
  timer.set(1, () => {
    timer.set(0, () => order.push('set meanwhile'));
    order.push('first');
  });
  timer.set(1, () => order.push('second'));
  await clock.advance(1);
  expect([order, clock.timers]).toEqual([['first', 'second', 'set meanwhile'], 0]);
});

test('waits go on after one whose function threw', async () => {
  const { clock, timer } = setup();
  const fire = vi.fn();
  timer.set(1, () => {
    throw new Error('against its promise');
  });
  timer.set(1, fire);
  await expect(clock.advance(1)).rejects.toThrow('against its promise');
  await clock.advance(0);
  expect([fire.mock.calls.length, clock.timers]).toEqual([1, 0]);
});

const steps = fc.array(
  fc.record({ gapMs: fc.nat(5), ms: fc.nat(20), cancel: fc.option(fc.nat(30)), again: fc.option(fc.nat(5)) }),
  { maxLength: 40 },
);
test('waits fire at the moments at which timers of their own would, whatever is canceled and set meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (schedule) => {
      const { clock, timer } = setup();
      const fired: Record<'shared' | 'own', string[]> = { shared: [], own: [] };
      const cancels: (() => void)[] = [];
      const set = {
        shared: (ms: number, fire: () => void) => timer.set(ms, fire),
        own: (ms: number, fire: () => void) => clock.setTimer(ms, fire),
      };
      for (const [n, { gapMs, ms, cancel, again }] of schedule.entries()) {
        const both = (['shared', 'own'] as const).map((way) =>
          set[way](ms, () => {
            fired[way].push(`${n} at ${clock.now()}`);
            if (again !== null) set[way](again, () => fired[way].push(`${n} again at ${clock.now()}`));
          }),
        );
        cancels.push(() => {
          for (const one of both) one();
        });
        if (cancel !== null) cancels[cancel]?.();
        await clock.advance(gapMs);
      }
      await clock.advance(100);
      expect(fired.shared.sort()).toEqual(fired.own.sort());
      expect(clock.timers).toBe(0);
    }),
    { numRuns: 60 },
  );
});
