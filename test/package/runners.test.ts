// The packed package in Jest, ts-jest, Vitest and node:test with their defaults. npm installs them.
// The recipes of `slotvisor/testing` for Vitest run in Jest, with `jest` in place of `vi`.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { node, pack, project, ROOT } from '../support/packed.ts';
import { BODY, HEAD, SAYS, toRequire } from './users.ts';

let temp: string;
let consumer: string;

const bin = (path: string): string => join('node_modules', path);
const recipe = (name: string): string => readFileSync(join(ROOT, `test/recipes/vitest.${name}.ts`), 'utf8');
const inJest = (source: string): string =>
  source.replace("from 'vitest'", "from '@jest/globals'").replace(/\bvi\b/g, 'jest');
const asTest = (head: string): string => `${head}${BODY}
test('it works', async () => {
  expect(await main()).toBe('${SAYS}');
});
`;

function write(folder: string, files: Record<string, string>): string {
  const path = join(consumer, folder);
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

function commonJs(source: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.CommonJS };
  return ts.transpileModule(source, { compilerOptions }).outputText;
}

beforeAll(async () => {
  temp = mkdtempSync(join(tmpdir(), 'slotvisor-runners-'));
  consumer = join(temp, 'consumer');
  const jest = ['jest@30', 'ts-jest@29', 'typescript@~5.9', '@jest/globals@30', '@types/jest@30', '@types/node@20'];
  await project(consumer, '--ignore-scripts=false', await pack(temp), ...jest, 'vitest@4');
});

afterAll(() => rmSync(temp, { recursive: true, force: true, maxRetries: 3 }));

test('Jest runs CommonJS tests without a configuration', async () => {
  const folder = write('jest', {
    'package.json': '{}',
    'use.test.js': asTest(toRequire(HEAD)),
    'recipe.test.js': commonJs(inJest(recipe('recipe'))),
    'limits.test.js': commonJs(inJest(recipe('limits'))),
  });
  const { code, output } = await node(folder, join(consumer, bin('jest/bin/jest.js')));
  expect(code, output).toBe(0);
});

test('Jest runs ES modules', async () => {
  const folder = write('jest-modules', {
    'package.json': '{ "type": "module", "jest": { "transform": {} } }',
    'use.test.js': asTest(HEAD),
  });
  const { code, output } = await node(folder, '--experimental-vm-modules', join(consumer, bin('jest/bin/jest.js')));
  expect(code, output).toBe(0);
});

test('ts-jest compiles and runs tests in TypeScript', async () => {
  const strict = { strict: true, target: 'es2022', module: 'commonjs', esModuleInterop: true, skipLibCheck: true };
  const folder = write('ts-jest', {
    'package.json': '{ "jest": { "preset": "ts-jest" } }',
    'tsconfig.json': JSON.stringify({ compilerOptions: { ...strict, types: ['node', 'jest'] } }),
    'recipe.test.ts': inJest(recipe('recipe')),
    'use.test.ts': asTest(HEAD),
  });
  const { code, output } = await node(folder, join(consumer, bin('jest/bin/jest.js')));
  expect(code, output).toBe(0);
});

test('Vitest runs tests', async () => {
  const folder = write('vitest', {
    'use.test.js': `import { expect, test } from 'vitest';${asTest(HEAD)}`,
    'recipe.test.ts': recipe('recipe'),
  });
  const { code, output } = await node(folder, join(consumer, bin('vitest/vitest.mjs')), 'run');
  expect(code, output).toBe(0);
});

test.each(['mjs', 'cjs'])('node:test runs tests in *.%s', async (extension) => {
  const imports = `
import assert from 'node:assert';
import { test } from 'node:test';
${HEAD}`;
  const source = asTest(extension === 'cjs' ? toRequire(imports) : imports).replace(
    /expect\((.+)\)\.toBe/,
    'assert.equal($1, ',
  );
  const folder = write(`node-test-${extension}`, { [`use.test.${extension}`]: source.replace(', (', ', ') });
  const { code, output } = await node(folder, '--test');
  expect(code, output).toBe(0);
});
