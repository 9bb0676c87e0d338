// The guard of a write in the same database as the slots: exact, whatever clocks and pauses do.

import { anObjectWith, fromCaller, nameText, refuse } from '../../kit.ts';
import { forPeople } from './errors.ts';
import { parseSchemaOptions, type SchemaOptions } from './options.ts';
import { identifier } from './schema.ts';

/** What is used of a client of `pg`, or of what wraps it. */
export interface QueryingClient {
  /** Runs a statement with these values. */
  query(text: string, values: unknown[]): PromiseLike<unknown>;
}

/** A slot, and the fence of its lease: the context of a task is one. */
export interface Owned {
  /** The name of the slot. */
  readonly slot: string;
  /** The fence of the lease. */
  readonly fence: bigint;
}

/**
 * Resolves if the lease is the slot's present one, and keeps it so to the end of the open
 * transaction of `client`: the slot gets no other owner before. So at most one owner commits. Call
 * it in each transaction, before or after its writes.
 *
 * A transaction that is left open keeps the slot from the next owner. Give PostgreSQL an
 * `idle_in_transaction_session_timeout`.
 *
 * @throws Error with the code `SV001` if another owner may have the slot. Then PostgreSQL has
 *   aborted the transaction: a commit would roll back.
 * @throws Error if `client` has no open transaction, as far as it says so. OptionError for an
 *   invalid argument.
 */
export function assertOwned(client: QueryingClient, owned: Owned, options: SchemaOptions = {}): Promise<void> {
  const { schema, slot, fence } = fromCaller(assertOwned, () => ({
    ...parseSchemaOptions(options),
    ...readOwned(owned),
    ...checkClient(client),
  }));
  return ask(client, schema, slot, fence);
}

async function ask(client: QueryingClient, schema: string, slot: string, fence: bigint): Promise<void> {
  try {
    await client.query(`select ${identifier(schema)}.assert_owned($1, $2)`, [slot, String(fence)]);
  } catch (error) {
    throw forPeople(error, schema);
  }
  // Asked afterwards: until now the `begin` of the caller may have been under way.
  if (statusOf(client) === 'I')
    throw new Error('assertOwned must be called within a transaction: outside of one it guards nothing');
}

/** `I`: the connection is idle, outside of a transaction. */
function statusOf(client: QueryingClient): unknown {
  const { getTransactionStatus } = client as { getTransactionStatus?: unknown };
  return typeof getTransactionStatus === 'function' ? getTransactionStatus.call(client) : undefined;
}

function checkClient(client: unknown): object {
  anObjectWith('query', 'client', 'must be a client of pg', client);
  if (typeof (client as { totalCount?: unknown }).totalCount === 'number')
    refuse('client', 'must be the client of an open transaction (a pool takes another client each time)', client);
  return {};
}

function readOwned(owned: unknown): Owned {
  const { slot, fence } = (owned ?? {}) as Partial<Owned>;
  if (typeof fence !== 'bigint') refuse('owned.fence', 'must be a bigint, such as the fence of a task context', fence);
  return { slot: nameText('owned.slot', slot), fence: fence as bigint };
}
