// Code, links and images in the repository's Markdown are true, and so is the code in doc comments.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './support/example.ts';
import {
  anchorsOf,
  codeBlocksOf,
  commentsOf,
  type Fault,
  fenceFaults,
  type MarkdownFile,
  print,
  type Repository,
  referenceFaults,
  referencesOf,
  slugOf,
} from './support/markdown.ts';
import { codeFaults, outputFaults, programsOf } from './support/markdown-code.ts';

/** A type check and a process take seconds, and far more on a busy machine. */
const PATIENCE_MS = 300_000;

const NOT_OURS = ['node_modules', 'dist', 'coverage', 'docs', 'reports'];

/** Every Markdown file below the folder. Hidden folders belong to tools, except `.github`. */
function markdownIn(folder = ''): string[] {
  return readdirSync(`${ROOT}${folder}`, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}${entry.name}`;
    if (entry.isFile()) return entry.name.endsWith('.md') ? [path] : [];
    const isOurs = entry.isDirectory() && !NOT_OURS.includes(entry.name) && /^(?!\.)|^\.github$/.test(entry.name);
    return isOurs ? markdownIn(`${path}/`) : [];
  });
}

const files: readonly MarkdownFile[] = markdownIn().map((path) => ({
  path,
  text: readFileSync(`${ROOT}${path}`, 'utf8'),
}));

/** The doc comments of each source file that has code in them. */
const comments: readonly MarkdownFile[] = readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => {
    const path = `src/${name.replaceAll('\\', '/')}`;
    return { path, text: commentsOf(readFileSync(`${ROOT}${path}`, 'utf8')) };
  })
  .filter((file) => codeBlocksOf(file).length > 0);

const repository: Repository = {
  exists: (path) => existsSync(`${ROOT}${path}`),
  markdown: (path) => files.find((file) => file.path === path)?.text,
};

describe('the Markdown of the repository', () => {
  let faults: readonly Fault[];
  beforeAll(() => {
    faults = codeFaults([...files, ...comments]);
  }, PATIENCE_MS);

  it('is found in the root and below src', () => {
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['README.md', 'CHANGELOG.md', 'src/ARCHITECTURE.md']),
    );
  });

  for (const file of [...files, ...comments])
    it(`${file.path} has code blocks that are closed and that compile`, () => {
      expect(print([...fenceFaults(file), ...faults.filter((fault) => fault.file === file.path)])).toBe('');
    });

  for (const file of files)
    it(`${file.path} has links, anchors and images that exist, and an alternative text for each image`, () => {
      expect(print(referenceFaults(file, repository))).toBe('');
    });

  for (const block of programsOf([...files, ...comments]))
    it.concurrent(`${block.file}:${block.line} prints the text block that follows it`, {
      timeout: PATIENCE_MS,
    }, async () => {
      expect(print(await outputFaults(block))).toBe('');
    });
});

/** A page in memory. */
const page = (...lines: string[]): MarkdownFile => ({ path: 'PAGE.md', text: lines.join('\n') });

const block = (language: string, ...lines: string[]): string[] => [`\`\`\`${language}`, ...lines, '```'];

