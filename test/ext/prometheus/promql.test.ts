// The reader of PromQL finds each name, and reports each that is not there. So the tests of the
// alert rules and of the dashboard can fail.

import { describe, expect, test } from 'vitest';
import { type Known, parsePromql, unknownNames } from './promql.ts';

const known: Known = new Map([
  [
    'a_total',
    new Map([
      ['kind', new Set(['x', 'y'])],
      ['supervisor', new Set(['default'])],
    ]),
  ],
  ['b_bucket', new Map([['le', new Set(['1'])]])],
]);

test('it finds selectors, matchers, and labels that are grouped by', () => {
  expect(
    parsePromql('sum by (kind, job) (rate(a_total{kind=~"x|y", job!="z"}[5m])) / 2 > 0.5 and ignoring (le) b_bucket'),
  ).toEqual({
    selectors: [
      {
        metric: 'a_total',
        matchers: [
          { label: 'kind', operator: '=~', value: 'x|y' },
          { label: 'job', operator: '!=', value: 'z' },
        ],
      },
      { metric: 'b_bucket', matchers: [] },
    ],
    labels: ['kind', 'job', 'le'],
  });
});

test('it takes names that are there', () => {
  for (const expression of [
    'a_total == 0',
    'sum without (kind) (increase(a_total{kind="x", supervisor=~"$supervisor"}[$__rate_interval]))',
    'histogram_quantile(0.95, sum by (le, instance) (rate(b_bucket[15m])))',
  ])
    expect(unknownNames(expression, known)).toEqual([]);
});

describe('it reports', () => {
  test.each([
    ['a metric that is not there', 'sum(c_total)', ['no metric c_total']],
    ['a label that the metric does not have', 'a_total{le="1"}', ['a_total has no label le']],
    ['a word that the label never is', 'a_total{kind=~"x|z"}', ['kind of a_total is never z']],
    ['a word that is excluded and never is', 'a_total{kind!="z"}', ['kind of a_total is never z']],
    ['a label that is grouped by and is not there', 'sum by (slot) (a_total)', ['no label slot']],
  ])('%s', (_, expression, faults) => expect(unknownNames(expression, known)).toEqual(faults));
});

describe('it refuses', () => {
  test.each([
    ['a function that it does not know', 'rates(a_total[5m])', 'rates is not known'],
    ['a bracket that is not closed', 'sum(a_total', 'not closed'],
    ['a bracket that was not opened', 'a_total)', 'not opened'],
    ['a matcher without quotes', 'a_total{kind=x}', 'no matcher'],
    ['a matcher without an operator', 'a_total{kind "x" "y"}', 'no matcher'],
    ['labels that are no names', 'sum by ("kind") (a_total)', 'no label'],
    ['an aggregation that is not called', 'sum a_total', 'must be called'],
    ['a range that is none', 'rate(a_total[5 m])', 'not known: [5 m]'],
    ['a sign that is none', 'a_total # 1', 'not known: # 1'],
  ])('%s', (_, expression, why) => expect(() => parsePromql(expression)).toThrow(why));
});
