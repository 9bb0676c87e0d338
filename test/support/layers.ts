// The rules of the source tree, as functions over a list of files in memory. A test can therefore
// plant a violation of each rule.

import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript';

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface Import {
  readonly file: string;
  readonly line: number;
  readonly specifier: string;
  /** The path of the imported file when the specifier is relative. */
  readonly target?: string;
}

export const MAX_FILE_LINES = 300;
export const MAX_COMMENT_WIDTH = 100;

/**
 * What a longer file says in its opening comment: "Over 300 lines because ..." or "Long because
 * ...".
 */
const REASON_FOR_LENGTH = /\b(?:lines|long)\b[^.]*\bbecause\b/i;

/**
 * What each layer may import. An entry point (`ext/x/`) may import its own folder, `index.ts` and
 * `kit.ts`.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'model/': ['model/'],
  'policy/': ['policy/', 'model/'],
  'kernel/': ['kernel/'],
  'engine/': ['engine/', 'kernel/', 'policy/', 'model/'],
  'api/': ['api/', 'engine/', 'kernel/', 'policy/', 'model/'],
  'index.ts': ['api/', 'engine/', 'kernel/', 'policy/', 'model/'],
  'kit.ts': ['api/', 'engine/', 'kernel/', 'policy/', 'model/'],
  'testing/': ['testing/', 'index.ts', 'kit.ts'],
  'ext/dashboard/ui/': ['ext/dashboard/ui/'],
};

/** Doors of entry points that others may import. */
const MAY_ALSO_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'testing/': ['src/ext/fleet/index.ts'],
  'ext/dashboard/ui/': ['src/ext/dashboard/wire.ts', 'src/model/printable.ts'],
  'ext/fleet/': ['src/ext/cron/index.ts'],
  'ext/nestjs/': ['src/ext/cron/index.ts', 'src/ext/health/index.ts'],
  'ext/postgres/': ['src/ext/fleet/index.ts', 'src/ext/cron/index.ts'],
  'ext/redis/': ['src/ext/fleet/index.ts', 'src/ext/cron/index.ts'],
};

/**
 * The page of the dashboard runs in a browser: a world of its own, which has the clock and timers,
 * and no Node. Its `.ts` files calculate, and are tested alone. Its `.tsx` files need a browser.
 */
const PAGE = 'ext/dashboard/ui/';

/** It bundles the page, and runs only when the package is built. */
const PAGE_BUILDER = 'src/ext/dashboard/ui/build.ts';

/** What the page builder makes, and git ignores. */
export const GENERATED: readonly string[] = ['src/ext/dashboard/assets.ts'];

/** Each library is wrapped in one file, or stays in the folder of one entry point. */
const LIBRARIES: Readonly<Record<string, string>> = {
  'p-queue': 'src/kernel/gate.ts',
  'async-mutex': 'src/kernel/lock.ts',
  nanoid: 'src/model/id.ts',
  leven: 'src/model/hint.ts',
  croner: 'src/ext/cron/',
};

/** The layers inside the engine, lowest first. A file imports only from layers below its own. */
const ENGINE_LAYERS: readonly (readonly string[])[] = [
  ['task-view', 'submit-call'],
  ['attempt-channel', 'local-leases', 'recent-fences', 'status-counts', 'submission'],
  ['held-lease', 'ended-submissions', 'events', 'stall-watch', 'turned-away', 'vital-slots'],
  ['probes', 'stages'],
  ['ledger', 'lease-store', 'unwatched'],
  ['slot-lease'],
  ['runtime'],
  ['task-context', 'around-attempt', 'retries'],
  ['call-body'],
  ['kill-calls'],
  ['attempt'],
  ['attempt-report'],
  ['actor'],
  ['live-slot'],
  ['slots'],
  ['stats'],
  ['shutdown'],
];

const AMBIENT = ['setTimeout', 'setInterval', 'setImmediate', 'Date.now', 'performance.now', 'Math.random', 'console'];
const FORBIDDEN_IN_POLICY = [...AMBIENT, 'Date', 'performance', 'process', 'queueMicrotask', 'Promise', 'PromiseLike'];