describe('the check of code blocks', () => {
  let faults: readonly Fault[];
  const good = {
    path: 'src/ext/GOOD.md',
    text: [
      ...block('ts', "import { Supervisor } from 'slotvisor';", 'console.log(Supervisor.name);'),
      ...block(
        'ts',
        "import { Supervisor } from 'slotvisor';",
        "import { schedule } from 'slotvisor/cron';",
        "import { VirtualClock } from 'slotvisor/testing';",
        'const supervisor = new Supervisor({ clock: new VirtualClock() });',
        'await schedule(supervisor, { everyMs: 1_000, task: { run: () => {} } }).stop();',
      ),
      ...block('js', 'const anything = whatever.it(is);'),
      ...block('sh', 'npm install (slotvisor'),
    ].join('\n'),
  };
  const bad = page(
    '# Faults',
    ...block('ts', "import { Supervisor } from 'slotvisor';", '', 'new Supervisor().submit({ runs: 1 });'),
    ...block('ts fragment', 'await undeclared();'),
    ...block('TypeScript', "import { nothing } from 'slotvisor/nowhere';", 'nothing();'),
    ...block('ts', 'const twice = 1;', 'export { twice };'),
    ...block('ts', 'const twice = 2;', 'export { twice, twice as again };', 'let unused = 3;'),
    ...block('js', 'const one = ;'),
    ...block('js', "import { Supervisor } from 'slotvisor';", 'new Supervisor().sbmit();'),
    '1. an item',
    ...block('ts', 'const text: string = 1;', 'text.length;').map((line) => `   ${line}`),
  );
  beforeAll(() => {
    faults = codeFaults([good, bad]);
  }, PATIENCE_MS);

  it('accepts blocks that compile, and languages that it does not know', () => {
    expect(print(faults.filter(({ file }) => file === good.path))).toBe('');
  });

  it('names the file and the line of each fault, in TypeScript and in JavaScript, whatever else follows the language', () => {
    const found = faults.filter(({ file }) => file === bad.path);
    expect(found.map(({ line, message }) => `${line} ${/\(TS\d+\)$/.exec(message)?.[0]}`)).toEqual([
      '5 (TS2561)',
      '8 (TS2304)',
      '11 (TS2307)',
      '21 (TS6133)',
      '24 (TS1109)',
      '28 (TS2551)',
      '32 (TS2322)',
    ]);
  });

  it('finds the blocks of doc comments, and no others, at their lines', () => {
    const text = ['/** One. */', '/**', ' * ```ts', ' *   twice();', ' * ```', ' */', "const text = '```';", '// ```'];
    expect(codeBlocksOf({ path: 'a.ts', text: commentsOf(text.join('\n')) })).toMatchObject([
      { line: 3, code: '  twice();\n', closed: true },
    ]);
  });

  it('reports a block without a closing fence', () => {
    expect(print(fenceFaults(page('text', '```ts', 'const a = 1;')))).toBe(
      'PAGE.md:2  the code block has no closing fence',
    );
    expect(fenceFaults(page('````md', '```ts', '````', '~~~', '```', '~~~'))).toEqual([]);
  });
});

describe('the check of printed output', { timeout: PATIENCE_MS }, () => {
  const outputOf = async (...lines: string[]): Promise<string> => {
    const faults = await Promise.all(programsOf([page(...lines)]).map(outputFaults));
    return print(faults.flat());
  };
  const hello = block(
    'ts',
    "import { Supervisor } from 'slotvisor';",
    "import { seededRandom } from 'slotvisor/testing';",
    'const supervisor = new Supervisor({ random: seededRandom(1) });',
    "console.log(await supervisor.submit({ run: (): string => 'hello' }).value());",
    "console.log('  world');",
  );

  it('takes a TypeScript block that a text block follows, and no other', () => {
    const programs = programsOf([
      page(...hello, '', ...block('text', 'one')),
      page(...hello, 'It prints:', ...block('text', 'two')),
      page(...block('sh', 'ls'), ...block('text', 'three')),
      page(...hello),
    ]);
    expect(programs.map(({ output }) => output)).toEqual(['one\n']);
  });

  it('accepts the exact output', async () => {
    expect(await outputOf(...hello, '', ...block('text', 'hello', '  world'))).toBe('');
  });

  it('reports an output that differs, in white space only too', async () => {
    expect(await outputOf('# Title', ...hello, ...block('text', 'hello', ' world'))).toBe(
      String.raw`PAGE.md:2  the stdout is "hello\n  world\n", not "hello\n world\n"`,
    );
  });

  it('reports an exit code and a text on stderr', async () => {
    const faulty = block('ts', "console.error('oh');", 'process.exitCode = 3;');
    expect(await outputOf(...faulty, ...block('text'))).toBe(
      ['PAGE.md:1  the exit code is 3, not 0', String.raw`PAGE.md:1  the stderr is "oh\n", not ""`].join('\n'),
    );
  });
});

