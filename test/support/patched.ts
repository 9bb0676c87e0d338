// Loads a source file with one deliberate fault in it. A test can then show that a check finds the
// fault.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';

export interface Fault {
  /** What is wrong with the patched file, in words. */
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Returns the exports of the file with `from` replaced by `to`. The files that it imports are
 * loaded unchanged.
 */
export function loadPatched<Exports>(path: string, { name, from, to }: Fault): Exports {
  const source = readFileSync(path, 'utf8');
  if (source.split(from).length !== 2) throw new Error(`fault "${name}": its text must occur exactly once in ${path}`);
  return evaluate(
    path,
    source.replace(from, () => to),
  ) as Exports;
}

function evaluate(path: string, source: string): unknown {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 },
  });
  const module = { exports: {} };
  const load = (specifier: string): unknown => {
    const file = resolve(dirname(path), specifier);
    return evaluate(file, readFileSync(file, 'utf8'));
  };
  new Function('module', 'exports', 'require', outputText)(module, module.exports, load);
  return module.exports;
}
