import { expect, test } from 'vitest';
import { checkSharedName } from '../../../src/ext/fleet/shared-name.ts';

for (const name of [' ', "it's", '__proto__', '🐘'.repeat(500), 'x'.repeat(1_024), '-- ; drop', '{a}:b'])
  test(`takes ${JSON.stringify(name.slice(0, 12))}`, () => expect(() => checkSharedName('slot', name)).not.toThrow());

const rows: readonly [name: string, rule: RegExp][] = [
  ['a\ud83d', /^slot must be well-formed Unicode/],
  ['\0', /^slot must have no NUL/],
  ['🐘'.repeat(501), /^slot must be at most 2000 bytes of UTF-8/],
];
for (const [name, rule] of rows)
  test(`refuses ${JSON.stringify(name.slice(0, 12))}: ${rule.source}`, () =>
    expect(() => checkSharedName('slot', name)).toThrow(rule));
