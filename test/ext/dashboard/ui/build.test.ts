// What a browser has to load.

import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { css, html, js } from '../../../../src/ext/dashboard/assets.ts';

it.for<readonly [name: string, text: string, maxBytes: number, maxGzipped: number]>([
  ['app.js', js, 64_000, 23_000],
  ['app.css', css, 20_000, 5_000],
])('%s stays small', ([, text, maxBytes, maxGzipped]) => {
  expect(Buffer.byteLength(text)).toBeLessThan(maxBytes);
  expect(gzipSync(text).length).toBeLessThan(maxGzipped);
});

it('the page loads its own files by relative URLs, and has no script or style in it', () => {
  const urls = Array.from(html.matchAll(/(?:src|href)="([^"]*)"/g), ([, url]) => url);
  expect(urls).toEqual(['data:,', 'app.css', 'app.js', 'api/summary']);
  expect(html).not.toMatch(/<style|<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=/);
  expect(js).not.toMatch(/https?:\/\/(?!www\.w3\.org\/)/);
});