const MAKES_MARKUP = new Set([
  'dangerouslySetInnerHTML',
  'innerHTML',
  'outerHTML',
  'insertAdjacentHTML',
  'setHTMLUnsafe',
  'createContextualFragment',
  'DOMParser',
  'srcdoc',
  'eval',
  'Function',
]);

const BUILTINS = new Set(builtinModules);

/** Files that need a whole supervisor. test/behaviour and the race tests cover them. */
const TESTED_BY_BEHAVIOUR: readonly string[] = [
  'src/api/stop-on-signals.ts',
  'src/api/supervisor.ts',
  'src/engine/actor.ts',
  'src/engine/attempt.ts',
  'src/engine/live-slot.ts',
];

/**
 * Node built-ins that only calculate. A file of an entry point that imports no others can be tested
 * alone.
 */
const PURE_BUILTINS: readonly string[] = ['node:util', 'node:path', 'node:url'];

export function print(violations: readonly Violation[]): string {
  return violations.map(({ file, line, message }) => `${file}:${line}  ${message}`).join('\n');
}

export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  const source = parse(file);
  walk(source, (node) => {
    const specifier = specifierOf(node);
    if (specifier === undefined) return;
    const relative = specifier.startsWith('.');
    found.push({
      file: file.path,
      line: lineOf(source, node),
      specifier,
      ...(relative && { target: posix.join(posix.dirname(file.path), specifier) }),
    });
  });
  return found;
}

/**
 * Each file imports only what its layer may import. `peers` are the packages that entry points may
 * import.
 */
export function importViolations(files: readonly SourceFile[], peers: readonly string[] = []): Violation[] {
  return sources(files).flatMap((file) => {
    const layer = layerOf(file.path);
    if (layer === undefined) return [{ file: file.path, line: 1, message: 'belongs to no layer' }];
    if (file.path === PAGE_BUILDER) return [];
    return importsOf(file).flatMap((entry) => {
      const broken =
        entry.target === undefined ? brokenPackageRule(layer, entry, peers) : brokenLayerRule(layer, entry.target);
      return broken === undefined ? [] : [importViolation(entry, broken)];
    });
  });
}

/** Inside the engine a file imports only from layers below its own. */
export function engineViolations(files: readonly SourceFile[]): Violation[] {
  return sources(files)
    .filter((file) => layerOf(file.path) === 'engine/')
    .flatMap((file) => {
      const own = engineLayerOf(file.path);
      if (own === undefined) return [{ file: file.path, line: 1, message: 'is missing from ENGINE_LAYERS' }];
      return importsOf(file).flatMap((entry) => {
        if (entry.target === undefined || layerOf(entry.target) !== 'engine/') return [];
        const imported = engineLayerOf(entry.target);
        // A target without a layer is reported as a file.
        if (imported === undefined || imported < own) return [];
        return [importViolation(entry, `engine layer ${own} may not import engine layer ${imported}`)];
      });
    });
}

/** Reports each file on an import cycle once, with the shortest path of the cycle. */
export function cycleViolations(files: readonly SourceFile[]): Violation[] {
  const all = sources(files);
  const edges = new Map(all.map((file) => [file.path, importsOf(file).filter((entry) => entry.target !== undefined)]));
  const reported = new Set<string>();
  return all.flatMap((file) => {
    if (reported.has(file.path)) return [];
    const cycle = shortestCycle(file.path, edges);
    if (cycle === undefined) return [];
    for (const entry of cycle) reported.add(entry.file);
    const path = cycle.map((entry) => `${entry.file}:${entry.line} imports '${entry.specifier}'`).join(', ');
    return [{ file: file.path, line: cycle[0]?.line ?? 1, message: `import cycle: ${path}` }];
  });
}

/**
 * Only `kernel/`, `testing/` and the page use the clock, timers, randomness or the console.
 * `policy/` also uses no promise.
 */
