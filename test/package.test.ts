import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { node, PACKED, pack, project, ROOT } from './support/packed.ts';

const tool = (path: string): string => join(ROOT, 'node_modules', path);

describe('the packed package', () => {
  let temp: string;
  let tarball: string;
  let consumer: string;
  let installed: string;

  beforeAll(async () => {
    temp = mkdtempSync(join(tmpdir(), 'slotvisor-package-'));

    tarball = await pack(temp);
    consumer = join(temp, 'consumer');
    await project(consumer, tarball);
    for (const scope of ['@opentelemetry', '@nestjs']) mkdirSync(join(consumer, 'node_modules', scope));
    for (const name of ['prom-client', '@opentelemetry/api', '@nestjs/common', '@nestjs/core', 'reflect-metadata']) {
      const peer = join('node_modules', name); // npm installs no optional peer
      symlinkSync(join(ROOT, peer), join(consumer, peer), 'junction');
    }
    installed = join(consumer, 'node_modules', 'slotvisor');
  });

  afterAll(() => rmSync(temp, { recursive: true, force: true, maxRetries: 3 }));

  it('contains only the build, the manifest and the documents', () => {
    const files = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(installed.length + 1)
          .replaceAll('\\', '/'),
      );
    const isExpected = (name: string): boolean =>
      PACKED.includes(name) ||
      /^dist\/.+\.(js|d\.ts)$/.test(name) ||
      /^src\/.+\.md$/.test(name) ||
      /^examples\/timelines\/\w+\.svg$/.test(name);
    expect(files.filter((name) => !isExpected(name))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining([...PACKED, 'src/SEMANTICS.md', 'src/ext/cron/README.md']));
    expect(files).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'dist/testing/index.js']));
    expect(files, 'the build empties dist first').not.toContain('dist/stale.js');
  });

  it('can be imported and runs a task', async () => {
    const script = `
      import { Supervisor, once } from 'slotvisor';
      const supervisor = new Supervisor();
      const outcome = await supervisor.submit({ name: 'a', ...once(() => 42) }).outcome;
      await supervisor.shutdown();
      console.log(outcome.kind, outcome.value);`;
    const ended = await node(consumer, '--input-type=module', '-e', script);
    expect(ended).toEqual({ code: 0, output: 'completed 42\n' });
  });

  it('can be required', async () => {
    const script = "const { Supervisor } = require('slotvisor'); console.log(typeof Supervisor);";
    const ended = await node(consumer, '--disable-warning=ExperimentalWarning', '--input-type=commonjs', '-e', script);
    expect(ended).toEqual({ code: 0, output: 'function\n' });
  });

  it('has an entry point `slotvisor/testing` whose clock works with the main entry point', async () => {
    const script = `
      import { VirtualClock } from 'slotvisor/testing';
      import { Supervisor } from 'slotvisor';
      const supervisor = new Supervisor({ clock: new VirtualClock() });
      console.log(supervisor.snapshot().phase);`;
    expect(await node(consumer, '--input-type=module', '-e', script)).toEqual({ code: 0, output: 'open\n' });
  });

  const bodies = `
    const supervisor = new Supervisor();
    const valueOf = (run) => supervisor.submit({ restart: 'never', run }).value();
    const sum = 'data:text/javascript,export const sum = ({ workerData: [a, b] }) => a + b';
    const main = async () => {
      console.log(await valueOf(workerTask(sum, { export: 'sum', workerData: [40, 2] })));
      console.log((await valueOf(subprocessTask(process.execPath, ['-p', '6 * 7']))).stdout.trim());
      await supervisor.shutdown();
    };
    main();`;
  const heads = {
    imported: `
      import { Supervisor } from 'slotvisor';
      import { subprocessTask } from 'slotvisor/subprocess';
      import { workerTask } from 'slotvisor/worker';`,
    required: `
      const { Supervisor } = require('slotvisor');
      const { subprocessTask } = require('slotvisor/subprocess');
      const { workerTask } = require('slotvisor/worker');`,
  };
  for (const [how, head] of Object.entries(heads))
    it.skipIf(process.platform === 'win32')(
      `has working entry points for worker threads and subprocesses when ${how}`,
      async () => {
        const type = `--input-type=${how === 'imported' ? 'module' : 'commonjs'}`;
        const ended = await node(consumer, '--disable-warning=ExperimentalWarning', type, '-e', head + bodies);
        expect(ended).toEqual({ code: 0, output: '42\n42\n' });
      },
    );

  it('has a working entry point `slotvisor/cron`', async () => {
    const script = `
      import { Supervisor } from 'slotvisor';
      import { VirtualClock } from 'slotvisor/testing';
      const { schedule } = await import('slotvisor/cron');
      const clock = new VirtualClock({ wallMs: 1_000 });
      const supervisor = new Supervisor({ clock });
      const runs = [];
      const task = { run: (_, due) => runs.push(due.getUTCSeconds()) };
      schedule(supervisor, { cron: '*/20 * * * * *', timezone: 'UTC', task });
      await clock.advance(60_000);
      console.log(runs.join());`;
    expect(await node(consumer, '--input-type=module', '-e', script)).toEqual({ code: 0, output: '20,40,0\n' });
  });

  it('has a working entry point `slotvisor/prometheus`', async () => {
    const script = `
      import { Supervisor } from 'slotvisor';
      import { prometheus } from 'slotvisor/prometheus';
      import { Registry } from 'prom-client';
      const register = new Registry();
      const end = prometheus(new Supervisor(), { register });
      console.log((await register.getSingleMetricAsString('slotvisor_open')).split('\\n').at(-1));
      end();`;
    expect(await node(consumer, '--input-type=module', '-e', script)).toEqual({
      code: 0,
      output: 'slotvisor_open{supervisor="default"} 1\n',
    });
  });

  it('has a working entry point `slotvisor/log`', async () => {
    const script = `
      import { Supervisor } from 'slotvisor';
      import { consoleWriter, logTo } from 'slotvisor/log';
      const supervisor = new Supervisor();
      const write = (_, message) => console.log(message.replace(/, after.*/, ''));
      logTo(supervisor, { debug: write, info: write, warn: write, error: write }, { types: ['finished'] });
      supervisor.subscribe(consoleWriter({ stream: process.stderr }), { types: [] });
      await supervisor.submit({ slot: 's', run: () => 1 }).outcome;
      await supervisor.shutdown();`;
    expect(await node(consumer, '--input-type=module', '-e', script)).toEqual({
      code: 0,
      output: 's: ended completed\n',
    });
  });

  it('has a working entry point `slotvisor/otel`', async () => {
    const script = `
      import { Supervisor } from 'slotvisor';
      import { attemptOf, detached, otel } from 'slotvisor/otel';
      const supervisor = new Supervisor();
      const end = otel(supervisor);
      console.log(await supervisor.submit({ run: detached(() => attemptOf() ?? 'no SDK') }).value());
      end();`;
    expect(await node(consumer, '--input-type=module', '-e', script)).toEqual({ code: 0, output: 'no SDK\n' });
  });

  it('has a working entry point `slotvisor/health`, which keeps no process alive', async () => {
    const script = `
      import { Supervisor } from 'slotvisor';
      import { health } from 'slotvisor/health';
      const { live, ready, notReady } = health(new Supervisor());
      const before = ready().status;
      notReady();
      console.log(live().status, before, ready().status);`;
    expect(await node(consumer, '--input-type=module', '-e', script)).toEqual({ code: 0, output: 'pass pass fail\n' });
  });

  it('has a working entry point `slotvisor/nestjs`', async () => {
    const script = `
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
      await app.close();`;
    expect(await node(consumer, '--input-type=module', '-e', script)).toEqual({
      code: 0,
      output: 'Orders.consume began\nended\n',
    });
  });

  it('has a working entry point `slotvisor/dashboard`, which keeps no process alive, and says what serve() needs', async () => {
    const script = `
      import { Supervisor } from 'slotvisor';
      import { dashboard } from 'slotvisor/dashboard';
      const { fetch, serve } = dashboard(new Supervisor());
      for (const path of ['', 'app.js', 'app.css', 'api/summary'])
        console.log((await fetch(new Request('http://localhost/slots/' + path))).status);
      await serve().catch(({ message }) => console.log(message.split(':')[0]));`;
    expect(await node(consumer, '--input-type=module', '-e', script)).toEqual({
      code: 0,
      output: '200\n200\n200\n200\ninstall @remix-run/node-fetch-server\n',
    });
  });

  it('has working entry points `slotvisor/fleet`, `slotvisor/postgres` and `slotvisor/redis` where no client is installed', async () => {
    const script = `
      import { Supervisor } from 'slotvisor';
      import { fleetLeases } from 'slotvisor/fleet';
      import { migrate, postgresLeases } from 'slotvisor/postgres';
      import { redisLeases } from 'slotvisor/redis';
      const refusal = async () => { throw new Error('no server'); };
      const pool = { connect: (callback) => callback(new Error('no server')) };
      const store = new Proxy({}, { get: () => refusal });
      const client = { status: 'ready', call: refusal, duplicate: () => client };
      for (const leases of [fleetLeases(store), postgresLeases(pool), redisLeases(client)]) {
        const supervisor = new Supervisor({ leases });
        console.log(supervisor.submit({ slot: 's', run: () => 1 }).admission);
        await supervisor.shutdown();
      }
      await migrate(pool).catch(({ message }) => console.log(message));
      const missing = (name) => import(name).then(() => name + ' is here', () => 0);
      console.log(await Promise.all(['pg', 'ioredis', 'redis'].map(missing)));`;
    expect(await node(consumer, '--input-type=module', '-e', script)).toEqual({
      code: 0,
      output: 'waiting\nwaiting\nwaiting\nno server\n[ 0, 0, 0 ]\n',
    });
  });

  it('rejects deep imports', async () => {
    const script =
      "import('slotvisor/dist/engine/slots.js').then(() => 'open', (error) => error.code).then(console.log);";
    const ended = await node(consumer, '-e', script);
    expect(ended).toEqual({ code: 0, output: 'ERR_PACKAGE_PATH_NOT_EXPORTED\n' });
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
    const files = ['use.mts', 'use.cts'];
    for (const name of files) writeFileSync(join(consumer, name), head + use);
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
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    expect(await node(consumer, tool('typescript/bin/tsc'), '-p', '.')).toEqual({ code: 0, output: '' });
  });

  it('satisfies publint in strict mode', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, strict: true, pack: false });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  // Node >= 20.19 can require an ESM-only package, so the rules for a second CommonJS build do not
  // apply.
  it('satisfies attw as an ESM-only package', async () => {
    const args = [tarball, '--profile', 'esm-only', '--no-definitely-typed', '--no-emoji', '--no-color'];
    const ended = await node(consumer, tool('@arethetypeswrong/cli/dist/index.js'), ...args);
    expect(ended.code, ended.output).toBe(0);
  });
});
