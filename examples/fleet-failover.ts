// Shows: two processes, and one consumer that must run in one of them. The first process is killed.
// The second one takes over, with a greater fence.
// Run: DATABASE_URL=postgres://localhost/postgres npx tsx examples/fleet-failover.ts

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Supervisor } from 'slotvisor';
import { migrate, postgresLeases } from 'slotvisor/postgres';

const schema = 'slotvisor_failover'; // of this example; without the option it is `slotvisor`
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
pool.on('error', () => {}); // an idle connection broke, and the pool makes another one

// A killed process gives nothing back. Its slots are free `ttlMs` after its last beat. The default
// is 15 s; a process that ends by a shutdown hands its slots over at once.
const supervisor = new Supervisor({ leases: postgresLeases(pool, { schema, ttlMs: 3_000 }) });

// Every process submits the same task. One of them runs it, and the others wait in line.
function consume(began: (fence: bigint) => void) {
  return supervisor.submit({
    slot: 'consumer',
    run: async (ctx) => {
      began(ctx.fence);
      for (;;) await ctx.sleep(50); // messages come in here
    },
  });
}

if (process.argv[2] === 'first') {
  consume((fence) => process.send?.(`${fence}`));
} else {
  await migrate(pool, { schema });
  const first = fork(import.meta.filename, ['first']);
  const [earlier] = await once(first, 'message');
  console.log('first: runs');

  let fence: bigint | undefined;
  const second = consume((granted) => {
    fence = granted;
  });
  console.log(`second: ${second.admission}`);
  await sleep(500);
  console.log(`second: runs beside the first: ${fence !== undefined}`);

  first.kill('SIGKILL');
  console.log('first: killed');
  while (fence === undefined) await sleep(10);
  console.log(`second: runs, with a greater fence: ${fence > BigInt(earlier)}`);

  await supervisor.shutdown();
  await pool.query(`drop schema ${schema} cascade`);
  await pool.end();
}
