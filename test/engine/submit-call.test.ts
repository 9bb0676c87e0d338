import { expect, test } from 'vitest';
import { SubmitCall } from '../../src/engine/submit-call.ts';
import { createTaskIds } from '../../src/model/id.ts';
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts';

const ids = createTaskIds('x');

const callOf = (given: { name?: string; slot?: string; signal?: AbortSignal }) => {
  const { name, slot, signal } = given;
  const settings = { ...DEFAULT_SETTINGS, signal };
  return new SubmitCall(ids, 3, { run: () => 1, name, slot, admission: undefined, meta: 1, settings }, slot, 'queue');
};

test('a call without a slot is for a slot of its own, and is named as its slot', () => {
  const named = ({ slot, name }: SubmitCall) => [slot, name];
  expect(named(callOf({}))).toEqual(['x-3', 'x-3']);
  expect(named(callOf({ slot: 's' }))).toEqual(['s', 's']);
  expect(named(callOf({ slot: 's', name: 'n' }))).toEqual(['s', 'n']);
});

test('a call knows whether its signal is aborted', () => {
  const controller = new AbortController();
  const call = callOf({ signal: controller.signal });
  expect([callOf({}).isSignalAborted, call.isSignalAborted]).toEqual([false, false]);
  controller.abort();
  expect(call.isSignalAborted).toBe(true);
});
