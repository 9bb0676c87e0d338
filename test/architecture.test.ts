import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  ambientOffences,
  cycleOffences,
  engineOffences,
  floorOffences,
  importsOf,
  lengthOffences,
  MAX_FILE_LINES,
  type Offence,
  porchOffences,
  print,
  type SourceFile,
  testPathOffences,
} from './support/layers.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

function read(folder: string): SourceFile[] {
  return readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort()
    .map((path) => ({ path, text: readFileSync(`${ROOT}${path}`, 'utf8') }));
}

function peersOf(manifest: { peerDependencies?: Record<string, string> }): string[] {
  return Object.keys(manifest.peerDependencies ?? {});
}

const LAWS: Readonly<Record<string, (files: readonly SourceFile[], peers: readonly string[]) => Offence[]>> = {
  'each floor imports only what the law of the floors allows': floorOffences,
  'inside the engine imports go down only': engineOffences,
  'nothing imports in a circle, type imports included': cycleOffences,
  'only kernel and testing name a timer, the clock, chance or the console; policy waits for nothing': ambientOffences,
  [`no file is longer than ${MAX_FILE_LINES} lines without a reason`]: lengthOffences,
  'the porch holds named re-exports only': porchOffences,
  'a test on a floor stands at the path of what it tests': testPathOffences,
};

