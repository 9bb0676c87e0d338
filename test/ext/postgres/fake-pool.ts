// A pool of `pg` whose clients answer as a test says.

import { EventEmitter } from 'node:events';
import type { PgClient, PgPool, PgStatement } from '../../../src/ext/postgres/pool.ts';

type Answer = (statement: PgStatement) => Promise<{ rows: object[] }>;

export class FakeClient extends EventEmitter implements PgClient {
  readonly asked: string[] = [];
  /** How it was given back. */
  readonly released: ('whole' | 'destroyed')[] = [];
  isReferenced = true;
  /** The most statements that were under way at once. */
  most = 0;
  #underWay = 0;
  answer: Answer;

  constructor(answer: Answer) {
    super();
    this.answer = answer;
  }

  async query(statement: PgStatement): Promise<{ rows: object[] }> {
    this.asked.push(statement.text);
    this.#underWay += 1;
    this.most = Math.max(this.most, this.#underWay);
    try {
      return await this.answer(statement);
    } finally {
      this.#underWay -= 1;
    }
  }

  release(destroy = false): void {
    if (this.released.length > 0) throw new Error('a client was released twice');
    this.released.push(destroy ? 'destroyed' : 'whole');
  }

  unref(): void {
    this.isReferenced = false;
  }
}

export class FakePool implements PgPool {
  readonly clients: FakeClient[] = [];
  /** What each next client answers. */
  answer: Answer = async () => ({ rows: [{ one: 1 }] });
  /** Awaited before each client is there. */
  dial: () => Promise<void> = async () => {};

  connect(callback: Parameters<PgPool['connect']>[0]): void {
    this.dial().then(
      () => {
        const client = new FakeClient((statement) => this.answer(statement));
        this.clients.push(client);
        callback(undefined, client);
      },
      (error: Error) => callback(error, undefined),
    );
  }

  client(i: number): FakeClient {
    const client = this.clients[i];
    if (client === undefined) throw new Error(`there is no client ${i}`);
    return client;
  }
}

/** A call that waits until the test lets it go on. */
export function gate(): { pass: () => Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { pass: () => opened, open: () => open() };
}
