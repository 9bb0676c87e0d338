import { context, propagation, trace } from '@opentelemetry/api';
import { type KillableTask, OptionError, type TaskContext } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { detached } from 'slotvisor/otel';
import { expect, it } from 'vitest';
import { world } from './world.ts';

it.for(['link', 'child', 'detached', 'none'] as const)(
  'with spans: %o no span is active in the body',
  async (spans) => {
    const { supervisor, clock, tracer, span } = world({ spans });
    let isActive: boolean | undefined;
    await tracer.startActiveSpan('request', async () => {
      const run = detached(async (ctx: TaskContext) => {
        await ctx.sleep(5);
        isActive = trace.getActiveSpan() !== undefined;
        tracer.startSpan('query').end();
      });
      supervisor.submit({ slot: 'a', run });
      await clock.advance(10);
    });
    expect(isActive).toBe(false);
    expect(span('query').parentSpanContext).toBeUndefined();
    expect(span('query').attributes['slotvisor.slot.name']).toBe('a');
  },
);

it('keeps baggage, the value, and the arguments', async () => {
  const { supervisor, clock } = world();
  const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
  const seen: unknown[] = [];
  context.with(propagation.setBaggage(context.active(), baggage), () => {
    const run = detached((_: TaskContext, due: Date) => {
      seen.push(due.getTime(), propagation.getActiveBaggage()?.getEntry('tenant')?.value);
    });
    schedule(supervisor, { everyMs: 1_000, maxRuns: 1, task: { run } });
  });
  const at = clock.wallNow();
  const value = supervisor.submit({ run: detached(() => 42) }).value();
  await clock.advance(1_000);
  expect(await value).toBe(42);
  expect(seen).toEqual([at + 1_000, 'acme']);
});

it('a killable task stays killable, and its functions are called as its methods', async () => {
  const { supervisor, clock, tracer } = world();
  class Stubborn implements KillableTask<void> {
    readonly calls: string[] = [];
    run() {
      this.calls.push(`run ${trace.getActiveSpan() !== undefined}`);
      return new Promise<void>(() => {});
    }
    kill() {
      this.calls.push('kill');
    }
  }
  const task = new Stubborn();
  const submission = tracer.startActiveSpan('request', () => supervisor.submit({ graceMs: 10, run: detached(task) }));
  await clock.settle();
  void submission.cancel();
  await clock.advance(1_000);
  expect((await submission.outcome).kind).toBe('killed');
  expect(task.calls).toEqual(['run false', 'kill']);
});

it('refuses what is no body', () => {
  expect(() => detached(7 as never)).toThrow('body must be a function, or an object with run and kill, got 7');
  expect(() => detached({ run() {} } as never)).toThrow('body.kill must be a function, got undefined');
  expect(() => detached(null as never)).toThrow(OptionError);
});
