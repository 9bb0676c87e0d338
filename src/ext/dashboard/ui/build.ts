// Bundles the page into src/ext/dashboard/assets.ts: a module of strings, so that bundlers of users
// keep it, and no file has to be found at run time. Run: npm run build:ui. Tests run it, too.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

function bundled(entry: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [path(entry)],
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['chrome109', 'firefox115', 'safari16.4'],
    legalComments: 'none',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    write: false,
  });
  return outputFiles.map(({ text }) => text).join('');
}

export function buildPage(): void {
  const assets = {
    html: readFileSync(path('index.html'), 'utf8'),
    js: bundled('app.tsx'),
    css: bundled('app.css'),
  };
  const lines = Object.entries(assets).map(([name, text]) => `export const ${name} =\n  ${JSON.stringify(text)};\n`);
  const out = path('../assets.ts');
  const module = `// Made by ui/build.mjs. Do not edit.\n\n${lines.join('\n')}`;
  if (!isWritten(out, module)) writeFileSync(out, module); // an unchanged file starts no rebuild
}

function isWritten(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8') === text;
  } catch {
    return false; // the first build
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildPage();
