import { expect, test, vi } from 'vitest';
import { SlotHandle } from '../../src/api/slot.ts';
import type { Slots } from '../../src/engine/slots.ts';
import type { Submission } from '../../src/model/submission.ts';

function setup(name = 's') {
  const idle = Promise.resolve();
  const view = { name, phase: 'idle', paused: false, queuedCount: 0, queued: [] } as const;
  const slots = {
    configure: vi.fn(),
    cancelSlot: vi.fn(() => idle),
    pause: vi.fn(),
    resume: vi.fn(),
    idle: vi.fn(() => idle),
    view: vi.fn(() => view),
    explain: vi.fn(() => 'because'),
  };
  const submission = {} as Submission;
  const submit = vi.fn(() => submission);
  const slot = new SlotHandle(slots as unknown as Slots, name, submit);
  return { slot, slots, submit, submission, idle, view };
}

test('every call of a slot handle is made for the slot of its name', async () => {
  const { slot, slots, idle } = setup();
  const reason = new Error('enough');
  expect(slot.cancel(reason)).toBe(idle);
  slot.pause();
  slot.resume();
  expect(slot.idle()).toBe(idle);
  expect(slot.explain()).toBe('because');
  expect(slots.cancelSlot).toHaveBeenCalledExactlyOnceWith('s', reason);
  for (const call of [slots.pause, slots.resume, slots.idle, slots.explain])
    expect(call).toHaveBeenCalledExactlyOnceWith('s');
});

test('a view shows all that waits, or as much as its option says', () => {
  const { slot, slots, view } = setup();
  expect(slot.view()).toBe(view);
  slot.view({ queued: 3 });
  expect(slots.view.mock.calls).toEqual([
    ['s', Infinity],
    ['s', 3],
  ]);
});

test('a view refuses an invalid option by its field', () => {
  const { slot, slots } = setup();
  expect(() => slot.view({ queued: -1 })).toThrow(expect.objectContaining({ name: 'OptionError', field: 'queued' }));
  expect(slots.view).not.toHaveBeenCalled();
});

test('a spec is submitted as it is, into the slot', () => {
  const { slot, submit, submission } = setup();
  const spec = { run: () => 1 };
  expect(slot.submit(spec)).toBe(submission);
  expect(submit).toHaveBeenCalledExactlyOnceWith(spec, 's');
});

test('configure passes on only the options that are given', () => {
  const { slot, slots } = setup();
  slot.configure({ queueLimit: 5, onFull: undefined });
  expect(slots.configure).toHaveBeenCalledExactlyOnceWith('s', { queueLimit: 5 });
});

test('configure passes on undefined, which takes the configuration back', () => {
  const { slot, slots } = setup();
  slot.configure(undefined);
  expect(slots.configure).toHaveBeenCalledExactlyOnceWith('s', undefined);
});

test('configure refuses an invalid option by its field, and changes nothing', () => {
  const { slot, slots } = setup();
  expect(() => slot.configure({ queueLimit: -1 })).toThrow(
    expect.objectContaining({ name: 'OptionError', field: 'queueLimit' }),
  );
  expect(slots.configure).not.toHaveBeenCalled();
});

test.for(['', 5, undefined, 'x'.repeat(1_025)])('a handle for the slot name %o is refused', (name) => {
  const make = () => new SlotHandle({} as Slots, name as string, () => ({}) as Submission);
  expect(make).toThrow(expect.objectContaining({ name: 'OptionError', field: 'slot' }));
});
