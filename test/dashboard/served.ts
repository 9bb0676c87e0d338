// A dashboard that is served on loopback until the end of the test, and the page of it.

import type { Locator, Page } from 'playwright-core';
import { Supervisor, type TaskContext } from 'slotvisor';
import { schedule, schedulesOf } from 'slotvisor/cron';
import { type DashboardOptions, dashboard } from 'slotvisor/dashboard';
import { onTestFinished } from 'vitest';

export interface Served {
  readonly url: string;
  /** Ends the server and its streams. The dashboard goes on. */
  cut(): Promise<void>;
  /** Serves it again, at the same address. */
  again(): Promise<void>;
}

/** Pages are brought up to date ten times a second, so that no test waits for a tick. */
export async function served(
  supervisors: Supervisor | Record<string, Supervisor>,
  options: DashboardOptions & { readonly port?: number } = {},
): Promise<Served> {
  const { port = 0, ...rest } = options;
  const page = dashboard(supervisors, { tickMs: 100, schedules: schedulesOf, ...rest });
  onTestFinished(() => page.close());
  const { url, close } = await page.serve({ port });
  return { url, cut: close, again: async () => void (await page.serve({ port: Number(new URL(url).port) })) };
}

/** With all that may be done. */
export const ALLOWED = { actions: true, authorize: () => true } as const;

export function newSupervisor(): Supervisor {
  const supervisor = new Supervisor({ graceMs: 100 });
  onTestFinished(async () => void (await supervisor.shutdown({ graceMs: 0 })));
  return supervisor;
}

/** The line above the table that says how many slots match, as it is seen. */
export const found = (page: Page, text: string): Locator => page.locator('.found p:not(.unseen)').getByText(text);

export const forEver = (ctx: TaskContext): Promise<void> => ctx.sleep(Number.POSITIVE_INFINITY);

/** The next try is far away. */
export const LONG = { firstMs: 3_600_000, maxMs: 3_600_000 } as const;

/** A little of all that the page can show. */
export function busySupervisor(): Supervisor {
  const supervisor = newSupervisor();
  for (let n = 0; n < 60; n += 1) supervisor.submit({ slot: `sync:tenant-${n}`, name: `revision ${n}`, run: forEver });
  supervisor.submit({ slot: 'sync:tenant-0', name: 'the next revision', run: forEver });
  supervisor.submit({
    slot: 'feed:a-name-that-is-long-and-has-no-place-where-it-could-be-broken-into-lines-of-a-telephone',
    backoff: LONG,
    run: () => {
      throw Object.assign(new Error('upstream answered 503'), { code: 'EUPSTREAM' });
    },
  });
  const legacy = supervisor.submit({
    slot: 'legacy:import',
    graceMs: 1,
    run: () => {
      void legacy.cancel();
      return new Promise<void>(() => {});
    },
  });
  supervisor.slot('mail:paused').pause();
  supervisor.submit({ slot: 'mail:paused', name: 'a mail', run: forEver });
  schedule(supervisor, { name: 'nightly', cron: '0 3 * * *', task: { slot: 'nightly', run: forEver } });
  return supervisor;
}
