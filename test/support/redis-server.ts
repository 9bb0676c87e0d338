// A Redis server of its own, by the `redis-server` on the PATH.

import { spawnSync } from 'node:child_process';
import { freePort, LocalServer, type Program, type ServerOptions } from './local-server.ts';

/** This machine has Redis installed. */
export function isRedisHere(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

export class RedisServer extends LocalServer {
  /** `flags` such as `['--appendonly', 'no']` go before those that it has. */
  static async start(options: ServerOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), { fast: 'SIGTERM', immediate: 'SIGKILL' }, options);
    try {
      await server.start();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  url(database = 0): string {
    return `redis://:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  protected override program(): Program {
    const settings = {
      bind: '127.0.0.1',
      port: `${this.port}`,
      requirepass: this.password,
      dir: this.dir,
      save: '',
      appendonly: 'yes', // with its writes in the file before its answers, but not synced
      appendfsync: 'no',
    };
    return {
      command: 'redis-server',
      args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
      ready: /Ready to accept connections/,
    };
  }
}
