// A result as text for a terminal.

import type { Result, Unit } from './harness.ts';

export function table({ title, floor, unit, rows, verdicts }: Result): string {
  const most = Math.max(...rows.map(({ rounds }) => rounds));
  const cells = rows.map(({ name, figure, ratio, lacks, rounds }) => [
    rounds < most ? `${name} (${rounds} rounds)` : name,
    amount(figure, unit),
    times(ratio),
    lacks && `lacks: ${lacks}`,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => (row[column] as string).length)));
  const lines = cells.map(([name = '', figure = '', ratio = '', lacks = '']) =>
    `  ${name.padEnd(widths[0] as number)}  ${figure.padStart(widths[1] as number)}  ${ratio.padStart(widths[2] as number)}  ${lacks}`.trimEnd(),
  );
  const reached = verdicts.map(
    ({ reach, got, met }) =>
      `  ${met ? 'met   ' : 'MISSED'}  ${reach}: ${reach.includes(' x ') ? times(got) : amount(got, unit)}`,
  );
  return [`${title}`, `  (floor: ${floor})`, ...lines, ...reached, ''].join('\n');
}

export function amount(figure: number, unit: Unit): string {
  const digits = figure < 10 ? 2 : figure < 100 ? 1 : 0;
  const text = figure.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text} ${unit}`;
}

export function times(ratio: number): string {
  return `${ratio.toFixed(ratio < 100 ? 2 : 0)} x`;
}
