// Shows: a writer is frozen between its look at the lease and its write, for longer than its lease.
// Another process writes meanwhile. Then the first one wakes, and both of its writes are refused.
// Run: DATABASE_URL=postgres://localhost/postgres npx tsx examples/fenced-writer.ts

import { fork } from 'node:child_process';
import { once } from 'node:events';
import pg from 'pg';
import { Supervisor, type TaskContext } from 'slotvisor';
import { assertOwned, migrate, postgresLeases } from 'slotvisor/postgres';

const schema = 'slotvisor_fenced'; // of this example; without the option it is `slotvisor`
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
pool.on('error', () => {}); // an idle connection broke, and the pool makes another one

const supervisor = new Supervisor({ leases: postgresLeases(pool, { schema, ttlMs: 3_000 }) });

function write<T>(run: (ctx: TaskContext) => Promise<T>) {
  return supervisor.submit({ slot: 'report', restart: 'never', run }).outcome;
}

// Refused if a later owner has written. The fence can guard any resource that can compare numbers.
async function writeFenced(ctx: TaskContext, text: string): Promise<boolean> {
  const update = `update ${schema}.report set text = $1, fence = $2 where fence <= $2`;
  const { rowCount } = await pool.query(update, [text, ctx.fence]);
  return rowCount === 1;
}

// Refused if another owner may have the slot, also if that has not written. No column is needed, but
// the resource must be in the database of the leases.
async function writeOwned(ctx: TaskContext, text: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await assertOwned(client, ctx, { schema });
    await client.query(`update ${schema}.report set text = $1`, [text]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

if (process.argv[2] === 'first') {
  await write(async (ctx) => {
    ctx.throwIfCanceled(); // the lease is held
    await new Promise((sent) => process.send?.('looked', sent));
    process.kill(process.pid, 'SIGSTOP'); // as a pause of its machine would; and here it wakes
    console.log(`first: its fenced write changed the row: ${await writeFenced(ctx, 'from the first')}`);
    await writeOwned(ctx, 'from the first').catch(({ code }) => console.log(`first: assertOwned threw ${code}`));
  });
  await supervisor.shutdown();
  await pool.end();
  process.disconnect();
} else {
  await pool.query(`drop schema if exists ${schema} cascade`); // of a run that was interrupted
  await migrate(pool, { schema });
  await pool.query(`create table ${schema}.report (text text, fence bigint)`);
  await pool.query(`insert into ${schema}.report values ('none', 0)`);
  const first = fork(import.meta.filename, ['first']);
  await once(first, 'message');
  console.log('first: owns the slot, and is frozen before its write');

  await write(async (ctx) => {
    console.log(`second: its fenced write changed the row: ${await writeFenced(ctx, 'from the second')}`);
    await writeOwned(ctx, 'from the second');
  });
  first.kill('SIGCONT');
  await once(first, 'close');
  const { rows } = await pool.query(`select text from ${schema}.report`);
  console.log(`the text is ${rows[0].text}`);

  await supervisor.shutdown();
  await pool.query(`drop schema ${schema} cascade`);
  await pool.end();
}
