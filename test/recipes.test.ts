// The recipes of slotvisor/testing pass in the test runner that each is for, and its README shows
// them. `npm run test:package` runs those for Vitest in Jest.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from './support/example.ts';
import { codeBlocksOf } from './support/markdown.ts';

const README = 'src/testing/README.md';

/** The output of a program that runs without the variables of this test run. */
async function outputOf(...args: string[]): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST$|NODE_)/.test(name)));
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, env, timeout: 220_000 });
  return stdout;
}

test('the recipes for Vitest pass in Vitest, and what does not work fails as it is described', async () => {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const output = await outputOf(vitest, 'run', '--config', 'test/recipes/vitest.config.ts', '--reporter=json');
  expect(JSON.parse(output)).toMatchObject({ success: true, numPassedTests: 5, numTotalTests: 5 });
});

test('the recipe for node:test passes in node:test', async () => {
  const flags = ['--import', 'tsx', '--test', '--test-reporter=tap'];
  const output = await outputOf(...flags, 'test/recipes/node-test.recipe.ts');
  expect(output).toMatch(/^# pass 1$/m);
  expect(output).toMatch(/^# fail 0$/m);
});

test.for(['vitest', 'node-test'])('the README shows the recipe for %s as it is tested', (runner) => {
  const blocks = codeBlocksOf({ path: README, text: readFileSync(join(ROOT, README), 'utf8') });
  const recipe = readFileSync(join(ROOT, `test/recipes/${runner}.recipe.ts`), 'utf8');
  expect(blocks.map(({ code }) => code.trim())).toContain(recipe.trim());
});
