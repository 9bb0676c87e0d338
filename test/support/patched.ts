// Loads a source file with one deliberate fault in it. A test can then show that a check finds the
// fault.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, resolve } from 'node:path';
import ts from 'typescript';

export interface Fault {
  /** What is wrong with the patched file, in words. */
  readonly name: string;
  /** The patched file, beside the loaded one. The loaded one when left out. */
  readonly in?: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Returns the exports of the file, with the fault in it or in one of the files that it imports. All
 * others are loaded unchanged.
 */
export function loadPatched<Exports>(path: string, { name, in: patched = basename(path), from, to }: Fault): Exports {
  const faulty = resolve(dirname(path), patched);
  const loaded = new Map<string, unknown>();
  const load = (file: string): unknown => {
    if (!loaded.has(file)) {
      const source = readFileSync(file, 'utf8');
      if (file === faulty && source.split(from).length !== 2)
        throw new Error(`fault "${name}": its text must occur exactly once in ${faulty}`);
      loaded.set(file, evaluate(file, transpile(file === faulty ? source.replace(from, () => to) : source), load));
    }
    return loaded.get(file);
  };
  const exports = load(path) as Exports;
  if (!loaded.has(faulty)) throw new Error(`fault "${name}": ${path} does not import ${faulty}`);
  return exports;
}

const requirePackage = createRequire(import.meta.url);

const transpiled = new Map<string, string>();

function transpile(source: string): string {
  let text = transpiled.get(source);
  if (text === undefined) {
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 };
    text = ts.transpileModule(source, { compilerOptions }).outputText;
    transpiled.set(source, text);
  }
  return text;
}

function evaluate(path: string, code: string, load: (file: string) => unknown): unknown {
  const module = { exports: {} };
  const require = (specifier: string) =>
    specifier.startsWith('.') ? load(resolve(dirname(path), specifier)) : requirePackage(specifier);
  new Function('module', 'exports', 'require', code)(module, module.exports, require);
  return module.exports;
}
