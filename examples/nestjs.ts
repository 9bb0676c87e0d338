// Shows: a NestJS service. A consumer and a report run as methods of providers, sync loops are
// replaced over HTTP, Terminus answers for their health, and at SIGTERM every body ends before the
// database closes. It goes on until you press Ctrl+C. Run: node --import tsx examples/nestjs.ts
//
// tsx writes no types of parameters into the program. So each injection names its class here;
// with the compiler of Nest, a constructor is enough.

import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  Inject,
  Module,
  type OnModuleDestroy,
  Param,
  Post,
  Put,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { ClosedError, type EventOf, Supervisor, type TaskContext } from 'slotvisor';
import { schedulesOf } from 'slotvisor/cron';
import { OnTaskEvent, Scheduled, SlotvisorHealthIndicator, SlotvisorModule, Supervised } from 'slotvisor/nestjs';

/** Stands for a pool of connections. It closes as early as Nest lets it. */
class Database implements OnModuleDestroy {
  #isOpen = true;

  save(what: string) {
    console.log(`${what}: saved, the database is ${this.#isOpen ? 'open' : 'closed'}`);
  }

  onModuleDestroy() {
    this.#isOpen = false;
    console.log('database: closed');
  }
}

class Orders {
  @Inject(Database) private readonly database!: Database;

  @Supervised({ slot: 'orders', vital: true })
  async consume(ctx: TaskContext) {
    console.log('orders: consuming');
    await ctx.sleep(Infinity).catch(() => this.database.save('orders'));
  }
}

class Reports {
  @Inject(Supervisor) private readonly supervisor!: Supervisor;
  readonly cron = '30 2 * * *'; // in a service from its configuration

  @Scheduled((self: Reports) => ({ cron: self.cron, timezone: 'Europe/Berlin', task: { restart: 'never' } }))
  nightly() {
    console.log('report: written');
  }

  now(): string {
    const nightly = schedulesOf(this.supervisor).find(({ name }) => name === 'Reports.nightly');
    return nightly?.trigger().admission ?? 'no schedule';
  }
}

class Watch {
  @OnTaskEvent('finished')
  log({ slot, outcome }: EventOf<'finished'>) {
    console.log(`watch: ${slot} ${outcome}`);
  }
}

@Controller()
class Tenants {
  @Inject(Supervisor) private readonly supervisor!: Supervisor;
  @Inject(Database) private readonly database!: Database;
  @Inject(Reports) private readonly reports!: Reports;

  @Put('tenants/:id/revisions/:revision')
  sync(@Param('id') id: string, @Param('revision') revision: string): string {
    const { admission } = this.supervisor.submit({
      slot: `sync:${id}`,
      admission: 'replace',
      run: (ctx) => ctx.sleep(Infinity).catch(() => this.database.save(`${id} revision ${revision}`)),
    });
    return admission;
  }

  @Post('reports')
  report(): string {
    return this.reports.now();
  }
}

@Controller()
class Health {
  @Inject(HealthCheckService) private readonly checks!: HealthCheckService;
  @Inject(SlotvisorHealthIndicator) private readonly indicator!: SlotvisorHealthIndicator;

  @Get('health')
  async check(): Promise<string | undefined> {
    const { info } = await this.checks.check([() => this.indicator.isReady()]); // throws a 503 if it is down
    return info?.slotvisor?.status;
  }
}

/** While bodies end, HTTP still answers. A request that submits then gets a 503. */
@Catch(ClosedError)
class Unavailable implements ExceptionFilter {
  catch(_: ClosedError, host: ArgumentsHost) {
    host.switchToHttp().getResponse().sendStatus(503);
  }
}

@Module({
  imports: [SlotvisorModule.forRoot({ shutdownGraceMs: 10_000 }), TerminusModule],
  controllers: [Tenants, Health],
  providers: [Database, Orders, Reports, Watch, SlotvisorHealthIndicator],
})
class App {}

const app = await NestFactory.create(App, { logger: ['error', 'warn'] });
app.useGlobalFilters(new Unavailable());
app.enableShutdownHooks([], { useProcessExit: true });
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();

async function ask(method: string, path: string): Promise<string> {
  const response = await fetch(`${url}${path}`, { method, headers: { connection: 'close' } });
  return `${method} ${path}: ${response.status} ${await response.text()}`;
}

console.log(await ask('PUT', '/tenants/acme/revisions/1'));
console.log(await ask('PUT', '/tenants/acme/revisions/2'));
console.log(await ask('POST', '/reports'));
console.log(await ask('GET', '/health'));
console.log('ready for SIGTERM');
