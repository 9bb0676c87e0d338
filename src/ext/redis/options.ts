// The options of the leases and the claims in Redis, and how they are read.

import { aBoolean, nameText, parse, type Readers, refuse } from '../../kit.ts';
import { FLEET_DEFAULTS, FLEET_READERS, type FleetOptions } from '../fleet/index.ts';

/** Options of `redisClaims`. An option that is absent has its default. */
export interface RedisClaimsOptions {
  /**
   * What the names of all keys and channels begin with, in braces. 1 to 1,024 UTF-16 units, without
   * `{` and `}`. Default `'slotvisor'`.
   */
  readonly prefix?: string | undefined;
  /**
   * A Redis whose `maxmemory-policy` is one of `allkeys-*` is refused, since it throws keys away:
   * a slot could get two owners, and a date two runs. `true` takes that risk. Default `false`.
   */
  readonly allowEviction?: boolean | undefined;
}

/** Options of `redisLeases`. Give all processes the same `ttlMs` and `quarantine`. */
export interface RedisOptions extends FleetOptions, RedisClaimsOptions {
  /**
   * Grants no slot for `ttlMs` after Redis was found empty: it may have forgotten slots that
   * processes still believe to hold. So the first start on a new Redis takes that long too. Default
   * `true`.
   */
  readonly quarantine?: boolean | undefined;
}

interface ClaimsSettings {
  readonly prefix: string;
  readonly allowEviction: boolean;
}

const CLAIMS_READERS: Readers<ClaimsSettings> = { prefix: readPrefix, allowEviction: aBoolean };
const CLAIMS_DEFAULTS: ClaimsSettings = { prefix: 'slotvisor', allowEviction: false };

const READERS = { ...FLEET_READERS, ...CLAIMS_READERS, quarantine: aBoolean };
const DEFAULTS = { ...FLEET_DEFAULTS, ...CLAIMS_DEFAULTS, quarantine: true };

export type RedisSettings = typeof DEFAULTS;

export function readOptions(options: unknown): RedisSettings {
  return parse('options', options as RedisSettings, READERS, DEFAULTS);
}

export function readClaimsOptions(options: unknown): ClaimsSettings {
  return parse('options', options as ClaimsSettings, CLAIMS_READERS, CLAIMS_DEFAULTS);
}

function readPrefix(field: string, value: unknown): string {
  const prefix = nameText(field, value);
  // All keys have the prefix as their hash tag, which ends at the first brace.
  if (/[{}]/.test(prefix)) return refuse(field, 'must have no { and no }', value);
  if (/\p{Surrogate}/u.test(prefix)) return refuse(field, 'must be well-formed Unicode', value);
  return prefix;
}
