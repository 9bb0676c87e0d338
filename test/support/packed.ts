// The package as npm packs it, for tests that install it into a project of their own.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

// A parent npm sets variables for its own project. The npm started here works on another project.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(?!config_(registry|cache|userconfig)$)/i.test(name)),
);

export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Never rejects, so that a failed expectation can show the output. */
async function child(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  try {
    const { stdout, stderr } = await run(command, args, { cwd, env, timeout: 220_000, shell: command === 'npm.cmd' });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: typeof code === 'number' ? code : -1, output: `${String(error)}\n${stdout}${stderr}` };
  }
}

export const node = (cwd: string, ...args: string[]): Promise<Ended> => child(process.execPath, args, cwd);
/** As `node`, with another program, named by its path. */
export const program = (cwd: string, path: string, ...args: string[]): Promise<Ended> => child(path, args, cwd);
const npm = (cwd: string, ...args: string[]): Promise<Ended> =>
  child(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, cwd);

/** Files outside of `src`, `dist` and `examples` that the package contains. */
export const PACKED = [
  'package.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'test/bench/README.md',
  'test/bench/results.svg',
  'CONTRIBUTING.md',
  'SECURITY.md',
];

/** Packs a copy, so that the build in the working tree is not deleted while it is in use. */
export async function pack(temp: string): Promise<string> {
  const copy = join(temp, 'copy');
  for (const name of [...PACKED, 'tsconfig.json', 'tsdown.config.ts', 'src', 'examples'])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction');
  mkdirSync(join(copy, 'dist'));
  writeFileSync(join(copy, 'dist', 'stale.js'), '');
  const packed = await npm(copy, 'pack', '--pack-destination', temp);
  if (packed.code !== 0) throw new Error(packed.output);
  return join(temp, readdirSync(temp).find((name) => name.endsWith('.tgz')) ?? 'no tarball');
}

/** Makes a project of a user without npm: the packed package, and links to what it depends on. */
export async function linkedProject(folder: string, tarball: string, ...peers: string[]): Promise<string> {
  const installed = join(folder, 'node_modules', 'slotvisor');
  mkdirSync(installed, { recursive: true });
  const unpacked = await child('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed], folder);
  if (unpacked.code !== 0) throw new Error(unpacked.output);
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  for (const name of [...Object.keys(dependencies), ...peers]) {
    const link = join('node_modules', name);
    mkdirSync(dirname(join(folder, link)), { recursive: true });
    symlinkSync(join(ROOT, link), join(folder, link), 'junction');
  }
  return installed;
}

/** Makes a project of a user, with these packages of the registry. Later options of npm win. */
export async function project(folder: string, ...packages: string[]): Promise<void> {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  const installed = await npm(folder, 'install', ...flags, ...packages);
  if (installed.code !== 0) throw new Error(installed.output);
}
