// The connection of the beats and the news. It is taken out of the pool for as long as there is a
// session: a pool that is used up must stop no beat. A connection that fails is given up, and the
// next statement takes another one. It runs one statement at a time, and keeps no process alive.

import type { Clock } from '../../index.ts';
import { checkOut, Limit, type PgClient, type PgPool, type PgStatement, type Row } from './pool.ts';

/** Where the news of a channel go. */
export interface Listener {
  hear(payload: string): void;
  /** News may have been lost. */
  broken(): void;
}

export class Line {
  readonly #pool: PgPool;
  readonly #clock: Clock;
  readonly #listeners = new Map<string, Listener>();
  #client: PgClient | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(pool: PgPool, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  /** Runs a statement after those before it. The limit begins with its turn. */
  run(statement: PgStatement, ms: number): Promise<Row[]> {
    const turn = this.#last.then(() => this.#run(statement, ms));
    this.#last = turn.catch(() => {});
    return turn;
  }

  /**
   * Listens to a channel, and goes on to do so on each later connection. Its name needs no quotes.
   */
  async listen(channel: string, listener: Listener, ms: number): Promise<void> {
    this.#listeners.set(channel, listener);
    try {
      await this.run({ text: `listen ${channel}` }, ms);
    } catch (error) {
      this.#listeners.delete(channel);
      throw error;
    }
  }

  /** Hears no more of a channel. The connection listens on until `hangUp`. */
  ignore(channel: string): void {
    this.#listeners.delete(channel);
  }

  /** Ends the connection. A later statement takes another one. */
  hangUp(): void {
    this.#drop(this.#client);
  }

  close(): void {
    this.#isClosed = true;
    this.#listeners.clear();
    this.hangUp();
  }

  async #run(statement: PgStatement, ms: number): Promise<Row[]> {
    const limit = new Limit(this.#clock, ms);
    try {
      const client = this.#client ?? (await this.#dial(limit));
      const { rows } = await limit.race(client.query(statement));
      return rows;
    } catch (error) {
      this.#drop(this.#client);
      throw error;
    } finally {
      limit.end();
    }
  }

  async #dial(limit: Limit): Promise<PgClient> {
    const client = await checkOut(this.#pool, limit);
    const drop = (): void => this.#drop(client);
    client.on('error', drop);
    client.on('end', drop);
    client.on('notification', ({ channel, payload = '' }) => this.#listeners.get(channel)?.hear(payload));
    client.unref?.();
    this.#client = client;
    if (this.#isClosed) throw new Error('the lease store is closed');
    const channels = [...this.#listeners.keys()];
    if (channels.length > 0)
      await limit.race(client.query({ text: channels.map((channel) => `listen ${channel};`).join(' ') }));
    return client;
  }

  #drop(client: PgClient | undefined): void {
    if (client === undefined || this.#client !== client) return;
    this.#client = undefined;
    client.release(true);
    for (const listener of this.#listeners.values()) listener.broken();
  }
}
