// A guided tour (`npm start`): a small backend, an upstream of its own, and much of what can go wrong between them, in five seconds.
// Ctrl+C, at any time: it drains, and still sums up. Once more: it does not wait for anybody.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CanceledError, once, periodic, restartable, Supervisor, type TaskContext } from 'slotvisor';
import { HeadCount } from './tour/head-count.ts';
import { compress, filesOf, folders } from './tour/repository.ts';
import { syncLoop } from './tour/sync-loop.ts';
import { Timeline } from './tour/timeline.ts';
import { Upstream } from './tour/upstream.ts';

const timeline = new Timeline();
const headCount = new HeadCount();
const upstream = new Upstream();
const output = await mkdtemp(join(tmpdir(), 'slotvisor-tour-'));

const supervisor = new Supervisor({ graceMs: 1_000, aroundAttempt: headCount.around });
supervisor.subscribe(timeline);

/** The story. It is a task like any other, so that a shutdown ends it, too: what it waits for, it waits for with its own context. */
async function story(ctx: TaskContext): Promise<void> {
  const chapter = async (title: string) => {
    await ctx.sleep(200); // the reader's pause
    timeline.chapter(title);
  };

  await chapter('A poller is restarted, with backoff, until its upstream is up');
  await upstream.start();
  await upstream.crash();
  const poller = supervisor.submit(
    restartable((poll) => upstream.get('/health', poll.signal), {
      slot: 'poller',
      backoff: { firstMs: 100, maxMs: 400 },
      timeoutMs: 1_000, // no answer is a failure, too
    }),
  );

  await chapter('Meanwhile: one sync loop per tenant, replaced in flight by newer revisions');
  const startSync = (tenant: string, revision: number) =>
    supervisor.submit({
      slot: `sync:${tenant}`,
      name: `revision ${revision}`,
      admission: 'replace', // the old one is told to stop; this one begins when it has
      run: syncLoop(join(output, `${tenant}.json`), revision, timeline),
    });
  startSync('acme', 1);
  startSync('globex', 1);
  await ctx.sleep(200);
  timeline.note('upstream', 'up', await upstream.start());
  await ctx.sleep(200);
  startSync('acme', 2);
  await ctx.sleep(200);
  startSync('globex', 2); // Two at once: 2 has not begun when 3 comes,
  startSync('globex', 3); // so it never will.
  await poller.value();

  await chapter('A job that ignores its signal harms nobody else (the shutdown will name it)');
  const download = () => upstream.get('/archive'); // takes no signal, and the answer never ends
  supervisor.submit(once(download, { slot: 'legacy-import', graceMs: 400 }));

  await chapter('Ticks that come faster than their job: while it runs, they are dropped');
  const cron = supervisor.submit(
    periodic(
      180,
      (tick) => {
        supervisor.submit({
          slot: 'usage-report', // the name is the whole deduplication
          admission: 'dropIfRunning',
          run: (report) => upstream.get('/usage', report.signal),
        });
        if (tick.attempt === 5) throw new CanceledError('enough ticks'); // how a task ends itself
      },
      { slot: 'cron' },
    ),
  );
  await cron.outcome;
  await ctx.untilCanceled(supervisor.slot('usage-report').drain());

  await chapter('Exports of one slot: queued, run in order, one at a time');
  for (const folder of folders) {
    supervisor.submit({
      slot: 'exports',
      name: `${folder}.gz`,
      run: async ({ name, signal }) => {
        const { size, data } = await compress(await filesOf(folder), signal);
        await writeFile(join(output, name), data, { signal });
        timeline.note('exports', 'wrote', `${name}, ${size} bytes in ${data.length}`);
      },
    });
  }
  await ctx.untilCanceled(supervisor.slot('exports').drain());

  await chapter('Three callers want the same answer: they join one request');
  const callers = ['caller 1', 'caller 2', 'caller 3'].map((name) =>
    supervisor.submit({
      slot: 'dashboard',
      name,
      admission: 'join',
      run: (request) => upstream.get('/dashboard', request.signal),
    }),
  );
  const answers = new Set(await Promise.all(callers.map((caller) => caller.value())));
  timeline.note('dashboard', 'shared', `${answers.size} answer, ${upstream.requests('/dashboard')} request upstream`);

  await chapter('A body that panics is an outcome, and nobody else notices');
  const panicked = supervisor.submit(once(() => decodeURIComponent('%'), { slot: 'webhook' }));
  await panicked.outcome;
  timeline.note('webhook', 'and yet', `${supervisor.snapshot().running} others run on`);
}

// The static mode around the dynamic one: when the story has been told, or at Ctrl+C, everything that still runs is drained.
const { outcomes, shutdown } = await supervisor.run([once(story, { slot: 'tour' })]);
timeline.summary(supervisor.snapshot(), shutdown, headCount.most);

upstream.stop(); // ends the download of the legacy import, and with it the last thing that kept this process alive
await rm(output, { recursive: true, maxRetries: 3 }); // who was abandoned may still be writing
if (outcomes[0]?.kind === 'failed') process.exitCode = 1; // the timeline has said why
