import { Supervisor } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { postgresClaims } from 'slotvisor/postgres';
import { VirtualClock } from 'slotvisor/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { until } from './until.ts';
import { World } from './world.ts';

let world: World;

beforeEach(async () => {
  world = await World.start();
});

const make = () => postgresClaims(world.pool, { schema: world.schema });
const at = (minute: number) => new Date(Date.UTC(2040, 0, 1, 0, minute));

describe('a date', () => {
  test('is claimed once, by one of several processes at once, 100 dates', async () => {
    const processes = [make(), make(), make()];
    const won = Array.from({ length: 100 }, () => 0);
    await Promise.all(
      processes.map(async (claims) => {
        for (let i = 0; i < 100; i++) if (await claims.claim('s', at(i))) won[i] = (won[i] as number) + 1;
      }),
    );
    expect(won).toEqual(Array.from({ length: 100 }, () => 1));
    expect(await processes[0]?.last('s')).toEqual(at(99));
  });

  test('is claimed once in whatever order dates are claimed', async () => {
    const claims = make();
    expect([await claims.claim('s', at(5)), await claims.claim('s', at(3)), await claims.claim('s', at(4))]).toEqual([
      true,
      true,
      true,
    ]);
    expect([await claims.claim('s', at(3)), await claims.claim('s', at(5)), await claims.last('s')]).toEqual([
      false,
      false,
      at(5),
    ]);
  });

  test('is claimed once by callers at once', async () => {
    const claims = make();
    const answers = await Promise.all(Array.from({ length: 50 }, () => claims.claim('s', at(1))));
    expect(answers.filter((isOurs) => isOurs).length).toBe(1);
  });

  test('counts as claimed when 1,000 later ones were', async () => {
    const claims = make();
    await claims.claim('s', at(0));
    await world.sql(
      `update %.claim set dates = (select array_agg($1::timestamptz + n * interval '1 min' order by n) from generate_series(1, 1000) n)`,
      [at(0)],
    );
    expect([
      await claims.claim('s', at(0)),
      await claims.claim('s', at(1_001)),
      await claims.claim('s', at(1)),
    ]).toEqual([false, true, false]);
    expect(await world.sql('select cardinality(dates) n from %.claim')).toEqual([{ n: 1_000 }]);
  });

  test('keeps its milliseconds, early and late in time', async () => {
    const claims = make();
    for (const ms of [-1, 0, 1, 2_208_988_800_123, Date.UTC(9999, 11, 31, 23, 59, 59, 999)]) {
      await claims.claim(`s${ms}`, new Date(ms));
      expect(await claims.last(`s${ms}`)).toEqual(new Date(ms));
      expect(await claims.claim(`s${ms}`, new Date(ms + 1))).toBe(true);
    }
  });

  test('of one schedule is apart from those of others', async () => {
    const claims = make();
    expect([await claims.claim('a', at(1)), await claims.claim("b '", at(1)), await claims.last('c')]).toEqual([
      true,
      true,
      undefined,
    ]);
  });
});

describe('a claim', () => {
  /** Answers of PostgreSQL are lost, so many times. */
  const losing = (times: number) =>
    postgresClaims(
      {
        connect: (callback) =>
          world.pool.connect((error, client) => {
            if (client === undefined) return callback(error, undefined);
            const query = client.query.bind(client) as (...given: unknown[]) => Promise<never>;
            client.query = (async (...given: unknown[]) => {
              const answer = await query(...given);
              if (times-- > 0) throw new Error('the answer was lost');
              return answer;
            }) as never;
            callback(undefined, client);
          }),
      },
      { schema: world.schema },
    );

  test('whose answer was lost has it when it is repeated, once', async () => {
    const claims = losing(2);
    await expect(claims.claim('s', at(1))).rejects.toThrow('lost');
    await expect(claims.claim('s', at(1))).rejects.toThrow('lost');
    expect([await claims.claim('s', at(1)), await claims.claim('s', at(1))]).toEqual([true, false]);
  });

  test('whose answer was lost is not given to another date, nor to another process', async () => {
    const claims = losing(1);
    await expect(claims.claim('s', at(1))).rejects.toThrow('lost');
    expect([await make().claim('s', at(1)), await claims.claim('s', at(2)), await claims.claim('s', at(1))]).toEqual([
      false,
      true,
      false,
    ]);
  });

  test('refuses names and dates that PostgreSQL cannot keep', async () => {
    const claims = make();
    for (const name of ['', 'a\0b', 'a\ud800', 'é'.repeat(1_001)])
      await expect(claims.claim(name, at(1))).rejects.toThrow(/^schedule must/);
    await expect(claims.last('a\0b')).rejects.toThrow(/^schedule must/);
    await expect(claims.claim('s', new Date(NaN))).rejects.toThrow(/^due must be a valid Date/);
    await expect(claims.claim('s', 5 as never)).rejects.toThrow(/^due must be a Date/);
  });

  test('names a schema without tables', async () => {
    await expect(postgresClaims(world.pool, { schema: 'nowhere' }).last('s')).rejects.toThrow(/has no tables/);
  });
});

test('two processes run each date of a schedule once', async () => {
  const clock = new VirtualClock({ wallMs: at(0).getTime() });
  const ran: string[] = [];
  const schedules = ['a', 'b'].map((host) =>
    schedule(new Supervisor({ clock }), {
      name: 'report',
      claims: make(),
      cron: '* * * * *',
      timezone: 'UTC',
      task: { slot: 'report', run: (_ctx, due) => void ran.push(`${due.toISOString().slice(11, 16)} ${host}`) },
    }),
  );
  for (let minute = 1; minute <= 5; minute++) {
    await until(async () => {
      await clock.advance(0);
      return schedules.every(({ totals }) => totals.pending === 0);
    });
    await clock.advance(60_000);
  }
  await until(() => schedules.every(({ totals }) => totals.pending === 0));
  expect(ran.map((line) => line.slice(0, 5)).sort()).toEqual(['00:01', '00:02', '00:03', '00:04', '00:05']);
  expect(schedules.reduce((sum, { totals }) => sum + totals.elsewhere, 0)).toBe(5);
  await Promise.all(schedules.map((one) => one.stop()));
});
