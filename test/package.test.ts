// The package as npm packs it: its files, its entry points in both formats, and its types. What
// needs other compilers, runtimes and bundlers is in test/package/.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { print, referenceFaults } from './support/markdown.ts';
import { linkedProject, node, PACKED, pack, ROOT } from './support/packed.ts';

const tool = (path: string): string => join(ROOT, 'node_modules', path);

const { './package.json': _, ...entries } = manifest.exports;
/** `index`, `cron` and so on: the names of their files in dist. */
const NAMES = Object.keys(entries).map((path) => (path === '.' ? 'index' : path.slice('./'.length)));
const specifier = (name: string): string => (name === 'index' ? 'slotvisor' : `slotvisor/${name}`);
const SPECIFIERS = JSON.stringify(NAMES.map(specifier));

/** npm installs no optional peer. These are loaded by an entry point. */
const PEERS = ['prom-client', '@opentelemetry/api', '@nestjs/common', '@nestjs/core', 'reflect-metadata'];

/** The name of the library that a source is of. */
const LIBRARY = /node_modules\/((?:@[\w-]+\/)?[\w-]+)\//;

/** They lead to the tests, which are in the repository. */
const FOR_CONTRIBUTORS = ['CONTRIBUTING.md', 'src/ARCHITECTURE.md', 'test/bench/README.md'];

/** Node then loads the CommonJS build, as everything does that cannot load ES modules. */
const NO_MODULES = '--no-experimental-require-module';

let temp: string;
let tarball: string;
let consumer: string;
let installed: string;
let files: readonly string[];

beforeAll(async () => {
  temp = mkdtempSync(join(tmpdir(), 'slotvisor-package-'));
  tarball = await pack(temp);
  consumer = join(temp, 'consumer');
  installed = await linkedProject(consumer, tarball, ...PEERS);
  files = readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      join(parentPath, name)
        .slice(installed.length + 1)
        .replaceAll('\\', '/'),
    );
});

afterAll(() => rmSync(temp, { recursive: true, force: true, maxRetries: 3 }));

const imported = (script: string) => node(consumer, '--input-type=module', '-e', script);

/** The same script in CommonJS. */
function required(script: string, ...flags: readonly string[]) {
  const body = script.replace(/^ *import (.+) from ('.+');$/gm, 'const $1 = require($2);');
  return node(consumer, ...flags, '--input-type=commonjs', '-e', `(async () => {${body}})();`);
}

