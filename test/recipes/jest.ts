// Runs the recipes for Vitest in Jest, with `jest` in place of `vi`: `npm run test:jest`. It stands
// apart from `npm test`, because Jest brings 180 packages. npm fetches it when this is run.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const JEST = 'jest@30';
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'slotvisor-jest-'));
for (const name of ['recipe', 'limits']) {
  const source = readFileSync(join(ROOT, `test/recipes/vitest.${name}.ts`), 'utf8');
  const options = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext };
  const { outputText } = ts.transpileModule(source, { compilerOptions: options });
  const inJest = outputText.replace("from 'vitest'", "from '@jest/globals'").replace(/\bvi\b/g, 'jest');
  writeFileSync(join(folder, `${name}.test.mjs`), inJest);
}

const config = {
  rootDir: folder,
  testMatch: ['<rootDir>/*.test.mjs'],
  transform: {},
  moduleNameMapper: {
    '^slotvisor$': join(ROOT, 'dist/index.js'),
    '^slotvisor/testing$': join(ROOT, 'dist/testing/index.js'),
  },
};
const { status } = spawnSync(
  'npm',
  ['exec', '--yes', `--package=${JEST}`, '--', 'jest', '--config', JSON.stringify(config)],
  { stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: '--experimental-vm-modules' } },
);
rmSync(folder, { recursive: true });
process.exitCode = status ?? 1;
