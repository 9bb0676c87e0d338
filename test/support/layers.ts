// The law of the floors, as functions over a list of files in memory: so that each law can be shown to catch an offence.

import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript';

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Offence {
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

/** What a file over the limit says in its opening comment: "Over 300 lines because ..." or "Long because ...". */
const REASON_FOR_LENGTH = /\b(?:lines|long)\b[^.]*\bbecause\b/i;

const FLOORS: Readonly<Record<string, readonly string[]>> = {
  model: ['model'],
  policy: ['policy', 'model'],
  kernel: ['kernel'],
  engine: ['engine', 'kernel', 'policy', 'model'],
  api: ['api', 'engine', 'kernel', 'policy', 'model'],
};

// A library is wrapped in one place, so that replacing it touches one file.
const LIBRARIES: Readonly<Record<string, string>> = {
  'p-queue': 'src/kernel/gate.ts',
  'async-mutex': 'src/kernel/lock.ts',
  nanoid: 'src/model/id.ts',
  leven: 'src/model/options.ts',
};

// The engine's storeys, lowest first. A file imports from the storeys below its own, never from its own or above.
const ENGINE_STOREYS: readonly (readonly string[])[] = [
  ['local-leases'],
  ['lease-store', 'events', 'stall-watch', 'submission'],
  ['ledger', 'slot-lease'],
  ['runtime'],
  ['task-context', 'around-attempt', 'retries'],
  ['call-body'],
  ['attempt'],
  ['actor'],
  ['live-slot'],
  ['slots'],
  ['shutdown'],
];

const AMBIENT = ['setTimeout', 'setInterval', 'setImmediate', 'Date.now', 'performance.now', 'Math.random', 'console'];
const UNDECIDED = [...AMBIENT, 'Date', 'performance', 'process', 'queueMicrotask', 'Promise', 'PromiseLike'];

const BUILTINS = new Set(builtinModules);

export function print(offences: readonly Offence[]): string {
  return offences.map(({ file, line, message }) => `${file}:${line}  ${message}`).join('\n');
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

/** Who may import whom. `peers` are the packages that doors may use. */
export function floorOffences(files: readonly SourceFile[], peers: readonly string[] = []): Offence[] {
  return sources(files).flatMap((file) => {
    const floor = floorOf(file.path);
    if (floor === undefined) return [{ file: file.path, line: 1, message: 'stands on no floor of the house' }];
    return importsOf(file).flatMap((entry) => {
      const reason = refusal(floor, entry, peers);
      return reason === undefined ? [] : [offence(entry, reason)];
    });
  });
}

/** The order inside the engine: calls go down, no name is known from above. */
export function engineOffences(files: readonly SourceFile[]): Offence[] {
  return sources(files)
    .filter((file) => floorOf(file.path) === 'engine')
    .flatMap((file) => {
      const own = storeyOf(file.path);
      if (own === undefined)
        return [{ file: file.path, line: 1, message: 'has no storey: give it one in ENGINE_STOREYS' }];
      return importsOf(file).flatMap((entry) => {
        if (entry.target === undefined || floorOf(entry.target) !== 'engine') return [];
        const below = storeyOf(entry.target);
        // An unknown target is reported where it stands.
        if (below === undefined || below < own) return [];
        return [offence(entry, `storey ${own} of the engine may not import from storey ${below}`)];
      });
    });
}

/** Each file on a cycle is reported once, with the shortest way round. */
export function cycleOffences(files: readonly SourceFile[]): Offence[] {
  const all = sources(files);
  const edges = new Map(all.map((file) => [file.path, importsOf(file).filter((entry) => entry.target !== undefined)]));
  const reported = new Set<string>();
  return all.flatMap((file) => {
    if (reported.has(file.path)) return [];
    const cycle = wayBack(file.path, edges);
    if (cycle === undefined) return [];
    for (const entry of cycle) reported.add(entry.file);
    const way = cycle.map((entry) => `${entry.file}:${entry.line} imports '${entry.specifier}'`).join(', ');
    return [{ file: file.path, line: cycle[0]?.line ?? 1, message: `import cycle: ${way}` }];
  });
}

/** No floor but kernel and testing reaches for the clock, chance or the console; policy does not wait either. */
export function ambientOffences(files: readonly SourceFile[]): Offence[] {
  return sources(files).flatMap((file) => {
    const floor = floorOf(file.path);
    if (floor === 'kernel' || floor === 'testing') return [];
    const forbidden = new Set(floor === 'policy' ? UNDECIDED : AMBIENT);
    const found: Offence[] = [];
    const source = parse(file);
    walk(source, (node) => {
      const name = ambientName(node, forbidden) ?? (floor === 'policy' ? waitingKeyword(node) : undefined);
      if (name !== undefined) found.push({ file: file.path, line: lineOf(source, node), message: `names ${name}` });
    });
    return found;
  });
}

export function lengthOffences(files: readonly SourceFile[]): Offence[] {
  return sources(files).flatMap((file) => {
    const lines = file.text.replace(/\n$/, '').split('\n').length;
    if (lines <= MAX_FILE_LINES || REASON_FOR_LENGTH.test(openingComment(file.text))) return [];
    return [
      { file: file.path, line: 1, message: `has ${lines} lines and does not say why ("Over 300 lines because ...")` },
    ];
  });
}

/** The porch holds named re-exports and nothing else. */
export function porchOffences(files: readonly SourceFile[]): Offence[] {
  return files
    .filter((file) => file.path === 'src/index.ts' || file.path === 'src/kit.ts')
    .flatMap((file) => {
      const source = parse(file);
      return source.statements
        .filter((node) => !(ts.isExportDeclaration(node) && node.exportClause && ts.isNamedExports(node.exportClause)))
        .map((node) => ({
          file: file.path,
          line: lineOf(source, node),
          message: `is no named re-export: ${node.getText(source).split('\n')[0]}`,
        }));
    });
}

/** A test that stands on a floor tests the file of the same path. */
export function testPathOffences(files: readonly SourceFile[]): Offence[] {
  const paths = new Set(files.map((file) => file.path));
  return files.flatMap((file) => {
    const match = /^test\/((?:model|policy|kernel|engine|api)\/.+?)(?:\.model|\.race|\.faults)?\.test\.ts$/.exec(
      file.path,
    );
    if (match === null || paths.has(`src/${match[1]}.ts`)) return [];
    return [{ file: file.path, line: 1, message: `tests src/${match[1]}.ts, which does not exist` }];
  });
}

function sources(files: readonly SourceFile[]): SourceFile[] {
  return files.filter((file) => file.path.startsWith('src/'));
}

/** model, policy, kernel, engine, porch, testing, or ext/<door>. */
function floorOf(path: string): string | undefined {
  const [, first = '', second = ''] = path.split('/');
  if (path === 'src/index.ts') return 'porch';
  if (path === 'src/kit.ts') return 'kit';
  if (first === 'ext' && path.split('/').length > 3) return `ext/${second}`;
  return first in FLOORS || first === 'testing' ? first : undefined;
}

function refusal(floor: string, entry: Import, peers: readonly string[]): string | undefined {
  if (entry.target === undefined) return refusalOfPackage(floor, entry, peers);
  const target = floorOf(entry.target);
  const allowed = FLOORS[floor];
  if (allowed !== undefined)
    return target !== undefined && allowed.includes(target)
      ? undefined
      : `${floor}/ may import only ${allowed.map((name) => `${name}/`).join(', ')}`;
  if (floor === 'porch' || floor === 'kit')
    return target !== undefined && target in FLOORS ? undefined : 'the porch re-exports the four floors only';
  return target === 'porch' || (target === 'kit' && floor.startsWith('ext/')) || target === floor
    ? undefined
    : `${floor}/ enters by src/index.ts or stays in its own folder`;
}

function refusalOfPackage(floor: string, { file, specifier }: Import, peers: readonly string[]): string | undefined {
  const name = packageName(specifier);
  const door = floor === 'testing' || floor.startsWith('ext/');
  if (specifier.startsWith('node:') || BUILTINS.has(name)) {
    return floor === 'kernel' || door ? undefined : 'a Node built-in belongs to the kernel or behind a door';
  }
  if (door) return peers.includes(name) ? undefined : 'a door uses its own optional peer only';
  const home = LIBRARIES[name];
  if (home === undefined) return 'a library that the house does not know';
  return file === home ? undefined : `this library is wrapped in ${home}`;
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function offence(entry: Import, reason: string): Offence {
  return { file: entry.file, line: entry.line, message: `imports '${entry.specifier}': ${reason}` };
}

function storeyOf(path: string): number | undefined {
  const name = path.replace(/^src\/engine\//, '').replace(/\.ts$/, '');
  const storey = ENGINE_STOREYS.findIndex((names) => names.includes(name));
  return storey === -1 ? undefined : storey;
}

/** The shortest way from a file back to itself. */
function wayBack(start: string, edges: ReadonlyMap<string, readonly Import[]>): readonly Import[] | undefined {
  const seen = new Set<string>();
  let front: (readonly Import[])[] = [[]];
  while (front.length > 0) {
    const next: (readonly Import[])[] = [];
    for (const way of front) {
      for (const entry of edges.get(way.at(-1)?.target ?? start) ?? []) {
        if (entry.target === start) return [...way, entry];
        if (entry.target === undefined || seen.has(entry.target)) continue;
        seen.add(entry.target);
        next.push([...way, entry]);
      }
    }
    front = next;
  }
  return undefined;
}

function parse(file: SourceFile): ts.SourceFile {
  return ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
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

/** The forbidden name a node reads, `globalThis.` included. A property of something else that happens to be called so is free. */
function ambientName(node: ts.Node, forbidden: ReadonlySet<string>): string | undefined {
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    const inner = node.expression.text;
    if (forbidden.has(`${inner}.${node.name.text}`)) return `${inner}.${node.name.text}`;
    if (inner === 'globalThis' && forbidden.has(node.name.text)) return node.name.text;
  }
  if (!ts.isIdentifier(node) || !forbidden.has(node.text)) return undefined;
  const parent = node.parent;
  const named =
    (ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent)) &&
    (ts.isPropertyAccessExpression(parent) ? parent.name : parent.right) === node;
  const declared =
    (ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent)) &&
    parent.name === node;
  return named || declared ? undefined : node.text;
}

function waitingKeyword(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return 'async';
  return ts.isAwaitExpression(node) ? 'await' : undefined;
}

function openingComment(text: string): string {
  return (ts.getLeadingCommentRanges(text, 0) ?? [])
    .map(({ pos, end }) => text.slice(pos, end))
    .join('\n')
    .replace(/\n\s*(?:\/\/|\*)?/g, ' ');
}
