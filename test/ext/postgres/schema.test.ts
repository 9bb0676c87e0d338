import { expect, test } from 'vitest';
import { ddl, identifier } from '../../../src/ext/postgres/schema.ts';

test('an identifier means exactly the name', () => {
  expect(identifier('a')).toBe('"a"');
  expect(identifier('A "b" c')).toBe('"A ""b"" c"');
});

test('the function bodies name the schema as a quoted identifier in a quoted text', () => {
  const sql = ddl(`it's "x"`);
  expect(sql).toContain(`create function "it's ""x""".acquire(`);
  expect(sql).toContain(`insert into "it''s ""x""".slot (name, session, fence)`);
  expect(sql).not.toContain('undefined');
});
