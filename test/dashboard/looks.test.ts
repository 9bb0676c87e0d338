// Each view, in both themes and at three widths: axe-core finds no fault, and nothing is cut off.

import { expect, it } from 'vitest';
import { accessibilityFaults, LOOKS, sidewaysPx, withBrowser } from '../support/browser.ts';
import { ALLOWED, busySupervisor, served } from './served.ts';

const PLACES: readonly (readonly [place: string, ready: string])[] = [
  ['#slots', 'table.slots tbody tr'],
  ['#slots?slot=sync:tenant-0', 'aside ol.line li'],
  [
    '#slots?slot=feed:a-name-that-is-long-and-has-no-place-where-it-could-be-broken-into-lines-of-a-telephone',
    'aside pre',
  ],
  ['#failures', 'table.problems tbody tr'],
  ['#events?kind=all', 'table.events tbody tr'],
  ['#schedules', 'table.schedules tbody tr'],
];

withBrowser('the page of the dashboard', (browser) => {
  it.for(LOOKS)('is accessible and whole in the theme $theme, $width pixels wide', async (look) => {
    const { url } = await served({ main: busySupervisor(), other: busySupervisor() }, ALLOWED);
    const page = await browser.open(url, look);
    for (const [place, ready] of PLACES) {
      await page.goto(url + place);
      await page.locator(ready).first().waitFor();
      expect(await accessibilityFaults(page), place).toEqual([]);
      expect(await sidewaysPx(page), place).toBe(0);
    }
    await page.goto(`${url}#slots?slot=sync:tenant-0`);
    await page.getByRole('button', { name: 'Cancel all…' }).click();
    expect(await accessibilityFaults(page), 'the dialog').toEqual([]);
    expect(await sidewaysPx(page), 'the dialog').toBe(0);
  });

  it('shows on a telephone the whole name of a slot', async () => {
    const { url } = await served(busySupervisor());
    const page = await browser.open(`${url}#slots?q=telephone`, { width: 390 });
    const name = page.locator('table.slots .slot');
    await name.waitFor();
    const { x, width } = (await name.boundingBox()) ?? { x: 0, width: Number.POSITIVE_INFINITY };
    expect(x).toBeGreaterThanOrEqual(0);
    expect(x + width).toBeLessThanOrEqual(390);
    const isCut = "(node) => getComputedStyle(node).textOverflow === 'ellipsis'";
    expect(await page.evaluate(`(${isCut})(document.querySelector('table.slots .slot'))`)).toBe(false);
  });
});
