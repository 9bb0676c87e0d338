// `npm run bench`. Compiles src and the benchmark with the project's settings, as the published
// package is compiled, and measures in one process of plain Node. A loader that compiles on the fly
// is not used for measuring: it wraps every named function that the code makes, which costs one
// contestant more than another.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bench = fileURLToPath(new URL('.', import.meta.url));
const ENTRY_POINTS = ['cron', 'fleet', 'health', 'log', 'otel', 'postgres', 'prometheus', 'redis'];
const built = mkdtempSync(join(tmpdir(), 'slotvisor-bench-'));

try {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const emit = ['--noEmit', 'false', '--rootDir', root, '--outDir', built];
  node(tsc, '-p', bench, ...emit);
  // 'slotvisor' resolves to the fresh build, the peers to test/bench, everything else to what the
  // project has installed.
  const exports = {
    '.': './src/index.js',
    ...Object.fromEntries(ENTRY_POINTS.map((name) => [`./${name}`, `./src/ext/${name}/index.js`])),
    './testing': './src/testing/index.js',
  };
  writeFileSync(join(built, 'package.json'), JSON.stringify({ name: 'slotvisor', type: 'module', exports }));
  symlinkSync(join(root, 'node_modules'), join(built, 'node_modules'), 'junction');
  symlinkSync(join(bench, 'node_modules'), join(built, 'test/bench/node_modules'), 'junction');
  // A million live slots need room.
  node('--expose-gc', '--max-old-space-size=6144', join(built, 'test/bench/main.js'), ...process.argv.slice(2));
} finally {
  rmSync(built, { recursive: true, force: true });
}

function node(...args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`);
}
