import { Supervisor } from 'slotvisor';
import { afterEach, expect, test, vi } from 'vitest';
import { SlotMachine } from '../../src/policy/slot-machine.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('a batch copies the state of a slot once, however many of its entries go to that slot', () => {
  const supervisor = new Supervisor();
  const batch = Array.from({ length: 50 }, () => ({ slot: 's', run: () => 1 }));
  supervisor.submitAll(batch);
  const copies = vi.spyOn(SlotMachine.prototype, 'copy');
  supervisor.submitAll(batch);
  expect(copies).toHaveBeenCalledTimes(1);
});

test('a slot decides once on a submission, and a submission that it turns away never enters it', async () => {
  const supervisor = new Supervisor({ slotDefaults: { queueLimit: 0 } });
  const decisions = vi.spyOn(SlotMachine.prototype, 'decide');
  const entries = vi.spyOn(SlotMachine.prototype, 'enter');
  const submit = (admission: 'queue' | 'dropIfRunning') =>
    supervisor.submit({ slot: 's', admission, run: () => new Promise(() => {}) });
  const owner = submit('queue');
  const turnedAway = [submit('queue'), submit('dropIfRunning'), submit('queue')];
  expect([decisions.mock.calls.length, entries.mock.calls.length]).toEqual([4, 1]);
  expect(await Promise.all(turnedAway.map(({ outcome }) => outcome))).toEqual([
    { kind: 'rejected', reason: 'queueFull' },
    { kind: 'rejected', reason: 'slotBusy', by: owner.id },
    { kind: 'rejected', reason: 'queueFull' },
  ]);
  expect(supervisor.stats()).toMatchObject({ totals: { submitted: 4, rejected: 3, dropped: 1 } });
});

test('a slot that was opened in vain leaves the table', () => {
  const supervisor = new Supervisor({ limits: { pending: 0 }, concurrency: 1 });
  const submit = (slot: string) => supervisor.submit({ slot, run: () => new Promise(() => {}) });
  submit('a');
  expect([submit('b').admission, [...supervisor.slots()].length]).toEqual(['rejected', 1]);
});
