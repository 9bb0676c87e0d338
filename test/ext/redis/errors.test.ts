import { describe, expect, it } from 'vitest';
import { checkEviction, checkServer, forPeople, isLasting, LastingError } from '../../../src/ext/redis/errors.ts';

const info = (...lines: readonly string[]): string => ['# Section', ...lines, ''].join('\r\n');

const LOGIN = /^Redis refuses the login of the client: check its user and password \(/;
const PERMISSION = /^the user of the client may not do this: give it the permissions that slotvisor\/redis names \(/;
const COMMAND = /^Redis does not know a command: give a server that has all commands of Redis 6\.2/;

describe('an error lasts, and says what to do', () => {
  it.each([
    ['NOAUTH Authentication required.', LOGIN],
    ['WRONGPASS invalid username-password pair or user is disabled.', LOGIN],
    ["NOPERM this user has no permissions to run the 'evalsha' command", PERMISSION],
    [
      "ERR The user executing the script can't run this command or subcommand script: 1, on @user_script:7.",
      PERMISSION,
    ],
    ["ERR The user executing the script can't publish to the channel mentioned in the command", PERMISSION],
    ['ERR ACL failure in script: No permissions to access a key script: 1, on @user_script:7.', PERMISSION],
    ["ERR unknown command 'EVALSHA', with args beginning with:", COMMAND],
  ])('if Redis says %j', (said, text) => {
    const cause = new Error(said);
    const error = forPeople(cause) as Error;
    expect(error.message).toMatch(text);
    expect(error.message).toContain(`(${said.slice(0, 60)}`);
    expect([error.cause, isLasting(error)]).toEqual([cause, true]);
  });

  it('if the library has found it', () => {
    const error = new LastingError('x');
    expect([forPeople(error), isLasting(error)]).toEqual([error, true]);
  });
});

describe('an error may pass', () => {
  it.each([
    'LOADING Redis is loading the dataset in memory',
    "READONLY You can't write against a read only replica.",
    'MASTERDOWN Link with MASTER is down',
    'BUSY Redis is busy running a script.',
    "OOM command not allowed when used memory > 'maxmemory'.",
    'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.',
  ])('and stays as it is, if Redis says %j', (said) => {
    const error = new Error(said);
    expect([forPeople(error), isLasting(error)]).toEqual([error, false]);
  });

  it('and says what to do, if Redis cannot be reached', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), { code: 'ECONNREFUSED' });
    const error = forPeople(cause) as Error;
    expect(error.message).toBe(
      'Redis cannot be reached: check that it runs, and its address (connect ECONNREFUSED 127.0.0.1:6379)',
    );
    expect([error.cause, isLasting(error)]).toEqual([cause, false]);
  });

  it('and stays as it is, if it is no error', () => {
    for (const thrown of ['text', undefined, null, 7])
      expect([forPeople(thrown), isLasting(thrown)]).toEqual([thrown, false]);
  });
});

describe('a server', () => {
  it.each(['6.2.0', '6.2.14', '7.0.15', '7.2.4', '8.0.0', '10.1.0'])('may have version %s', (version) => {
    checkServer(info(`redis_version:${version}`, 'redis_mode:standalone'));
  });

  it.each(['2.8.24', '5.0.14', '6.0.16', '6.1.241'])('may not have version %s', (version) => {
    expect(() => checkServer(info(`redis_version:${version}`))).toThrow(`Redis must be 6.2 or newer, got ${version}: `);
  });

  it('may say nothing of its version and its memory', () => {
    checkServer('');
    checkEviction('');
  });

  it('may not be in cluster mode', () => {
    checkServer(info('redis_version:7.0.15', 'redis_mode:sentinel'));
    expect(() => checkServer(info('redis_version:7.0.15', 'redis_mode:cluster'))).toThrow('Redis runs as a cluster');
  });

  it('may not throw away keys without a time to live', () => {
    for (const policy of ['noeviction', 'volatile-lru', 'volatile-random', 'volatile-ttl'])
      checkEviction(info('maxmemory:0', `maxmemory_policy:${policy}`));
    for (const policy of ['allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'allkeys-lrm'])
      expect(() => checkEviction(info('maxmemory:0', `maxmemory_policy:${policy}`))).toThrow(
        `maxmemory-policy ${policy} `,
      );
  });
});
