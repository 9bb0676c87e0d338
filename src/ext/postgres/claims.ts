// The dates that schedules of several processes have claimed.

import { fromCaller, SystemClock } from '../../kit.ts';
import type { DateClaims } from '../cron/index.ts';
import { type ClaimStore, fleetClaims } from '../fleet/index.ts';
import { forPeople } from './errors.ts';
import { checkPool, parseSchemaOptions, type SchemaOptions } from './options.ts';
import { type PgPool, type Row, runOn } from './pool.ts';
import { identifier } from './schema.ts';

/** How many dates of a schedule are kept. Older ones than these count as claimed. */
const KEPT = 1_000;
const LIMIT_MS = 5_000;

/**
 * Claims for the schedules of `slotvisor/cron`, in the schema that `migrate` made. A date is
 * claimed by one caller of all processes, once, in whatever order dates are claimed: the latest
 * 1,000 dates of a schedule are kept, and older ones count as claimed.
 *
 * At most once: a process that dies after its claim loses that date. A claim whose answer was lost
 * is repeated by the schedule, and has its answer then, unless another date was claimed meanwhile.
 * A call rejects if PostgreSQL or the pool has not answered within 5,000 ms.
 *
 * @throws OptionError for an invalid option.
 */
export function postgresClaims(pool: PgPool, options: SchemaOptions = {}): DateClaims {
  return fromCaller(postgresClaims, () => {
    checkPool(pool);
    return fleetClaims(new PostgresClaims(pool, parseSchemaOptions(options).schema));
  });
}

class PostgresClaims implements ClaimStore {
  readonly #pool: PgPool;
  readonly #schema: string;
  readonly #clock = new SystemClock();

  constructor(pool: PgPool, schema: string) {
    this.#pool = pool;
    this.#schema = schema;
  }

  async claim(schedule: string, dueMs: number, mark: string): Promise<boolean> {
    return (await this.#run(claimText(this.#table), [schedule, dueMs, mark])).length > 0;
  }

  async last(schedule: string): Promise<number | undefined> {
    const text = `select round(extract(epoch from dates[cardinality(dates)]) * 1000)::float8 as ms
      from ${this.#table} where schedule = $1`;
    const [row] = await this.#run(text, [schedule]);
    return row?.ms as number | undefined;
  }

  get #table(): string {
    return `${identifier(this.#schema)}.claim`;
  }

  async #run(text: string, values: unknown[]): Promise<Row[]> {
    try {
      return await runOn(this.#pool, this.#clock, LIMIT_MS, { text, values });
    } catch (error) {
      throw forPeople(error, this.#schema);
    }
  }
}

/** One statement: the row of the schedule is locked while it decides. */
const claimText = (table: string): string => `
  insert into ${table} as c (schedule, dates, mark)
    values ($1, array[timestamptz 'epoch' + $2::float8 * interval '1 ms'], $3)
  on conflict (schedule) do update
    set mark = excluded.mark, dates = (
      select array_agg(d order by d)
        from (select distinct d from unnest(c.dates || excluded.dates) d order by d desc limit ${KEPT}) latest
    )
    where c.mark = excluded.mark
      or excluded.dates[1] <> all (c.dates)
        and (cardinality(c.dates) < ${KEPT} or excluded.dates[1] > c.dates[1])
  returning true`;
