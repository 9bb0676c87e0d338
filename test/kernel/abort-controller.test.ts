import { getMaxListeners } from 'node:events';
import { expect, test, vi } from 'vitest';
import { abortController } from '../../src/kernel/abort-controller.ts';

test('a signal takes any number of listeners without a warning', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const { signal } = abortController();
  for (let n = 0; n < 1_000; n += 1) signal.addEventListener('abort', () => {});
  expect(warn).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

test('other signals keep their limit', () => {
  const limit = () => getMaxListeners(new AbortController().signal);
  const before = limit();
  abortController();
  expect(limit()).toBe(before);
});
