import { fromCaller } from '../../kit.ts';
import { type FleetLeases, fleetLeases } from '../fleet/index.ts';
import { checkPool, checkRoom, type PostgresOptions, parsePostgresOptions } from './options.ts';
import type { PgPool } from './pool.ts';
import { PostgresStore } from './store.ts';

/**
 * The lease store of one supervisor, in the schema that `migrate` made. It calls nothing before the
 * first submission. While slots are held or asked for it keeps one connection of the pool, for the
 * beats. Besides it uses up to six at once, for one statement each, up to four more while
 * transactions of others keep rows locked, and one for each `ctx.ensureOwned()` and each `look()`
 * that is under way.
 *
 * @throws OptionError for an invalid option, and for a pool with a `max` of 1.
 */
export function postgresLeases(pool: PgPool, options: PostgresOptions = {}): FleetLeases {
  return fromCaller(postgresLeases, () => {
    checkRoom(checkPool(pool));
    const { schema, listen, ...fleet } = parsePostgresOptions(options);
    const { ttlMs, clock } = fleet;
    return fleetLeases(new PostgresStore(pool, { schema, listen, ttlMs, clock }), fleet);
  });
}
