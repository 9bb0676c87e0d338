// The decorators. Each leaves a mark on its method: what begins when the application has booted.
// The mark is metadata of Nest, so decorators of others that copy metadata keep it.

import { Logger, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { EventOf, Submission, Supervisor, TaskContext, TaskEventType, TaskSpec } from '../../index.ts';
import { anObject, fromCaller, ignore, peekOutcome, readFields, refuse, SUBSCRIBE_READERS, show } from '../../kit.ts';
import { type ScheduleOptions, schedule } from '../cron/index.ts';
import type { ScheduledOptions, SupervisedOptions } from './options.ts';

/** A marked method of an instance. */
export interface MarkedMethod {
  readonly instance: object;
  /** `Class.method`. */
  readonly label: string;
  /** Calls the method that the instance has now, so that a test can replace it. */
  readonly call: (...given: unknown[]) => unknown;
}

/** What a decorator leaves on a method. */
export interface Mark {
  /** For texts. */
  readonly decorator: string;
  /** It only watches. It begins first, so that it misses nothing. */
  readonly watches: boolean;
  readonly begin: (supervisor: Supervisor, method: MarkedMethod) => void;
}

/** A decorator of methods of this type. A method may take fewer arguments. */
export type MethodDecoratorOf<Self, Method> = <M extends Method>(
  target: Self,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** Options, or a function that reads them from the instance, such as from its configuration. */
export type OptionsOf<Self, Options> = Options | ((instance: Self) => Options);

/**
 * Runs the method as a supervised task from the end of the boot on. It is called with `ctx`, and
 * `this` is the provider.
 *
 * Promised: no method runs before every `onApplicationBootstrap` hook of the application has ended.
 * If one of them fails, none runs. Slot `Class.method` by default. A subclass that
 * inherits the method has a slot of its own; two instances of one class share it.
 *
 * Not promised: that a method is found whose class is no provider or controller, or is in a module
 * that is loaded lazily.
 *
 * @param options those of a task spec without `run`, or a function of the instance that returns
 *   them. It is called once, at the end of the boot.
 * @throws OptionError for what is no method, at once. At the end of the boot, and so from
 *   `app.init()` or `app.listen()`: for an invalid option, and for a request-scoped or transient
 *   provider. The message names `Class.method`.
 */
export function Supervised<Self extends object, S = undefined>(
  options: OptionsOf<Self, SupervisedOptions<S>> = {},
): MethodDecoratorOf<Self, (ctx: TaskContext<S>) => unknown> {
  checkOptions(Supervised, options, '{ slot, vital: true }');
  return decorator('Supervised', false, (supervisor, method) => {
    const submission = supervisor.submit(taskOf('options', resolve(options, method), method));
    if (submission.admission === 'rejected') ignore(warn(submission, method.label));
  });
}

/**
 * Runs the method at the dates of a schedule of slotvisor/cron, from the end of the boot on. It is
 * called with `ctx` and the date, and `this` is the provider. Slot and errors as for `Supervised`.
 *
 * @param options those of `schedule`, with a `task` that has no `run`, or a function of the
 *   instance that returns them.
 */
export function Scheduled<Self extends object, S = undefined>(
  options: OptionsOf<Self, ScheduledOptions<S>>,
): MethodDecoratorOf<Self, (ctx: TaskContext<S>, due: Date) => unknown> {
  checkOptions(Scheduled, options, '{ cron, timezone }');
  return decorator('Scheduled', false, (supervisor, method) => {
    const { task = {}, ...when } = readFields('options', resolve(options, method));
    schedule(supervisor, { ...when, task: taskOf('task', task, method) } as unknown as ScheduleOptions);
  });
}

/**
 * Calls the method with each event of these types, one at a time, from before the first task begins
 * until the supervisor has shut down. Without a type: with every event. If the method throws, that
 * is a `subscriberFailed` for the other subscribers, whose `subscriber` is `Class.method`.
 *
 * Not promised: every event. A subscription is bounded; `eventsDropped` says how many it lost, to a
 * method that asks for that type.
 *
 * @throws OptionError for an unknown type, and as `Supervised` does.
 */
export function OnTaskEvent<Type extends TaskEventType = TaskEventType>(
  ...types: readonly Type[]
): MethodDecoratorOf<object, (event: EventOf<Type>) => unknown> {
  fromCaller(OnTaskEvent, () => SUBSCRIBE_READERS.types('types', types));
  return decorator('OnTaskEvent', true, (supervisor, { label, call }) => {
    const isWanted = (type: TaskEventType): boolean => types.length === 0 || types.includes(type as Type);
    supervisor.subscribe(
      { name: label, onEvent: (event) => (isWanted(event.type) ? (call(event) as void | Promise<void>) : undefined) },
      types.length === 0 ? {} : { types },
    );
  });
}

/** A slot may turn a method away, such as its second one. Nothing looks at that outcome. */
async function warn(submission: Submission, label: string): Promise<void> {
  const outcome = await peekOutcome(submission);
  const why = outcome.kind === 'rejected' ? outcome.reason : outcome.kind;
  Logger.warn(`${label} does not run: slot ${show(submission.slot)} turned it away, because of ${why}`, 'Slotvisor');
}

/** The key of the metadata. A text, so that another copy of this package finds it. */
const KEY = 'slotvisor:marks';
const reflector = new Reflector();

export const marksOf = (method: object): readonly Mark[] => reflector.get(KEY, method as () => unknown) ?? [];

function decorator(name: string, watches: boolean, begin: Mark['begin']): MethodDecoratorOf<object, never> {
  return function mark(target: unknown, key: unknown, descriptor?: PropertyDescriptor) {
    const method: unknown = descriptor?.value;
    if (typeof target !== 'object' || typeof key !== 'string' || typeof method !== 'function')
      return fromCaller(mark, () => refuse(`@${name}()`, RULE, key ?? target));
    const marks = [...marksOf(method), { decorator: name, watches, begin }];
    SetMetadata(KEY, marks)(target as object, key, descriptor as PropertyDescriptor);
  };
}

/** Nest finds no method whose name is a symbol. */
const RULE =
  'must be on a method of an instance, named by a string, with "experimentalDecorators": true in tsconfig.json';

function checkOptions(called: object, options: unknown, example: string): void {
  if (typeof options === 'function') return;
  fromCaller(called, () => {
    anObject('options', options, `must be an object, such as ${example}, or a function`);
    // A compiler that checks no types lets `@Supervised` pass, and the method would never run.
    if (Object.hasOwn(options as object, 'constructor'))
      refuse('options', 'must not be a class: write the decorator with parentheses, as @Supervised()', options);
  });
}

function resolve<Self, Options>(options: OptionsOf<Self, Options>, { instance }: MarkedMethod): Options {
  return typeof options === 'function' ? (options as (instance: unknown) => Options)(instance) : options;
}

/** A spec whose body is the method. */
function taskOf(field: 'options' | 'task', options: unknown, { label, call }: MarkedMethod): TaskSpec {
  const given = readFields(field, options, ['slot']); // the supervisor refuses `slot: undefined`
  if ('run' in given)
    refuse(field === 'task' ? 'task.run' : 'run', 'must not be set: the method is the body', given.run);
  return { slot: label, ...given, run: call } as TaskSpec;
}
