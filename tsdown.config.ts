// `npm run build`: every entry point of package.json as an ES module and as CommonJS. What they
// share is in dist/chunks. src/ARCHITECTURE.md says why there are two formats.

import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'tsdown';

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, unknown> };
const names = Object.keys(exports)
  .filter((path) => path !== './package.json')
  .map((path) => (path === '.' ? 'index' : path.slice('./'.length)));

const FOLDERS: Record<string, string> = { index: 'src', testing: 'src/testing' };

/**
 * The libraries that the build brings along, and what they import. Most are ES modules only, and
 * as files of their own they cost the import more than half again (measured: 2.5 times that of
 * p-queue, against 1.7).
 */
const INSIDE = ['async-mutex', 'eventemitter3', 'leven', 'nanoid', 'p-queue', 'p-timeout'];
/** `npm run build:ui` puts it into the page of slotvisor/dashboard. */
const INSIDE_THE_PAGE = ['preact'];

export default defineConfig({
  entry: Object.fromEntries(names.map((name) => [name, `${FOLDERS[name] ?? `src/ext/${name}`}/index.ts`])),
  format: ['esm', 'cjs'],
  deps: { onlyBundle: INSIDE },
  plugins: [licenses()],
  fixedExtension: false, // *.js and *.cjs
  tsconfig: 'src/tsconfig.json',
  dts: { sourcemap: true },
  sourcemap: true,
  outputOptions: (_, format) => ({
    strict: true,
    comments: { jsdoc: false }, // they are in the declarations
    chunkFileNames: `chunks/[name].${format === 'cjs' ? 'cjs' : 'js'}`,
    // One file for all that `slotvisor` loads, so that its import opens few files.
    codeSplitting: {
      groups: [
        { name: 'core', test: /src[\\/]index\.ts$/ },
        { name: 'core.d', test: /src[\\/]index\.d\.ts$/ },
      ],
    },
    // The package has the sources. Bundlers need them in the map, and they take the ES modules.
    sourcemapExcludeSources: format === 'cjs',
  }),
  logLevel: 'warn',
  report: false,
  checks: { legacyCjs: false, pluginTimings: false },
  failOnWarn: true,
});

/** The licenses of what the package brings along ask for their text in each copy. */
function licenses() {
  const text = [...INSIDE, ...INSIDE_THE_PAGE].map((name) => {
    const folder = `node_modules/${name}`;
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name}\n\n${readFileSync(`${folder}/${file}`, 'utf8').trim()}\n`;
  });
  return {
    name: 'licenses',
    generateBundle(this: { emitFile: (file: { type: 'asset'; fileName: string; source: string }) => void }) {
      this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: text.join(`\n${'-'.repeat(80)}\n\n`) });
    },
  };
}
