import { Supervisor } from 'slotvisor';
import { expect, test, vi } from 'vitest';
import { SlotMachine } from '../../src/policy/slot-machine.ts';

test('a batch copies the state of a slot once, however many of its entries go to that slot', () => {
  const supervisor = new Supervisor();
  const batch = Array.from({ length: 50 }, () => ({ slot: 's', run: () => 1 }));
  supervisor.submitAll(batch);
  const copies = vi.spyOn(SlotMachine.prototype, 'copy');
  supervisor.submitAll(batch);
  expect(copies).toHaveBeenCalledTimes(1);
});
