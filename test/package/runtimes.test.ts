// The packed package in plain Node of every supported line, in Bun and in Deno, which npm installs.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pack, program, project } from '../support/packed.ts';
import { asCommonJs, asModule, SAYS } from './users.ts';

const NODES = ['20.19.0', '22', '24', '26'];

let temp: string;
let consumer: string;

beforeAll(async () => {
  temp = mkdtempSync(join(tmpdir(), 'slotvisor-runtimes-'));
  consumer = join(temp, 'consumer');
  const nodes = NODES.map((version) => `node-${version}@npm:node@${version}`);
  await project(consumer, '--ignore-scripts=false', await pack(temp), ...nodes, 'bun@1', 'deno@2');
  writeFileSync(join(consumer, 'use.mjs'), asModule());
  writeFileSync(join(consumer, 'use.cjs'), asCommonJs());
});

afterAll(() => rmSync(temp, { recursive: true, force: true, maxRetries: 3 }));

const FILES = ['use.mjs', 'use.cjs'];

describe.each(NODES)('Node %s', (version) => {
  test.each(FILES)('runs %s, and prints no warning', async (file) => {
    const ended = await program(consumer, join(consumer, 'node_modules', `node-${version}`, 'bin', 'node'), file);
    expect(ended).toEqual({ code: 0, output: `${SAYS}\n` });
  });
});

describe.each([
  ['Bun', ['bun']],
  ['Deno', ['deno', 'run', '--allow-all']],
] as const)('%s', (_, [name, ...args]) => {
  test.each(FILES)('runs %s', async (file) => {
    const ended = await program(consumer, join(consumer, 'node_modules', '.bin', name), ...args, file);
    expect(ended).toEqual({ code: 0, output: `${SAYS}\n` });
  });
});
