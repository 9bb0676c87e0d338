// The dates that schedules of several processes have claimed.

import { anObjectWith, fromCaller, nameText, refuse, SystemClock } from '../../kit.ts';
import type { DateClaims } from '../cron/index.ts';
import { forPeople } from './errors.ts';
import { checkPool, parseSchemaOptions, type SchemaOptions } from './options.ts';
import { type PgPool, runOn } from './pool.ts';
import { identifier } from './schema.ts';

/** How many dates of a schedule are kept. Older ones than these count as claimed. */
const KEPT = 1_000;
const LIMIT_MS = 15_000;
const MAX_BYTES = 2_000;

/**
 * Claims for the schedules of `slotvisor/cron`, in the schema that `migrate` made. A date is
 * claimed by one caller of all processes, once, in whatever order dates are claimed: the latest
 * 1,000 dates of a schedule are kept, and older ones count as claimed.
 *
 * At most once: a process that dies after its claim loses that date, and so does one that does not
 * hear the answer. A call rejects if PostgreSQL or the pool has not answered within 15,000 ms.
 *
 * @throws OptionError for an invalid option.
 */
export function postgresClaims(pool: PgPool, options: SchemaOptions = {}): DateClaims {
  return fromCaller(postgresClaims, () => {
    checkPool(pool);
    const { schema } = parseSchemaOptions(options);
    const clock = new SystemClock();
    const table = `${identifier(schema)}.claim`;
    const run = async (text: string, values: unknown[]): Promise<Record<string, unknown>[]> => {
      try {
        return await runOn(pool, clock, LIMIT_MS, { text, values });
      } catch (error) {
        throw forPeople(error, schema);
      }
    };
    return {
      async claim(schedule, due) {
        const rows = await run(claimText(table), [checkSchedule(schedule), epochMs(due)]);
        return rows.length > 0;
      },
      async last(schedule) {
        const text = `select round(extract(epoch from dates[cardinality(dates)]) * 1000)::float8 as ms
          from ${table} where schedule = $1`;
        const [row] = await run(text, [checkSchedule(schedule)]);
        return row === undefined ? undefined : new Date(row.ms as number);
      },
    };
  });
}

/** One statement: the row of the schedule is locked while it decides. */
const claimText = (table: string): string => `
  insert into ${table} as c (schedule, dates)
    values ($1, array[timestamptz 'epoch' + $2::float8 * interval '1 ms'])
  on conflict (schedule) do update
    set dates = (
      select array_agg(d order by d)
        from (select d from unnest(c.dates || excluded.dates) d order by d desc limit ${KEPT}) latest
    )
    where excluded.dates[1] <> all (c.dates)
      and (cardinality(c.dates) < ${KEPT} or excluded.dates[1] > c.dates[1])
  returning true`;

function epochMs(due: Date): number {
  anObjectWith('getTime', 'due', 'must be a Date', due);
  const ms = due.getTime();
  return Number.isNaN(ms) ? refuse('due', 'must be a valid Date', due) : ms;
}

function checkSchedule(value: string): string {
  const name = nameText('schedule', value);
  if (name.includes('\0') || /\p{Surrogate}/u.test(name) || Buffer.byteLength(name) > MAX_BYTES)
    refuse('schedule', `must be well-formed Unicode without NUL, of at most ${MAX_BYTES} bytes of UTF-8`, value);
  return name;
}
