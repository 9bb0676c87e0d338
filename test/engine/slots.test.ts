import { Supervisor } from 'slotvisor';
import { expect, test, vi } from 'vitest';
import { SlotMachine } from '../../src/policy/slot-machine.ts';

test('a batch looks at a line once, however many of it go there', () => {
  const supervisor = new Supervisor();
  const batch = Array.from({ length: 50 }, () => ({ slot: 's', run: () => 1 }));
  supervisor.submitAll(batch);
  const look = vi.spyOn(SlotMachine.prototype, 'waiting');
  supervisor.submitAll(batch);
  expect(look).toHaveBeenCalledTimes(1);
});
