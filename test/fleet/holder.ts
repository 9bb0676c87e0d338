// A process that holds the slot `s`, and asks before each step whether it may take it. Once it may
// not, it writes all the same, and prints what becomes of that.

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Supervisor } from 'slotvisor';
import { assertOwned, postgresLeases } from 'slotvisor/postgres';
import { WRITE } from '../soak/fleet/order.ts';

const [url, schema, ttlMs] = process.argv.slice(2) as [string, string, string];
const pool = new pg.Pool({ connectionString: url });
pool.on('error', () => {});
const resource = new pg.Pool({ connectionString: url, options: `-c search_path=${schema}` });
resource.on('error', () => {});
const supervisor = new Supervisor({ leases: postgresLeases(pool, { schema, ttlMs: Number(ttlMs) }) });

supervisor.submit({
  slot: 's',
  restart: 'never',
  run: async (ctx) => {
    console.log(`holds ${ctx.fence}`);
    while (!ctx.canceled) {
      console.log('step');
      await sleep(10);
    }
    console.log('may not');
    const { rowCount } = await resource.query(WRITE, ['s', `${ctx.fence}`]);
    console.log(`writes ${rowCount}`);
    const client = await pool.connect();
    try {
      await client.query('begin');
      await assertOwned(client, ctx, { schema });
      console.log('owns');
    } catch (error) {
      console.log(`is refused with ${(error as { code?: unknown }).code ?? (error as Error).message}`);
    }
    await client.query('rollback');
    client.release();
    console.log('done');
  },
});
