import { Inject, Injectable } from '@nestjs/common';
import { type EventOf, OptionError, type Subscriber, type TaskContext } from 'slotvisor';
import { schedulesOf } from 'slotvisor/cron';
import { OnTaskEvent, Scheduled, Supervised } from 'slotvisor/nestjs';
import { describe, expect, it, test } from 'vitest';
import { marksOf } from '../../../src/ext/nestjs/decorators.ts';
import { booted, compiled } from './world.ts';

const NEVER = { restart: 'never' } as const;

describe('@Supervised', () => {
  it('makes the method the body: this is the provider, and it gets ctx', async () => {
    class Orders {
      readonly seen: unknown[] = [];
      @Supervised(NEVER)
      consume(ctx: TaskContext) {
        this.seen.push(ctx.slot, ctx.name, ctx.attempt);
      }
    }
    const { app } = await booted({ providers: [Orders] });
    expect(app.get(Orders).seen).toEqual(['Orders.consume', 'Orders.consume', 1]);
  });

  it('takes the options of a task spec', async () => {
    class Orders {
      readonly seen: string[] = [];
      @Supervised({ slot: 'orders', name: 'consumer', maxRetries: 1, backoff: { firstMs: 5 }, state: () => ['fresh'] })
      consume(ctx: TaskContext<string[]>) {
        this.seen.push(`${ctx.slot} ${ctx.name} ${ctx.state}`);
        throw new Error('lost');
      }
    }
    const { app, clock } = await booted({ providers: [Orders] });
    await clock.advance(10);
    expect(app.get(Orders).seen).toEqual(['orders consumer fresh', 'orders consumer fresh']);
  });

  it('may read its options from the instance, when its properties are injected', async () => {
    @Injectable()
    class Orders {
      @Inject('QUEUE') private readonly queue!: string;
      @Supervised((self: Orders) => ({ slot: `consumer:${self.queue}` }))
      consume(ctx: TaskContext) {
        return ctx.sleep(Infinity);
      }
    }
    const { supervisor } = await booted({ providers: [Orders, { provide: 'QUEUE', useValue: 'eu' }] });
    expect(supervisor.tasks().map(({ slot, status }) => [slot, status])).toEqual([['consumer:eu', 'running']]);
  });

  it('calls the method that the instance has, so a test can replace it', async () => {
    class Orders {
      @Supervised(NEVER)
      consume(): string {
        return 'real';
      }
    }
    const { app, clock } = await compiled({ providers: [Orders] });
    const seen: string[] = [];
    app.get(Orders).consume = () => {
      seen.push('replaced');
      return '';
    };
    await app.init();
    await clock.settle();
    expect(seen).toEqual(['replaced']);
  });

  it('may share a slot with another method: the second one waits for the first', async () => {
    class Orders {
      @Supervised({ slot: 'orders' })
      one(ctx: TaskContext) {
        return ctx.sleep(Infinity);
      }
      @Supervised({ slot: 'orders' })
      two() {}
    }
    const { supervisor } = await booted({ providers: [Orders] });
    expect(supervisor.slot('orders').view().queuedCount).toBe(1);
  });

  it('logs a method that its slot turns away', async () => {
    class Orders {
      @Supervised({ slot: 'orders' })
      one(ctx: TaskContext) {
        return ctx.sleep(Infinity);
      }
      @Supervised({ slot: 'orders', admission: 'dropIfRunning' })
      two() {}
    }
    const { logged } = await booted({ providers: [Orders] });
    expect(logged).toEqual(['warn Orders.two does not run: slot "orders" turned it away, because of slotBusy']);
  });

  it('can stand on one method twice', async () => {
    class Orders {
      @Supervised({ slot: 'eu' })
      @Supervised({ slot: 'us' })
      consume(ctx: TaskContext) {
        return ctx.sleep(Infinity);
      }
    }
    const { supervisor } = await booted({ providers: [Orders] });
    expect(supervisor.tasks().map(({ slot }) => slot)).toEqual(['us', 'eu']);
  });
});

describe('@Scheduled', () => {
  it('calls the method at the dates with ctx and the date, in the slot Class.method', async () => {
    class Reports {
      readonly seen: string[] = [];
      @Scheduled({ everyMs: 1_000, task: NEVER })
      daily(ctx: TaskContext, due: Date) {
        this.seen.push(`${ctx.slot} ${due instanceof Date}`);
      }
    }
    const { app, clock, supervisor } = await booted({ providers: [Reports] });
    expect(schedulesOf(supervisor).map(({ name, slot }) => [name, slot])).toEqual([['Reports.daily', 'Reports.daily']]);
    await clock.advance(2_500);
    expect(app.get(Reports).seen).toEqual(['Reports.daily true', 'Reports.daily true']);
    await app.close();
    expect(clock.timers).toBe(0);
  });

  it('may read its dates from the instance', async () => {
    class Reports {
      readonly cron = '30 2 * * *';
      @Scheduled((self: Reports) => ({ cron: self.cron, timezone: 'UTC', task: { slot: 'report' } }))
      daily() {}
    }
    const { supervisor } = await booted({ providers: [Reports] });
    expect(schedulesOf(supervisor)).toMatchObject([{ slot: 'report', when: { cron: '30 2 * * *', timezone: 'UTC' } }]);
  });
});

