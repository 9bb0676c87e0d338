// `npm run build`: every entry point of package.json as an ES module and as CommonJS. What they
// share is in dist/chunks. src/ARCHITECTURE.md says why there are two formats.

import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsdown';

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, unknown> };
const names = Object.keys(exports)
  .filter((path) => path !== './package.json')
  .map((path) => (path === '.' ? 'index' : path.slice('./'.length)));

const FOLDERS: Record<string, string> = { index: 'src', testing: 'src/testing' };

/** They are ES modules only, so the CommonJS build brings them along, with what they import. */
const MODULES_ONLY = ['p-queue', 'nanoid', 'leven'];

export default defineConfig({
  entry: Object.fromEntries(names.map((name) => [name, `${FOLDERS[name] ?? `src/ext/${name}`}/index.ts`])),
  format: {
    esm: {},
    cjs: { deps: { alwaysBundle: (id) => MODULES_ONLY.includes(id), onlyBundle: false, skipNodeModulesBundle: false } },
  },
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
  report: false,
  checks: { legacyCjs: false, pluginTimings: false },
  failOnWarn: true,
});
