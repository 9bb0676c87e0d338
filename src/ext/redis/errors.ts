// Which errors of Redis no repetition mends, and whether a server is fit to keep leases.

/** An error that stays until the program or the server is changed. */
export class LastingError extends Error {}

/**
 * What Redis says to a client that may not do what it asks: no password or a wrong one, no
 * permission (for what a script does it has words of its own), or a command that it does not know.
 */
const LASTING =
  /^(?:NOAUTH|WRONGPASS|NOPERM|ERR unknown command)\b|The user executing the script can't|ACL failure in script/;

export function isLasting(error: unknown): boolean {
  return error instanceof LastingError || (error instanceof Error && LASTING.test(error.message));
}

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
