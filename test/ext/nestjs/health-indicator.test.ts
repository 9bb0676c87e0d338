import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import type { TaskContext } from 'slotvisor';
import { Supervisor } from 'slotvisor';
import { SlotvisorHealthIndicator, Supervised } from 'slotvisor/nestjs';
import { expect, test } from 'vitest';
import { booted } from './world.ts';

class Orders {
  @Supervised({ vital: true })
  consume(ctx: TaskContext) {
    return ctx.sleep(Infinity);
  }
}
class Dying {
  @Supervised({ vital: true, restart: 'never' })
  consume() {
    throw new Error('no');
  }
}

/** What Terminus answers: its result, or what it throws for a check that fails. */
async function answerOf(check: HealthCheckService, indicator: SlotvisorHealthIndicator): Promise<object> {
  const isError = (thrown: object): thrown is { getResponse(): object } => 'getResponse' in thrown;
  try {
    return await check.check([() => indicator.isReady(), () => indicator.isLive('event-loop')]);
  } catch (thrown) {
    return isError(thrown as object) ? (thrown as { getResponse(): object }).getResponse() : {};
  }
}

test('a health check of Terminus takes its results', async () => {
  const { app } = await booted({ imports: [TerminusModule.forRoot()], providers: [Orders, SlotvisorHealthIndicator] });
  const answer = await answerOf(app.get(HealthCheckService), app.get(SlotvisorHealthIndicator));
  expect(answer).toMatchObject({
    status: 'ok',
    details: { slotvisor: { status: 'up' }, 'event-loop': { status: 'up' } },
  });
});

test('a dead vital slot is down, and Terminus fails with the reason', async () => {
  const imports = [TerminusModule.forRoot({ logger: false })];
  const { app } = await booted({ imports, providers: [Orders, Dying, SlotvisorHealthIndicator] });
  const answer = await answerOf(app.get(HealthCheckService), app.get(SlotvisorHealthIndicator));
  expect(answer).toMatchObject({
    status: 'error',
    error: { slotvisor: { status: 'down', why: ['slot "Dying.consume": it is dead: its owner ended failed'] } },
    info: { 'event-loop': { status: 'up' } },
  });
});

test('it is down from the first moment of a shutdown on, and alive', async () => {
  const { supervisor, app } = await booted({ providers: [Orders, SlotvisorHealthIndicator] });
  const indicator = app.get(SlotvisorHealthIndicator);
  const closed = supervisor.shutdown();
  expect(indicator.isReady('tasks')).toEqual({ tasks: { status: 'down', why: ['the supervisor is closing'] } });
  expect(indicator.isLive()).toEqual({ slotvisor: { status: 'up' } });
  await closed;
});

test('a warning is up, with its reason', async () => {
  class Flaky {
    @Supervised({ vital: true })
    consume() {
      throw new Error('no answer');
    }
  }
  const { app, clock } = await booted({ providers: [Flaky, SlotvisorHealthIndicator] });
  await clock.advance(60_000);
  const { slotvisor } = app.get(SlotvisorHealthIndicator).isReady();
  expect(slotvisor.status).toBe('up');
  expect(slotvisor.why).toEqual([expect.stringMatching(/^slot "Flaky.consume": it is in backoff after \d+ failures/)]);
});

test('with rules it is provided by a factory', async () => {
  const provider = {
    provide: SlotvisorHealthIndicator,
    inject: [Supervisor],
    useFactory: (supervisor: Supervisor) => new SlotvisorHealthIndicator(supervisor, { rules: { reports: {} } }),
  };
  const { app } = await booted({ providers: [provider] });
  expect(app.get(SlotvisorHealthIndicator).isReady().slotvisor).toEqual({
    status: 'down',
    why: ['slot "reports": nothing owns it'],
  });
});

test('it measures the event loop until the application has ended', async () => {
  const { app } = await booted({ providers: [SlotvisorHealthIndicator] });
  await app.close();
  expect(app.get(SlotvisorHealthIndicator).isLive().slotvisor.status).toBe('up');
});
