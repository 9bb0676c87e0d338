// The code blocks of Markdown files, as programs. One type check covers all of them. A block whose
// output is given runs in a process of its own. It may import slotvisor, Node and the installed
// packages, and no file.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './example.ts';
import { type CodeBlock, codeBlocksOf, type Fault, type MarkdownFile } from './markdown.ts';

const TYPESCRIPT = ['ts', 'typescript', 'mts', 'cts', 'tsx'];
const JAVASCRIPT = ['js', 'javascript', 'mjs', 'cjs', 'jsx'];

/** The compiler's paths have forward slashes. */
const BASE = ROOT.replaceAll('\\', '/');

/** Sources and declarations that every check shares. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/**
 * Type-checks every TypeScript block as a module of its own, with the options of tsconfig.json.
 * The module stands beside its Markdown file. JavaScript is parsed, and type-checked when it
 * imports slotvisor. No word after the language exempts a block.
 */
export function codeFaults(files: readonly MarkdownFile[]): Fault[] {
  const modules = new Map(
    files.flatMap(codeBlocksOf).flatMap((block) => {
      const ending = endingOf(block);
      return ending === undefined ? [] : [[`${BASE}${block.file}.${block.line}.${ending}`, block] as const];
    }),
  );
  const program = programOf(new Map([...modules].map(([path, { code }]) => [path, code])));
  return [...modules].flatMap(([path, block]) => {
    const source = program.getSourceFile(path) as ts.SourceFile;
    const isChecked =
      TYPESCRIPT.includes(block.language) || /\b(?:from|import\(?|require\()\s*['"]slotvisor/.test(block.code);
    const found = [
      ...program.getSyntacticDiagnostics(source),
      ...(isChecked ? program.getSemanticDiagnostics(source) : []),
    ];
    return found.map(({ start = 0, messageText, code }) => ({
      file: block.file,
      line: block.line + 1 + source.getLineAndCharacterOfPosition(start).line,
      message: `${ts.flattenDiagnosticMessageText(messageText, '\n    ')} (TS${code})`,
    }));
  });
}

/** TypeScript blocks that a `text` block follows. */
export function programsOf(files: readonly MarkdownFile[]): CodeBlock[] {
  return files
    .flatMap(codeBlocksOf)
    .filter(({ language, output }) => TYPESCRIPT.includes(language) && output !== undefined);
}

/**
 * Runs the block in a process of its own. It must end by itself, print nothing to stderr, and print
 * its `text` block to stdout.
 */
export async function outputFaults(block: CodeBlock): Promise<Fault[]> {
  const ended = await run(block.code);
  const expected = { code: 0, stderr: '', stdout: block.output };
  return (['code', 'stderr', 'stdout'] as const)
    .filter((key) => ended[key] !== expected[key])
    .map((key) => ({
      file: block.file,
      line: block.line,
      message: `the ${key === 'code' ? 'exit code' : key} is ${JSON.stringify(ended[key])}, not ${JSON.stringify(expected[key])}`,
    }));
}

interface Ended {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

// The colours and the coverage of the test runner must not reach the program.
const { FORCE_COLOR: _, NO_COLOR: __, NODE_V8_COVERAGE: ___, NODE_OPTIONS: ____, ...env } = process.env;

function run(code: string): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'slotvisor-markdown-'));
  const path = join(folder, 'block.mts');
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
  writeFileSync(path, code);
  // tsx takes the paths to slotvisor from it. It must include the block, for its decorators.
  const tsconfig = join(folder, 'tsconfig.json');
  writeFileSync(tsconfig, JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), include: ['block.mts'] }));
  return new Promise<Ended>((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', path],
      { cwd: ROOT, env: { ...env, TSX_TSCONFIG_PATH: tsconfig }, timeout: 120_000 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? null), stdout, stderr }),
    );
  }).finally(() => rmSync(folder, { recursive: true, force: true }));
}

/** The ending that a block's module gets; undefined for a block in another language. */
function endingOf({ language, code }: CodeBlock): string | undefined {
  if (TYPESCRIPT.includes(language)) return language === 'typescript' ? 'ts' : language;
  if (!JAVASCRIPT.includes(language)) return undefined;
  if (language !== 'js' && language !== 'javascript') return language;
  return /\brequire\(/.test(code) && !/^\s*(?:import|export)\b/m.test(code) ? 'cjs' : 'js';
}

function programOf(modules: ReadonlyMap<string, string>): ts.Program {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(`${BASE}tsconfig.json`, ts.sys.readFile).config,
    ts.sys,
    BASE,
  );
  const settings: ts.CompilerOptions = {
    ...options,
    erasableSyntaxOnly: false, // a rule for our own code
    allowJs: true,
    checkJs: true,
    moduleDetection: ts.ModuleDetectionKind.Force,
    jsx: ts.JsxEmit.Preserve,
  };
  const host = ts.createCompilerHost(settings, true);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => modules.has(path) || fileExists(path);
  host.readFile = (path) => modules.get(path) ?? readFile(path);
  host.getSourceFile = (path, languageVersion) => {
    const code = modules.get(path);
    if (code !== undefined) return ts.createSourceFile(path, code, languageVersion, true);
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, languageVersion));
    return parsed.get(path);
  };
  return ts.createProgram([...modules.keys()], settings, host);
}
