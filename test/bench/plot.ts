// `npm run bench:plot`. Draws results.json as bars: each scenario's figures as multiples of its
// floor, on one logarithmic scale. What only compares slotvisor with itself is drawn as one last
// group.

import { readFileSync, writeFileSync } from 'node:fs';
import type { Report, Result } from './harness.ts';
import { amount, times } from './table.ts';

const WIDTH = 1_000;
const LABELS = 280;
const FIGURES = 170;
const BAR = 16;
const ROW = 22;
const HEAD = 64;
const GAP = 44;

const here = (name: string): URL => new URL(name, import.meta.url);
writeFileSync(here('results.svg'), draw(JSON.parse(readFileSync(here('results.json'), 'utf8')) as Report));

interface Bar {
  readonly name: string;
  readonly ratio: number;
  readonly isOurs: boolean;
  readonly figure: string;
}

interface Group {
  readonly title: string;
  readonly floor: string;
  readonly bars: readonly Bar[];
}

function isOurs(name: string): boolean {
  return name.startsWith('slotvisor');
}

/** Its floor is slotvisor itself, beside fewer others. */
function isGrowth({ rows }: Result): boolean {
  return isOurs(rows[0]?.name ?? '');
}

/** A copy is not drawn, nor what has no ratio. */
function besideFloor({ title, floor, rows }: Result): Group {
  const bars = rows.flatMap(({ name, copy, ratio, figure, unit }) =>
    copy === undefined && ratio !== undefined
      ? [{ name, ratio, isOurs: isOurs(name), figure: `${times(ratio)}, ${amount(figure, unit)}` }]
      : [],
  );
  return { title, floor, bars };
}

function besideItself(results: readonly Result[]): Group {
  const bars = results.filter(isGrowth).flatMap(({ name, verdicts }) =>
    verdicts
      .filter(({ of }) => of !== undefined)
      .map(({ who, got }) => ({
        name: `${name}: ${who.replace('slotvisor, ', '')}`,
        ratio: got,
        isOurs: true,
        figure: times(got),
      })),
  );
  return { title: 'The same with more beside it', floor: 'with the fewest beside it, or without a subscriber', bars };
}

function draw({ machine, results }: Report): string {
  const groups = [...results.filter((result) => !isGrowth(result)).map(besideFloor), besideItself(results)];
  const ratios = groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio));
  const low = Math.floor(Math.log10(Math.min(...ratios)));
  const high = Math.ceil(Math.log10(Math.max(...ratios)));
  const x = (ratio: number): number => LABELS + ((Math.log10(ratio) - low) / (high - low)) * (WIDTH - LABELS - FIGURES);

  const parts: string[] = [];
  let y = HEAD;
  for (const { title, floor, bars } of groups) {
    y += GAP;
    parts.push(text(12, y - 24, 'title', title), text(12, y - 8, 'note', `1 x: ${floor}`));
    for (const { name, ratio, isOurs, figure } of bars) {
      const from = Math.min(x(1), x(ratio));
      const width = Math.max(Math.abs(x(ratio) - x(1)), 2);
      parts.push(
        text(LABELS - 8, y + 12, 'name', name),
        `<rect class="${isOurs ? 'own' : 'peer'}" x="${from.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR}"/>`,
        text(Math.max(x(ratio), x(1)) + 6, y + 12, 'figure', figure),
      );
      y += ROW;
    }
  }
  const height = y + 16;
  const decades = Array.from({ length: high - low + 1 }, (_, n) => 10 ** (low + n));
  const grid = decades.map(
    (ratio) =>
      `<line class="${ratio === 1 ? 'floor' : 'grid'}" x1="${x(ratio)}" x2="${x(ratio)}" y1="${HEAD}" y2="${height}"/>` +
      text(x(ratio), HEAD - 6, 'tick', `${ratio} x`),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<title>slotvisor and its peers: cost as a multiple of the floor</title>
<style>
  .page { fill: #fff } .own { fill: #0b7a75 } .peer { fill: #b8c0c8 } .grid { stroke: #e4e7ea } .floor { stroke: #555 }
  .title { font-weight: bold } .note, .tick { fill: #666; font-size: 11px } .name { text-anchor: end } .tick { text-anchor: middle }
</style>
<rect class="page" width="${WIDTH}" height="${height}"/>
${text(12, 22, 'title', 'Cost as a multiple of the floor of the same run (logarithmic, less is better)')}
${text(12, 38, 'note', `node ${machine.node} on ${machine.cores} x ${machine.cpu}`)}
${[...grid, ...parts].join('\n')}
</svg>
`;
}

function text(x: number, y: number, kind: string, content: string): string {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text class="${kind}" x="${x.toFixed(1)}" y="${y}">${safe}</text>`;
}
