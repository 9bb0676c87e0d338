// The metrics, and the README that lists them.

import { readFileSync } from 'node:fs';
import { Supervisor } from 'slotvisor';
import { expect, test } from 'vitest';
import { COUNTED, DURATION, SLOT_METRICS, WAIT } from '../../../src/ext/prometheus/metrics.ts';
import { ROOT } from '../../support/example.ts';

test('counters, and only they, end in _total, and each name is there once', () => {
  for (const { id, type } of COUNTED) expect(id.endsWith('_total'), id).toBe(type === 'counter');
  const ids = [...COUNTED, DURATION, WAIT, ...SLOT_METRICS].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('the rows of a metric have exactly its labels, also when nothing has happened', () => {
  const stats = new Supervisor().stats();
  for (const { id, labels, rows } of COUNTED) {
    expect(rows(stats).length, id).toBeGreaterThan(0);
    for (const [given] of rows(stats)) expect(Object.keys(given), id).toEqual(labels);
  }
});

test('a slot without an owner has 0 in each gauge', () => {
  const view = new Supervisor().slot('a').view();
  expect(SLOT_METRICS.map(({ read }) => read(view))).toEqual([0, 0, 0]);
});

test('the README lists exactly these metrics, with their type and labels', () => {
  const readme = readFileSync(`${ROOT}src/ext/prometheus/README.md`, 'utf8');
  const rows = [...readme.matchAll(/^\| `slotvisor_(\w+)` \| (\w+) \|([^|]*)\|/gm)].map(([, id, type, labels]) => ({
    id,
    type,
    labels: [...(labels ?? '').matchAll(/`(\w+)`/g)].map(([, label]) => label),
  }));
  const expected = [
    ...COUNTED,
    ...[DURATION, WAIT].map((metric) => ({ ...metric, type: 'histogram' })),
    ...SLOT_METRICS.map((metric) => ({ ...metric, type: 'gauge' })),
  ].map(({ id, type, labels }) => ({ id, type, labels }));
  expect(rows).toEqual(expected);
});