export function ambientViolations(files: readonly SourceFile[]): Violation[] {
  return sources(files).flatMap((file) => {
    const layer = layerOf(file.path);
    if (layer === 'kernel/' || layer === 'testing/' || layer === PAGE) return [];
    const inPolicy = layer === 'policy/';
    const forbidden = new Set(inPolicy ? FORBIDDEN_IN_POLICY : AMBIENT);
    const found: Violation[] = [];
    const source = parse(file);
    walk(source, (node) => {
      const name = ambientName(node, forbidden) ?? (inPolicy ? asyncKeyword(node) : undefined);
      if (name !== undefined) found.push({ file: file.path, line: lineOf(source, node), message: `uses ${name}` });
    });
    return found;
  });
}

/** The page shows text of users as text: nothing in it makes markup of a text. */
export function markupViolations(files: readonly SourceFile[]): Violation[] {
  return sources(files)
    .filter((file) => layerOf(file.path) === PAGE)
    .flatMap((file) => {
      const found: Violation[] = [];
      const source = parse(file);
      walk(source, (node) => {
        if ((ts.isIdentifier(node) || ts.isStringLiteralLike(node)) && MAKES_MARKUP.has(node.text))
          found.push({ file: file.path, line: lineOf(source, node), message: `uses ${node.text}` });
      });
      return found;
    });
}

/**
 * Only `kernel/abort-controller.ts` makes AbortControllers: Node would warn of many listeners on
 * their signals. An entry point may make an AbortController of its own if users never get its
 * signal.
 */
export function abortControllerViolations(files: readonly SourceFile[]): Violation[] {
  return sources(files).flatMap((file) => {
    const layer = layerOf(file.path);
    if (file.path === 'src/kernel/abort-controller.ts' || layer === undefined || isEntryPoint(layer)) return [];
    const found: Violation[] = [];
    const source = parse(file);
    walk(source, (node) => {
      if (ts.isNewExpression(node) && node.expression.getText(source) === 'AbortController')
        found.push({ file: file.path, line: lineOf(source, node), message: 'makes an AbortController' });
    });
    return found;
  });
}

/** The formatter wraps code, but no comments. */
export function commentWidthViolations(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) =>
    file.text.split('\n').flatMap((line, i) => {
      if (line.length <= MAX_COMMENT_WIDTH || !/^\s*(?:\/\/|\/\*|\*)/.test(line)) return [];
      return [{ file: file.path, line: i + 1, message: `has a comment ${line.length} characters wide` }];
    }),
  );
}

export function lengthViolations(files: readonly SourceFile[]): Violation[] {
  return sources(files).flatMap((file) => {
    const lines = file.text.replace(/\n$/, '').split('\n').length;
    if (lines <= MAX_FILE_LINES || REASON_FOR_LENGTH.test(openingComment(file.text))) return [];
    return [
      { file: file.path, line: 1, message: `has ${lines} lines and does not say why ("Over 300 lines because ...")` },
    ];
  });
}

/** `index.ts` and `kit.ts` hold named re-exports and nothing else. */
export function reExportViolations(files: readonly SourceFile[]): Violation[] {
  return files
    .filter((file) => file.path === 'src/index.ts' || file.path === 'src/kit.ts')
    .flatMap((file) => {
      const source = parse(file);
      return source.statements
        .filter((node) => !(ts.isExportDeclaration(node) && node.exportClause && ts.isNamedExports(node.exportClause)))
        .map((node) => ({
          file: file.path,
          line: lineOf(source, node),
          message: `is not a named re-export: ${node.getText(source).split('\n')[0]}`,
        }));
    });
}

const LAYER_TEST =
  /^test\/((?:model|policy|kernel|engine|api|testing)\/.+?)(?:\.(?:model|race|faults|long))?\.test\.ts$/;

/**
 * A test in the folder of a layer tests the source file at the same path. Behaviour tests live in
 * other folders.
 */
