// The servers of one test run: a PostgreSQL and a Redis, started when a test file of the run is
// among those that need them.

import { relative } from 'node:path';
import type { TestProject } from 'vitest/node';
import type { LocalServer } from './support/local-server.ts';
import { PostgresServer } from './support/postgres-server.ts';
import { isRedisHere, RedisServer } from './support/redis-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the PostgreSQL of this run is. `undefined` in a run without a file that needs it. */
    postgresUrl: string | undefined;
    /** Where the Redis of this run is. `undefined` where none is installed, too. */
    redisUrl: string | undefined;
  }
}

const NEED_SERVERS = /^test\/(?:ext\/(?:fleet|postgres|redis)|fleet)\//;

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const files = project.vitest.state.getPaths().map((path) => relative(project.config.root, path));
  if (!files.some((file) => NEED_SERVERS.test(file.replaceAll('\\', '/')))) return undefined;

  const started: LocalServer[] = [];
  const urlOf = async (starting: Promise<PostgresServer | RedisServer>): Promise<string> => {
    const server = await starting;
    started.push(server);
    return server.url();
  };
  const removeAll = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.remove()));
  };

  const { DATABASE_URL, REDIS_URL, REQUIRE_REDIS } = process.env;
  try {
    project.provide('postgresUrl', DATABASE_URL ?? (await urlOf(PostgresServer.start())));
    if (REDIS_URL !== undefined || isRedisHere())
      project.provide('redisUrl', REDIS_URL ?? (await urlOf(RedisServer.start())));
    else if (REQUIRE_REDIS === '1')
      throw new Error('REQUIRE_REDIS is 1, and no redis-server is on the PATH: install it, or set REDIS_URL');
    else console.log('The tests with Redis are left out: install redis-server, or set REDIS_URL, to run them.');
  } catch (error) {
    await removeAll();
    throw error;
  }
  return removeAll;
}