describe('the house', () => {
  const files = [...read('src'), ...read('test')];
  const peers = peersOf(JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')));

  it('is not empty, or every law holds for nothing', () => {
    expect(files.filter((file) => file.path.startsWith('src/')).length).toBeGreaterThan(20);
  });

  for (const [law, offencesIn] of Object.entries(LAWS)) {
    it(law, () => expect(print(offencesIn(files, peers))).toBe(''));
  }
});

const file = (path: string, ...lines: string[]): SourceFile => ({ path, text: `${lines.join('\n')}\n` });

describe('imports are found', () => {
  it('in every spelling, with their line', () => {
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

describe('each law catches a planted offence', () => {
  const planted: readonly (readonly [string, (files: readonly SourceFile[]) => Offence[], SourceFile[], string])[] = [
    [
      'model imports kernel',
      floorOffences,
      [file('src/model/a.ts', '', "import type { C } from '../kernel/clock.ts';")],
      "src/model/a.ts:2  imports '../kernel/clock.ts': model/ may import only model/",
    ],
    [
      'kernel imports model',
      floorOffences,
      [file('src/kernel/a.ts', "import type { T } from '../model/id.ts';")],
      "src/kernel/a.ts:1  imports '../model/id.ts': kernel/ may import only kernel/",
    ],
    [
      'policy imports engine, by a dynamic import',
      floorOffences,
      [file('src/policy/a.ts', "const x = import('../engine/slots.ts');")],
      "src/policy/a.ts:1  imports '../engine/slots.ts': policy/ may import only policy/, model/",
    ],
    [
      'engine imports the porch',
      floorOffences,
      [file('src/engine/a.ts', "import { x } from '../index.ts';")],
      "src/engine/a.ts:1  imports '../index.ts': engine/ may import only engine/, kernel/, policy/, model/",
    ],
    [
      'policy imports a Node built-in',
      floorOffences,
      [file('src/policy/a.ts', "import fs from 'fs';")],
      "src/policy/a.ts:1  imports 'fs': a Node built-in belongs to the kernel or behind a door",
    ],
    [
      'engine imports a Node built-in',
      floorOffences,
      [file('src/engine/a.ts', "import { setTimeout as wait } from 'node:timers/promises';")],
      "src/engine/a.ts:1  imports 'node:timers/promises': a Node built-in belongs to the kernel or behind a door",
    ],
    [
      'a library is used outside its one place',
      floorOffences,
      [file('src/engine/a.ts', "import PQueue from 'p-queue';")],
      "src/engine/a.ts:1  imports 'p-queue': this library is wrapped in src/kernel/gate.ts",
    ],
    [
      'a library nobody decided on',
      floorOffences,
      [file('src/kernel/a.ts', "import x from '@scope/left-pad/deep';")],
      "src/kernel/a.ts:1  imports '@scope/left-pad/deep': a library that the house does not know",
    ],
    [
      'a door reaches into the core',
      floorOffences,
      [file('src/ext/cron/index.ts', "import { x } from '../../engine/slots.ts';")],
      "src/ext/cron/index.ts:1  imports '../../engine/slots.ts': ext/cron/ enters by src/index.ts or stays in its own folder",
    ],
    [
      'a door imports another door',
      floorOffences,
      [file('src/ext/cron/index.ts', "import { x } from '../otel/index.ts';")],
      "src/ext/cron/index.ts:1  imports '../otel/index.ts': ext/cron/ enters by src/index.ts or stays in its own folder",
    ],
    [
      'a door uses a package that is no peer',
      floorOffences,
      [file('src/ext/redis/index.ts', "import { x } from 'ioredis';")],
      "src/ext/redis/index.ts:1  imports 'ioredis': a door uses its own optional peer only",
    ],
    [
      'the porch shows the testing door',
      floorOffences,
      [file('src/index.ts', "export { x } from './testing/index.ts';")],
      "src/index.ts:1  imports './testing/index.ts': the porch re-exports the four floors only",
    ],
    [
      'a file outside every room',
      floorOffences,
      [file('src/util.ts')],
      'src/util.ts:1  stands on no floor of the house',
    ],
    [
      'attempt knows the actor',
      engineOffences,
      [file('src/engine/attempt.ts', "import type { A } from './actor.ts';")],
      "src/engine/attempt.ts:1  imports './actor.ts': storey 6 of the engine may not import from storey 7",
    ],
    [
      'neighbours on one storey',
      engineOffences,
      [file('src/engine/events.ts', "import type { A } from './stall-watch.ts';")],
      "src/engine/events.ts:1  imports './stall-watch.ts': storey 1 of the engine may not import from storey 1",
    ],
    [
      'an engine file without a storey',
      engineOffences,
      [file('src/engine/helper.ts')],
      'src/engine/helper.ts:1  has no storey: give it one in ENGINE_STOREYS',
    ],
    [
      'two files know each other by type',
      cycleOffences,
      [
        file('src/model/a.ts', "import type { B } from './b.ts';"),
        file('src/model/b.ts', '', "export type { A } from './a.ts';"),
      ],
      "src/model/a.ts:1  import cycle: src/model/a.ts:1 imports './b.ts', src/model/b.ts:2 imports './a.ts'",
    ],
    [
      'a file imports itself',
      cycleOffences,
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
    ].map((call): readonly [string, typeof ambientOffences, SourceFile[], string] => [
      `engine calls ${call}`,
      ambientOffences,
      [file('src/engine/a.ts', '// why', `export const x = () => ${call};`)],
      `src/engine/a.ts:2  names ${call.replace(/\(.*/, '')}`,
    ]),
    [
      'engine writes to the console',
      ambientOffences,
      [file('src/engine/a.ts', "console.log('x');")],
      'src/engine/a.ts:1  names console',
    ],
    [
      'a timer by way of globalThis',
      ambientOffences,
      [file('src/model/a.ts', 'globalThis.setTimeout(f, 1);')],
      'src/model/a.ts:1  names setTimeout',
    ],
    [
      'policy waits',
      ambientOffences,
      [file('src/policy/a.ts', 'export const x = async () => 1;')],
      'src/policy/a.ts:1  names async',
    ],
    [
      'policy speaks of promises',
      ambientOffences,
      [file('src/policy/a.ts', 'export type X = Promise<void>;')],
      'src/policy/a.ts:1  names Promise',
    ],
    [
      'policy looks at the date',
      ambientOffences,
      [file('src/policy/a.ts', 'export const x = new Date();')],
      'src/policy/a.ts:1  names Date',
    ],
    [
      'policy looks at the process',
      ambientOffences,
      [file('src/policy/a.ts', 'export const x = process.env;')],
      'src/policy/a.ts:1  names process',
    ],
    [
      'a long file without a reason',
      lengthOffences,
      [file('src/engine/a.ts', '// The actor.', ...Array.from({ length: 300 }, () => 'x;'))],
      'src/engine/a.ts:1  has 301 lines and does not say why ("Over 300 lines because ...")',
    ],
    [
      'the porch does something',
      porchOffences,
      [file('src/index.ts', "export { x } from './model/x.ts';", 'export const y = 1;')],
      'src/index.ts:2  is no named re-export: export const y = 1;',
    ],
    [
      'the porch hands out everything',
      porchOffences,
      [file('src/index.ts', "export * from './model/x.ts';")],
      "src/index.ts:1  is no named re-export: export * from './model/x.ts';",
    ],
    [
      'a test of a file that is gone',
      testPathOffences,
      [file('test/policy/gone.model.test.ts')],
      'test/policy/gone.model.test.ts:1  tests src/policy/gone.ts, which does not exist',
    ],
  ];

  for (const [offence, law, files, message] of planted) {
    it(offence, () => expect(print(law(files))).toBe(message));
  }
});

describe('what is lawful passes', () => {
  it('comments, texts and members of other things', () => {
    const files = [
      file(
        'src/policy/a.ts',
        '// setTimeout, Date.now() and console are only spoken of',
        "const text = 'Math.random() process Promise';",
        'const x = machine.process; const y = { process: 1 };',
      ),
    ];
    expect(print(ambientOffences(files))).toBe('');
  });

  it('kernel and testing own the clock', () => {
    const files = ['kernel', 'testing'].map((room) => file(`src/${room}/a.ts`, 'setTimeout(f, Date.now());'));
    expect(print(ambientOffences(files))).toBe('');
  });

  it('a door with its own folder, the porch, a built-in and its peer', () => {
    const door = file(
      'src/ext/redis/index.ts',
      "import { Supervisor } from '../../index.ts';",
      "import { x } from './x.ts';",
      "import { once } from 'node:events';",
      "import type { Redis } from 'ioredis/built/Redis';",
    );
    expect(print(floorOffences([door], ['ioredis']))).toBe('');
  });

  it('a library in its one place', () => {
    expect(print(floorOffences([file('src/kernel/gate.ts', "import PQueue from 'p-queue';")]))).toBe('');
  });

  it('a long file that says why, over a line break too', () => {
    const long = file(
      'src/a.ts',
      '// The slots. Over 300 lines',
      '// because they belong together.',
      ...Array.from({ length: 300 }, () => 'x;'),
    );
    expect(print(lengthOffences([long]))).toBe('');
  });

  it('a test of what exists, by its suffixes', () => {
    const files = [
      file('src/engine/slots.ts'),
      file('test/engine/slots.test.ts'),
      file('test/engine/slots.race.test.ts'),
      file('test/behaviour/anything.test.ts'),
    ];
    expect(print(testPathOffences(files))).toBe('');
  });
});
