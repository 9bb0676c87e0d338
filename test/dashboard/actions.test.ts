// What the page does, and what it says and asks before.

import { expect, it } from 'vitest';
import { withBrowser } from '../support/browser.ts';
import { ALLOWED, busySupervisor, forEver, newSupervisor, served } from './served.ts';

withBrowser('an action', (browser) => {
  it('is asked for in the words of the slot, with the focus on the harmless button, which does nothing', async () => {
    const supervisor = busySupervisor();
    const page = await browser.open(`${(await served(supervisor, ALLOWED)).url}#slots?slot=sync:tenant-0`);
    const cancel = page.getByRole('button', { name: 'Cancel the owner…' });
    await cancel.click();
    const dialog = page.getByRole('dialog', { name: 'Cancel the owner of sync:tenant-0?' });
    await dialog.getByText(/Then “the next revision” \(.*\) starts/).waitFor();
    await dialog.getByText('The slot is free only when its body has ended.').waitFor();
    expect(await dialog.locator(':focus').textContent()).toBe('Let it run');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    expect(await page.locator(':focus').textContent(), 'the focus comes back').toBe('Cancel the owner…');
    expect(supervisor.slot('sync:tenant-0').view().owner?.name).toBe('revision 0');
  });

  it('is done when it is confirmed, and the page says what became of it', async () => {
    const supervisor = busySupervisor();
    const page = await browser.open(`${(await served(supervisor, ALLOWED)).url}#slots?slot=sync:tenant-0`);
    await page.getByRole('button', { name: 'Cancel the owner…' }).click();
    await page.getByRole('button', { name: 'Cancel the owner', exact: true }).click();
    await page
      .getByRole('status')
      .getByText(/was asked to stop|has ended/)
      .waitFor();
    await expect.poll(() => supervisor.slot('sync:tenant-0').view().owner?.name).toBe('the next revision');
  });

  it('can take one out of the line, pause the slot, and resume it', async () => {
    const supervisor = newSupervisor();
    for (const name of ['first', 'second', 'third']) supervisor.submit({ slot: 'a', name, run: forEver });
    const page = await browser.open(`${(await served(supervisor, ALLOWED)).url}#slots?slot=a`);
    await page.getByRole('button', { name: 'Cancel… number 1 in line' }).click();
    await page.getByRole('button', { name: 'Cancel it' }).click();
    await expect
      .poll(() =>
        supervisor
          .slot('a')
          .view()
          .queued.map(({ name }) => name),
      )
      .toEqual(['third']);
    await page.getByRole('button', { name: 'Pause…' }).click();
    await page.getByRole('dialog').getByText('goes on, its retries included', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await expect.poll(() => supervisor.slot('a').view().paused).toBe(true);
    await page.getByRole('button', { name: 'Resume…' }).click();
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await expect.poll(() => supervisor.slot('a').view().paused).toBe(false);
  });

  it('that is refused says why, and the dialog stays', async () => {
    const authorize = (_: Request, { kind }: { kind: string }) => kind === 'view';
    const url = `${(await served(busySupervisor(), { actions: true, authorize })).url}#slots?slot=sync:tenant-0`;
    const page = await browser.open(url, { expected: /403/ });
    await page.getByRole('button', { name: 'Pause…' }).click();
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await expect.poll(() => page.getByRole('alert').textContent()).not.toBe('');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(1);
  });

  it('is not offered by a page that only shows', async () => {
    const page = await browser.open(`${(await served(busySupervisor())).url}#slots?slot=sync:tenant-0`);
    await page.locator('ol.line li').waitFor();
    await page.getByText('read-only').waitFor();
    await expect.poll(() => page.getByRole('button', { name: /Cancel|Pause|Restart/ }).count()).toBe(0);
  });
});
