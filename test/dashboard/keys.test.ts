// All that can be done by the keyboard.

import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { withBrowser } from '../support/browser.ts';
import { busySupervisor, forEver, found, newSupervisor, served } from './served.ts';

const focused = (page: Page): Promise<string> => page.evaluate('document.activeElement.textContent');

withBrowser('the keyboard', (browser) => {
  it('opens the views by 1 to 4, searches by /, and closes the slot by Esc', async () => {
    const page = await browser.open(`${(await served(busySupervisor())).url}#slots?slot=sync:tenant-0`);
    await page.locator('ol.line li').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('tenant-1 3');
    await found(page, 'No slot matches').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.getByRole('complementary').count(), 'Esc leaves the field first').toBe(1);
    await page.keyboard.press('Escape');
    await page.getByRole('complementary').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+2');
    expect(page.url()).toContain('#slots');
    for (const [key, view] of [
      ['2', 'failures'],
      ['3', 'events'],
      ['4', 'schedules'],
      ['1', 'slots'],
    ] as const) {
      await page.keyboard.press(key);
      await expect.poll(() => new URL(page.url()).hash).toBe(`#${view}`);
    }
  });

  it('goes past the head of the page by the skip link', async () => {
    const page = await browser.open((await served(busySupervisor())).url);
    await page.locator('table.slots tbody tr').first().waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toContain('To the content');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await expect.poll(() => page.locator('main :focus').count()).toBe(1);
  });

  it('keeps its place while rows come and go', async () => {
    const supervisor = newSupervisor();
    const gone = supervisor.submit({ slot: 'b', run: forEver });
    for (const slot of ['a', 'c']) supervisor.submit({ slot, run: forEver });
    const page = await browser.open(`${(await served(supervisor)).url}#slots?sort=name`);
    await page.getByRole('link', { name: 'b', exact: true }).focus();
    supervisor.submit({ slot: 'aa', run: forEver });
    await page.getByRole('link', { name: 'aa', exact: true }).waitFor();
    expect(await focused(page), 'another row came').toBe('b');
    await gone.cancel();
    await page.getByRole('link', { name: 'b', exact: true }).waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.getAttribute("aria-label")'), 'its row went').toBe('Slots');
    await page.keyboard.press('Tab');
    await expect.poll(() => page.locator('section.card :focus').count()).toBe(1);
  });

  it('opens the events of a second of the chart', async () => {
    const supervisor = newSupervisor();
    supervisor.submit({ slot: 'a', restart: 'never', run: () => Promise.reject(new Error('no')) });
    const page = await browser.open((await served(supervisor)).url);
    await page.locator('.legend .failed', { hasText: 'failed 1' }).waitFor();
    const steps = page.getByRole('slider').first();
    await steps.focus();
    await page.keyboard.press('Home');
    /** The page draws later than a key is pressed, so each step is awaited. */
    const said = async (step: number) => {
      await expect.poll(() => steps.getAttribute('aria-valuenow')).toBe(`${step}`);
      return steps.getAttribute('aria-valuetext');
    };
    for (let step = 0; !(await said(step))?.includes('1 failed'); step += 1) await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByRole('cell', { name: 'attempt failed', exact: true }).waitFor();
    expect(page.url()).toMatch(/#events\?from=\d+&to=\d+$/);
  });
});