describe('the check of links and images', () => {
  const OTHER = ['# Other page', '## `submit()`, and more', '## Twice', '## Twice', '<a id="by-hand"></a>'].join('\n');
  const known: Repository = {
    exists: (path) => ['docs', 'docs/OTHER.md', 'docs/picture.svg', 'src/index.ts'].includes(path),
    markdown: (path) => (path === 'docs/OTHER.md' ? OTHER : undefined),
  };
  const faultsOf = (...lines: string[]): string[] =>
    referenceFaults({ path: 'docs/PAGE.md', text: lines.join('\n') }, known).map(
      ({ line, message }) => `${line}: ${message}`,
    );

  it('accepts links to files, folders, lines and anchors that exist', () => {
    expect(
      faultsOf(
        '# This page',
        '[a](OTHER.md) [b](./OTHER.md#submit-and-more) [c](OTHER.md#twice-1 "title") [d](OTHER.md#by-hand)',
        '[e](../src/index.ts#L3) [f](/src/index.ts) [g](../docs/) [h](#this-page) [i](https://example.com/#no)',
        '[over two',
        'lines](OTHER.md) [j][other] [other][] <a href="OTHER.md">k</a> [l](mailto:a@b.c) [m](OTHER.md?plain=1)',
        '[![A picture](picture.svg)](OTHER.md) <img alt="A picture" src="picture.svg">',
        '[other]: OTHER.md#other-page',
      ),
    ).toEqual([]);
  });

  it('reports each link to a file or an anchor that does not exist', () => {
    expect(
      faultsOf(
        '[a](NONE.md)',
        '[b](OTHER.md#none) and [c](#none)',
        '[d](OTHER.md#Twice) [over two',
        'lines](none/)',
        '[e](../../outside.md)',
        '[f](../src/index.ts#heading)',
        '[g][nowhere]',
        '[h]: none.txt',
        '<a href="NONE.md">',
        '[![A picture](none.svg)](NONE.md)',
      ),
    ).toEqual([
      '1: NONE.md: there is no docs/NONE.md',
      '2: OTHER.md#none: docs/OTHER.md has no heading for #none',
      '2: #none: docs/PAGE.md has no heading for #none',
      '3: OTHER.md#Twice: docs/OTHER.md has no heading for #Twice',
      '3: none/: there is no docs/none',
      '5: ../../outside.md leaves the repository',
      '6: ../src/index.ts#heading: src/index.ts has no anchors',
      '7: the reference [nowhere] is not defined',
      '8: none.txt: there is no docs/none.txt',
      '9: NONE.md: there is no docs/NONE.md',
      '10: NONE.md: there is no docs/NONE.md',
      '10: none.svg: there is no docs/none.svg',
    ]);
  });

  it('reports each image without an alternative text', () => {
    expect(
      faultsOf(
        '![](picture.svg)',
        '<img src="picture.svg">',
        '<img src="picture.svg" alt=" ">',
        '![ ][p]',
        '[p]: picture.svg',
      ),
    ).toEqual([
      '1: the image picture.svg has no alternative text',
      '2: the image picture.svg has no alternative text',
      '3: the image picture.svg has no alternative text',
      '4: the image picture.svg has no alternative text',
    ]);
  });

  it('does not look into code and comments', () => {
    expect(
      faultsOf(...block('md', '[a](NONE.md)'), '`[b](NONE.md)` and ``[c](NONE`.md)``', '<!-- [d](NONE.md) -->'),
    ).toEqual([]);
    expect(anchorsOf(block('sh', '# no heading').join('\n'))).toEqual(new Set());
  });

  it('derives anchors from headings as GitHub does', () => {
    expect(
      [
        'What it costs',
        '`submit()`, and more',
        'A [link](x.md) & more',
        "Don't: 50 % of_it",
        'Über <b>uns</b>',
        '`Map<K>`',
      ].map(slugOf),
    ).toEqual(['what-it-costs', 'submit-and-more', 'a-link--more', 'dont-50--of_it', 'über-uns', 'mapk']);
    expect(anchorsOf('# One\n\nTwo\n---\n\n## One ##\n\n| a |\n---\n')).toEqual(new Set(['one', 'two', 'one-1']));
  });

  it('gives the position of what it finds', () => {
    expect(referencesOf(page('', 'see', '[a](b.md), ![c](d.svg)'))).toEqual([
      { file: 'PAGE.md', line: 3, kind: 'link', target: 'b.md', alt: '' },
      { file: 'PAGE.md', line: 3, kind: 'image', target: 'd.svg', alt: 'c' },
    ]);
    expect(codeBlocksOf(page('', ...block('ts', 'a;'))).map(({ line, code }) => ({ line, code }))).toEqual([
      { line: 2, code: 'a;\n' },
    ]);
  });
});
