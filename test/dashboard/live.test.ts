// How the page follows the server, and what it says while it cannot.

import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { withBrowser } from '../support/browser.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { forEver, found, newSupervisor, served } from './served.ts';

const REFUSED = { expected: /ERR_|api\/stream/ };

function setHidden(page: Page, isHidden: boolean): Promise<void> {
  return page.evaluate(`
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} });
    document.dispatchEvent(new Event('visibilitychange'));`);
}

withBrowser('the page', (browser) => {
  it('shows what comes and goes without being asked', async () => {
    const supervisor = newSupervisor();
    const page = await browser.open((await served(supervisor)).url);
    await found(page, 'No slot has work').waitFor();
    const submission = supervisor.submit({ slot: 'a', run: forEver });
    await page.getByRole('link', { name: 'a', exact: true }).waitFor();
    await submission.cancel();
    await found(page, 'No slot has work').waitFor();
  });

  it('says within three seconds that the server is gone, and since when what it shows is old', async () => {
    const { url, cut } = await served(newSupervisor());
    const page = await browser.open(url, REFUSED);
    await page.getByText('live', { exact: true }).waitFor();
    await cut();
    await page.getByText(/What is shown is as it was at \d\d:\d\d:\d\d/).waitFor({ timeout: 3_000 });
    expect(await page.getByRole('status').first().textContent()).toBe('no connection');
  });

  it('says within four seconds that a server that is there does not answer, and goes on when it does', async () => {
    const proxy = await TcpProxy.start((await served(newSupervisor())).url);
    onTestFinished(() => proxy.close());
    const page = await browser.open(proxy.url, { expected: /ERR_/ });
    await page.getByText('live', { exact: true }).waitFor();
    proxy.stall(true);
    await page.getByText('The server does not answer', { exact: false }).waitFor({ timeout: 4_000 });
    proxy.stall(false);
    await page.getByText('live', { exact: true }).waitFor();
  });

  it('comes back by itself, and says that the process was restarted', async () => {
    const first = newSupervisor();
    first.submit({ slot: 'before', run: forEver });
    const { url, cut } = await served(first);
    const page = await browser.open(url, REFUSED);
    await page.getByRole('link', { name: 'before' }).waitFor();
    await cut();
    await page.getByText('The server does not answer', { exact: false }).waitFor();
    const second = newSupervisor();
    second.submit({ slot: 'after', run: forEver });
    await served(second, { port: Number(new URL(url).port) });
    await page.getByText('The process was restarted', { exact: false }).waitFor();
    await page.getByRole('link', { name: 'after' }).waitFor();
    await page.getByRole('button', { name: 'All right' }).click();
    await expect.poll(() => page.locator('.notice:not(.unseen)').count()).toBe(0);
  });

  it('does not say that it was restarted when only the connection was lost', async () => {
    const { url, cut, again } = await served(newSupervisor());
    const page = await browser.open(url, REFUSED);
    await page.getByText('live', { exact: true }).waitFor();
    await cut();
    await page.getByText('The server does not answer', { exact: false }).waitFor();
    await again();
    await page.getByText('live', { exact: true }).waitFor();
    await expect.poll(() => page.getByText('The process was restarted', { exact: false }).count()).toBe(0);
  });

  it('asks for nothing while its tab is hidden', async () => {
    const supervisor = newSupervisor();
    const page = await browser.open((await served(supervisor)).url, { expected: /ERR_ABORTED/ });
    await found(page, 'No slot has work').waitFor();
    let streams = 0;
    page.on('request', (request) => {
      if (request.url().includes('api/stream')) streams += 1;
    });
    const ended = page.waitForEvent('requestfailed', (request) => request.url().includes('api/stream'));
    await setHidden(page, true);
    await ended;
    supervisor.submit({ slot: 'a', run: forEver });
    await page.evaluate('fetch("api/summary").then((answer) => answer.text())'); // what was asked before is known then
    expect(streams, 'while it is hidden').toBe(0);
    const asked = page.waitForEvent('request', (request) => request.url().includes('api/stream'));
    await expect.poll(() => page.getByRole('link', { name: 'a', exact: true }).count()).toBe(0);
    await setHidden(page, false);
    await asked;
    await page.getByRole('link', { name: 'a', exact: true }).waitFor();
    await expect.poll(() => page.locator('.notice.bad').count()).toBe(0);
  });

  it('says why the server refuses it', async () => {
    const { url } = await served(newSupervisor(), { maxStreams: 1 });
    const first = await browser.open(url);
    await first.getByText('live', { exact: true }).waitFor();
    const second = await browser.open(url, { expected: /503/ });
    await second.getByText('1 streams are open', { exact: false }).waitFor();
  });
});

withBrowser('the events', (browser) => {
  it('come live, and are held while they are read', async () => {
    const supervisor = newSupervisor();
    const fail = (n: number) =>
      supervisor.submit({ slot: `s-${n}`, restart: 'never', run: () => Promise.reject(new Error(`no ${n}`)) });
    fail(1);
    const page = await browser.open(`${(await served(supervisor)).url}#events`);
    const rows = page.locator('table.events tbody tr');
    await rows.filter({ hasText: 'no 1' }).first().waitFor();
    fail(2);
    await rows.filter({ hasText: 'no 2' }).first().waitFor();
    expect(await rows.first().textContent(), 'the newest first').toContain('no 2');
    await page.getByRole('button', { name: 'Hold' }).click();
    fail(3);
    const goOn = page.getByRole('button', { name: /^Go on, \d+ new$/ });
    await goOn.waitFor();
    await expect.poll(() => rows.filter({ hasText: 'no 3' }).count()).toBe(0);
    await goOn.click();
    await rows.filter({ hasText: 'no 3' }).first().waitFor();
  });

  it('are each shown once, and none is missing, after a connection that was lost', async () => {
    const supervisor = newSupervisor();
    const { url, cut, again } = await served(supervisor);
    const page = await browser.open(`${url}#events`, REFUSED);
    await page.getByText('live', { exact: true }).waitFor();
    const failAll = async (from: number): Promise<void> => {
      for (let n = from; n < from + 10; n += 1)
        await supervisor.submit({ slot: `s-${n}`, restart: 'never', run: () => Promise.reject(new Error('no')) })
          .outcome;
    };
    await failAll(0);
    await cut();
    await failAll(10);
    await page.getByText('The server does not answer', { exact: false }).waitFor();
    await again();
    await failAll(20);
    const ended = page.locator('table.events tbody tr', { hasText: 'ended failed' }).locator('.slot');
    await expect.poll(() => ended.count()).toBe(30);
    expect(new Set(await ended.allTextContents()).size).toBe(30);
    await expect.poll(() => page.locator('tr.gap').count()).toBe(0);
  });

  it('of a slot lead back to all', async () => {
    const supervisor = newSupervisor();
    for (const slot of ['a', 'b'])
      supervisor.submit({ slot, restart: 'never', run: () => Promise.reject(new Error('no')) });
    const page = await browser.open(`${(await served(supervisor)).url}#events?slot=a`);
    const slots = page.locator('table.events .slot');
    await slots.first().waitFor();
    expect(new Set(await slots.allTextContents())).toEqual(new Set(['a']));
    await page.getByRole('link', { name: /^only a/ }).click();
    await expect.poll(async () => new Set(await slots.allTextContents())).toEqual(new Set(['a', 'b']));
  });
});
