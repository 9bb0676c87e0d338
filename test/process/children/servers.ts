// Starts a PostgreSQL and, with the argument `redis`, a Redis, prints where they are, and leaves
// them running.

import { PostgresServer } from '../../support/postgres-server.ts';
import { RedisServer } from '../../support/redis-server.ts';

const servers = [await PostgresServer.start(), ...(process.argv.includes('redis') ? [await RedisServer.start()] : [])];
console.log(`started ${JSON.stringify(servers.map(({ dir, port }) => ({ dir, port })))}`);