export function testPathViolations(files: readonly SourceFile[]): Violation[] {
  const paths = new Set(files.map((file) => file.path));
  return files.flatMap((file) => {
    const path = LAYER_TEST.exec(file.path)?.[1];
    if (path === undefined || paths.has(`src/${path}.ts`)) return [];
    return [{ file: file.path, line: 1, message: `tests src/${path}.ts, which does not exist` }];
  });
}

/** Every source file that can be tested alone has a test at the same path. */
export function missingTestViolations(files: readonly SourceFile[]): Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return sources(files).flatMap((file) => {
    const test = file.path.replace(/^src\/(.*)\.ts$/, 'test/$1.test.ts');
    if (byPath.has(test) || !holdsCode(file) || !canBeTestedAlone(file, byPath)) return [];
    return [{ file: file.path, line: 1, message: `has no test at ${test}` }];
  });
}

function sources(files: readonly SourceFile[]): SourceFile[] {
  return files.filter((file) => file.path.startsWith('src/'));
}

/** The layer of a source file, as messages name it: `model/`, `index.ts`, `ext/cron/`. */
function layerOf(path: string): string | undefined {
  const [, folder = '', ...rest] = path.split('/');
  if (path.startsWith(`src/${PAGE}`)) return PAGE;
  if (folder === 'ext') return rest.length > 1 ? `ext/${rest[0]}/` : undefined;
  const layer = rest.length > 0 ? `${folder}/` : folder;
  return layer in MAY_IMPORT ? layer : undefined;
}

function isEntryPoint(layer: string): boolean {
  return layer.startsWith('ext/');
}

function brokenLayerRule(layer: string, target: string): string | undefined {
  const imported = layerOf(target);
  const allowed = MAY_IMPORT[layer] ?? [layer, 'index.ts', 'kit.ts'];
  const doors = MAY_ALSO_IMPORT[layer] ?? [];
  if ((imported !== undefined && allowed.includes(imported)) || doors.includes(target)) return undefined;
  return `${layer} may import only ${[...allowed, ...doors].join(', ')}`;
}