describe.concurrent('the packed package', () => {
  it('contains only the build, its sources, the manifest and the documents', () => {
    const isExpected = (name: string): boolean =>
      PACKED.includes(name) ||
      name === 'dist/LICENSES.txt' ||
      /^dist\/(chunks\/)?[\w.-]+\.(c?js|d\.c?ts)(\.map)?$/.test(name) ||
      (/^src\/.+\.(md|ts)$/.test(name) && !name.startsWith('src/ext/dashboard/ui/')) ||
      /^examples\/.+\.(ts|mjs|md|json|yml|png|svg)$/.test(name);
    expect(files.filter((name) => !isExpected(name))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining([...PACKED, 'src/SEMANTICS.md', 'src/ext/cron/README.md']));
    expect(files, 'the build empties dist first').not.toContain('dist/stale.js');
  });

  it('has what its pages link to', () => {
    const pages = files
      .filter((path) => path.endsWith('.md'))
      .map((path) => ({ path, text: readFileSync(join(installed, path), 'utf8') }));
    const forUsers = pages.filter(({ path }) => !FOR_CONTRIBUTORS.includes(path));
    const faults = forUsers.flatMap((page) =>
      referenceFaults(page, {
        exists: (path) => files.some((file) => file === path || file.startsWith(`${path}/`)),
        markdown: (path) => pages.find((other) => other.path === path)?.text,
      }),
    );
    expect(forUsers.length).toBeGreaterThan(20);
    expect(print(faults)).toBe('');
  });

  it.each(NAMES)('has the entry point %s as an ES module and as CommonJS, each with its types', (name) => {
    const module = { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` };
    const common = { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` };
    expect(manifest.exports).toHaveProperty([name === 'index' ? '.' : `./${name}`], {
      'module-sync': module,
      import: module,
      require: common,
    });
    const named = [module, common].flatMap((one) => Object.values(one)).map((path) => path.slice('./'.length));
    expect(files).toEqual(expect.arrayContaining(named));
  });

  it('has nothing in dist but entry points and what they share', () => {
    const names = files.flatMap((file) => /^dist\/([\w-]+)\.(?!txt)/.exec(file)?.[1] ?? []);
    expect([...new Set(names)].sort()).toEqual([...NAMES].sort());
  });

  it('gives `import` and `require` the same modules, without a warning', async () => {
    const script = `
      import { createRequire } from 'node:module';
      const require = createRequire(process.cwd() + '/');
      for (const name of ${SPECIFIERS}) if ((await import(name)) !== require(name)) console.log(name);`;
    expect(await imported(script)).toEqual({ code: 0, output: '' });
    const other = `for (const name of ${SPECIFIERS}) if (require(name) !== (await import(name))) console.log(name);`;
    expect(await required(other)).toEqual({ code: 0, output: '' });
  });

  it('has a CommonJS build with the same exports, which loads no ES module', async () => {
    const list = (get: string) =>
      `for (const name of ${SPECIFIERS}) console.log(name, Object.keys(${get}).sort().join());`;
    const modules = await imported(list('await import(name)'));
    expect(modules.output).toContain('slotvisor CanceledError,');
    expect(await required(list('require(name)'), NO_MODULES)).toEqual(modules);
  });

  it('lets supervisors, schedules and errors of one build work with the entry points of the other', async () => {
    const path = (name: string) => JSON.stringify(join(installed, 'dist', `${name}.cjs`));
    const script = `
      import { createRequire } from 'node:module';
      import * as here from 'slotvisor';
      import * as cron from 'slotvisor/cron';
      import { health } from 'slotvisor/health';
      import { VirtualClock } from 'slotvisor/testing';
      import { prometheus } from 'slotvisor/prometheus';
      import { Registry } from 'prom-client';
      const require = createRequire(import.meta.url);
      const there = require(${path('index')});
      const thereCron = require(${path('cron')});
      const say = (...facts) => console.log(...facts.map(String));
      say('apart', here.Supervisor !== there.Supervisor);

      for (const error of [new there.FatalError('x'), new there.CanceledError('x')])
        say((await new here.Supervisor().submit({ run: () => Promise.reject(error) }).outcome).kind);

      const clock = new VirtualClock({ wallMs: 1_000 });
      const supervisor = new there.Supervisor({ clock });
      const task = { slot: 's', run: (ctx) => ctx.sleep(3_000) };
      const claims = { claim: async () => true, last: async () => undefined };
      const one = cron.schedule(supervisor, { name: 'one', everyMs: 10_000, startAt: new Date(1_000), task, claims });
      const two = thereCron.schedule(supervisor, { name: 'two', everyMs: 10_000, task: { run: () => 1 } });
      await clock.advance(11_000);
      say('while it runs', one.totals.ran, two.totals.ran);
      say(cron.schedulesOf(supervisor).map(({ name }) => name), thereCron.schedulesOf(supervisor).length);
      try { thereCron.schedule(supervisor, { name: 'one', everyMs: 1, task }); } catch (error) { say(error instanceof here.OptionError, error.field); }
      await clock.advance(5_000);
      say(health(supervisor).live().status);
      const register = new Registry();
      prometheus(supervisor, { register, name: 'a' });
      require(${path('prometheus')}).prometheus(new here.Supervisor(), { register, name: 'b' });
      say((await register.getSingleMetricAsString('slotvisor_open')).match(/supervisor=".+"/g));
      here.stopOnSignals(supervisor, { signals: ['SIGUSR2'] });
      process.emit('SIGUSR2', 'SIGUSR2');
      await supervisor.closed;
      say(supervisor.phase, cron.schedulesOf(supervisor).length);
      for (const call of [() => cron.schedule({ check() {} }, { everyMs: 1, task }), () => here.stopOnSignals({})])
        try { call(); } catch ({ message }) { say(message); }`;
    expect((await imported(script)).output.split('\n')).toEqual([
      'apart true',
      'fatal',
      'canceled',
      'while it runs 2 1',
      'one,two 2',
      'true name',
      'pass',
      'supervisor="a",supervisor="b"',
      'closed 0',
      'supervisor must be a Supervisor, got an object',
      'supervisor must be a Supervisor, got an object',
      '',
    ]);
  });

  it.each(['ES module', 'CommonJS'])('begins the stack of a refusal at the line of its caller, as %s', async (how) => {
    const script = `
      import { Supervisor, once, slotGroup } from 'slotvisor';
      import { schedule } from 'slotvisor/cron';
      import { dashboard } from 'slotvisor/dashboard';
      import { health } from 'slotvisor/health';
      import { logTo } from 'slotvisor/log';
      import { postgresLeases } from 'slotvisor/postgres';
      import { redisLeases } from 'slotvisor/redis';
      import { subprocessTask } from 'slotvisor/subprocess';
      import { recordEvents, VirtualClock } from 'slotvisor/testing';
      import { workerTask } from 'slotvisor/worker';
      const supervisor = new Supervisor();
      const closed = new Supervisor();
      const ended = closed.shutdown();
      function atUser() {
        for (const call of [
          () => new Supervisor({ retries: 1 }), () => supervisor.submit({}), () => supervisor.slot(1), () => slotGroup(1),
          () => closed.submit({ run: once }), () => schedule(supervisor, {}), () => dashboard(1), () => health(1), () => logTo(1), () => postgresLeases(1),
          () => redisLeases(1), () => subprocessTask(1), () => workerTask(1), () => new VirtualClock({ a: 1 }), () => recordEvents(1),
        ])
          try {
            call();
            console.log('no refusal', String(call));
          } catch ({ name, stack }) {
            if (stack.includes('dist') || !stack.includes('atUser') || !/(Option|Closed)Error/.test(name)) console.log(String(call), stack);
          }
      }
      atUser();
      await ended;`;
    const ended = how === 'CommonJS' ? required(script, NO_MODULES) : imported(script);
    expect(await ended).toEqual({ code: 0, output: '' });
  });

  it('rejects deep imports', async () => {
    const script = "await import('slotvisor/dist/index.js').catch((error) => console.log(error.code));";
    expect(await imported(script)).toEqual({ code: 0, output: 'ERR_PACKAGE_PATH_NOT_EXPORTED\n' });
  });

  it('has the source of each line in its source maps, and that of each type in its declaration maps', () => {
    const maps = files.filter((file) => file.endsWith('.map'));
    const missing = maps.flatMap((file) => {
      const { sources, sourcesContent = [] } = JSON.parse(readFileSync(join(installed, file), 'utf8'));
      const isHere = (path: string) => files.includes(posix.join(posix.dirname(file), path));
      return (sources as string[])
        .filter((path, i) => !(isHere(path) || LIBRARY.test(path)) || (file.endsWith('.js.map') && !sourcesContent[i]))
        .map((path) => `${file}: ${path}`);
    });
    expect(missing).toEqual([]);
    const mapped = files.filter((file) => /^dist\/chunks\/core\.(js|cjs|d\.ts|d\.cts)$/.test(file));
    expect(maps).toEqual(expect.arrayContaining(mapped.map((file) => `${file}.map`)));
    expect(mapped).toHaveLength(4);
  });

  it('has the license of each library that it brings along', () => {
    const libraries = files
      .filter((file) => file.endsWith('.js.map'))
      .flatMap((file) => JSON.parse(readFileSync(join(installed, file), 'utf8')).sources as string[])
      .flatMap((path) => LIBRARY.exec(path)?.[1] ?? []);
    const text = readFileSync(join(installed, 'dist/LICENSES.txt'), 'utf8');
    const named = text.split(/\n-{80}\n\n/).map((one) => one.split('\n')[0]);
    expect(text.match(/Copyright/g)).toHaveLength(named.length);
    expect([...new Set([...libraries, 'preact'])].sort()).toEqual(named.sort());
  });

  it('loads three files for the core, and nothing else, less than 45 kB in a bundle', async () => {
    const { outputFiles, metafile } = await build({
      stdin: { contents: "export * from 'slotvisor'", resolveDir: consumer },
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'node',
      metafile: true,
      write: false,
      outfile: 'bundle.js',
    });
    const loaded = Object.keys(metafile.inputs).filter((path) => path !== '<stdin>');
    expect(loaded.map((path) => path.split('/slotvisor/').at(-1)).sort()).toEqual([
      'dist/chunks/core.js',
      'dist/chunks/rolldown-runtime.js',
      'dist/index.js',
    ]);
    expect(gzipSync(outputFiles[0]?.contents ?? '').length).toBeLessThan(45_000);
  });

  it('compiles for ESM and CommonJS consumers, declarations included', async () => {
    const use = `
      const supervisor: Supervisor = new Supervisor({ clock: new VirtualClock() });
      const disposable: AsyncDisposable = supervisor;
      const value: Promise<number> = supervisor.submit({ name: 'a', run: () => 1 }).value();
      // @ts-expect-error the value is a number, or the types are \`any\`
      const wrong: Promise<string> = supervisor.submit({ name: 'a', run: () => 1 }).value();
      const sum: Promise<number> = supervisor.submit({ run: workerTask<number>('/sum.js', { workerData: [1, 2] }) }).value();
      const said: Promise<{ stdout: string }> = supervisor.submit({ run: subprocessTask('date', ['-u']) }).value();
      const reports: Schedule = schedule(supervisor, { everyMs: 1, task: { run: (_, due) => due.getTime() } });
      // @ts-expect-error a date is no number
      const due = schedule(supervisor, { everyMs: 1, task: { run: (_, due): number => due } });
      const shared = (store: LeaseStore, pool: PgPool, client: RedisClient): FleetLeases[] =>
        [fleetLeases(store), postgresLeases(pool), redisLeases(client)];
      // @ts-expect-error a pool is no client
      const other = (pool: PgPool) => redisLeases(pool);
      void [disposable, value, wrong, sum, said, reports, due, shared, other];`;
    const head = `
      import { Supervisor } from 'slotvisor';
      import { type Schedule, schedule } from 'slotvisor/cron';
      import { type FleetLeases, fleetLeases, type LeaseStore } from 'slotvisor/fleet';
      import { type PgPool, postgresLeases } from 'slotvisor/postgres';
      import { type RedisClient, redisLeases } from 'slotvisor/redis';
      import { subprocessTask } from 'slotvisor/subprocess';
      import { VirtualClock } from 'slotvisor/testing';
      import { workerTask } from 'slotvisor/worker';`;
    const names = ['use.mts', 'use.cts'];
    for (const name of names) writeFileSync(join(consumer, name), head + use);
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2023',
      // No esnext.disposable: @types/node provides AsyncDisposable, and most users have only that.
      lib: ['es2023'],
      types: ['node'],
      typeRoots: [tool('@types')],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
    };
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: names }));
    expect(await node(consumer, tool('typescript/bin/tsc'), '-p', '.')).toEqual({ code: 0, output: '' });
  });

  it('satisfies publint in strict mode', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, strict: true, pack: false });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it('satisfies attw in every way to find types', async () => {
    const args = [tarball, '--no-definitely-typed', '--no-emoji', '--no-color'];
    const ended = await node(consumer, tool('@arethetypeswrong/cli/dist/index.js'), ...args);
    expect(ended.code, ended.output).toBe(0);
  });
});

