/**
 * `slotvisor/postgres`: slots that several processes share, in a PostgreSQL database.
 *
 * @privateRemarks
 * Reading order: `schema.ts` (tables and functions: all that is decided is decided there),
 * `store.ts` (how they are called), `together.ts` (many calls as one statement), `line.ts` (the
 * connection of the beats), `look.ts` (who holds what), `assert-owned.ts` (the guard of a write),
 * `claims.ts` (one run a date).
 *
 * @module slotvisor/postgres
 * @document README.md
 */

export { assertOwned, type Owned, type QueryingClient } from './assert-owned.ts';
export { postgresClaims } from './claims.ts';
export { postgresLeases } from './leases.ts';
export { migrate } from './migrate.ts';
export type { PostgresOptions, SchemaOptions } from './options.ts';
export type { PgClient, PgNotification, PgPool, PgStatement } from './pool.ts';