describe('@OnTaskEvent', () => {
  it('calls the method with the events of its types and no others, from the first one on', async () => {
    class Watch {
      readonly seen: string[] = [];
      readonly all: string[] = [];
      @OnTaskEvent('submitted', 'finished')
      watch(event: EventOf<'submitted' | 'finished'>) {
        this.seen.push(event.type);
      }
      @OnTaskEvent()
      watchAll(event: EventOf<'attemptFailed'> | { readonly type: string }) {
        this.all.push(event.type);
      }
      @Supervised(NEVER)
      fail() {
        throw new Error('no');
      }
    }
    const { app, clock } = await booted({ providers: [Watch] });
    const { seen, all } = app.get(Watch);
    await clock.settle();
    await app.close();
    expect(seen).toEqual(['submitted', 'finished']);
    expect(all).toEqual(expect.arrayContaining(['submitted', 'attemptFailed', 'finished', 'shutdownFinished']));
  });

  it('does not hear that it has lost events, unless it asks for that type', () => {
    class Watch {
      @OnTaskEvent('attemptStarted')
      watch() {}
      @OnTaskEvent('eventsDropped')
      lost() {}
    }
    const heard: string[] = [];
    for (const label of ['watch', 'lost'] as const) {
      const subscribe = (to: Subscriber) => to.onEvent({ type: 'eventsDropped' } as never);
      const method = { instance: new Watch(), label, call: () => heard.push(label) };
      for (const mark of marksOf(Watch.prototype[label])) mark.begin({ subscribe } as never, method);
    }
    expect(heard).toEqual(['lost']);
  });

  it('names the method in a subscriberFailed', async () => {
    class Watch {
      readonly failed: string[] = [];
      @OnTaskEvent('finished')
      throws() {
        throw new Error('no');
      }
      @OnTaskEvent('subscriberFailed')
      hears({ subscriber }: EventOf<'subscriberFailed'>) {
        this.failed.push(subscriber);
      }
      @Supervised(NEVER)
      work() {}
    }
    const { app, clock } = await booted({ providers: [Watch] });
    await clock.settle();
    expect(app.get(Watch).failed).toEqual(['Watch.throws']);
  });
});

describe('a refusal', () => {
  const apply = (decorator: unknown, ...given: unknown[]) => (decorator as (...given: unknown[]) => void)(...given);
  const getter = { get: () => 1, configurable: true };

  it.for<[what: string, got: string, given: unknown[]]>([
    ['a property', '"x"', [{}, 'x']],
    ['a getter', '"x"', [{}, 'x', getter]],
    ['a class', 'a function', [class {}]],
    ['a static method', '"x"', [class {}, 'x', { value: () => {} }]],
    ['a method whose name is a symbol', 'Symbol(x)', [{}, Symbol('x'), { value: () => {} }]],
    ['a method under standard decorators', 'an object', [() => {}, { kind: 'method', name: 'x' }]],
  ])('meets %s at once', ([, got, given]) => {
    for (const decorator of [Supervised({}), Scheduled({ everyMs: 1 }), OnTaskEvent()])
      expect(() => apply(decorator, ...given)).toThrow(
        `must be on a method of an instance, named by a string, with "experimentalDecorators": true in tsconfig.json, got ${got}`,
      );
    expect(() => apply(Supervised(), ...given)).toThrow(/^@Supervised\(\) must be/);
  });

  it('of options that are no object comes at once, with an example', () => {
    expect(() => Supervised('orders' as never)).toThrow(
      'options must be an object, such as { slot, vital: true }, or a function, got "orders"',
    );
    expect(() => Scheduled('0 4 * * *' as never)).toThrow(
      'options must be an object, such as { cron, timezone }, or a function, got "0 4 * * *"',
    );
  });

  it('meets a decorator without its parentheses at once', () => {
    class Bare {
      consume() {}
    }
    for (const decorator of [Supervised, Scheduled])
      expect(() => apply(decorator, Bare.prototype, 'consume')).toThrow(
        'options must not be a class: write the decorator with parentheses, as @Supervised(), got ',
      );
  });

  class UnknownOption {
    @Supervised({ maxRetry: 3 } as object)
    consume() {}
  }
  class WithRun {
    @Supervised(() => ({ run: () => {} }) as object)
    consume() {}
  }
  class OfItsTask {
    @Scheduled({ everyMs: 5, task: { maxRetries: -1 } })
    daily() {}
  }
  class WithoutDates {
    @Scheduled({} as { everyMs: number })
    daily() {}
  }
  class WithoutOptions {
    @Supervised((() => undefined) as unknown as () => object)
    consume() {}
  }

  it.for<[message: string, type: new () => object]>([
    ['UnknownOption.consume.maxRetry is not an option (did you mean maxRetries?), got 3', UnknownOption],
    ['WithRun.consume.run must not be set: the method is the body, got a function', WithRun],
    ['OfItsTask.daily.task.maxRetries must be a whole number, 0 or more (Infinity means no limit), got -1', OfItsTask],
    ['WithoutDates.daily.options needs one of cron, everyMs, at, got an object', WithoutDates],
    ['WithoutOptions.consume.options must be an object, got undefined', WithoutOptions],
  ])('of an option ends the boot: %s', async ([message, type]) => {
    const { app, supervisor } = await compiled({ providers: [type] });
    const error: unknown = await app.init().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OptionError);
    expect((error as OptionError).message).toBe(message);
    expect(supervisor.phase).toBe('closed');
  });
});

test('a method without a decorator does not run', async () => {
  class Plain {
    consume() {}
  }
  const { supervisor } = await booted({ providers: [Plain] });
  expect(supervisor.stats().totals.submitted).toBe(0);
});
