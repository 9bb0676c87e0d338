// What an error of Redis means to people, which errors no repetition mends, and whether a server is
// fit to keep leases.

import { brief, describe, isUnreachable } from '../../kit.ts';

/** An error that stays until the program or the server is changed. */
export class LastingError extends Error {}

const NO_LOGIN = /^(?:NOAUTH|WRONGPASS)\b/;
/** Redis has words of its own for what a script may not do. */
const NO_PERMISSION = /^NOPERM\b|The user executing the script can't|ACL failure in script/;
const NO_COMMAND = /^ERR unknown command\b/;

/** The error in words that say what to do, with the error itself as `cause`. Others stay. */
export function forPeople(error: unknown): unknown {
  const said = describe(error);
  const lasting = lastingText(said);
  const text =
    lasting ?? (isUnreachable(error) ? 'Redis cannot be reached: check that it runs, and its address' : undefined);
  if (text === undefined) return error;
  const message = `${text} (${brief(said)})`;
  return lasting === undefined ? new Error(message, { cause: error }) : new LastingError(message, { cause: error });
}

function lastingText(said: string): string | undefined {
  if (NO_LOGIN.test(said)) return 'Redis refuses the login of the client: check its user and password';
  if (NO_PERMISSION.test(said))
    return 'the user of the client may not do this: give it the permissions that slotvisor/redis names';
  if (NO_COMMAND.test(said))
    return 'Redis does not know a command: give a server that has all commands of Redis 6.2 and none renamed';
  return undefined;
}

/** Of an error of this entry point: no repetition mends it. */
export const isLasting = (error: unknown): boolean => error instanceof LastingError;

const MIN_VERSION = [6, 2] as const;

const field = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];

/**
 * Throws for a server that cannot keep leases: too old, or a node of a cluster.
 *
 * @param info the answer to `INFO server`.
 */
export function checkServer(info: string): void {
  const version = field(info, 'redis_version');
  const [major = Infinity, minor = 0] = version?.split('.').map(Number) ?? [];
  const [minMajor, minMinor] = MIN_VERSION;
  if (major < minMajor || (major === minMajor && minor < minMinor))
    throw new LastingError(`Redis must be ${minMajor}.${minMinor} or newer, got ${version}: upgrade it`);
  if (field(info, 'redis_mode') === 'cluster')
    throw new LastingError(
      'Redis runs as a cluster: give a client of a server that is not in cluster mode (all keys have one hash tag, so a cluster would not spread them)',
    );
}

/**
 * Throws for a server that may throw keys away that have no time to live.
 *
 * @param info the answer to `INFO memory`.
 */
export function checkEviction(info: string): void {
  const policy = field(info, 'maxmemory_policy');
  if (policy?.startsWith('allkeys'))
    throw new LastingError(
      `Redis has maxmemory-policy ${policy} and may throw away what it keeps for slotvisor: set it to noeviction or to a volatile policy, or use another server (allowEviction: true takes the risk)`,
    );
}
