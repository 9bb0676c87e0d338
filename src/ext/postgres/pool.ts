// What is needed of `pg`: a pool, whose clients run statements. Each use has a limit in time.

import type { Clock } from '../../index.ts';
import { after, field, ignored, refuse } from '../../kit.ts';

/** What is used of a `Pool` of `pg`. It is yours: end it after the shutdown. */
export interface PgPool {
  /** Gives a client to the callback. */
  connect(callback: (error: Error | undefined, client: PgClient | undefined) => void): void;
}

/** What is used of a `PoolClient` of `pg`. */
export interface PgClient {
  /** Runs a statement. */
  query(statement: PgStatement): Promise<{
    /** Its rows. */
    // biome-ignore lint/suspicious/noExplicitAny: the rows of `pg` are of any type
    rows: any[];
  }>;
  /** Hears that the connection broke or ended. */
  on(event: 'error' | 'end', listener: () => void): unknown;
  /** Hears what others notify. */
  on(event: 'notification', listener: (news: PgNotification) => void): unknown;
  /** Ends what `on` began. */
  removeListener(event: 'error', listener: () => void): unknown;
  /**
   * Gives the client back to its pool.
   *
   * @param destroy the connection is ended instead of being used again.
   */
  release(destroy?: boolean): void;
  /** From now on its connection does not keep the process alive. */
  unref?(): void;
}

/** A statement, with a name if `pg` is to prepare it once for each connection. */
export interface PgStatement {
  /** Its SQL, with `$1` and so on for the values. */
  readonly text: string;
  /** The values. */
  // biome-ignore lint/suspicious/noExplicitAny: `pg` has no other type for them
  readonly values?: any[];
  /** Its name on the connection. Absent: it is not prepared. */
  readonly name?: string;
}

/** What a `NOTIFY` of PostgreSQL says. */
export interface PgNotification {
  /** Where it was sent to. */
  readonly channel: string;
  /** What was sent. */
  readonly payload?: string | undefined;
}

export type Row = Record<string, unknown>;

/** The end of the time that a use of the pool may take. */
export class Limit {
  readonly #over: Promise<never>;
  readonly #cancel: () => void;

  constructor(clock: Clock, ms: number) {
    let cancel: () => void = () => {};
    const text = `PostgreSQL, or the pool, has not answered within ${Math.round(ms)} ms`;
    this.#over = ignored(
      new Promise((_, reject) => {
        cancel = after(clock, ms, () => reject(new Error(text)));
      }),
    );
    this.#cancel = cancel;
  }

  /** Rejects if the time is over before `work` has settled. What becomes of it then is ignored. */
  race<T>(work: Promise<T>): Promise<T> {
    return Promise.race([this.#over, work]);
  }

  end(): void {
    this.#cancel();
  }
}

/** A client that broke reports it to the query too. Without a listener `error` ends the process. */
const ignoreErrors = (): void => {};

/**
 * What `connect` gave. A `Client` of `pg` has a `connect` too, as have clients of other engines and
 * wrappers of a pool: they give none, or answer with a promise.
 *
 * @throws OptionError if it is no client.
 */
function clientOf(pool: PgPool, given: PgClient | undefined): PgClient {
  for (const method of ['query', 'release'])
    if (typeof field(given, method) !== 'function')
      refuse('pool', 'must be a Pool of pg, whose connect gives a client to a callback', pool);
  return given as PgClient;
}

/**
 * Takes a client out of the pool. By a callback: a connection may break in the turn in which it
 * comes, and from then on its errors are this caller's.
 */
export async function connect(pool: PgPool): Promise<PgClient> {
  const given = await new Promise<PgClient | undefined>((resolve, reject) => {
    const answer: unknown = pool.connect((error, client) => {
      client?.on('error', ignoreErrors);
      if (error) reject(error);
      else resolve(client);
    });
    // No pool of `pg`. It may have called back before that.
    if (answer !== undefined) Promise.resolve(answer).then(() => resolve(undefined), reject);
  });
  return clientOf(pool, given);
}

/** As `connect`. A client that comes too late goes back at once. */
export async function checkOut(pool: PgPool, limit: Limit): Promise<PgClient> {
  let isLate = false;
  const coming = connect(pool).then((client) => {
    if (isLate) giveBack(client);
    return client;
  });
  try {
    return await limit.race(coming);
  } catch (error) {
    isLate = true;
    throw error;
  }
}

/** @param destroy the connection is ended instead of being used again. */
export function giveBack(client: PgClient, destroy = false): void {
  client.removeListener('error', ignoreErrors);
  client.release(destroy);
}

/**
 * Runs one statement on a client of the pool. After an error the client is not used again: its
 * statement may still run.
 */
export async function runOn(pool: PgPool, clock: Clock, ms: number, statement: PgStatement): Promise<Row[]> {
  const limit = new Limit(clock, ms);
  try {
    const client = await checkOut(pool, limit);
    let isSound = false;
    try {
      const { rows } = await limit.race(client.query(statement));
      isSound = true;
      return rows;
    } finally {
      giveBack(client, !isSound);
    }
  } finally {
    limit.end();
  }
}
