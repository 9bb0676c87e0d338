// The pictures of the admission policies are what a real supervisor does.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { draw } from '../examples/timelines/picture.ts';
import { linksOf, type Row, rowsOf } from '../examples/timelines/rows.ts';
import { play, STORIES } from '../examples/timelines/stories.ts';
import { ADMISSION_POLICIES } from '../src/model/settings.ts';
import { ROOT } from './support/example.ts';
import { referencesOf } from './support/markdown.ts';

describe('the timelines', () => {
  it('show every admission policy', () => {
    expect(STORIES.map(({ policy }) => policy)).toEqual(ADMISSION_POLICIES);
  });

  it.for(STORIES)('show a real run, as `npm run timelines` draws it: $policy', async (story) => {
    const committed = readFileSync(`${ROOT}examples/timelines/${story.policy}.svg`, 'utf8');
    expect(committed).toBe(draw(story, await play(story)));
  });

  it.for(STORIES)('are small, and load nothing else: $policy', ({ policy, text }) => {
    const svg = readFileSync(`${ROOT}examples/timelines/${policy}.svg`, 'utf8');
    expect(svg.length).toBeLessThan(6_000);
    expect(svg).toContain(`<desc>${text}</desc>`);
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|href|url\(|@import|<script/);
  });

  it('have their sentence as alternative text in the README', () => {
    const text = readFileSync(`${ROOT}README.md`, 'utf8');
    const shown = referencesOf({ path: 'README.md', text }).flatMap(({ kind, target, alt }) => {
      const story = STORIES.find(({ policy }) => target.endsWith(`examples/timelines/${policy}.svg`));
      return kind === 'image' && story !== undefined ? [{ policy: story.policy, alt, text: story.text }] : [];
    });
    expect(shown.map(({ policy, alt }) => ({ policy, alt }))).toEqual(
      shown.map(({ policy, text }) => ({ policy, alt: text })),
    );
  });
});

describe('the sentence of each timeline is true', () => {
  async function rows(policy: string): Promise<Record<string, Row>> {
    const story = STORIES.find((one) => one.policy === policy);
    if (story === undefined) throw new Error(`no story of ${policy}`);
    return Object.fromEntries(rowsOf(await play(story)).map((row) => [row.name, row]));
  }
  const states = (row: Row | undefined) => row?.bars.map(({ state }) => state);
  const startMs = (row: Row | undefined) => row?.bars.find(({ state }) => state === 'running')?.fromMs;

  it('`queue`: B and C wait and run in their order, and D is rejected because two wait', async () => {
    const { A, B, C, D } = await rows('queue');
    expect([A, B, C].map(states)).toEqual([['running'], ['waiting', 'running'], ['waiting', 'running']]);
    expect([startMs(B), startMs(C)]).toEqual([A?.endedMs, B?.endedMs]);
    expect(D).toMatchObject({ bars: [], rejected: true, end: 'queueFull' });
    expect(D?.submittedMs).toBeLessThan(startMs(B) as number);
  });

  it('`replace`: C starts only after the body of A has ended, long after its stop request (S1)', async () => {
    const { A, B, C } = await rows('replace');
    expect(states(A)).toEqual(['running', 'stopping']);
    expect(A).toMatchObject({ end: 'canceled' });
    expect(A?.bars[1]?.fromMs).toBe(B?.submittedMs);
    expect(B).toMatchObject({ rejected: true, end: 'superseded', endedMs: C?.submittedMs });
    expect(startMs(C)).toBe(A?.endedMs);
    expect(startMs(C)).toBeGreaterThan(C?.submittedMs as number);
  });

  it('`dropIfRunning`: B and C are rejected at once, and D starts on the idle slot', async () => {
    const { A, B, C, D } = await rows('dropIfRunning');
    for (const row of [B, C]) expect(row).toMatchObject({ bars: [], rejected: true, end: 'slotBusy' });
    expect(C?.submittedMs).toBeLessThan(A?.endedMs as number);
    expect(startMs(D)).toBe(D?.submittedMs);
    expect(startMs(D)).toBeGreaterThan(A?.endedMs as number);
  });

  it('`keepLatest`: A runs to its end, B and C are superseded while they wait, and D runs after A', async () => {
    const { A, B, C, D } = await rows('keepLatest');
    expect(A).toMatchObject({ end: 'completed' });
    expect(states(A)).toEqual(['running']);
    expect([B, C].map(states)).toEqual([['waiting'], ['waiting']]);
    expect(B).toMatchObject({ rejected: true, end: 'superseded', endedMs: C?.submittedMs });
    expect(C).toMatchObject({ rejected: true, end: 'superseded', endedMs: D?.submittedMs });
    expect(startMs(D)).toBe(A?.endedMs);
  });

  it('`join`: B and C complete together with A, and D runs by itself', async () => {
    const { A, B, C, D } = await rows('join');
    for (const row of [B, C])
      expect(row).toMatchObject({ leader: 'A', end: 'completed', endedMs: A?.endedMs, bars: [{ state: 'joined' }] });
    expect(D?.submittedMs).toBeGreaterThan(A?.endedMs as number);
    expect(D).toMatchObject({ end: 'completed', bars: [{ state: 'running', fromMs: D?.submittedMs }] });
  });

  it('`replace`: B causes the stop request, and the end of A starts C', async () => {
    const links = linksOf(Object.values(await rows('replace')));
    expect(links).toEqual([
      { kind: 'stop', atMs: 1_500, from: 'B', to: 'A' },
      { kind: 'next', atMs: 5_000, from: 'A', to: 'C' },
    ]);
  });
});
