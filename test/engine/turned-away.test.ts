import { inspect } from 'node:util';
import { expect, test, vi } from 'vitest';
import { SubmitCall } from '../../src/engine/submit-call.ts';
import { TurnedAway } from '../../src/engine/turned-away.ts';
import { createTaskIds } from '../../src/model/id.ts';
import { Rejected } from '../../src/model/outcome.ts';
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts';

const ids = createTaskIds('x');

function setup(...rejection: ConstructorParameters<typeof Rejected>) {
  const host = { ids, now: () => 0, queueLimit: vi.fn(() => 9), waitingFor: () => undefined, cancel: vi.fn() };
  const spec = { run: () => 1, name: 'n', slot: 's', admission: undefined, meta: {}, settings: DEFAULT_SETTINGS };
  return { host, handle: new TurnedAway(host, new SubmitCall(ids, 3, spec, 's', 'queue'), new Rejected(...rejection)) };
}

test('a submission that was turned away shows who it was, and has ended', () => {
  const { handle } = setup('slotBusy');
  const shown = { id: 'x-3', slot: 's', name: 'n', admission: 'rejected', status: 'ended' };
  expect({ ...shown, ...JSON.parse(JSON.stringify(handle)) }).toEqual(shown);
  expect(handle).toMatchObject(shown);
  expect(inspect(handle)).toContain("admission: 'rejected'");
});

test('its outcome is the same at each look, and says why', async () => {
  const { handle } = setup('slotBusy', ids.text(1));
  const { outcome } = handle;
  expect(handle.outcome).toBe(outcome);
  expect(JSON.stringify(await outcome)).toBe('{"kind":"rejected","reason":"slotBusy","by":"x-1"}');
  expect(await setup('canceled').handle.outcome).toStrictEqual({ kind: 'rejected', reason: 'canceled' });
});

test('its value() throws, and names the limit of a full queue at that time', async () => {
  const { handle, host } = setup('queueFull');
  host.queueLimit.mockReturnValue(7);
  await expect(handle.value()).rejects.toMatchObject({
    code: 'SLOTVISOR_OUTCOME',
    message: expect.stringContaining('queueLimit is 7'),
  });
});

test('its cancel() resolves with the outcome, its restart() is false, and neither reaches a slot', async () => {
  const { handle, host } = setup('slotBusy');
  expect([await handle.cancel(), handle.restart()]).toEqual([{ kind: 'rejected', reason: 'slotBusy' }, false]);
  expect(host.cancel).not.toHaveBeenCalled();
});
