// Shows: two processes with the same schedule. Each date runs in one of them. One process is killed,
// and the dates go on in the other one.
// Run: DATABASE_URL=postgres://localhost/postgres npx tsx examples/fleet-cron.ts

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Supervisor } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { migrate, postgresClaims } from 'slotvisor/postgres';

const schema = 'slotvisor_cron'; // of this example; without the option it is `slotvisor`
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
pool.on('error', () => {}); // an idle connection broke, and the pool makes another one

const supervisor = new Supervisor();

// Every process makes the same schedule. Before a date is submitted, one of them claims it. A run
// that is longer than its period would overlap with the next one in another process: give the
// supervisor `postgresLeases` against that.
function makeReports(report: (dueMs: number) => void) {
  schedule(supervisor, {
    name: 'report',
    claims: postgresClaims(pool, { schema }),
    cron: '* * * * * *', // every second
    timezone: 'UTC',
    task: { slot: 'report', run: (_, due) => report(due.getTime()) },
  });
}

if (process.argv[2] === 'first') {
  makeReports((dueMs) => process.send?.(dueMs));
} else {
  await migrate(pool, { schema });
  const dates: number[] = []; // of both processes, one entry a run
  const first = fork(import.meta.filename, ['first']);
  first.on('message', (dueMs: number) => dates.push(dueMs));
  const [startMs] = await once(first, 'message');
  console.log('first: makes the reports');

  let made = 0; // in this process
  makeReports((dueMs) => {
    made += 1;
    dates.push(dueMs);
  });
  while (![1_000, 2_000].every((ms) => dates.includes(startMs + ms))) await sleep(10);
  console.log('both: each of the next two dates was made');

  first.kill('SIGKILL');
  await once(first, 'close');
  console.log('first: killed');
  const before = made;
  while (made === before) await sleep(10);
  console.log('second: makes the reports');

  await supervisor.shutdown();
  console.log(`dates that ran twice: ${dates.length - new Set(dates).size}`);
  await pool.query(`drop schema ${schema} cascade`);
  await pool.end();
}
