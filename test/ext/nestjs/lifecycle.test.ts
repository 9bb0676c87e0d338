import type { TaskContext } from 'slotvisor';
import { Scheduled, Supervised } from 'slotvisor/nestjs';
import { expect, test } from 'vitest';
import { booted, compiled } from './world.ts';

class Stubborn {
  @Supervised()
  consume(): Promise<void> {
    return new Promise(() => {});
  }
}
class Obedient {
  @Supervised({ vital: true })
  consume(ctx: TaskContext) {
    return ctx.sleep(Infinity);
  }
}

test('of methods with an invalid one among them, none runs, and nothing of them is left', async () => {
  const ran: string[] = [];
  class Good {
    @Scheduled({ everyMs: 10 })
    tick() {
      ran.push('tick');
    }
    @Supervised()
    consume() {
      ran.push('consume');
    }
  }
  class Bad {
    @Supervised({ maxRetries: -1 })
    consume() {}
  }
  const { app, clock, supervisor, logged } = await compiled({ providers: [Good, Bad] });
  await expect(app.init()).rejects.toThrow('Bad.consume.maxRetries must be');
  await clock.advance(100);
  expect(ran).toEqual([]);
  expect(clock.timers).toBe(0);
  expect(supervisor.stats().totals).toMatchObject({ attempts: 0 });
  expect(logged).toEqual([]);
});

test('an end in which every body ends by itself logs nothing', async () => {
  const { app, logged } = await booted({ providers: [Obedient] });
  await app.close();
  expect(logged).toEqual([]);
});

test('the end waits for a body until the grace is over, and then logs which one may be alive', async () => {
  const { app, clock, logged } = await booted({ providers: [Stubborn, Obedient] }, { shutdownGraceMs: 1_000 });
  let isClosed = false;
  const closed = app.close().then(() => {
    isClosed = true;
  });
  await clock.advance(999);
  expect(isClosed).toBe(false);
  await clock.advance(1);
  await closed;
  expect(logged).toEqual(['warn The supervisor was shut down; not ended, and maybe alive: Stubborn.consume']);
});

test('bodies that had to be killed are logged', async () => {
  const { app, clock, supervisor, logged } = await booted({}, { shutdownGraceMs: 1_000 });
  supervisor.submit({ slot: 'render', run: { run: () => new Promise(() => {}), kill: () => {} } });
  await clock.settle();
  const closed = app.close();
  await clock.advance(1_000);
  await closed;
  expect(logged).toEqual(['warn The supervisor was shut down; it had to kill render']);
});

test('a shutdown by deadFraction is logged when it happens, while the application goes on', async () => {
  class Dying {
    @Supervised({ vital: true, restart: 'never' })
    consume() {
      throw new Error('no');
    }
  }
  const { app, clock, supervisor, logged } = await booted({ providers: [Dying, Obedient] }, { deadFraction: 0.5 });
  await clock.settle();
  await supervisor.closed;
  const line = 'warn The supervisor was shut down, because 1 of 2 vital slots are dead: Dying.consume';
  expect(logged).toEqual([line]);
  await app.close();
  expect(logged).toEqual([line]);
});
