import { describe, expect, test } from 'vitest';
import { forPeople, isLasting, isOfOneItem } from '../../../src/ext/postgres/errors.ts';

const withCode = (code: string) => Object.assign(new Error('said so'), { code });

const texts: readonly [code: string, text: RegExp, lasting: boolean][] = [
  [
    '3F000',
    /^the schema "app" has no tables .*: run migrate\(pool, \{ schema: "app" \}\) of slotvisor\/postgres once/,
    true,
  ],
  ['42P01', /^the schema "app" has no tables/, true],
  ['42883', /^the schema "app" has no tables of this version/, true],
  ['42501', /^the role of the pool may not use the schema "app": give it the grants/, true],
  ['28P01', /^PostgreSQL refuses the login of the pool: check its user and password/, true],
  ['28000', /^PostgreSQL refuses the login/, true],
  ['3D000', /^the database of the pool does not exist/, true],
  ['22P05', /^PostgreSQL cannot keep this name: create the database in UTF8/, true],
  ['55P03', /^a transaction of another client keeps rows of the schema "app" locked/, false],
  ['25006', /^PostgreSQL is read-only: the pool must reach the primary/, false],
  ['ECONNREFUSED', /^PostgreSQL cannot be reached: check that it runs/, false],
];

describe('an error', () => {
  test.each(texts)('%s says what to do, with what PostgreSQL said', (code, text, lasting) => {
    const cause = withCode(code);
    const error = forPeople(cause, 'app') as Error;
    expect(error.message).toMatch(text);
    expect(error.message).toContain('(said so)');
    expect([error.cause, isLasting(error), isLasting(cause)]).toEqual([cause, lasting, lasting]);
  });

  test('names the short call for the default schema', () => {
    expect((forPeople(withCode('3F000'), 'slotvisor') as Error).message).toContain('run migrate(pool) of');
  });

  test.each(['SV001', '40P01', '40001', '57P01', '53300', '08006', 'EPIPE'])(
    '%s stays as it is, and passes',
    (code) => {
      const error = withCode(code);
      expect([forPeople(error, 'app'), isLasting(error)]).toEqual([error, false]);
    },
  );

  test.each([undefined, null, 'text', new Error('no code')])('%s stays as it is, and passes', (error) => {
    expect([forPeople(error, 'app'), isLasting(error), isOfOneItem(error)]).toEqual([error, false, false]);
  });

  test('is of one item if a lock or a name is to blame', () => {
    for (const code of ['55P03', '22P05', '22021', '54000']) {
      expect(isOfOneItem(withCode(code))).toBe(true);
      expect(isOfOneItem(forPeople(withCode(code), 'app'))).toBe(true);
    }
    for (const code of ['57P01', '42501']) expect(isOfOneItem(withCode(code))).toBe(false);
  });
});
