// The packed package in bundles of esbuild, Rollup and webpack, which npm installs. Each bundle
// runs a task in a worker thread.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { node, pack, project } from '../support/packed.ts';
import { asCommonJs, asModule, SAYS } from './users.ts';

let temp: string;
let consumer: string;

beforeAll(async () => {
  temp = mkdtempSync(join(tmpdir(), 'slotvisor-bundlers-'));
  consumer = join(temp, 'consumer');
  const rollup = ['rollup@4', '@rollup/plugin-node-resolve@16', '@rollup/plugin-commonjs@28'];
  await project(consumer, '--ignore-scripts=false', await pack(temp), 'esbuild', 'webpack@5', ...rollup);
  writeFileSync(join(consumer, 'use.mjs'), asModule());
  writeFileSync(join(consumer, 'use.cjs'), asCommonJs());
});

afterAll(() => rmSync(temp, { recursive: true, force: true, maxRetries: 3 }));

/** Each is a program that bundles `input` as `output`. */
const BUNDLERS: Record<string, (input: string, output: string) => string> = {
  esbuild: (input, output) => `
    import { build } from 'esbuild';
    const format = ${JSON.stringify(output)}.endsWith('.cjs') ? 'cjs' : 'esm';
    const banner = format === 'esm' ? "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" : '';
    await build({
      entryPoints: ['${input}'], outfile: '${output}', bundle: true, minify: true, platform: 'node', format, banner: { js: banner },
    });`,
  rollup: (input, output) => `
    import commonjs from '@rollup/plugin-commonjs';
    import { nodeResolve } from '@rollup/plugin-node-resolve';
    import { rollup } from 'rollup';
    const plugins = [nodeResolve({ exportConditions: ['node'] }), commonjs()];
    const bundle = await rollup({ input: '${input}', plugins, external: /^node:/ });
    const format = '${output}'.endsWith('.cjs') ? 'cjs' : 'es';
    await bundle.write({ file: '${output}', format, inlineDynamicImports: true });`,
  webpack: (input, output) => `
    import webpack from 'webpack';
    const compiler = webpack({
      mode: 'production', target: 'node20', entry: './${input}', output: { path: process.cwd(), filename: '${output}' },
    });
    await new Promise((resolve, reject) => compiler.run((error, stats) =>
      error || stats.hasErrors() ? reject(error ?? new Error(stats.toString())) : resolve()));`,
};

const CASES = [
  ['esbuild', 'use.mjs', 'mjs'],
  ['esbuild', 'use.mjs', 'cjs'],
  ['esbuild', 'use.cjs', 'cjs'],
  ['rollup', 'use.mjs', 'mjs'],
  ['rollup', 'use.mjs', 'cjs'],
  ['webpack', 'use.mjs', 'cjs'],
  ['webpack', 'use.cjs', 'cjs'],
] as const;

test.each(CASES)('a bundle of %s runs, made of %s as *.%s', async (bundler, input, extension) => {
  const output = `out-${bundler}-${input.replace('.', '-')}.${extension}`;
  writeFileSync(join(consumer, 'bundle.mjs'), BUNDLERS[bundler]?.(input, output) ?? '');
  const { code, output: said } = await node(consumer, 'bundle.mjs');
  expect(code, said).toBe(0);
  expect(await node(consumer, output)).toEqual({ code: 0, output: `${SAYS}\n` });
});