function brokenPackageRule(layer: string, { file, specifier }: Import, peers: readonly string[]): string | undefined {
  const name = packageName(specifier);
  if (layer === PAGE) return name === 'preact' ? undefined : 'the page may import only preact';
  const isOutside = layer === 'testing/' || isEntryPoint(layer);
  if (isBuiltin(specifier)) {
    if (layer === 'kernel/' || isOutside) return undefined;
    return 'only kernel/, testing/ and entry points may import a Node built-in';
  }
  const wrapper = LIBRARIES[name];
  if (wrapper !== undefined) return file.startsWith(wrapper) ? undefined : `only ${wrapper} may import this library`;
  if (isOutside) return peers.includes(name) ? undefined : 'this package is not an optional peer dependency';
  return 'this library is missing from LIBRARIES';
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || BUILTINS.has(packageName(specifier));
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function importViolation(entry: Import, rule: string): Violation {
  return { file: entry.file, line: entry.line, message: `imports '${entry.specifier}': ${rule}` };
}

function engineLayerOf(path: string): number | undefined {
  const name = path.replace(/^src\/engine\//, '').replace(/\.ts$/, '');
  const layer = ENGINE_LAYERS.findIndex((names) => names.includes(name));
  return layer === -1 ? undefined : layer;
}

/**
 * In an entry point a file can be tested alone when neither it nor a file of the entry point that
 * it imports uses a Node built-in that acts.
 */
function canBeTestedAlone(file: SourceFile, byPath: ReadonlyMap<string, SourceFile>): boolean {
  const layer = layerOf(file.path);
  if (layer === PAGE) return file.path.endsWith('.ts') && file.path !== PAGE_BUILDER;
  if (layer === undefined || !isEntryPoint(layer)) return !TESTED_BY_BEHAVIOUR.includes(file.path);
  const reached = new Set([file]);
  for (const { path, text } of reached)
    for (const { specifier, target } of importsOf({ path, text })) {
      if (target === undefined && isBuiltin(specifier) && !PURE_BUILTINS.includes(specifier)) return false;
      const imported = target !== undefined && layerOf(target) === layer ? byPath.get(target) : undefined;
      if (imported !== undefined) reached.add(imported);
    }
  return true;
}

/** The file holds more than imports, re-exports, types, lists of words and numbers. */
function holdsCode(file: SourceFile): boolean {
  return parse(file).statements.some(
    (node) =>
      !ts.isImportDeclaration(node) &&
      !ts.isExportDeclaration(node) &&
      !ts.isInterfaceDeclaration(node) &&
      !ts.isTypeAliasDeclaration(node) &&
      !isWordList(node) &&
      !isNumber(node),
  );
}

/** The words of a type: `export const POLICIES = ['queue', ...] as const`, or with `satisfies`. */
function isWordList(node: ts.Node): boolean {
  if (!ts.isVariableStatement(node)) return false;
  return node.declarationList.declarations.every((declaration) => {
    const given = declaration.initializer;
    const initializer = given !== undefined && ts.isSatisfiesExpression(given) ? given.expression : given;
    if (initializer === undefined || !ts.isAsExpression(initializer) || !ts.isConstTypeReference(initializer.type))
      return false;
    const { expression } = initializer;
    return ts.isArrayLiteralExpression(expression) && expression.elements.every(ts.isStringLiteral);
  });
}

/** `export const MAX_PAGE = 200`: a limit, which has nothing to test. */
function isNumber(node: ts.Node): boolean {
  if (!ts.isVariableStatement(node)) return false;
  return node.declarationList.declarations.every(
    ({ initializer }) => initializer !== undefined && ts.isNumericLiteral(initializer),
  );
}

/** The shortest import cycle through a file. */
function shortestCycle(start: string, edges: ReadonlyMap<string, readonly Import[]>): readonly Import[] | undefined {
  const seen = new Set<string>();
  let paths: (readonly Import[])[] = [[]];
  while (paths.length > 0) {
    const longer: (readonly Import[])[] = [];
    for (const path of paths) {
      for (const entry of edges.get(path.at(-1)?.target ?? start) ?? []) {
        if (entry.target === start) return [...path, entry];
        if (entry.target === undefined || seen.has(entry.target)) continue;
        seen.add(entry.target);
        longer.push([...path, entry]);
      }
    }
    paths = longer;
  }
  return undefined;
}

function parse(file: SourceFile): ts.SourceFile {
  return ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true); // .tsx by its name
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function lineOf(source: ts.SourceFile, node: ts.Node): number {
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

function specifierOf(node: ts.Node): string | undefined {
  let name: ts.Node | undefined;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) name = node.moduleSpecifier;
  else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) name = node.argument.literal;
  else if (ts.isExternalModuleReference(node)) name = node.expression;
  else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) name = node.arguments[0];
  return name !== undefined && ts.isStringLiteralLike(name) ? name.text : undefined;
}

/**
 * The forbidden global that a node reads, also through `globalThis`. A property of another object
 * may have the same name.
 */
function ambientName(node: ts.Node, forbidden: ReadonlySet<string>): string | undefined {
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    const object = node.expression.text;
    if (forbidden.has(`${object}.${node.name.text}`)) return `${object}.${node.name.text}`;
    if (object === 'globalThis' && forbidden.has(node.name.text)) return node.name.text;
  }
  if (!ts.isIdentifier(node) || !forbidden.has(node.text)) return undefined;
  const parent = node.parent;
  const isMember =
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isQualifiedName(parent) && parent.right === node);
  const isDeclaration =
    ts.isImportSpecifier(parent) || // not a global; the import has its own rule
    ((ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent)) &&
      parent.name === node);
  return isMember || isDeclaration ? undefined : node.text;
}

function asyncKeyword(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return 'async';
  return ts.isAwaitExpression(node) ? 'await' : undefined;
}

function openingComment(text: string): string {
  return (ts.getLeadingCommentRanges(text, 0) ?? [])
    .map(({ pos, end }) => text.slice(pos, end))
    .join('\n')
    .replace(/\n\s*(?:\/\/|\*)?/g, ' ');
}
