import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  Global,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { ClosedError, Supervisor, type TaskContext } from 'slotvisor';
import { SlotvisorModule, Supervised } from 'slotvisor/nestjs';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, it, test } from 'vitest';
import { booted, compiled, recordingLogger } from './world.ts';

const WITHOUT_LOG = { logger: false, abortOnError: false } as const;

class Orders {
  @Supervised()
  consume(ctx: TaskContext) {
    return ctx.sleep(Infinity);
  }
}

describe('the supervisor', () => {
  it('is injected by its class, in every module', async () => {
    @Injectable()
    class Service {
      @Inject(Supervisor) readonly supervisor!: Supervisor;
    }
    @Module({ providers: [Service] })
    class Feature {}
    const { app, supervisor, clock } = await booted({ imports: [Feature] });
    expect(app.get(Service).supervisor).toBe(supervisor);
    expect(supervisor.clock).toBe(clock);
  });

  it('may get its options from a factory that needs other providers', async () => {
    const clock = new VirtualClock();
    @Module({ providers: [{ provide: 'CLOCK', useValue: clock }], exports: ['CLOCK'] })
    class ClockModule {}
    const module = SlotvisorModule.forRootAsync({
      imports: [ClockModule],
      inject: ['CLOCK'],
      useFactory: async (given: VirtualClock) => ({ clock: given }),
    });
    const app = await Test.createTestingModule({ imports: [module] }).compile();
    expect(app.get(Supervisor).clock).toBe(clock);
    await app.close();
  });

  it('may be given, and ends with the application, too', async () => {
    const supervisor = new Supervisor();
    @Module({ imports: [SlotvisorModule.forRoot({ supervisor })], providers: [Orders] })
    class App {}
    const app = await NestFactory.createApplicationContext(App, WITHOUT_LOG);
    expect(app.get(Supervisor)).toBe(supervisor);
    expect(supervisor.tasks()).toHaveLength(1);
    await app.close();
    expect(supervisor.phase).toBe('closed');
  });

  it('can be overridden in a test of the real module', async () => {
    @Module({ imports: [SlotvisorModule.forRoot()], providers: [Orders] })
    class App {}
    const supervisor = new Supervisor({ clock: new VirtualClock() });
    const app = await Test.createTestingModule({ imports: [App] })
      .overrideProvider(Supervisor)
      .useValue(supervisor)
      .compile();
    await app.init();
    expect(supervisor.tasks().map(({ slot }) => slot)).toEqual(['Orders.consume']);
    await app.close();
    expect(supervisor.phase).toBe('closed');
  });

  it('is refused, if what overrides it is none', async () => {
    const compiling = Test.createTestingModule({ imports: [SlotvisorModule.forRoot()] })
      .overrideProvider(Supervisor)
      .useValue({ submit: () => {} })
      .compile();
    await expect(compiling).rejects.toThrow('supervisor must be a Supervisor, got an object');
  });

  it.for<[message: string, call: () => unknown]>([
    ['options must be an object, got 5', () => SlotvisorModule.forRoot(5 as never)],
    ['options must be an object, got undefined', () => SlotvisorModule.forRootAsync(undefined as never)],
    ['useFactory must be a function, got undefined', () => SlotvisorModule.forRootAsync({} as never)],
  ])('refuses at once: %s', ([message, call]) => {
    expect(call).toThrow(message);
  });

  it('refuses an invalid option during the boot', async () => {
    await expect(compiled({}, { concurrency: 0 })).rejects.toThrow('concurrency must be a whole number');
  });

  it.for<[how: string, imports: object[]]>([
    ['with other options', [SlotvisorModule.forRoot({ concurrency: 2 })]],
    ['without forRoot', [SlotvisorModule]],
  ])('refuses a second import of the module, %s', async ([, imports]) => {
    await expect(compiled({ imports: imports as never })).rejects.toThrow(
      'SlotvisorModule must be imported once, by forRoot or forRootAsync in the root module, got 2',
    );
  });

  it('names forRoot where it is missing', async () => {
    const compiling = Test.createTestingModule({ imports: [SlotvisorModule] }).compile();
    await expect(compiling).rejects.toThrow(/dependencies of the SlotvisorModule.*"SlotvisorModule.forRoot\(\)"/s);
  });
});

/** A pool that closes as Prisma and TypeORM do, and a consumer that writes to it until its end. */
function writing() {
  const seen: string[] = [];

  @Injectable()
  class Pool implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
    isOpen = true;
    async onApplicationBootstrap() {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push('pool: booted');
    }
    onModuleDestroy() {
      this.isOpen = false;
      seen.push('pool: closed');
    }
    onApplicationShutdown() {
      seen.push('pool: shut down');
    }
  }

  @Injectable()
  class Consumer {
    @Inject(Pool) private readonly pool!: Pool;

    @Supervised({ restart: 'never' })
    async consume(ctx: TaskContext) {
      seen.push('body: began');
      await ctx.sleep(Infinity).catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`body: saves, the pool is ${this.pool.isOpen ? 'open' : 'closed'}`);
    }
  }

  @Module({ providers: [Pool], exports: [Pool] })
  class PoolModule {}
  return { seen, Pool, PoolModule, Consumer };
}

