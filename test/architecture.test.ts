// The rules of the source tree hold for every file, and each rule catches a planted violation.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  abortControllerViolations,
  ambientViolations,
  commentWidthViolations,
  cycleViolations,
  engineViolations,
  GENERATED,
  importsOf,
  importViolations,
  lengthViolations,
  MAX_COMMENT_WIDTH,
  MAX_FILE_LINES,
  markupViolations,
  missingTestViolations,
  print,
  reExportViolations,
  type SourceFile,
  testPathViolations,
  type Violation,
} from './support/layers.ts';

type Rule = (files: readonly SourceFile[], peers: readonly string[]) => Violation[];

const ROOT = fileURLToPath(new URL('..', import.meta.url));

function read(folder: string): SourceFile[] {
  return readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes('node_modules'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((path) => !GENERATED.includes(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(`${ROOT}${path}`, 'utf8') }));
}

function peersOf(manifest: { peerDependencies?: Record<string, string> }): string[] {
  return Object.keys(manifest.peerDependencies ?? {});
}

const RULES: Readonly<Record<string, Rule>> = {
  'each file imports only what its layer may import': importViolations,
  'inside the engine each file imports only from lower layers': engineViolations,
  'no files import each other in a cycle, type imports included': cycleViolations,
  'only kernel, testing and the page use timers, the clock, randomness or the console, and policy uses no promise':
    ambientViolations,
  'nothing in the page of the dashboard makes markup of a text': markupViolations,
  'only kernel/abort-controller.ts makes AbortControllers': abortControllerViolations,
  [`no comment line is wider than ${MAX_COMMENT_WIDTH} characters`]: commentWidthViolations,
  [`no file is longer than ${MAX_FILE_LINES} lines without a reason`]: lengthViolations,
  'index.ts and kit.ts hold named re-exports only': reExportViolations,
  'a test in the folder of a layer tests the source file at the same path': testPathViolations,
  'every source file that can be tested alone has a test at the same path': missingTestViolations,
};

