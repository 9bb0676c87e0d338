// A result as text for a terminal.

import type { Comparison, Result, Row, Unit, Verdict } from './harness.ts';

export function table({ title, floor, rows, comparisons, verdicts }: Result): string {
  const most = Math.max(...rows.map(({ rounds }) => rounds));
  const isCpu = rows.some(({ wall }) => wall !== undefined);
  const head = ['', ...(isCpu ? ['CPU', 'wall'] : ['', '']), 'to floor', ''];
  const cells = [head, ...rows.map((row) => cellsOf(row, most))];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => (row[column] as string).length)));
  const lines = cells.map(([name = '', ...rest]) => {
    const figures = rest.slice(0, 3).map((text, n) => `  ${text.padStart(widths[n + 1] as number)}`);
    return `  ${name.padEnd(widths[0] as number)}${figures.join('')}  ${rest[3]}`.trimEnd();
  });
  return [title, `  (floor: ${floor})`, ...lines, ...comparisons.map(compared), ...verdicts.map(reached), ''].join(
    '\n',
  );
}

function cellsOf({ name, figure, wall, ratio, unit, lacks, rounds }: Row, most: number): string[] {
  return [
    rounds < most ? `${name} (${rounds} rounds)` : name,
    amount(figure, unit),
    wall === undefined ? '' : amount(wall, unit),
    ratio === undefined ? '' : times(ratio),
    lacks && `lacks: ${lacks}`,
  ];
}

function compared({ who, control, spread, against, differs }: Comparison): string {
  const copy = `  control ${times(control)} ${who}, spread ${percent(spread)}`;
  if (against === undefined) return copy;
  const difference = differs ? `${percent(Math.abs(against - 1))} ${against < 1 ? 'less' : 'more'}` : 'no difference';
  return `${copy}; ${who} ${times(against)} against: ${difference}`;
}

function reached({ who, atMost, of, unit, got, met, close }: Verdict): string {
  const reach = of === undefined ? amount(atMost, unit) : `${atMost} x ${of}`;
  const text = of === undefined ? amount(got, unit) : times(got);
  return `  ${met ? 'met   ' : 'MISSED'}  ${who} at most ${reach}: ${text}${close ? ', within the spread' : ''}`;
}

export function amount(figure: number, unit: Unit): string {
  const digits = figure < 10 ? 2 : figure < 100 ? 1 : 0;
  const text = figure.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text} ${unit}`;
}

export function times(ratio: number): string {
  return `${ratio.toFixed(ratio < 100 ? 2 : 0)} x`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
