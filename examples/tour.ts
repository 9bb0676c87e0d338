// Shows: a small backend, its upstream, and what can go wrong between them, in six seconds.
// Run: npm start. Ctrl+C shuts it down and prints the summary; a second Ctrl+C ends the grace.
// With npm start -- --dashboard it serves its dashboard, and goes on until Ctrl+C.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { once, restartable, Supervisor, type TaskContext } from 'slotvisor';
import { schedule, schedulesOf } from 'slotvisor/cron';
import { dashboard } from 'slotvisor/dashboard';
import { logTo } from 'slotvisor/log';
import { otel } from 'slotvisor/otel';
import { prometheus } from 'slotvisor/prometheus';
import { subprocessTask } from 'slotvisor/subprocess';
import { workerTask } from 'slotvisor/worker';
import { FirstLines } from './tour/first-lines.ts';
import { HeadCount } from './tour/head-count.ts';
import { drawMoves, register, scrape } from './tour/metrics.ts';
import { compress, filesOf, folders } from './tour/repository.ts';
import { drawTrace, inSpan, startTracing } from './tour/spans.ts';
import { syncLoop } from './tour/sync-loop.ts';
import { Timeline } from './tour/timeline.ts';
import { Upstream } from './tour/upstream.ts';

const timeline = new Timeline();
const headCount = new HeadCount();
const upstream = new Upstream();
const output = await mkdtemp(join(tmpdir(), 'slotvisor-tour-'));

const supervisor = new Supervisor({ shutdownGraceMs: 1_000, aroundAttempt: headCount.around });
supervisor.subscribe(timeline);

// What shows an operator how the tasks of a service fare.
const logger = new FirstLines();
startTracing();
logTo(supervisor, logger);
otel(supervisor, { metrics: false });
prometheus(supervisor, { register });
const before = await scrape();
const page = process.argv.includes('--dashboard')
  ? await dashboard(supervisor, { title: 'The tour', schedules: schedulesOf }).serve()
  : undefined;
if (page !== undefined) console.log(`dashboard: ${page.url}`);

/** The tour itself is a task. It waits with the methods of its context, so a shutdown stops it. */
async function tour(ctx: TaskContext): Promise<void> {
  const chapter = async (title: string) => {
    await ctx.sleep(200); // time to read
    timeline.chapter(title);
  };

  await chapter('A poller is restarted, with backoff, until its upstream is up');
  await upstream.start();
  await upstream.crash();
  const poller = supervisor.submit(
    restartable((poll) => upstream.get('/health', poll.signal), {
      slot: 'poller',
      backoff: { firstMs: 100, maxMs: 400 },
      timeoutMs: 1_000, // no answer is a failure too
    }),
  );

  await chapter('Meanwhile: one sync loop per tenant, replaced in flight by newer revisions');
  const startSync = (tenant: string, revision: number) =>
    supervisor.submit({
      slot: `sync:${tenant}`,
      name: `revision ${revision}`,
      admission: 'replace', // stops the old loop and starts after its end
      run: syncLoop(join(output, `${tenant}.json`), revision, timeline),
    });
  startSync('acme', 1);
  startSync('globex', 1);
  await ctx.sleep(200);
  timeline.note('upstream', 'up', await upstream.start());
  await ctx.sleep(200);
  startSync('acme', 2);
  await ctx.sleep(200);
  startSync('globex', 2); // still waiting when 3 comes, so it is rejected
  startSync('globex', 3);
  await poller.value();

  await chapter('A job ignores its signal: the others go on, and the shutdown will name it');
  const download = () => upstream.get('/archive'); // ignores its signal, and the answer never ends
  supervisor.submit(once(download, { slot: 'legacy-import', graceMs: 400 }));

  await chapter('A schedule faster than its job: dates are dropped while the job runs');
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
        await inSpan('write', () => writeFile(join(output, name), data, { signal }));
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

  await chapter('A thread that never yields and a process that ignores SIGTERM are killed');
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

  await chapter('A body throws: its outcome is failed, and the other tasks go on');
  const webhook = supervisor.submit(once(() => decodeURIComponent('%'), { slot: 'webhook' }));
  await webhook.outcome;
  timeline.note('webhook', 'and yet', `${supervisor.snapshot().owners} others run on`);

  if (page === undefined) return;
  await chapter(`The dashboard stays until Ctrl+C: ${page.url}`);
  await ctx.sleep(Infinity);
}

// run() waits for the tour to end, or for Ctrl+C. Then it shuts down everything that still runs.
const { outcomes, shutdown } = await supervisor.run([once(tour, { slot: 'tour' })]);
timeline.summary(supervisor.snapshot(), shutdown, headCount.most);
timeline.seen('What a log got, the first line of each level', logger.draw());
timeline.seen('What a tracer got, one attempt of many', drawTrace());
timeline.seen('What Prometheus got, the counters that moved', drawMoves(before, await scrape()));

await page?.close();
upstream.stop(); // ends the download of the legacy import, so that this process can exit
await rm(output, { recursive: true, maxRetries: 3 }); // an abandoned body may still be writing
if (outcomes[0]?.kind === 'failed') process.exitCode = 1; // the timeline shows why
