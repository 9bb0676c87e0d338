import { OptionError } from 'slotvisor';
import { migrate, postgresClaims, postgresLeases } from 'slotvisor/postgres';
import { describe, expect, test } from 'vitest';
import { parsePostgresOptions } from '../../../src/ext/postgres/options.ts';
import { FakePool } from './fake-pool.ts';

const pool = new FakePool();

describe('options', () => {
  test('have defaults', () => {
    expect(parsePostgresOptions({})).toMatchObject({ schema: 'slotvisor', listen: true, ttlMs: 15_000 });
  });

  test.each<[string, object, RegExp]>([
    ['an unknown one', { shema: 'x' }, /^shema .*schema/],
    ['an empty schema', { schema: '' }, /^schema must not be empty/],
    ['a schema that is no text', { schema: 5 }, /^schema must be a string, got 5/],
    ['a schema with NUL', { schema: 'a\0' }, /^schema must be well-formed Unicode without NUL/],
    ['a schema with half a character', { schema: 'a\ud800' }, /^schema must be well-formed/],
    ['a schema of 64 bytes', { schema: 'é'.repeat(32) }, /^schema must be at most 63 bytes of UTF-8/],
    ['a schema of PostgreSQL itself', { schema: 'pg_x' }, /^schema must not begin with 'pg_'/],
    ['a listen that is no boolean', { listen: 1 }, /^listen must be true or false/],
    ['a ttl that is too short', { ttlMs: 999 }, /^ttlMs must be a number from 1000 to 3600000/],
  ])('refuse %s', (_, options, text) => {
    expect(() => postgresLeases(pool, options)).toThrow(text);
    expect(() => postgresLeases(pool, options)).toThrow(OptionError);
  });

  test('take any other name of a schema', () => {
    for (const schema of ['é'.repeat(31), 'a"b', "it's", 'A b', '$f$', 'select'])
      expect(parsePostgresOptions({ schema }).schema).toBe(schema);
  });

  test.each([
    ['postgresLeases', postgresLeases],
    ['postgresClaims', postgresClaims],
    ['migrate', migrate],
  ])('of %s refuse what is no pool', (_, call) => {
    for (const none of [undefined, null, {}, 'postgres://localhost'])
      expect(() => call(none as never)).toThrow(/^pool must be a Pool of pg/);
  });

  test('of migrate and the claims are the schema alone', () => {
    for (const call of [postgresClaims, migrate])
      expect(() => call(pool, { listen: false } as never)).toThrow(/^listen is not an option|^listen/);
  });

  test('refuse a pool with a single connection, since the beats need one of their own', () => {
    const small = Object.assign(new FakePool(), { options: { max: 1 } });
    expect(() => postgresLeases(small)).toThrow(/^pool must have a max of 2 or more/);
    expect(() => postgresLeases(Object.assign(new FakePool(), { options: { max: 2 } }))).not.toThrow();
  });

  test('call nothing', () => {
    postgresLeases(pool);
    postgresClaims(pool);
    expect(pool.clients).toEqual([]);
  });
});
