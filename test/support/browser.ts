// Chromium, for tests: one for the tests of a `withBrowser`, and a context of its own for each
// page. A test fails if its page printed an error, threw one, opened a dialog, or asked another
// server.

import axe from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { ChromiumServer } from './chromium.ts';

const LEFT_OUT = 'is left out: this run has no Chromium (install chromium, or set CHROMIUM_PATH)';

/** How a page is looked at. */
export interface Look {
  readonly theme?: 'light' | 'dark';
  /** In CSS pixels. */
  readonly width?: number;
}

/** Both themes, on a desk, on a telephone, and at the narrowest that has to work. */
export const LOOKS: readonly Required<Look>[] = (['light', 'dark'] as const).flatMap((theme) =>
  [1440, 390, 320].map((width) => ({ theme, width })),
);

export interface OpenOptions extends Look {
  /** What the page may complain of: the test provokes it. */
  readonly expected?: RegExp;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestBrowser {
  /** Opens a page, and closes it after the test. The test fails if the page has complained. */
  open(url: string, options?: OpenOptions): Promise<Page>;
  /** The same without a check: `complaints` grows while the page is open. */
  watch(url: string, options?: OpenOptions): Promise<{ readonly page: Page; readonly complaints: readonly string[] }>;
}

/** `describe` for tests in Chromium. Where there is none, one test says so. */
export function withBrowser(name: string, tests: (browser: TestBrowser) => void): void {
  const command = inject('chromium');
  if (command === undefined) {
    describe(name, () => it(LEFT_OUT, () => {}));
    return;
  }
  describe(name, () => {
    let server: ChromiumServer | undefined;
    let browser: Browser;
    beforeAll(async () => {
      server = await ChromiumServer.start(command);
      browser = await chromium.connectOverCDP(server.url());
    });
    afterAll(async () => {
      await browser?.close();
      await server?.remove();
    });
    const watch: TestBrowser['watch'] = async (url, options = {}) => {
      const context = await contextOf(browser, options);
      const complaints = complaintsIn(context, new URL(url).origin);
      const page = await context.newPage();
      await page.goto(url);
      return { page, complaints };
    };
    const open: TestBrowser['open'] = async (url, options = {}) => {
      const { page, complaints } = await watch(url, options);
      onTestFinished(() => expect(complaints.filter((text) => options.expected?.test(text) !== true)).toEqual([]));
      return page;
    };
    tests({ open, watch });
  });
}

async function contextOf(browser: Browser, { theme = 'light', width = 1440, headers }: OpenOptions) {
  const context = await browser.newContext({
    colorScheme: theme,
    viewport: { width, height: 1000 },
    ...(headers && { extraHTTPHeaders: headers }),
  });
  onTestFinished(() => context.close());
  return context;
}

/** All that no page of ours may do, from now on. */
function complaintsIn(context: BrowserContext, origin: string): readonly string[] {
  const complaints: string[] = [];
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()} ${message.location().url}`);
  });
  context.on('weberror', (error) => complaints.push(`thrown: ${error.error()}`));
  context.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== 'data:') complaints.push(`request: ${url}`);
  });
  return complaints;
}

/**
 * What axe-core finds wrong with the page, as sentences. It runs in a world of its own beside the
 * page's scripts, so that the page keeps its Content-Security-Policy.
 */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const world = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
  const evaluate = async (expression: string) => {
    const options = { contextId: world.executionContextId, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', { expression, ...options });
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await evaluate(axe.source);
  const faults = await evaluate(`axe.run(document, { preload: false, resultTypes: ['violations'] }).then((results) =>
    results.violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => id + ': ' + help + ' at ' + target + '. ' + failureSummary)))`);
  await session.detach();
  return faults;
}

/** By how many pixels the page is wider than its window. */
export function sidewaysPx(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
