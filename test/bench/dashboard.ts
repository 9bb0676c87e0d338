// `npm run bench:dashboard`: what the dashboard costs the process that it shows, and the browser
// that shows it: beside 10,000 slots with about 5,000 events a second, and beside 100,000 slots. At
// the end a table has each figure with its reach. --seconds N  of each measurement, default 8

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { chromium, type Page } from 'playwright-core';
import { buildPage } from '../../src/ext/dashboard/ui/build.ts';
import { ChromiumServer, chromiumHere } from '../support/chromium.ts';
import { Backend, buildBackend, median } from './dashboard/world.ts';

const SLOTS = 10_000;
const SUBMISSIONS_A_SECOND = 1_000; // about five events each
const MANY_SLOTS = 100_000;
const ROUNDS = 5;
const STREAMS = 1_000;
const READERS = 10;

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '8' } } });
const windowMs = 1_000 * Number(values.seconds);

interface Figure {
  readonly what: string;
  readonly figure: string;
  readonly reach?: string;
  readonly isMet?: boolean;
}
const figures: Figure[] = [];

function note(what: string, got: number, unit: string, atMost?: number): void {
  const digits = Math.abs(got) < 10 && !Number.isInteger(got) ? 2 : 0;
  const figure = `${got.toFixed(digits)} ${unit}`;
  figures.push({ what, figure, ...(atMost !== undefined && { reach: `at most ${atMost}`, isMet: got <= atMost }) });
  console.log(`${what}: ${figure}`);
}

function noteExact(what: string, got: string, expected: string): void {
  figures.push({ what, figure: got, reach: expected, isMet: got === expected });
  console.log(`${what}: ${got}`);
}

/** Shares of a core, in turns, so that everything else on the machine slows all of them alike. */
async function cpu(backend: Backend): Promise<void> {
  const shares: Record<'none' | 'recorder' | 'one' | 'five', number[]> = { none: [], recorder: [], one: [], five: [] };
  const measure = async (name: keyof typeof shares, viewers: number) => {
    if (name !== 'none') await backend.ask('open');
    const opened = await Promise.all(
      Array.from({ length: viewers }, (_, n) => backend.viewer(n === 0 ? '' : '?view=events&kind=all')),
    );
    await sleep(1_000); // the first frames
    const { cpu: share } = await backend.over(() => sleep(windowMs));
    shares[name].push(100 * share);
    for (const viewer of opened) viewer.leave();
    if (name !== 'none') await backend.ask('close');
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    await measure('none', 0);
    await measure('recorder', 0);
    await measure('one', 1);
    await measure('five', 5);
  }
  const more = (name: keyof typeof shares) =>
    median(shares[name].map((share, n) => share - (shares.none[n] as number)));
  note('CPU without a dashboard', median(shares.none), '% of a core');
  note('CPU more while no page is open', more('recorder'), '% of a core', 5);
  note('CPU more with one viewer', more('one'), '% of a core', 10);
  note('CPU more with five viewers, four of them with all events', more('five'), '% of a core', 15);
}

async function load(backend: Backend): Promise<void> {
  interface Events {
    readonly events: readonly { readonly seq: number }[];
  }
  const newest = async () => (await backend.json<Events>('api/events?kind=all&limit=1')).events[0]?.seq ?? 0;
  const before = await newest();
  const viewer = await backend.viewer();
  const { from, to } = await backend.over(() => sleep(windowMs));
  const seconds = (to.atMs - from.atMs) / 1_000;
  viewer.leave();
  note('load: submissions', (to.submitted - from.submitted) / seconds, 'a second');
  note('load: events', ((await newest()) - before) / seconds, 'a second');
  note('events that subscribers did not get', to.eventsDropped, '', 0);
  note('traffic of one viewer', viewer.bytes() / 1_000 / seconds, 'kB a second', 40);
}

async function manyStreams(backend: Backend): Promise<void> {
  const responses = await Promise.all(Array.from({ length: STREAMS }, () => backend.request('api/stream')));
  const count = (status: number) => responses.filter(({ statusCode }) => statusCode === status).length;
  noteExact(
    `${STREAMS} streams asked for`,
    `${count(200)} x 200, ${count(503)} x 503`,
    `20 x 200, ${STREAMS - 20} x 503`,
  );
  for (const response of responses) response.destroy();
  noteExact('connections left after them', `${await backend.untilConnections(0)}`, '0');
  const again = await Promise.all(Array.from({ length: 20 }, () => backend.viewer()));
  noteExact('streams that can be opened then', `${again.length}`, '20');
  for (const viewer of again) viewer.leave();
  await backend.untilConnections(0);
}

async function neverReaders(backend: Backend): Promise<void> {
  const sockets = Array.from({ length: READERS }, () => backend.neverReader('?view=events&kind=all'));
  await sleep(5_000); // until the buffers of the system are full
  const heaps: number[] = [];
  for (let second = 0; second <= 30; second += 5) {
    heaps.push((await backend.ask('usageAfterGc')).heapBytes / 1e6);
    if (second < 30) await sleep(5_000);
  }
  console.log(`heap, every five seconds: ${heaps.map((heap) => heap.toFixed(1)).join(', ')} MB`);
  note(`heap growth in 30 s with ${READERS} readers that never read`, (heaps.at(-1) ?? 0) - (heaps[0] ?? 0), 'MB', 3);
  for (const socket of sockets) socket.destroy();
  noteExact('connections left after them', `${await backend.untilConnections(0)}`, '0');
}

