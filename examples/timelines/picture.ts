// Draws a story: one row for each submission, time to the right. Light and dark in one SVG.

import type { TaskEvent } from 'slotvisor';
import { type Bar, type Link, linksOf, type Row, rowsOf } from './rows.ts';
import type { Story } from './stories.ts';

// In pixels. Every time in a story is a multiple of 250 ms, so every edge is on a whole pixel.
const WIDTH = 656;
const LEFT = 48;
const SECOND = 56;
const TOP = 48;
const ROW = 40;
const BAR = 24;
const FOOT = 36;

// The picture has a background of its own, because the page around it may have the other colours.
const CSS = `
text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;fill:#1f2328}
.b{font-weight:600}.policy{font:600 14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.page{fill:#fff;stroke:#d1d9e0}.quiet{fill:#59636e}.line{fill:none;stroke:#59636e}
.waiting{fill:#fff;stroke:#818b98;stroke-dasharray:4 3}
.running{fill:#0b7a75}.t-running{fill:#fff}
.stopping{fill:#b35900}.t-stopping{fill:#fff}
.joined{fill:#d9f0ee;stroke:#0b7a75}.t-joined{fill:#075c58}
.mark{fill:none;stroke:#1f2328;stroke-width:2}.next{stroke-dasharray:2 2}
.stop{stroke:#b35900;stroke-width:2}.no{stroke:#c01c28;stroke-width:2}.t-no{fill:#c01c28}
@media(prefers-color-scheme:dark){
text{fill:#f0f6fc}.page{fill:#0d1117;stroke:#3d444d}.quiet{fill:#9da7b1}.line{stroke:#9da7b1}
.waiting{fill:#0d1117;stroke:#7d8590}
.running{fill:#4cc2b8}.t-running{fill:#04211f}
.stopping{fill:#f0a04b}.t-stopping{fill:#2b1500}
.joined{fill:#12332f;stroke:#4cc2b8}.t-joined{fill:#8fe3da}
.mark{stroke:#f0f6fc}.stop{stroke:#f0a04b}.no{stroke:#ff8078}.t-no{fill:#ff8078}}`;

export function draw(story: Story, events: readonly TaskEvent[]): string {
  const rows = rowsOf(events);
  const links = linksOf(rows);
  const foot = TOP + rows.length * ROW;
  const height = foot + FOOT;
  const yOf = (name: string): number => TOP + rows.findIndex((row) => row.name === name) * ROW;
  const limit = story.queueLimit === undefined ? '' : ` Here the queueLimit is ${story.queueLimit}.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>Admission policy ${story.policy}</title>
<desc>${story.text}</desc>
<style>${CSS}
</style>
<rect class="page" x=".5" y=".5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>
<text x="16" y="28"><tspan class="policy">${story.policy}</tspan><tspan class="quiet" dx="10">${story.rule}${limit}</tspan></text>
${[...links.map((link) => drawLink(link, yOf)), ...rows.map((row) => drawRow(row, yOf(row.name)))].join('\n')}
${drawFoot(foot, rows, links)}
</svg>
`;
}

function xOf(ms: number): number {
  return LEFT + (ms * SECOND) / 1_000;
}

function drawRow(row: Row, y: number): string {
  const middle = y + BAR / 2;
  const end = xOf(row.endedMs);
  const word = row.rejected
    ? `${cross(end + 12, middle)}<text class="t-no" x="${end + 22}" y="${middle + 4}">${row.end}</text>`
    : `<text class="quiet" x="${end + 8}" y="${middle + 4}">${row.end}</text>`;
  return [
    `<text class="b" x="16" y="${middle + 4}">${row.name}</text>`,
    ...row.bars.map((bar) => drawBar(bar, y, bar.state === 'joined' ? `joined ${row.leader}` : bar.state)),
    `<path class="mark" d="M${xOf(row.submittedMs)} ${y - 3}v${BAR + 6}"/>${word}`,
  ].join('\n');
}

function drawBar({ state, fromMs, toMs }: Bar, y: number, word: string): string {
  const x = xOf(fromMs);
  const width = xOf(toMs) - x;
  // The edge of an outlined bar is drawn inside it.
  const inset = state === 'waiting' || state === 'joined' ? 0.5 : 0;
  return (
    `<rect class="${state}" x="${x + inset}" y="${y + inset}" width="${width - 2 * inset}" height="${BAR - 2 * inset}"/>` +
    `<text class="${state === 'waiting' ? 'quiet' : `t-${state}`}" x="${x + 8}" y="${y + BAR / 2 + 4}">${word}</text>`
  );
}

function drawLink({ kind, atMs, from, to }: Link, yOf: (name: string) => number): string {
  const x = xOf(atMs);
  if (kind === 'stop') return arrow(x, yOf(from) - 3, yOf(to) + BAR);
  return `<path class="line next" d="M${x + 0.5} ${yOf(from) + BAR}V${yOf(to)}"/>`;
}

/** The axis of time, and a legend of the marks that occur. */
function drawFoot(y: number, rows: readonly Row[], links: readonly Link[]): string {
  const middle = y + 14;
  const entries: [mark: (x: number) => string, word: string, width: number][] = [
    [(x) => `<path class="mark" d="M${x} ${middle - 7}v14"/>`, 'submitted', 96],
  ];
  if (links.some(({ kind }) => kind === 'stop'))
    entries.push([(x) => arrow(x, middle + 6, middle - 7), 'stop request', 112]);
  if (links.some(({ kind }) => kind === 'next'))
    entries.push([(x) => `<path class="line next" d="M${x + 0.5} ${middle - 7}v14"/>`, 'ended, next starts', 146]);
  if (rows.some(({ rejected }) => rejected)) entries.push([(x) => cross(x, middle), 'rejected', 0]);
  let x = LEFT;
  const legend = entries.map(([mark, word, width]) => {
    const drawn = `${mark(x)}<text class="quiet" x="${x + 10}" y="${middle + 4}">${word}</text>`;
    x += width;
    return drawn;
  });
  const right = WIDTH - 16;
  return [
    ...legend,
    `<text class="quiet" x="${right - 42}" y="${middle + 4}" text-anchor="end">time</text>`,
    `<path class="line" d="M${right - 36} ${middle + 0.5}h35m-4 -4l4 4l-4 4"/>`,
  ].join('\n');
}

function cross(x: number, y: number): string {
  return `<path class="no" d="M${x - 4} ${y - 4}l8 8m0-8l-8 8"/>`;
}

function arrow(x: number, from: number, to: number): string {
  return `<path class="line stop" d="M${x} ${from}V${to + 2}m-4 4l4-4l4 4"/>`;
}
