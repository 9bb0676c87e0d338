// The packed declarations under every TypeScript version that is supported. Installs each of them
// into a temporary folder.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { node, pack, project, ROOT } from '../support/packed.ts';

const VERSIONS = ['5.4', '5.9', '6.0', '7'];

/** How a project finds the package: `module` and `moduleResolution`, and the format of its file. */
const RESOLUTIONS: readonly (readonly [module: string, moduleResolution: string, file: string])[] = [
  ['node16', 'node16', 'claims.mts'],
  ['node16', 'node16', 'claims.cts'],
  ['nodenext', 'nodenext', 'claims.mts'],
  ['nodenext', 'nodenext', 'claims.cts'],
  ['esnext', 'bundler', 'claims.ts'],
  ['commonjs', 'node10', 'claims.ts'],
];

/** TypeScript 6 wants it to be asked for, and 7 has it no more. */
const isThere = (version: string, moduleResolution: string): boolean =>
  version !== '7' || moduleResolution !== 'node10';

let temp: string;
let consumer: string;

beforeAll(async () => {
  temp = mkdtempSync(join(tmpdir(), 'slotvisor-typescript-'));
  consumer = join(temp, 'consumer');
  const compilers = VERSIONS.map((version) => `typescript-${version}@npm:typescript@~${version}`);
  await project(
    consumer,
    await pack(temp),
    '@types/node@20',
    'prom-client@15',
    '@opentelemetry/api@~1.9.1',
    '@types/pg@8',
    'pg-protocol@~1.11.0', // later declarations of it need TypeScript 5.7
    'ioredis@6',
    'redis@6',
    '@nestjs/common@11',
    '@nestjs/core@11',
    'reflect-metadata@0.2',
    'rxjs@7',
    ...compilers,
  );
  for (const name of ['claims.ts', 'claims.mts', 'claims.cts'])
    cpSync(join(ROOT, 'test', 'types', 'claims.ts'), join(consumer, name));
});

afterAll(() => rmSync(temp, { recursive: true, force: true, maxRetries: 3 }));

/** What the compiler says about the claims; nothing where it accepts them. */
async function compile(version: string, module: string, moduleResolution: string, file: string): Promise<string> {
  const compilerOptions = {
    module,
    moduleResolution,
    target: 'es2022',
    lib: ['es2022'], // no esnext.disposable: @types/node provides what is needed
    types: ['node'],
    strict: true,
    skipLibCheck: false,
    esModuleInterop: true, // the declarations of redis need it in CommonJS
    noEmit: true,
    ...(version === '6.0' && moduleResolution === 'node10' && { ignoreDeprecations: '6.0' }),
  };
  writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }));
  const { output } = await node(consumer, join('node_modules', `typescript-${version}`, 'bin', 'tsc'), '-p', '.');
  return output;
}

describe.each(VERSIONS)('TypeScript %s accepts the claims about the types', (version) => {
  const resolutions = RESOLUTIONS.filter(([, moduleResolution]) => isThere(version, moduleResolution));
  test.each(resolutions)('with module %s and moduleResolution %s, in %s', async (module, moduleResolution, file) => {
    expect(await compile(version, module, moduleResolution, file)).toBe('');
  });
});