/** Counted by the page itself. The names of a browser are not known here, so it is a text. */
const FRAMES = (ms: number) => `new Promise((resolve) => {
  const frames = [];
  const long = [];
  new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration))).observe({ entryTypes: ['longtask'] });
  const began = performance.now();
  let last = began;
  const go = (now) => {
    frames.push(now - last);
    last = now;
    if (now - began < ${ms}) requestAnimationFrame(go);
    else resolve({ frames: frames.sort((a, b) => a - b), long });
  };
  requestAnimationFrame(go);
})`;

async function browse(backend: Backend): Promise<void> {
  const command = chromiumHere();
  if (command === undefined) return console.log('no Chromium here: what the page costs is left out');
  const server = await ChromiumServer.start(command);
  try {
    const browser = await chromium.connectOverCDP(server.url());
    const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
    const page = await context.newPage();
    for (const hash of ['#slots', '#slots?slot=sync%3Atenant-0', '#events?kind=all'])
      await watch(page, backend.url, hash);
    await browser.close();
  } finally {
    await server.remove();
  }
}

async function watch(page: Page, url: string, hash: string): Promise<void> {
  await page.goto('about:blank');
  await page.goto(url + hash);
  await sleep(3_000); // the start of the page does not count
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const metrics = async () =>
    new Map((await session.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  const before = await metrics();
  const { frames, long } = await page.evaluate<{ frames: number[]; long: number[] }>(FRAMES(windowMs));
  const after = await metrics();
  const rate = (...names: string[]) =>
    names.reduce((sum, name) => sum + (after.get(name) ?? 0) - (before.get(name) ?? 0), 0) /
    ((after.get('Timestamp') ?? 0) - (before.get('Timestamp') ?? 0));
  note(`${hash}: p95 of a frame`, frames[Math.floor(frames.length * 0.95)] as number, 'ms', 60);
  note(
    `${hash}: long tasks`,
    long.length,
    `in ${windowMs / 1_000} s, the longest ${Math.max(0, ...long).toFixed(0)} ms`,
  );
  note(`${hash}: script`, 100 * rate('ScriptDuration'), '% of a core', 10);
  note(`${hash}: layout and style`, 100 * rate('LayoutDuration', 'RecalcStyleDuration'), '% of a core', 10);
  note(`${hash}: heap of the page`, (after.get('JSHeapUsedSize') ?? 0) / 1e6, 'MB', 30);
  await session.detach();
}

async function manySlots(path: string): Promise<void> {
  const backend = new Backend(path, MANY_SLOTS, 0);
  await backend.ask('open');
  await sleep(5_000); // they begin, and the first ones fail
  const pages = await backend.ask('pages');
  const slots = MANY_SLOTS.toLocaleString('en-US');
  note(`${slots} slots: a page, median`, median(pages.map(({ ms }) => ms)), 'ms', 100);
  note(`${slots} slots: CPU time of a page, median`, median(pages.map(({ cpuMs }) => cpuMs)), 'ms');
  note(`${slots} slots: a page, the slowest of ${pages.length}`, Math.max(...pages.map(({ ms }) => ms)), 'ms');
  note(`${slots} slots: the longest block, median`, median(pages.map(({ blockMs }) => blockMs)), 'ms', 20);
  note(`${slots} slots: the longest block of all`, Math.max(...pages.map(({ blockMs }) => blockMs)), 'ms');
  await backend.end();
}

async function memory(path: string): Promise<void> {
  const backend = new Backend(path, 0, 0);
  note('heap of all that is remembered', (await backend.ask('memory')) / 1e6, 'MB', 25);
  await backend.end();
}

async function assets(): Promise<void> {
  const { js, css, html } = await import('../../src/ext/dashboard/assets.ts');
  const sizes = (text: string) => [Buffer.byteLength(text), gzipSync(text).length].map((bytes) => bytes / 1_000);
  for (const [name, text, limits] of [
    ['app.js', js, [45, 16]],
    ['app.css', css, []],
    ['index.html', html, []],
  ] as const) {
    const [whole = 0, zipped = 0] = sizes(text);
    note(`${name}`, whole, 'kB', limits[0]);
    note(`${name}, gzipped`, zipped, 'kB', limits[1]);
  }
}

function table(): string {
  const rows = figures.map(({ what, figure, reach = '', isMet }) => [
    what,
    figure,
    reach,
    isMet === undefined ? '' : isMet ? 'met' : 'MISSED',
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows
    .map(([what = '', figure = '', reach = '', met = '']) =>
      `${what.padEnd(widths[0] as number)}  ${figure.padStart(widths[1] as number)}  ${reach.padEnd(widths[2] as number)}  ${met}`.trimEnd(),
    )
    .join('\n');
}

buildPage();
const { path, remove } = buildBackend();
try {
  const backend = new Backend(path, SLOTS, SUBMISSIONS_A_SECOND);
  await backend.ask('usage');
  await sleep(8_000); // the first failures, and a warm engine
  await cpu(backend);
  await backend.ask('open');
  await sleep(1_000);
  await load(backend);
  await manyStreams(backend);
  await neverReaders(backend);
  await browse(backend);
  await backend.end();
  await manySlots(path);
  await memory(path);
  await assets();
} finally {
  remove();
}
console.log(`\n${table()}`);
console.log(`\n${figures.filter(({ isMet }) => isMet === false).length} reaches missed`);
