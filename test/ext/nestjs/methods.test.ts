import { Controller, Inject, Injectable, Module, Scope, type Type } from '@nestjs/common';
import type { TaskContext } from 'slotvisor';
import { OnTaskEvent, Supervised } from 'slotvisor/nestjs';
import { describe, expect, it, test } from 'vitest';
import { booted, compiled, type World } from './world.ts';

const slotsOf = ({ supervisor }: World): string[] =>
  supervisor
    .tasks()
    .map(({ slot }) => slot)
    .sort();

class Base {
  @Supervised()
  consume(ctx: TaskContext): Promise<void> {
    return ctx.sleep(Infinity);
  }
  @Supervised()
  other(ctx: TaskContext): Promise<void> {
    return ctx.sleep(Infinity);
  }
}
@Injectable()
class Eu extends Base {}
@Injectable()
class Us extends Base {
  override other(): Promise<void> {
    return Promise.resolve();
  }
}

test('an inherited method runs in each subclass, in a slot of its own; an override has its own decorator, or none', async () => {
  expect(slotsOf(await booted({ providers: [Eu, Us] }))).toEqual(['Eu.consume', 'Eu.other', 'Us.consume']);
});

test('a mixin is found under the name of its class', async () => {
  const consumerOf = (region: string): Type<object> => {
    class Mixin {
      @Supervised({ slot: `consumer:${region}` })
      consume(ctx: TaskContext) {
        return ctx.sleep(Infinity);
      }
    }
    return Mixin;
  };
  const providers = ['eu', 'us'].map((region) => ({ provide: region, useClass: consumerOf(region) }));
  expect(slotsOf(await booted({ providers }))).toEqual(['consumer:eu', 'consumer:us']);
});

test.for<[how: string, provider: object]>([
  ['useClass', { provide: 'TOKEN', useClass: Eu }],
  ['useFactory', { provide: 'TOKEN', useFactory: async () => new Eu() }],
  ['useValue', { provide: 'TOKEN', useValue: new Eu() }],
])('a provider by %s is found', async ([, provider]) => {
  expect(slotsOf(await booted({ providers: [provider as never] }))).toEqual(['Eu.consume', 'Eu.other']);
});

test('an instance that has two tokens, or is exported to another module, runs once', async () => {
  @Module({ providers: [Eu, { provide: 'ALIAS', useExisting: Eu }], exports: [Eu] })
  class EuModule {}
  const { supervisor } = await booted({ imports: [EuModule], providers: [{ provide: 'AGAIN', useExisting: Eu }] });
  expect(supervisor.stats().totals.submitted).toBe(2);
});

test('two instances of one class share the slots: the second one waits', async () => {
  const { supervisor } = await booted({ providers: [Eu, { provide: 'SECOND', useClass: Eu }] });
  expect(supervisor.slot('Eu.consume').view().queuedCount).toBe(1);
});

test('a controller is found', async () => {
  @Controller()
  class Orders extends Base {}
  expect(slotsOf(await booted({ controllers: [Orders] }))).toEqual(['Orders.consume', 'Orders.other']);
});

test('values of every kind can be providers', async () => {
  const withoutClass = Object.create(Object.setPrototypeOf({ consume() {} }, null));
  const values = [
    undefined,
    null,
    1,
    'text',
    () => {},
    [],
    new Map(),
    Object.create(null),
    withoutClass,
    { consume() {} },
  ];
  const providers = values.map((useValue, i) => ({ provide: `VALUE_${i}`, useValue }));
  expect(slotsOf(await booted({ providers }))).toEqual([]);
});

test('a getter of a provider is not called', async () => {
  class Lazy extends Base {
    get connection(): never {
      throw new Error('not connected');
    }
  }
  expect(slotsOf(await booted({ providers: [Lazy] }))).toEqual(['Lazy.consume', 'Lazy.other']);
});

describe('a provider that has no instance of its own is refused', () => {
  @Injectable({ scope: Scope.REQUEST })
  class PerRequest {
    @OnTaskEvent('finished')
    watch() {}
  }
  @Injectable({ scope: Scope.REQUEST })
  class Unmarked {}
  @Injectable()
  class NeedsIt {
    @Inject(Unmarked) readonly unmarked!: Unmarked;
    @Supervised()
    consume() {}
  }
  @Injectable({ scope: Scope.TRANSIENT })
  class EachTime {
    @Supervised()
    consume() {}
  }

  it.for<[what: string, providers: Type<object>[]]>([
    [
      '@OnTaskEvent() on PerRequest.watch needs a provider of the default scope, which has one instance, got a request-scoped one, or a provider that injects one',
      [PerRequest],
    ],
    [
      '@Supervised() on NeedsIt.consume needs a provider of the default scope, which has one instance, got a request-scoped one, or a provider that injects one',
      [Unmarked, NeedsIt],
    ],
    [
      '@Supervised() on EachTime.consume needs a provider of the default scope, which has one instance, got a transient one',
      [EachTime],
    ],
  ])('%s', async ([message, providers]) => {
    const { app, supervisor } = await compiled({ providers: [...providers, Eu] });
    await expect(app.init()).rejects.toThrow(message);
    expect(supervisor.phase).toBe('closed');
    expect(supervisor.stats().totals.submitted).toBe(0);
  });

  it('unless none of its methods is marked', async () => {
    expect(slotsOf(await booted({ providers: [Unmarked, Eu] }))).toEqual(['Eu.consume', 'Eu.other']);
  });
});
