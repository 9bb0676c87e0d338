// What an operator sees of each view, and where the page says that it is.

import { schedulesOf } from 'slotvisor/cron';
import { expect, it } from 'vitest';
import { withBrowser } from '../support/browser.ts';
import { busySupervisor, forEver, found, LONG, newSupervisor, served } from './served.ts';

withBrowser('the page of the dashboard', (browser) => {
  it('says what needs a look, and leads to exactly that', async () => {
    const page = await browser.open((await served(busySupervisor())).url);
    const link = page.getByRole('link', { name: /overrun their grace|has overrun its grace/ });
    await link.click();
    await found(page, '1 to 1 of 1').waitFor();
    expect(await page.locator('table.slots .slot').allTextContents()).toEqual(['legacy:import']);
    expect(page.url()).toContain('#slots?status=overrun');
  });

  it('says so if nothing needs a look', async () => {
    const page = await browser.open((await served(newSupervisor())).url);
    await page.getByRole('heading', { name: 'Nothing needs a look' }).waitFor();
  });

  it('shows at one click who owns a slot, why it does not get on, and who waits behind it, in order', async () => {
    const supervisor = busySupervisor();
    supervisor.submit({ slot: 'sync:tenant-0', name: 'the one after', run: forEver });
    const { url } = await served(supervisor);
    supervisor.submit({ slot: 'sync:tenant-0', admission: 'dropIfRunning', run: forEver });
    const page = await browser.open(url);
    await page.getByRole('link', { name: 'sync:tenant-0', exact: true }).click();
    const panel = page.getByRole('complementary', { name: 'sync:tenant-0' });
    await panel.getByText('2 wait', { exact: false }).first().waitFor();
    expect(await panel.locator('ol.line li').allTextContents()).toEqual([
      expect.stringMatching(/^1the next revision .*queue/),
      expect.stringMatching(/^2the one after .*queue/),
    ]);
    expect(await panel.getByText('was rejected, because of slotBusy', { exact: false }).count()).toBe(1);
  });

  it('counts down to the next try', async () => {
    const supervisor = newSupervisor();
    supervisor.submit({
      slot: 'a',
      backoff: { firstMs: 1_800_000, maxMs: 1_800_000 },
      run: () => Promise.reject(new Error('no')),
    });
    const page = await browser.open((await served(supervisor)).url);
    const next = page.locator('td.next');
    await next.getByText(/^in \d+ min \d\d s$/).waitFor();
    const first = await next.textContent();
    await expect.poll(() => next.textContent()).not.toBe(first);
  });

  it('shows failures that are the same once, how often, where, and the stack of the latest', async () => {
    const supervisor = newSupervisor();
    for (const n of [1, 2, 3])
      supervisor.submit({
        slot: `sync:${n}`,
        restart: 'never',
        run: () => Promise.reject(new Error(`no reply to ${n}`)),
      });
    const page = await browser.open(`${(await served(supervisor)).url}#failures`);
    const row = page.locator('table.problems tbody tr');
    await row.getByText('no reply to #').waitFor();
    expect(await row.count()).toBe(1);
    expect(await row.locator('.times').textContent()).toBe('3 times');
    expect(await row.locator('.slot').allTextContents()).toEqual(['sync:3', 'sync:2', 'sync:1']);
    await row.locator('summary').click();
    await row.getByText(/^Error: no reply to \d\n\s+at /).waitFor();
  });

  it('shows beside the slots what keeps failing, what was turned away and by whom, and what begins next', async () => {
    const supervisor = newSupervisor();
    const owner = supervisor.submit({ slot: 'busy', run: forEver });
    supervisor.submit({ slot: 'sync', backoff: LONG, run: () => Promise.reject(new Error('no reply')) });
    const { url } = await served(supervisor);
    supervisor.submit({ slot: 'busy', admission: 'dropIfRunning', run: forEver });
    const page = await browser.open(url);
    const glance = page.getByRole('region', { name: 'At a glance' });
    await glance.getByText('no reply', { exact: false }).waitFor();
    await glance.getByText(`busy was rejected, because of slotBusy, by ${owner.id}`, { exact: false }).waitFor();
    await glance.getByText(/in \d+ .* sync next try/, { exact: false }).click();
    await page.getByRole('complementary', { name: 'sync' }).waitFor();
  });

  it('shows the events of a minute that is typed, and is live again when it is emptied', async () => {
    const supervisor = newSupervisor();
    supervisor.submit({ slot: 'sync', restart: 'never', run: () => Promise.reject(new Error('no reply')) });
    const page = await browser.open(`${(await served(supervisor)).url}#events`);
    const cell = page.getByRole('cell', { name: 'attempt failed', exact: true });
    await cell.waitFor();
    const minute = page.getByLabel('The events of one minute of the last day');
    const at = new Date(Date.now() - 7_200_000);
    await minute.fill(at.toTimeString().slice(0, 5));
    await cell.waitFor({ state: 'detached' });
    expect(page.url()).toContain(`#events?from=${at.setSeconds(0, 0)}&to=${at.setSeconds(0, 0) + 60_000}`);
    await page.reload();
    expect(await minute.inputValue()).toBe(at.toTimeString().slice(0, 5));
    await minute.fill('');
    await cell.waitFor();
    expect(new URL(page.url()).hash).toBe('#events');
  });

  it('announces no run of a schedule that is paused', async () => {
    const supervisor = busySupervisor();
    for (const schedule of schedulesOf(supervisor)) schedule.pause();
    const page = await browser.open(`${(await served(supervisor)).url}#schedules`);
    const next = page.locator('table.schedules td.next').first();
    await next.getByText('without the pause:', { exact: false }).waitFor();
    expect(await next.textContent()).not.toMatch(/in \d/);
  });

  it('shows schedules with their next run', async () => {
    const page = await browser.open(`${(await served(busySupervisor())).url}#schedules`);
    const row = page.locator('table.schedules tbody tr');
    await row.getByText('nightly').first().waitFor();
    expect(await row.locator('td.next b').textContent()).toMatch(/^in (?:\d+ h|\d+ min)/);
  });

  it('has its filters in its address: Back undoes them, and the search box follows', async () => {
    const page = await browser.open((await served(busySupervisor())).url);
    await page.getByRole('searchbox').fill('tenant-1');
    await found(page, '1 to 11 of 11').waitFor();
    expect(new URL(page.url()).hash).toBe('#slots?q=tenant-1');
    await page.getByRole('link', { name: 'overrun' }).first().click();
    await expect.poll(() => page.getByRole('searchbox').inputValue()).toBe('');
    await page.goBack();
    await found(page, '1 to 11 of 11').waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('tenant-1');
    await page.reload();
    await found(page, '1 to 11 of 11').waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('tenant-1');
  });

  it('goes through the pages of the table', async () => {
    const page = await browser.open((await served(busySupervisor())).url);
    await page.getByRole('button', { name: 'On', exact: true }).click();
    await found(page, '51 to 63 of 63').waitFor();
    await page.goBack();
    await found(page, '1 to 50 of 63').waitFor();
  });

  it('shows the names of users as text, and does nothing that they say', async () => {
    const supervisor = newSupervisor();
    const slot = '<img src=x onerror=alert(1)>\u202egnp\n"><script>alert(2)</script>';
    const shown = slot.replace('\u202e', '\\u202e').replace('\n', '\\u000a');
    supervisor.submit({
      slot,
      name: '<b>bold</b>',
      backoff: LONG,
      run: () => Promise.reject(new Error('</td><script>alert(3)</script>\u2066')),
    });
    const { url } = await served(supervisor, { title: '<i>title</i>\u202e' });
    const page = await browser.open(url);
    await page.getByRole('heading', { name: '<i>title</i>\\u202e' }).waitFor();
    await page.getByRole('link', { name: shown, exact: true }).click();
    await page
      .getByRole('complementary', { name: shown })
      .getByText('</script>\\u2066', { exact: false })
      .first()
      .waitFor();
    for (const view of ['failures', 'events']) {
      await page.goto(`${url}#${view}`);
      await page.locator(`table:has-text("alert(1)")`).waitFor();
    }
    expect(await page.locator('img, b:has-text("bold"), i, main script').count()).toBe(0);
  });

  it('shows one of several supervisors, and how the others are', async () => {
    const quiet = newSupervisor();
    quiet.submit({ slot: 'only-here', run: forEver });
    const page = await browser.open((await served({ busy: busySupervisor(), quiet })).url);
    const picker = page.getByRole('navigation', { name: 'Supervisors' });
    await picker.getByText(/^\d+ · urgent$/).waitFor();
    await picker.getByRole('link', { name: 'quiet' }).click();
    await page.getByRole('link', { name: 'only-here' }).waitFor();
    expect(await page.locator('table.slots tbody tr').count()).toBe(1);
    expect(page.url()).toContain('#slots?of=quiet');
  });
});
