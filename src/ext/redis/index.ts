/**
 * `slotvisor/redis`: slots that several processes share, and dates that one of them runs, kept in
 * Redis. Efficiency grade: it saves double work, and cannot rule it out when Redis loses writes.
 *
 * @privateRemarks
 * Reading order: `script.ts` (what is kept, and every operation on it), `store.ts` (how it is
 * called), `look.ts` (who holds what), `client.ts` (how both clients are used), `errors.ts` (which
 * server is refused), `claims.ts` (dates of schedules).
 *
 * @module slotvisor/redis
 * @document README.md
 */

import { fromCaller } from '../../kit.ts';
import type { DateClaims } from '../cron/index.ts';
import { type FleetLeases, fleetClaims, fleetLeases } from '../fleet/index.ts';
import { RedisClaims } from './claims.ts';
import { portOf, type RedisClient } from './client.ts';
import { type RedisClaimsOptions, type RedisOptions, readClaimsOptions, readOptions } from './options.ts';
import { RedisStore } from './store.ts';

export type { IoRedisClient, NodeRedisClient, RedisClient } from './client.ts';
export type { RedisClaimsOptions, RedisOptions } from './options.ts';

/**
 * Makes the lease store of one supervisor, over one Redis server.
 *
 * Within one supervisor a slot has one owner as ever. Over processes it has one as long as Redis
 * keeps what it has acknowledged: after a failover that lost writes, two owners may run until the
 * next answered beat. Each grant has a fence that is greater than every earlier one of the slot, as
 * long as the clock of the server does not go back by more than Redis was away.
 *
 * Nothing is called before the first submission. The client stays yours: close it after the
 * supervisor was shut down. For news a second connection is made with its `duplicate()`.
 *
 * @param client of `ioredis`, or of `redis` after its `connect()`. No cluster, pool or sentinel.
 * @throws OptionError for an invalid option, and for an object that is no such client.
 */
export function redisLeases(client: RedisClient, options: RedisOptions = {}): FleetLeases {
  return fromCaller(redisLeases, () => {
    const { prefix, quarantine, allowEviction, ...fleet } = readOptions(options);
    const port = portOf(client);
    const { ttlMs, clock } = fleet;
    return fleetLeases(new RedisStore(port, { prefix, quarantine, allowEviction, ttlMs, clock }), fleet);
  });
}

/**
 * Makes the `claims` of schedules. A date is claimed by one caller of all processes, once, in
 * whatever order dates are claimed: the latest 1,000 dates of a schedule are kept, and older ones
 * count as claimed. A call that Redis does not answer within 5,000 ms fails, and the schedule
 * repeats it.
 *
 * At most once: a date is lost if its process dies after the claim. A claim that is repeated since
 * its answer was lost gets that answer. A date may run twice if Redis loses the claim: with its
 * data, or in a failover.
 *
 * @param client as for `redisLeases`.
 * @throws OptionError for an invalid option, and for an object that is no such client.
 */
export function redisClaims(client: RedisClient, options: RedisClaimsOptions = {}): DateClaims {
  return fromCaller(redisClaims, () => {
    const settings = readClaimsOptions(options);
    return fleetClaims(new RedisClaims(portOf(client), settings));
  });
}
