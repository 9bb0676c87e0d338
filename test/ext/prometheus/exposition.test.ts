// The hand-written reader of the text format accepts it, and refuses each break of its rules. So
// the tests that use it can fail.

import { describe, expect, test } from 'vitest';
import { parseExposition } from './exposition.ts';

const head = (name: string, type: string): string => `# HELP ${name} A help.\n# TYPE ${name} ${type}\n`;

const histogram = (...lines: string[]): string => head('h', 'histogram') + lines.map((line) => `h_${line}\n`).join('');

describe('it accepts', () => {
  test('metrics with and without labels, with each escape and each kind of number', () => {
    const text = `${head('a_total', 'counter')}a_total 1\na_total{x="1",y="\\\\ \\" \\n é"} 2e3\n\n${head('b', 'gauge')}b{x="-"} -Inf\n`;
    expect(parseExposition(text)).toEqual([
      {
        name: 'a_total',
        help: 'A help.',
        type: 'counter',
        samples: [
          { name: 'a_total', labels: {}, value: 1 },
          { name: 'a_total', labels: { x: '1', y: '\\ " \n é' }, value: 2_000 },
        ],
      },
      { name: 'b', help: 'A help.', type: 'gauge', samples: [{ name: 'b', labels: { x: '-' }, value: -Infinity }] },
    ]);
  });

  test('histograms, each series by itself', () => {
    const one = (x: string) => [
      `bucket{le="0.5",x="${x}"} 1`,
      `bucket{le="+Inf",x="${x}"} 2`,
      `sum{x="${x}"} 3`,
      `count{x="${x}"} 2`,
    ];
    expect(parseExposition(histogram(...one('a'), ...one('b'))).length).toBe(1);
  });

  test('an empty page', () => expect(parseExposition('\n')).toEqual([]));
});

const good = ['bucket{le="1"} 1', 'bucket{le="+Inf"} 2', 'sum 3', 'count 2'];
const without = (i: number, ...instead: string[]): string => histogram(...good.toSpliced(i, 1, ...instead));

test.each([
  ['no line feed at the end', `${head('a', 'gauge')}a 1`, 'line feed'],
  ['a sample without a description', 'a 1\n', 'must follow the lines'],
  ['a sample of another metric', `${head('a', 'gauge')}b 1\n`, 'b is no sample'],
  ['a TYPE without a HELP', '# TYPE a gauge\n', 'must follow its HELP'],
  ['a HELP without a TYPE', '# HELP a A help.\na 1\n', 'followed by its TYPE'],
  ['a metric that is described twice', head('a', 'gauge') + head('a', 'gauge'), 'described twice'],
  ['a type that is not known', head('a', 'thing'), 'not known'],
  ['a name that is none', `${head('a', 'gauge')}1a 1\n`, 'no /'],
  ['a label that is none', `${head('a', 'gauge')}a{x-y="1"} 1\n`, 'quotes'],
  ['a label that is there twice', `${head('a', 'gauge')}a{x="1",x="2"} 1\n`, 'twice'],
  ['a value that is not closed', `${head('a', 'gauge')}a{x="1} 1\n`, 'not closed'],
  ['a line feed in a value', `${head('a', 'gauge')}a{x="1\n"} 1\n`, 'not closed'],
  ['a quote in a value', `${head('a', 'gauge')}a{x="1"2"} 1\n`, 'must be closed'],
  ['an escape that is none', `${head('a', 'gauge')}a{x="\\r"} 1\n`, 'no escape'],
  ['a number that is none', `${head('a', 'gauge')}a Nan\n`, 'no number'],
  [
    'a series that is there twice',
    `${head('a', 'gauge')}a{x="1",y="2"} 1\na{y="2",x="1"} 1\n`,
    'series is there twice',
  ],
  ['a counter below 0', `${head('a', 'counter')}a -1\n`, 'is -1'],
  ['a histogram whose bounds do not rise', without(0, 'bucket{le="1"} 1', 'bucket{le="0.5"} 1'), 'must rise'],
  ['a histogram whose counts fall', without(0, 'bucket{le="1"} 3'), 'must not fall'],
  ['a histogram without +Inf', without(1), 'must be +Inf'],
  ['a histogram without a sum', without(2), 'one _sum'],
  ['a histogram whose count is another', without(3, 'count 3'), 'must be the +Inf bucket'],
])('it refuses %s', (_, text, why) => {
  expect(() => parseExposition(text)).toThrow(why);
});