describe('the source tree', () => {
  const files = [...read('src'), ...read('test')];
  const peers = peersOf(JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')));

  it('is found by this test, so the rules are checked on real files', () => {
    expect(files.filter((file) => file.path.startsWith('src/')).length).toBeGreaterThan(20);
  });

  for (const [name, violationsIn] of Object.entries(RULES)) {
    it(`keeps the rule: ${name}`, () => expect(print(violationsIn(files, peers))).toBe(''));
  }
});

const file = (path: string, ...lines: string[]): SourceFile => ({ path, text: `${lines.join('\n')}\n` });

describe('imports', () => {
  it('are found in every spelling, with their line', () => {
    const spellings = file(
      'src/engine/actor.ts',
      "import a from './a.ts';",
      "import type { B } from './b.ts';",
      "export * from './c.ts';",
      "export type { D } from './d.ts';",
      "import './e.ts';",
      "const f = () => import('./f.ts');",
      "type G = import('../g.ts').G;",
      "import {\n  h,\n} from './h.ts';",
      "// import x from './comment.ts';",
      'const text = "import x from \'./text.ts\'";',
    );
    expect(importsOf(spellings).map(({ line, specifier }) => `${line} ${specifier}`)).toEqual([
      '1 ./a.ts',
      '2 ./b.ts',
      '3 ./c.ts',
      '4 ./d.ts',
      '5 ./e.ts',
      '6 ./f.ts',
      '7 ../g.ts',
      '8 ./h.ts',
    ]);
    expect(importsOf(spellings).at(6)?.target).toBe('src/g.ts');
  });
});

describe('a planted violation is reported', () => {
  type Planted = readonly [violation: string, rule: Rule, files: SourceFile[], message: string];

  const planted: readonly Planted[] = [
    [
      'model imports kernel',
      importViolations,
      [file('src/model/a.ts', '', "import type { C } from '../kernel/clock.ts';")],
      "src/model/a.ts:2  imports '../kernel/clock.ts': model/ may import only model/",
    ],
    [
      'kernel imports model',
      importViolations,
      [file('src/kernel/a.ts', "import type { T } from '../model/id.ts';")],
      "src/kernel/a.ts:1  imports '../model/id.ts': kernel/ may import only kernel/",
    ],
    [
      'policy imports engine with a dynamic import',
      importViolations,
      [file('src/policy/a.ts', "const x = import('../engine/slots.ts');")],
      "src/policy/a.ts:1  imports '../engine/slots.ts': policy/ may import only policy/, model/",
    ],
    [
      'engine imports index.ts',
      importViolations,
      [file('src/engine/a.ts', "import { x } from '../index.ts';")],
      "src/engine/a.ts:1  imports '../index.ts': engine/ may import only engine/, kernel/, policy/, model/",
    ],
    [
      'engine imports api',
      importViolations,
      [file('src/engine/a.ts', "import type { Slot } from '../api/slot.ts';")],
      "src/engine/a.ts:1  imports '../api/slot.ts': engine/ may import only engine/, kernel/, policy/, model/",
    ],
    [
      'kit.ts re-exports from an entry point',
      importViolations,
      [file('src/kit.ts', "export { x } from './testing/index.ts';")],
      "src/kit.ts:1  imports './testing/index.ts': kit.ts may import only api/, engine/, kernel/, policy/, model/",
    ],
    [
      'policy imports a Node built-in',
      importViolations,
      [file('src/policy/a.ts', "import fs from 'fs';")],
      "src/policy/a.ts:1  imports 'fs': only kernel/, testing/ and entry points may import a Node built-in",
    ],
    [
      'engine imports a Node built-in',
      importViolations,
      [file('src/engine/a.ts', "import { setTimeout as wait } from 'node:timers/promises';")],
      "src/engine/a.ts:1  imports 'node:timers/promises': only kernel/, testing/ and entry points may import a Node built-in",
    ],
    [
      'a library is imported outside of the file that wraps it',
      importViolations,
      [file('src/engine/a.ts', "import PQueue from 'p-queue';")],
      "src/engine/a.ts:1  imports 'p-queue': only src/kernel/gate.ts may import this library",
    ],
    [
      'a library is imported that no file wraps',
      importViolations,
      [file('src/kernel/a.ts', "import x from '@scope/left-pad/deep';")],
      "src/kernel/a.ts:1  imports '@scope/left-pad/deep': this library is missing from LIBRARIES",
    ],
    [
      'an entry point imports engine',
      importViolations,
      [file('src/ext/cron/index.ts', "import { x } from '../../engine/slots.ts';")],
      "src/ext/cron/index.ts:1  imports '../../engine/slots.ts': ext/cron/ may import only ext/cron/, index.ts, kit.ts",
    ],
    [
      'an entry point imports another entry point',
      importViolations,
      [file('src/ext/cron/index.ts', "import { x } from '../otel/index.ts';")],
      "src/ext/cron/index.ts:1  imports '../otel/index.ts': ext/cron/ may import only ext/cron/, index.ts, kit.ts",
    ],
    [
      'an entry point imports a file behind the door of another one',
      importViolations,
      [file('src/ext/redis/index.ts', "import { x } from '../fleet/session.ts';")],
      "src/ext/redis/index.ts:1  imports '../fleet/session.ts': ext/redis/ may import only ext/redis/, index.ts, kit.ts, src/ext/fleet/index.ts, src/ext/cron/index.ts",
    ],
    [
      'an entry point imports a package that is not a peer dependency',
      importViolations,
      [file('src/ext/redis/index.ts', "import { x } from 'ioredis';")],
      "src/ext/redis/index.ts:1  imports 'ioredis': this package is not an optional peer dependency",
    ],
    [
      'an entry point imports the library of another one',
      importViolations,
      [file('src/ext/redis/index.ts', "import { CronDate } from 'croner';")],
      "src/ext/redis/index.ts:1  imports 'croner': only src/ext/cron/ may import this library",
    ],
    [
      'testing imports a file of model',
      importViolations,
      [file('src/testing/a.ts', "import { refuse } from '../model/check.ts';")],
      "src/testing/a.ts:1  imports '../model/check.ts': testing/ may import only testing/, index.ts, kit.ts, src/ext/fleet/index.ts",
    ],
    [
      'index.ts re-exports from testing',
      importViolations,
      [file('src/index.ts', "export { x } from './testing/index.ts';")],
      "src/index.ts:1  imports './testing/index.ts': index.ts may import only api/, engine/, kernel/, policy/, model/",
    ],
    [
      'a file lies outside of every layer',
      importViolations,
      [file('src/util.ts'), file('src/ext/util.ts')],
      'src/util.ts:1  belongs to no layer\nsrc/ext/util.ts:1  belongs to no layer',
    ],
    [
      'attempt imports actor',
      engineViolations,
      [file('src/engine/attempt.ts', "import type { A } from './actor.ts';")],
      "src/engine/attempt.ts:1  imports './actor.ts': engine layer 10 may not import engine layer 12",
    ],
    [
      'an engine file imports another file of its own layer',
      engineViolations,
      [file('src/engine/events.ts', "import type { A } from './stall-watch.ts';")],
      "src/engine/events.ts:1  imports './stall-watch.ts': engine layer 2 may not import engine layer 2",
    ],
    [
      'an engine file has no layer',
      engineViolations,
      [file('src/engine/helper.ts')],
      'src/engine/helper.ts:1  is missing from ENGINE_LAYERS',
    ],
    [
      'two files import types from each other',
      cycleViolations,
      [
        file('src/model/a.ts', "import type { B } from './b.ts';"),
        file('src/model/b.ts', '', "export type { A } from './a.ts';"),
      ],
      "src/model/a.ts:1  import cycle: src/model/a.ts:1 imports './b.ts', src/model/b.ts:2 imports './a.ts'",
    ],
    [
      'a file imports itself',
      cycleViolations,
      [file('src/model/a.ts', "import { x } from './a.ts';")],
      "src/model/a.ts:1  import cycle: src/model/a.ts:1 imports './a.ts'",
    ],
    ...[
      'setTimeout(f, 1)',
      'setInterval(f, 1)',
      'setImmediate(f)',
      'Date.now()',
      'performance.now()',
      'Math.random()',
    ].map(
      (call): Planted => [
        `engine calls ${call}`,
        ambientViolations,
        [file('src/engine/a.ts', '// why', `export const x = () => ${call};`)],
        `src/engine/a.ts:2  uses ${call.replace(/\(.*/, '')}`,
      ],
    ),
    [
      'engine writes to the console',
      ambientViolations,
      [file('src/engine/a.ts', "console.log('x');")],
      'src/engine/a.ts:1  uses console',
    ],
    [
      'engine makes an AbortController',
      abortControllerViolations,
      [file('src/engine/a.ts', '', 'const controller = new AbortController();')],
      'src/engine/a.ts:2  makes an AbortController',
    ],
    [
      'model sets a timer through globalThis',
      ambientViolations,
      [file('src/model/a.ts', 'globalThis.setTimeout(f, 1);')],
      'src/model/a.ts:1  uses setTimeout',
    ],
    [
      'policy declares an async function',
      ambientViolations,
      [file('src/policy/a.ts', 'export const x = async () => 1;')],
      'src/policy/a.ts:1  uses async',
    ],
    [
      'policy has a promise in a type',
      ambientViolations,
      [file('src/policy/a.ts', 'export type X = Promise<void>;')],
      'src/policy/a.ts:1  uses Promise',
    ],
    [
      'policy reads the date',
      ambientViolations,
      [file('src/policy/a.ts', 'export const x = new Date();')],
      'src/policy/a.ts:1  uses Date',
    ],
    [
      'policy reads the process',
      ambientViolations,
      [file('src/policy/a.ts', 'export const x = process.env;')],
      'src/policy/a.ts:1  uses process',
    ],
    [
      'the page imports the server part, or a Node built-in',
      importViolations,
      [
        file(
          'src/ext/dashboard/ui/a.tsx',
          "import { Recorder } from '../recorder.ts';",
          "import { readFileSync } from 'node:fs';",
          "import { html } from 'htm';",
        ),
      ],
      [
        "src/ext/dashboard/ui/a.tsx:1  imports '../recorder.ts': ext/dashboard/ui/ may import only ext/dashboard/ui/, src/ext/dashboard/wire.ts, src/model/printable.ts",
        "src/ext/dashboard/ui/a.tsx:2  imports 'node:fs': the page may import only preact",
        "src/ext/dashboard/ui/a.tsx:3  imports 'htm': the page may import only preact",
      ].join('\n'),
    ],
    [
      'the server part of the dashboard imports the page',
      importViolations,
      [file('src/ext/dashboard/a.ts', "import { seconds } from './ui/format.ts';")],
      "src/ext/dashboard/a.ts:1  imports './ui/format.ts': ext/dashboard/ may import only ext/dashboard/, index.ts, kit.ts",
    ],
    [
      'the page makes markup of a text',
      markupViolations,
      [
        file(
          'src/ext/dashboard/ui/a.tsx',
          'const a = <p dangerouslySetInnerHTML={{ __html: text }} />;',
          'node.innerHTML = text;',
          "node['outerHTML'] = text;",
        ),
      ],
      [
        'src/ext/dashboard/ui/a.tsx:1  uses dangerouslySetInnerHTML',
        'src/ext/dashboard/ui/a.tsx:2  uses innerHTML',
        'src/ext/dashboard/ui/a.tsx:3  uses outerHTML',
      ].join('\n'),
    ],
    [
      'a file of the page that calculates has no test at its path',
      missingTestViolations,
      [file('src/ext/dashboard/ui/a.ts', 'export const f = () => 1;')],
      'src/ext/dashboard/ui/a.ts:1  has no test at test/ext/dashboard/ui/a.test.ts',
    ],
    [
      'a comment is too wide',
      commentWidthViolations,
      [file('src/engine/a.ts', '', `  // ${'x'.repeat(96)}`)],
      'src/engine/a.ts:2  has a comment 101 characters wide',
    ],
    [
      'a long file gives no reason for its length',
      lengthViolations,
      [file('src/engine/a.ts', '// The actor.', ...Array.from({ length: 300 }, () => 'x;'))],
      'src/engine/a.ts:1  has 301 lines and does not say why ("Over 300 lines because ...")',
    ],
    [
      'index.ts holds a statement of its own',
      reExportViolations,
      [file('src/index.ts', "export { x } from './model/x.ts';", 'export const y = 1;')],
      'src/index.ts:2  is not a named re-export: export const y = 1;',
    ],
    [
      'index.ts re-exports everything of a file',
      reExportViolations,
      [file('src/index.ts', "export * from './model/x.ts';")],
      "src/index.ts:1  is not a named re-export: export * from './model/x.ts';",
    ],
    [
      'kit.ts holds a statement of its own',
      reExportViolations,
      [file('src/kit.ts', "export { x } from './model/x.ts';", 'export function y() {}')],
      'src/kit.ts:2  is not a named re-export: export function y() {}',
    ],
    [
      'a test has no source file at its path',
      testPathViolations,
      [file('test/policy/gone.model.test.ts')],
      'test/policy/gone.model.test.ts:1  tests src/policy/gone.ts, which does not exist',
    ],
    [
      'a file of a layer has no test at its path',
      missingTestViolations,
      [
        file('src/model/a.ts', 'export const x = () => 1;'),
        file('src/model/b.ts', "export const DEFAULTS = { a: 'b' } as const;"),
        file('test/model/a.race.test.ts'),
      ],
      [
        'src/model/a.ts:1  has no test at test/model/a.test.ts',
        'src/model/b.ts:1  has no test at test/model/b.test.ts',
      ].join('\n'),
    ],
    [
      'a file of an entry point that only calculates has no test at its path',
      missingTestViolations,
      [file('src/ext/cron/a.ts', "import { isAbsolute } from 'node:path';", 'export class A {}')],
      'src/ext/cron/a.ts:1  has no test at test/ext/cron/a.test.ts',
    ],
  ];

  for (const [violation, rule, files, message] of planted) {
    it(`when ${violation}`, () => expect(print(rule(files, []))).toBe(message));
  }
});

describe('no violation is reported', () => {
  it('for a forbidden name in a comment, in a string or as a member of another object', () => {
    const files = [
      file(
        'src/policy/a.ts',
        '// setTimeout, Date.now() and console in a comment',
        "const text = 'Math.random() process Promise';",
        'const x = machine.process; const y = { process: 1 };',
      ),
    ];
    expect(print(ambientViolations(files))).toBe('');
  });

  it('for the name of an import, which is no global', () => {
    const text = "import { setTimeout as pause } from 'node:timers/promises'; export const wait = () => pause(1);";
    expect(print(ambientViolations([file('src/ext/redis/a.ts', text)]))).toBe('');
    const unnamed = text.replaceAll('setTimeout as pause', 'setTimeout').replace('pause', 'setTimeout');
    expect(print(ambientViolations([file('src/ext/redis/a.ts', unnamed)]))).toContain('uses setTimeout');
  });

  it('for the clock and timers in kernel, testing and the page', () => {
    const files = ['kernel', 'testing', 'ext/dashboard/ui'].map((layer) =>
      file(`src/${layer}/a.ts`, 'setTimeout(f, Date.now());'),
    );
    expect(print(ambientViolations(files))).toBe('');
  });

  it('for an entry point that imports index.ts, kit.ts, its own folder, a Node built-in and its peer', () => {
    const entryPoint = file(
      'src/ext/redis/index.ts',
      "import { Supervisor } from '../../index.ts';",
      "import { refuse } from '../../kit.ts';",
      "import { x } from './x.ts';",
      "import { once } from 'node:events';",
      "import type { Redis } from 'ioredis/built/Redis';",
    );
    expect(print(importViolations([entryPoint], ['ioredis']))).toBe('');
  });

  it('for a library in the file that wraps it, or in the folder of its entry point', () => {
    const files = [
      file('src/kernel/gate.ts', "import PQueue from 'p-queue';"),
      file('src/ext/cron/zone.ts', "import { CronDate } from 'croner';"),
    ];
    expect(print(importViolations(files))).toBe('');
  });

  it('for a long file that gives its reason, even across a line break', () => {
    const long = file(
      'src/a.ts',
      '// The slots. Over 300 lines',
      '// because they belong together.',
      ...Array.from({ length: 300 }, () => 'x;'),
    );
    expect(print(lengthViolations([long]))).toBe('');
  });

  it('for tests of an existing source file, with and without a suffix, and for behaviour tests', () => {
    const files = [
      file('src/engine/slots.ts'),
      file('test/engine/slots.test.ts'),
      file('test/engine/slots.race.test.ts'),
      file('test/engine/slots.long.test.ts'),
      file('test/behaviour/anything.test.ts'),
    ];
    expect(print(testPathViolations(files))).toBe('');
  });

  it('for a page that imports preact, its own files, and the shapes and the escapes that it shares', () => {
    const files = [
      file(
        'src/ext/dashboard/ui/a.tsx',
        "import { render } from 'preact';",
        "import { useState } from 'preact/hooks';",
        "import { seconds } from './format.ts';",
        "import type { State } from '../wire.ts';",
        "import { printable } from '../../../model/printable.ts';",
        'export const a = <p>{seconds(1)}</p>;',
      ),
      file('src/ext/dashboard/ui/build.ts', "import { buildSync } from 'esbuild';", 'buildSync({});'),
    ];
    expect(print(importViolations(files))).toBe('');
    expect(print(missingTestViolations(files))).toBe('');
  });

  it('for a file without a test that holds only types, lists of words, numbers and re-exports', () => {
    const files = [
      file('src/model/types.ts', "import type { X } from './x.ts';", 'export interface A {}', 'export type B = A;'),
      file('src/model/words.ts', "export const WORDS = ['a', 'b'] as const;", 'type Word = (typeof WORDS)[number];'),
      file('src/model/limits.ts', 'export const MAX = 2_000;'),
      file('src/testing/index.ts', "export { x } from './x.ts';"),
    ];
    expect(print(missingTestViolations(files))).toBe('');
  });

  it('for a file without a test that needs a supervisor or a Node built-in, itself or through its imports', () => {
    const files = [
      file('src/engine/actor.ts', 'export const x = 1;'),
      file('src/ext/cron/make.ts', "import { spawn } from 'node:child_process';", 'export const x = spawn;'),
      file('src/ext/cron/uses-make.ts', "import { x } from './make.ts';", 'export const y = x;'),
    ];
    expect(print(missingTestViolations(files))).toBe('');
  });
});
