import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SCOPE, VERSION } from '../../../src/ext/otel/scope.ts';

it('the scope is the name and the version of the package', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  expect({ name: SCOPE, version: VERSION }).toEqual({ name: manifest.name, version: manifest.version });
});
