// `npm run bench`, which builds the package first. Compiles the benchmark with the project's
// settings and measures `dist`, what users get, in one process of plain Node. A loader that
// compiles on the fly is not used for measuring: it wraps every named function that the code makes,
// which costs one contestant more than another.
//
// Each build gets a folder with its own copy of everything that is measured, so that V8 shares
// nothing between them: `slotvisor`, the same build as `control`, and with `--against DIR` the
// package in DIR, built.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bench = fileURLToPath(new URL('.', import.meta.url));
const options = process.argv.slice(2);
const at = options.indexOf('--against');
const against = at < 0 ? undefined : resolve(options[at + 1] ?? '');
const built = mkdtempSync(join(tmpdir(), 'slotvisor-bench-'));

try {
  const compiled = join(built, 'compiled');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  node(tsc, '-p', bench, '--noEmit', 'false', '--rootDir', root, '--outDir', compiled);
  const builds = { slotvisor: root, control: root, ...(against && { against }) };
  for (const [name, from] of Object.entries(builds)) prepare(join(built, name), from, join(compiled, 'test'));
  // A million submissions and 300,000 live slots need room, three times.
  const flags = ['--expose-gc', '--max-old-space-size=6144'];
  node(...flags, join(built, 'slotvisor/test/bench/main.js'), ...options);
} finally {
  rmSync(built, { recursive: true, force: true });
}

/**
 * A package like the one in `from`: 'slotvisor' is its dist, the peers are those of test/bench, and
 * everything else is what `from` has installed.
 */
function prepare(folder: string, from: string, compiledTests: string): void {
  if (!existsSync(join(from, 'dist/index.js'))) throw new Error(`${from} has no dist: run npm run build in it`);
  mkdirSync(folder);
  for (const part of ['dist', 'package.json']) cpSync(join(from, part), join(folder, part), { recursive: true });
  cpSync(compiledTests, join(folder, 'test'), { recursive: true });
  symlinkSync(join(from, 'node_modules'), join(folder, 'node_modules'), 'junction');
  symlinkSync(join(bench, 'node_modules'), join(folder, 'test/bench/node_modules'), 'junction');
}

function node(...args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`);
}
