// What is used of a client of Redis: `send` and `subscribe`. ioredis and node-redis do both in
// their own ways. Neither limits the time of a call by default, so calls have a limit here.

import type { Clock } from '../../index.ts';
import { after, ignore, ignored, refuse } from '../../kit.ts';
import { checkEviction, checkServer, forPeople, LastingError } from './errors.ts';
import type { Script } from './script.ts';

/** What is used of a client of `ioredis`. */
export interface IoRedisClient {
  /** How its connection is. `end`: it was closed. */
  readonly status: string;
  /** Sends a command. */
  call(command: string, args: string[]): Promise<unknown>;
  /** Makes a client of the same server. */
  duplicate(options?: object): unknown;
}

/** What is used of a client of `redis` (node-redis). */
export interface NodeRedisClient {
  /** Whether `connect` was called, and it was not closed. */
  readonly isOpen: boolean;
  /** Sends a command. */
  sendCommand(args: string[]): Promise<unknown>;
  /** Makes a client of the same server. */
  duplicate(options?: object): unknown;
  /** From now on its connection does not keep the process alive. */
  unref(): void;
}

/** A client of `ioredis`, or of `redis` (node-redis) once its `connect()` was called. */
export type RedisClient = IoRedisClient | NodeRedisClient;

export interface Sender {
  send(command: string, args: readonly string[]): Promise<unknown>;
}

/** A client of either kind, used in one way. */
export interface Port extends Sender {
  /** Opens a connection of its own, which hears a channel until `close`. */
  dial(): Line;
}

export interface Line {
  /**
   * @param broken called after each reconnection, once the channel is heard again.
   */
  subscribe(channel: string, hear: (message: string) => void, broken: () => void): Promise<void>;
  close(): void;
}

/** @throws OptionError for an object that is no client of either kind. */
export function portOf(client: RedisClient): Port {
  const has = (key: string): boolean =>
    typeof client === 'object' &&
    client !== null &&
    typeof (client as never as Record<string, unknown>)[key] === 'function';
  if (has('call') && has('duplicate') && (client as { isCluster?: unknown }).isCluster !== true)
    return ioredisPort(client as IoRedisClient);
  if (has('sendCommand') && has('duplicate') && has('unref')) return nodeRedisPort(client as NodeRedisClient);
  return refuse('client', 'must be a client of ioredis or redis for one server (no cluster, pool or sentinel)', client);
}

function ioredisPort(client: IoRedisClient): Port {
  return {
    async send(command, args) {
      if (client.status === 'end')
        throw new LastingError('the client of Redis has been closed: close it after the supervisor was shut down');
      return client.call(command, [...args]);
    },
    dial() {
      // A client may be set to refuse commands while it connects, which is no use here. Where it
      // subscribes again by itself, the end of the connection is an unhandled rejection.
      const options = { enableOfflineQueue: true, maxRetriesPerRequest: null, autoResubscribe: false };
      const line = client.duplicate(options) as IoRedisLine;
      const failed = failureOf(line);
      line.on('connect', () => line.stream?.unref?.());
      return {
        async subscribe(channel, hear, broken) {
          line.on('message', (_channel, message) => hear(String(message)));
          await Promise.race([line.subscribe(channel), failed]);
          line.on('ready', () => void ignore(line.subscribe(channel).then(broken)));
        },
        close: () => line.disconnect(),
      };
    },
  };
}

interface IoRedisLine {
  readonly stream?: { unref?(): void };
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  subscribe(channel: string): Promise<unknown>;
  disconnect(): void;
}

function nodeRedisPort(client: NodeRedisClient): Port {
  return {
    async send(command, args) {
      if (!client.isOpen)
        throw new LastingError(
          'the client of Redis is not connected: await client.connect() before the first submission',
        );
      return client.sendCommand([command, ...args]);
    },
    dial() {
      const line = client.duplicate() as NodeRedisLine;
      const failed = failureOf(line);
      line.unref();
      return {
        async subscribe(channel, hear, broken) {
          await Promise.race([line.connect(), failed]);
          await line.subscribe(channel, (message) => hear(String(message)));
          line.on('ready', broken); // the client has subscribed again before that
        },
        close() {
          if (line.isOpen) void ignore(Promise.resolve((line.destroy ?? line.disconnect).call(line)));
        },
      };
    },
  };
}

interface NodeRedisLine extends NodeRedisClient {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  /** Since version 5. */
  destroy?(): void;
  disconnect(): Promise<unknown> | undefined;
}

/**
 * Rejects with the first error of a connection: the client itself would try again without end.
 * Later errors are ignored, since the client connects again, and `broken` is called.
 */
function failureOf(line: { on(event: 'error', listener: (error: unknown) => void): unknown }): Promise<never> {
  return ignored(new Promise((_, reject) => line.on('error', reject)));
}

/** Settles as `work` does, with errors for people, and rejects if that takes longer than `ms`. */
export async function within<T>(clock: Clock, ms: number, what: string, work: Promise<T>): Promise<T> {
  let stop = (): void => {};
  const limit = new Promise<never>((_, reject) => {
    const text = `Redis has not answered within ${Math.round(ms)} ms (${what})`;
    stop = after(clock, ms, () => reject(new Error(text)));
  });
  try {
    return await Promise.race([work, limit]);
  } catch (error) {
    throw forPeople(error);
  } finally {
    stop();
  }
}

/** Runs a script that Redis may know already. */
export async function run(
  sender: Sender,
  { sha, text }: Script,
  key: string,
  args: readonly string[],
): Promise<unknown> {
  try {
    return await sender.send('EVALSHA', [sha, '1', key, ...args]);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return sender.send('EVAL', [text, '1', key, ...args]);
  }
}

/** Rejects for a server that cannot keep leases and claims. */
export async function checkFit(port: Port, clock: Clock, limitMs: number, allowEviction: boolean): Promise<void> {
  // One section a call: Redis 6 takes no more.
  const info = async (section: string) => String(await within(clock, limitMs, 'INFO', port.send('INFO', [section])));
  checkServer(await info('server'));
  if (!allowEviction) checkEviction(await info('memory'));
}