const sum = 'data:text/javascript,export const sum = ({ workerData: [a, b] }) => a + b';

/** Clients of servers that are not there. */
const refusing = `
      const refusal = async () => { throw new Error('no server'); };
      const pool = { connect: (callback) => callback(new Error('no server')) };
      const store = new Proxy({}, { get: () => refusal });
      const client = { status: 'ready', call: refusal, duplicate: () => client };
      const waits = async (leases) => {
        const supervisor = new Supervisor({ leases });
        console.log(supervisor.submit({ slot: 's', run: () => 1 }).admission);
        await supervisor.shutdown();
      };`;

/** What an entry point does, in a script of its own, and what that prints. */
const SCENARIOS: Record<string, readonly [script: string, output: string]> = {
  index: [
    `
      import { Supervisor, once } from 'slotvisor';
      const supervisor = new Supervisor();
      const outcome = await supervisor.submit({ name: 'a', ...once(() => 42) }).outcome;
      await supervisor.shutdown();
      console.log(outcome.kind, outcome.value);`,
    'completed 42\n',
  ],
  testing: [
    `
      import { VirtualClock } from 'slotvisor/testing';
      import { Supervisor } from 'slotvisor';
      const supervisor = new Supervisor({ clock: new VirtualClock() });
      console.log(supervisor.snapshot().phase);`,
    'open\n',
  ],
  worker: [
    `
      import { Supervisor } from 'slotvisor';
      import { workerTask } from 'slotvisor/worker';
      const supervisor = new Supervisor();
      const run = workerTask('${sum}', { export: 'sum', workerData: [40, 2] });
      console.log(await supervisor.submit({ restart: 'never', run }).value());`,
    '42\n',
  ],
  subprocess: [
    `
      import { Supervisor } from 'slotvisor';
      import { subprocessTask } from 'slotvisor/subprocess';
      const run = subprocessTask(process.execPath, ['-p', '6 * 7']);
      const { stdout } = await new Supervisor().submit({ restart: 'never', run }).value();
      console.log(stdout.trim());`,
    '42\n',
  ],
  cron: [
    `
      import { Supervisor } from 'slotvisor';
      import { VirtualClock } from 'slotvisor/testing';
      import { schedule } from 'slotvisor/cron';
      const clock = new VirtualClock({ wallMs: 1_000 });
      const supervisor = new Supervisor({ clock });
      const runs = [];
      const task = { run: (_, due) => runs.push(due.getUTCSeconds()) };
      schedule(supervisor, { cron: '*/20 * * * * *', timezone: 'UTC', task });
      await clock.advance(60_000);
      console.log(runs.join());`,
    '20,40,0\n',
  ],
  prometheus: [
    `
      import { Supervisor } from 'slotvisor';
      import { prometheus } from 'slotvisor/prometheus';
      import { Registry } from 'prom-client';
      const register = new Registry();
      const end = prometheus(new Supervisor(), { register });
      console.log((await register.getSingleMetricAsString('slotvisor_open')).split('\\n').at(-1));
      end();`,
    'slotvisor_open{supervisor="default"} 1\n',
  ],
  log: [
    `
      import { Supervisor } from 'slotvisor';
      import { consoleWriter, logTo } from 'slotvisor/log';
      const supervisor = new Supervisor();
      const write = (_, message) => console.log(message.replace(/, after.*/, ''));
      logTo(supervisor, { debug: write, info: write, warn: write, error: write }, { types: ['finished'] });
      supervisor.subscribe(consoleWriter({ stream: process.stderr }), { types: [] });
      await supervisor.submit({ slot: 's', run: () => 1 }).outcome;
      await supervisor.shutdown();`,
    's: ended completed\n',
  ],
  otel: [
    `
      import { Supervisor } from 'slotvisor';
      import { attemptOf, detached, otel } from 'slotvisor/otel';
      const supervisor = new Supervisor();
      const end = otel(supervisor);
      console.log(await supervisor.submit({ run: detached(() => attemptOf() ?? 'no SDK') }).value());
      end();`,
    'no SDK\n',
  ],
  health: [
    `
      import { Supervisor } from 'slotvisor';
      import { health } from 'slotvisor/health';
      const { live, ready, notReady } = health(new Supervisor());
      const before = ready().status;
      notReady();
      console.log(live().status, before, ready().status);`,
    'pass pass fail\n',
  ],
  dashboard: [
    `
      import { Supervisor } from 'slotvisor';
      import { dashboard } from 'slotvisor/dashboard';
      const { fetch, serve } = dashboard(new Supervisor());
      for (const path of ['', 'app.js', 'app.css', 'api/summary'])
        console.log((await fetch(new Request('http://localhost/slots/' + path))).status);
      await serve().catch(({ message }) => console.log(message.split(':')[0]));`,
    '200\n200\n200\n200\ninstall @remix-run/node-fetch-server\n',
  ],
  nestjs: [
    `
      import { Module } from '@nestjs/common';
      import { NestFactory } from '@nestjs/core';
      import { Supervised, SlotvisorModule } from 'slotvisor/nestjs';
      class Orders {
        async consume(ctx) {
          console.log(ctx.slot, 'began');
          await ctx.sleep(Infinity).catch(() => {});
          console.log('ended');
        }
      }
      Supervised()(Orders.prototype, 'consume', Object.getOwnPropertyDescriptor(Orders.prototype, 'consume'));
      class App {}
      Module({ imports: [SlotvisorModule.forRoot()], providers: [Orders] })(App);
      const app = await NestFactory.createApplicationContext(App, { logger: false });
      await new Promise((resolve) => setImmediate(resolve));
      await app.close();`,
    'Orders.consume began\nended\n',
  ],
  fleet: [
    `
      import { Supervisor } from 'slotvisor';
      import { fleetLeases } from 'slotvisor/fleet';
      ${refusing}
      await waits(fleetLeases(store));`,
    'waiting\n',
  ],
  postgres: [
    `
      import { Supervisor } from 'slotvisor';
      import { migrate, postgresLeases } from 'slotvisor/postgres';
      ${refusing}
      await waits(postgresLeases(pool));
      await migrate(pool).catch(({ message }) => console.log(message));`,
    'waiting\nno server\n',
  ],
  redis: [
    `
      import { Supervisor } from 'slotvisor';
      import { redisLeases } from 'slotvisor/redis';
      ${refusing}
      await waits(redisLeases(client));`,
    'waiting\n',
  ],
};

describe.concurrent('each entry point works, keeps no process alive, and needs no client of a server', () => {
  const cases = Object.entries(SCENARIOS).filter(([name]) => name !== 'subprocess' || process.platform !== 'win32');
  it('each of them is here', () => expect(Object.keys(SCENARIOS).sort()).toEqual([...NAMES].sort()));
  it.each(cases)('as an ES module: %s', async (_, [script, output]) => {
    expect(await imported(script)).toEqual({ code: 0, output });
  });
  it.each(cases)('as CommonJS: %s', async (_, [script, output]) => {
    expect(await required(script, NO_MODULES)).toEqual({ code: 0, output });
  });
});
