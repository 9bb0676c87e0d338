// A guided tour (`npm start`): a small backend, an upstream of its own, and much of what can go wrong between them, in six seconds.
// Ctrl+C, at any time: it drains, and still sums up. Once more: it does not wait for anybody.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { once, restartable, Supervisor, type TaskContext } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { subprocessTask } from 'slotvisor/subprocess';
import { workerTask } from 'slotvisor/worker';
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

  await chapter('A schedule faster than its job: while that runs, the next dates are dropped');
  const report = schedule(supervisor, {
    everyMs: 180,
    task: { slot: 'usage-report', run: (ctx) => upstream.get('/usage', ctx.signal) },
  });
  await ctx.sleep(1_000);
  await ctx.untilCanceled(report.stop());

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
  await ctx.untilCanceled(supervisor.slot('exports').idle());

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

  await chapter('A thread that never yields, a process that ignores SIGTERM: ended all the same');
  const frames = new Int32Array(new SharedArrayBuffer(4)); // the thread counts here
  const render = supervisor.submit({
    slot: 'render',
    graceMs: 150,
    run: workerTask(new URL('./tour/endless.mjs', import.meta.url), { workerData: frames }),
  });
  while (Atomics.load(frames, 0) === 0) await ctx.sleep(10);
  await ctx.untilCanceled(render.cancel());
  const counted = Atomics.load(frames, 0);
  await ctx.sleep(50);
  timeline.note('render', 'is gone', `${Atomics.load(frames, 0) - counted} frames since its end`);

  const encode = supervisor.submit({
    slot: 'encode',
    graceMs: 150,
    run: subprocessTask(process.execPath, [fileURLToPath(new URL('./tour/stubborn.mjs', import.meta.url))], {
      onLine: (line) => {
        timeline.note('encode', 'printed', line);
        if (line === 'ready') void encode.cancel();
      },
    }),
  });
  await ctx.untilCanceled(encode.outcome);

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
