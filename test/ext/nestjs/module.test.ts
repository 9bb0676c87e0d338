import { Inject, Injectable, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Supervisor, type TaskContext } from 'slotvisor';
import { SlotvisorModule, Supervised } from 'slotvisor/nestjs';
import { expect, test } from 'vitest';
import { booted, compiled } from './world.ts';

function ordered() {
  const seen: string[] = [];

  @Injectable()
  class Pool implements OnApplicationBootstrap, OnModuleDestroy {
    onApplicationBootstrap() {
      seen.push('pool: opened');
    }
    onModuleDestroy() {
      seen.push('pool: closed');
    }
  }

  @Injectable()
  class Consumer implements OnModuleDestroy {
    @Inject(Pool) private readonly pool!: Pool;

    @Supervised({ restart: 'never' })
    async consume(ctx: TaskContext) {
      seen.push(`body: began, ${this.pool.constructor.name}`);
      await ctx.untilCanceled().catch(() => {});
      seen.push('body: ended');
    }
    onModuleDestroy() {
      seen.push('consumer: destroyed');
    }
  }
  return { seen, Pool, Consumer };
}

test('bodies begin after the last hook of the boot, and end before the first hook of the end', async () => {
  const { seen, Pool, Consumer } = ordered();
  @Module({ providers: [Pool], exports: [Pool] })
  class PoolModule {}
  const { app } = await booted({ imports: [PoolModule], providers: [Consumer] });
  await app.close();
  expect(seen).toEqual(['pool: opened', 'body: began, Pool', 'body: ended', 'consumer: destroyed', 'pool: closed']);
});
