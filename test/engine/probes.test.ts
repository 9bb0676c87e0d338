// The guarded calls of probes. test/behaviour/looking-inside/probes.test.ts has the promises.

import { expect, test } from 'vitest';
import { Probes } from '../../src/engine/probes.ts';
import type { AttemptReport, ProbedAttempt } from '../../src/model/probe.ts';

const info = { id: 'x-1', slot: 's', name: 's', attempt: 1 } as unknown as ProbedAttempt;
const report: AttemptReport = { end: 'succeeded', durationMs: 1 };

function world() {
  const failed: unknown[] = [];
  const probes = new Probes({ probeFailed: (name, error) => void failed.push([name, error]) }, {});
  return { probes, failed };
}

test('there is nothing to do until a probe is attached, and after the last one is taken away', () => {
  const { probes } = world();
  expect(probes.active).toBe(false);
  const detach = probes.attach({ attempt: () => undefined });
  expect(probes.active).toBe(true);
  detach();
  expect(probes.active).toBe(false);
});

test('a body that is called again while it runs gets no second run', () => {
  const { probes, failed } = world();
  let again: (() => unknown) | undefined;
  probes.attach({
    attempt: () => ({
      run: (body) => {
        again = body;
        return body();
      },
    }),
  });
  let calls = 0;
  const value = probes.open(info)?.around(() => {
    calls += 1;
    return [again?.(), 'own'];
  });
  expect([value, calls, failed]).toEqual([[undefined, 'own'], 1, []]);
});

test('a probe that fails is named, and those without a name are numbered', () => {
  const { probes, failed } = world();
  const error = new Error('boom');
  const attempt = () => ({
    ended: () => {
      throw error;
    },
  });
  probes.attach({ attempt });
  probes.attach({ name: 'mine', attempt });
  probes.attach({ attempt });
  probes.open(info)?.ended(report);
  expect(failed).toEqual([
    ['probe-1', error],
    ['mine', error],
    ['probe-3', error],
  ]);
});

test('a part of a probe that is no function is reported by its name, and null counts as left out', () => {
  const { probes, failed } = world();
  probes.attach({ name: 'mine', attempt: () => ({ run: 5, ended: 'x' }) as never });
  probes.attach({ attempt: () => ({ run: null, ended: null }) as never });
  const watches = probes.open(info);
  expect(watches?.around(() => 'own')).toBe('own');
  watches?.ended(report);
  expect(failed.map((one) => String(one))).toEqual([
    'mine,TypeError: run of a probe must be a function, or left out: got 5',
    'mine,TypeError: ended of a probe must be a function, or left out: got "x"',
  ]);
});
