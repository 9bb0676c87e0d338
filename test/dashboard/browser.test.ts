// The page loads under the Content-Security-Policy of the dashboard, and test/support/browser.ts
// sees what a page may not do.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { css, html, js } from '../../src/ext/dashboard/assets.ts';
import { accessibilityFaults, LOOKS, sidewaysPx, withBrowser } from '../support/browser.ts';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'";

type Files = Readonly<Record<string, readonly [type: string, text: string]>>;

/** Serves the files until the end of the test, with the policy, and 404 for all else. */
async function serve(files: Files): Promise<string> {
  const server = createServer((request, response) => {
    const [type, text] = files[request.url ?? ''] ?? [];
    response.writeHead(type === undefined ? 404 : 200, {
      'content-type': type ?? 'text/plain',
      'content-security-policy': POLICY,
    });
    response.end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A page with this body, and with this script in a file of its own. */
const pageOf = (body: string, script = '', style = ''): Files => ({
  '/': [
    'text/html',
    `<!doctype html><html lang="en"><title>A page</title><link rel="icon" href="data:,">
    <link rel="stylesheet" href="app.css"><script type="module" src="app.js"></script>${body}`,
  ],
  '/app.js': ['text/javascript', script],
  '/app.css': ['text/css', style],
});

const GOOD = '<main><h1>A page</h1><p>A text.</p></main>';

withBrowser('a test in Chromium', (browser) => {
  it('loads the page that is built, under the policy of the dashboard', async () => {
    const url = await serve({
      '/': ['text/html', html],
      '/app.js': ['text/javascript', js],
      '/app.css': ['text/css', css],
    });
    const page = await browser.open(url, { expected: /\/api\// });
    await page.waitForSelector('h1');
    expect(await page.title()).toContain('slotvisor');
  });

  it.for<readonly [what: string, body: string, script: string, complaint: RegExp]>([
    ['an error that is printed', GOOD, 'console.error("oh");', /^console: oh/],
    ['an error that is thrown', GOOD, 'throw new Error("oh");', /^thrown: Error: oh/],
    ['a promise that is rejected', GOOD, 'Promise.reject(new Error("oh"));', /^thrown: Error: oh/],
    ['a dialog', GOOD, 'alert("oh");', /^dialog: oh/],
    ['a file that is missing', GOOD, 'fetch("nowhere");', /^console: .*404.*nowhere/],
    [
      'a request to another server',
      GOOD,
      'location = "http://example.invalid/";',
      /^request: http:\/\/example\.invalid/,
    ],
    [
      'a script in the page, which the policy forbids',
      `${GOOD}<script>alert(1)</script>`,
      '',
      /^console: .*inline script/,
    ],
  ])('complains of %s', async ([, body, script, complaint]) => {
    const { complaints } = await browser.watch(await serve(pageOf(body, script)));
    await expect.poll(() => complaints.find((text) => complaint.test(text))).toBeDefined();
  });

  it('finds faults of accessibility, and none in a good page, whose policy stays', async () => {
    const good = await browser.open(await serve(pageOf(GOOD)));
    expect(await accessibilityFaults(good)).toEqual([]);
    const bad = await browser.open(await serve(pageOf('<main><h1>A page</h1><input></main>')));
    expect(await accessibilityFaults(bad)).toEqual([expect.stringMatching(/^label: .* at input\./)]);
    const style = 'Object.assign(document.body.appendChild(document.createElement("style")), { textContent: "" })';
    const strict = await browser.open(await serve(pageOf(GOOD, style)), { expected: /inline style/ });
    expect(await accessibilityFaults(strict)).toEqual([]);
  });

  it.for(LOOKS)('looks at a page in the theme $theme, $width pixels wide', async ({ theme, width }) => {
    const style = '@media (prefers-color-scheme: dark) { h1 { color: rgb(1, 2, 3); } } pre { width: 1000px; }';
    const page = await browser.open(await serve(pageOf('<h1>A page</h1><pre>wide</pre>', '', style)), { theme, width });
    const color = await page.evaluate('getComputedStyle(document.querySelector("h1")).color');
    expect(color).toBe(theme === 'dark' ? 'rgb(1, 2, 3)' : 'rgb(0, 0, 0)');
    expect(await sidewaysPx(page)).toBe(width < 1000 ? 1008 - width : 0);
  });
});
