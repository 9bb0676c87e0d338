// Supervisors without work that are not shut down. The process must exit by itself.

import { Supervisor } from 'slotvisor';

const supervisor = new Supervisor({
  concurrency: 2,
  shutdownGraceMs: 3_600_000,
  slots: { configured: { queueLimit: 5 } },
  defaults: { timeoutMs: 3_600_000, stallMs: 3_600_000, deadlineMs: 3_600_000, queueTimeoutMs: 3_600_000 },
});
supervisor.subscribe(() => {});
void supervisor.events().next();
supervisor.slot('paused').pause();
const parent = new AbortController();

const ends = [
  supervisor.submit({ slot: 'a', signal: parent.signal, run: () => 'value' }),
  supervisor.submit({ slot: 'a', run: (ctx) => ctx.sleep(1) }),
  supervisor.submit({ slot: 'b', admission: 'replace', run: (ctx) => ctx.untilCanceled(new Promise(() => {})) }),
  supervisor.submit({ slot: 'b', admission: 'replace', run: async () => 'value' }),
  supervisor.submit({ slot: 'c', backoff: { firstMs: 30, maxMs: 30 }, run: failOnce() }),
];

function failOnce(): () => void {
  let failed = false;
  return () => {
    if (failed) return;
    failed = true;
    throw new Error('once');
  };
}

const kinds = (await Promise.all(ends.map((end) => end.outcome))).map(({ kind }) => kind);
console.log(kinds.join(' '));
await supervisor.idle();

// A submission that waits for the rate and is then canceled, or shut down, leaves no timer either.
const rated = new Supervisor({ rate: { limit: 1, intervalMs: 3_600_000 } });
const [inTime, tooMany] = rated.submitAll([{ run: () => 'value' }, { run: () => 'value' }]);
await inTime.outcome;
await tooMany.cancel();
const shut = new Supervisor({ rate: { limit: 1, intervalMs: 3_600_000 } });
shut.submitAll([{ run: () => 'value' }, { run: () => 'value' }]);
await shut.shutdown();
await new Promise((resolve) => setImmediate(resolve));

const holds = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind === 'Immediate');
console.log(`holds: ${JSON.stringify(holds)}`);
process.on('exit', (code) => console.log(`exit ${code}, ${supervisor.snapshot().phase}`));
