// A steady stream of short jobs, and schedules. Some jobs fail, and some are turned away.

import type { Supervisor, TaskContext } from 'slotvisor';
import { schedule } from 'slotvisor/cron';

export function startJobs(supervisor: Supervisor): void {
  let n = 0;
  const submitSome = (): void => {
    for (let k = 0; k < 5; k += 1) {
      n += 1;
      const deadlock = n % 37 === 0;
      supervisor.submit({ slot: `job:${n % 60}`, name: `job ${n}`, restart: 'never', run: job(n, deadlock) });
      if (n % 11 === 0) supervisor.submit({ slot: `job:${n % 60}`, admission: 'dropIfRunning', run: job(n, false) });
    }
  };
  supervisor.submit({
    slot: 'job-source',
    run: async (ctx) => {
      for (;;) {
        submitSome();
        await ctx.sleep(100);
      }
    },
  });

  const run = (ctx: TaskContext) => ctx.sleep(900);
  schedule(supervisor, { name: 'usage', everyMs: 7_000, task: { slot: 'report:usage', restart: 'never', run } });
  schedule(supervisor, {
    name: 'nightly',
    cron: '30 2 * * *',
    timezone: 'Europe/Berlin',
    task: { slot: 'report:nightly', run },
  });
  schedule(supervisor, {
    name: 'cleanup',
    everyMs: 3_000, // its job takes longer, so dates are dropped
    task: { slot: 'cleanup', restart: 'never', run: (ctx) => ctx.sleep(4_000) },
  });
  schedule(supervisor, { name: 'invoices', cron: '@hourly', task: { slot: 'report:invoices', run } }).pause();
}

function job(n: number, deadlock: boolean) {
  return async (ctx: TaskContext): Promise<void> => {
    await ctx.sleep(5 + (n % 50));
    if (deadlock) throw Object.assign(new Error('deadlock detected'), { code: '40P01' });
  };
}