describe('bodies begin after every hook of the boot, and end before every hook of the end', () => {
  const ORDER = ['pool: booted', 'body: began', 'body: saves, the pool is open', 'pool: closed', 'pool: shut down'];

  it.for(['beside it', 'imported', 'global'] as const)('with a pool that is %s', async (where) => {
    const { seen, Pool, PoolModule, Consumer } = writing();
    if (where === 'global') Global()(PoolModule);
    const { app } = await booted(
      where === 'beside it' ? { providers: [Pool, Consumer] } : { imports: [PoolModule], providers: [Consumer] },
    );
    await app.close();
    expect(seen).toEqual(ORDER);
  });

  it('with a pool in the root module, and consumers in a module that it imports', async () => {
    const { seen, Pool, Consumer } = writing();
    @Global()
    @Module({ imports: [SlotvisorModule.forRoot()], providers: [Pool], exports: [Pool] })
    class Root {}
    @Module({ imports: [Root], providers: [Consumer] })
    class App {}
    const app = await NestFactory.createApplicationContext(App, WITHOUT_LOG);
    await new Promise((resolve) => setImmediate(resolve));
    await app.close();
    expect(seen).toEqual(ORDER);
  });
});

describe('a boot that fails', () => {
  const boot = async (fail: object) => {
    const ran: string[] = [];
    class Consumer {
      @Supervised()
      consume() {
        ran.push('body');
      }
    }
    const supervisor = new Supervisor();
    @Module({ imports: [SlotvisorModule.forRoot({ supervisor })], providers: [Consumer, fail as never] })
    class App {}
    await expect(NestFactory.createApplicationContext(App, WITHOUT_LOG)).rejects.toThrow('no database');
    await new Promise((resolve) => setImmediate(resolve));
    return { ran, supervisor };
  };
  const noDatabase = () => Promise.reject(new Error('no database'));

  it.for<[where: string, provider: object]>([
    ['a factory', { provide: 'DB', useFactory: noDatabase }],
    ['onModuleInit', { provide: 'DB', useValue: { onModuleInit: noDatabase } }],
    ['onApplicationBootstrap', { provide: 'DB', useValue: { onApplicationBootstrap: noDatabase } }],
  ])('in %s has submitted nothing', async ([, provider]) => {
    const { ran, supervisor } = await boot(provider);
    expect(ran).toEqual([]);
    expect(supervisor.stats().totals.submitted).toBe(0);
  });
});

test('over HTTP: requests are answered while bodies end, and a request that submits then gets a ClosedError', async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const seen: string[] = [];

  @Catch(ClosedError)
  class Unavailable implements ExceptionFilter {
    catch(_: ClosedError, host: ArgumentsHost) {
      host.switchToHttp().getResponse<{ sendStatus(code: number): void }>().sendStatus(503);
    }
  }
  @Controller()
  class Jobs {
    @Inject(Supervisor) private readonly supervisor!: Supervisor;
    @Get('job')
    async job() {
      const run = (ctx: TaskContext) => ctx.sleep(Infinity);
      return (await this.supervisor.submit({ slot: 'job', run }).outcome).kind;
    }
    @Get('ping')
    ping() {
      return 'pong';
    }
  }
  class Consumer {
    @Supervised()
    async consume(ctx: TaskContext) {
      await ctx.sleep(Infinity).catch(() => {});
      await released;
      seen.push('body ended');
    }
    onModuleDestroy() {
      seen.push('onModuleDestroy');
    }
  }
  const supervisor = new Supervisor();
  @Module({ imports: [SlotvisorModule.forRoot({ supervisor })], controllers: [Jobs], providers: [Consumer] })
  class App {}

  const app = await NestFactory.create(App, WITHOUT_LOG);
  app.useGlobalFilters(new Unavailable());
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const ask = async (path: string): Promise<string> => {
    const response = await fetch(`${url}/${path}`, { headers: { connection: 'close' } });
    return `${response.status} ${await response.text()}`;
  };
  const inFlight = ask('job');
  await expect.poll(() => supervisor.slot('job').view().owner?.status).toBe('running');

  const closed = app.close();
  expect(await inFlight, 'its body was asked to stop').toBe('200 canceled');
  expect(await ask('ping')).toBe('200 pong');
  expect(await ask('job')).toBe('503 Service Unavailable');
  expect(seen).toEqual([]);
  release();
  await closed;
  expect(seen).toEqual(['body ended', 'onModuleDestroy']);
  await expect(ask('ping')).rejects.toThrow();
});

test('over HTTP, which may be closed during its boot: no method begins, and the boot goes on as Nest does', async () => {
  const ran: string[] = [];
  let close = () => {};
  class Consumer {
    @Supervised()
    consume() {
      ran.push('body');
    }
    onApplicationBootstrap() {
      close();
    }
  }
  @Module({ imports: [SlotvisorModule.forRoot()], providers: [Consumer] })
  class App {}
  const app = await NestFactory.create(App, WITHOUT_LOG);
  let closed: Promise<void> | undefined;
  close = () => {
    closed = app.close();
  };
  await app.init();
  await closed;
  expect(ran).toEqual([]);
  expect(app.get(Supervisor).stats().totals.submitted).toBe(0);
});

test('a logger of the application gets the report', async () => {
  class Stubborn {
    @Supervised()
    consume(): Promise<void> {
      return new Promise(() => {});
    }
  }
  const { logger, logged } = recordingLogger();
  @Module({ imports: [SlotvisorModule.forRoot({ shutdownGraceMs: 0 })], providers: [Stubborn] })
  class App {}
  const app = await NestFactory.createApplicationContext(App, { logger });
  await new Promise((resolve) => setImmediate(resolve));
  await app.close();
  expect(logged).toEqual(['warn The supervisor was shut down; not ended, and maybe alive: Stubborn.consume']);
});
