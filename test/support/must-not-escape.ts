// The net under hostile code: whatever a user's function does, nothing of it may reach the process, and its slot is free again afterwards.

import { getEventListeners } from 'node:events';
import { runInNewContext } from 'node:vm';
import type { Outcome, Submission, SupervisorOptions, TaskContext, TaskSpec } from 'slotvisor';
import { expect } from 'vitest';
import { type Setup, setup } from './setup.ts';

type Road = 'unhandledRejection' | 'uncaughtException' | 'warning';

const ROADS: readonly Road[] = ['unhandledRejection', 'uncaughtException', 'warning'];

/** Collects what reaches the process until it is stopped. Other listeners are set aside, so that an escape is counted here and nowhere else. */
export function watchEscapes(): { readonly stop: () => Promise<Road[]> } {
  const escaped: Road[] = [];
  const undo = ROADS.map((road) => {
    const others = process.rawListeners(road) as (() => void)[];
    const count = (): void => {
      escaped.push(road);
    };
    process.removeAllListeners(road);
    process.on(road, count);
    return () => {
      process.removeListener(road, count);
      for (const other of others) process.on(road, other);
    };
  });
  return {
    stop: async () => {
      // A rejection is told after the microtasks of its turn, a warning one tick later.
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      for (const restore of undo) restore();
      return escaped;
    },
  };
}

/** Runs anything under the net. */
export async function nothingEscapes<T>(act: () => T | PromiseLike<T>): Promise<T> {
  const watch = watchEscapes();
  let result: T;
  try {
    result = await act();
  } finally {
    const escaped = await watch.stop();
    expect(escaped).toEqual([]);
  }
  return result;
}

export interface Hostile {
  readonly options?: SupervisorOptions;
  readonly spec: Partial<TaskSpec<unknown, unknown>>;
  /** What happens between the submission and its outcome, where time alone does not end it. */
  readonly drive?: (world: Setup, submission: Submission) => unknown;
  readonly outcome: Outcome['kind'];
  /** How the witness ends: `completed`, unless what is hostile is the supervisor's own. */
  readonly witness?: Outcome['kind'];
}

export interface Survived extends Setup {
  readonly submission: Submission;
  readonly outcome: Outcome;
}

/**
 * Submits the spec (restart `never` unless it says otherwise) over a parent signal, with a witness in line behind it. Afterwards the outcome
 * has the kind expected, the witness has run, and neither the process, the table, the clock nor the parent signal holds anything of it.
 */
export function mustNotEscape({
  options,
  spec,
  drive,
  outcome: kind,
  witness: next = 'completed',
}: Hostile): Promise<Survived> {
  return nothingEscapes(async () => {
    const parent = new AbortController();
    const world = setup(options);
    const { supervisor, clock } = world;
    const submission = supervisor.submit({
      run: () => 'unused',
      slot: 's',
      restart: 'never',
      signal: parent.signal,
      ...spec,
    } as TaskSpec);
    const witness = supervisor.submit({ slot: 's', restart: 'never', signal: parent.signal, run: () => 'next' });
    await clock.settle();
    await drive?.(world, submission);
    for (let timers = 0; witness.status !== 'ended' && timers < 100; timers += 1) if (!(await clock.next())) break;
    expect([submission.status, witness.status]).toEqual(['ended', 'ended']);
    const outcome = await submission.outcome;
    expect(outcome.kind).toBe(kind);
    expect((await witness.outcome).kind).toBe(next);
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ slots: [], running: 0, queued: 0, overrun: 0 });
    expect(supervisor.tasks()).toEqual([]);
    expect(clock.timers).toBe(0);
    expect(getEventListeners(parent.signal, 'abort')).toEqual([]);
    return { ...world, submission, outcome };
  });
}

export type Made = readonly [name: string, make: () => unknown];

/** The value of a script in a realm of its own. */
export const far = (source: string): unknown => runInNewContext(source);

export const raise = (error: unknown): never => {
  throw error;
};
export const trap = (): never => raise(new Error('a trap'));

const getter = <T extends object>(on: T, name: PropertyKey, get: () => unknown): T =>
  Object.defineProperty(on, name, { get });

/** Answers one look after the other, and the last one again and again. */
export const looks = (...answers: (() => unknown)[]): (() => unknown) => {
  let look = 0;
  return () => answers[Math.min(look++, answers.length - 1)]?.();
};

export function revoked(target: object = {}): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const trapped = (target: object): object =>
  new Proxy(target, { get: trap, has: trap, getPrototypeOf: trap, ownKeys: trap, getOwnPropertyDescriptor: trap });

const cyclic = (error: Error): Error => Object.assign(error, { cause: error });

/** Everything that may be thrown. */
export const THROWN: readonly Made[] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['zero', () => 0],
  ['NaN', () => Number.NaN],
  ['false', () => false],
  ['an empty string', () => ''],
  ['a symbol', () => Symbol('s')],
  ['a bigint', () => 10n],
  ['a function', () => () => {}],
  ['an object without a prototype', () => Object.create(null)],
  ['a frozen error', () => Object.freeze(new Error('frozen'))],
  ['a frozen object', () => Object.freeze({ code: 1 })],
  ['a revoked proxy', () => revoked()],
  ['a revoked proxy of an error', () => revoked(new Error('gone'))],
  ['a proxy whose traps all throw', () => trapped(new Error('inside'))],
  [
    'an error whose getters throw',
    () =>
      ['stack', 'message', 'name', 'cause', 'by', 'reason', 'afterMs', 'then'].reduce(
        (error, name) => getter(error, name, trap),
        new Error('x'),
      ),
  ],
  ['an object whose conversions throw', () => ({ toString: trap, valueOf: trap, [Symbol.toPrimitive]: trap })],
  ['an object whose tag throws', () => getter({}, Symbol.toStringTag, trap)],
  ['an error whose message is no string', () => Object.assign(new Error(), { message: { toString: trap } })],
  ['an error that is its own cause', () => cyclic(new Error('round'))],
  ['an aggregate of 100,000 errors', () => new AggregateError(Array.from({ length: 100_000 }, () => 'one'))],
  ['an error with a message of ten million characters', () => new Error('m'.repeat(10_000_000))],
  ['a string of ten million characters', () => 's'.repeat(10_000_000)],
  ['an error of another realm', () => far('new Error("far")')],
  ['an object of another realm', () => far('({ message: 5 })')],
  ['a thenable that throws', () => thenable(trap)],
  ['a promise', () => Promise.resolve('thrown')],
  ['an AbortError from elsewhere', () => new DOMException('aborted', 'AbortError')],
  ['an error that is called CanceledError', () => Object.assign(new Error('x'), { name: 'CanceledError', by: 'task' })],
];

/** The ways in which a function lets go of what it throws. */
export const WAYS: readonly (readonly [name: string, body: (thrown: unknown) => (ctx: TaskContext) => unknown])[] = [
  ['thrown at once', (thrown) => () => raise(thrown)],
  ['rejected', (thrown) => () => Promise.reject(thrown)],
  ['rejected after a while', (thrown) => (ctx) => ctx.sleep(10).then(() => raise(thrown))],
  ['given by a thenable', (thrown) => () => thenable((_, no) => no(thrown))],
  ['thrown by a thenable', (thrown) => () => thenable(() => raise(thrown))],
  ['rejected in another realm', (thrown) => () => farReject(thrown)],
];

const farReject = far('(thrown) => Promise.reject(thrown)') as (thrown: unknown) => unknown;

type Then = (yes: (value: unknown) => void, no: (error: unknown) => void) => unknown;

export const thenable = (then: Then, on: object = {}): object => Object.assign(on, { then });

export const boom = new Error('boom');
const fail = (): never => raise(boom);

class Odd<T> extends Promise<T> {}
class Throwing<T> extends Promise<T> {
  // biome-ignore lint/suspicious/noThenProperty: a promise with another `then` is what is tested
  override then = fail;
}

/** Begins only when somebody asks for its value. */
class Lazy extends Promise<string> {
  // biome-ignore lint/suspicious/noThenProperty: a promise with another `then` is what is tested
  override then = ((yes: (value: string) => unknown) => Promise.resolve('begun').then(yes)) as never;
}

const giving = () => (yes: (value: unknown) => void) => yes('value');

const binding: ProxyHandler<Promise<unknown>> = {
  get: (target, key) => (key === 'then' ? target.then.bind(target) : Reflect.get(target, key)),
};

/** Everything that may be returned and settles. */
export const RETURNED: readonly Made[] = [
  ['a thenable that calls back at once', () => thenable((yes) => yes('value'))],
  ['a thenable that calls back later', () => thenable((yes) => setImmediate(yes, 'value'))],
  ['a thenable that rejects at once', () => thenable((_, no) => no(boom))],
  [
    'a thenable that settles thrice',
    () => thenable((yes) => [yes('first'), yes('second'), setImmediate(yes, 'third')]),
  ],
  ['a thenable that resolves, then rejects', () => thenable((yes, no) => [yes('first'), no(boom)])],
  ['a thenable that rejects, then resolves', () => thenable((yes, no) => [no(boom), yes('late')])],
  ['a thenable that throws after it resolved', () => thenable((yes) => [yes('first'), fail()])],
  ['a thenable that throws', () => thenable(fail)],
  ['a thenable within thenables', () => thenable((yes) => yes(thenable((again) => again(Promise.resolve('deep')))))],
  [
    'a thenable that is a function',
    () =>
      thenable(
        (yes) => yes('value'),
        () => 'called',
      ),
  ],
  ['a thenable that is frozen', () => Object.freeze(thenable((yes) => yes('value')))],
  ['a `then` getter that throws', () => getter({}, 'then', fail)],
  ['a `then` getter that throws at the second look', () => getter({}, 'then', looks(giving, fail))],
  [
    'a `then` getter that has nothing at the second look',
    () =>
      getter(
        {},
        'then',
        looks(giving, () => undefined),
      ),
  ],
  ['an object whose `then` is no function', () => getter({}, 'then', () => 'later')],
  ['a promise of another realm', () => far('Promise.resolve("far")')],
  ['a rejected promise of another realm', () => far('(async () => { throw 5 })()')],
  ['a promise of a subclass', () => Odd.resolve('odd')],
  ['a promise of a subclass whose `then` throws', () => Throwing.resolve('odd')],
  ['a promise of a subclass that begins with `then`', () => new Lazy(() => {})],
  ['a promise with a `then` of its own that throws', () => thenable(fail, Promise.resolve('value'))],
  ['a promise whose constructor cannot be read', () => getter(Promise.resolve('value'), 'constructor', fail)],
  [
    'a promise whose constructor can be read once',
    () =>
      getter(
        Promise.resolve('value'),
        'constructor',
        looks(() => Promise, fail),
      ),
  ],
  ['an object that only inherits from Promise', () => Object.create(Promise.prototype)],
  ['a proxy around a promise', () => new Proxy(Promise.resolve('inside'), {})],
  ['a proxy around a promise that binds its `then`', () => new Proxy(Promise.resolve('inside'), binding)],
  ['a revoked proxy', () => revoked()],
  ['a revoked proxy of a function', () => revoked(() => {})],
  ['a revoked proxy of a promise', () => revoked(Promise.resolve())],
  ['a proxy whose traps all throw', () => trapped({})],
  ['undefined', () => undefined],
  ['an error', () => boom],
  ['a class', () => Odd],
];

/** What is returned and never settles. */
export const NEVER: readonly Made[] = [
  ['a thenable that never calls back', () => thenable(() => {})],
  ['a promise that never settles', () => new Promise(() => {})],
  ['a promise of another realm that never settles', () => far('new Promise(() => {})')],
];

/** What `await` says of a value: the measure for everything that the library waits for. */
export async function awaited(
  make: () => unknown,
): Promise<{ readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }> {
  try {
    return { ok: true, value: await make() };
  } catch (error) {
    return { ok: false, error };
  }
}

/** Compared by identity alone: looking into what was thrown may throw. */
export function expectThrown(outcome: Outcome, thrown: unknown): void {
  if (outcome.kind !== 'failed' || outcome.failure.kind !== 'thrown') throw new Error(`it is ${outcome.kind}`);
  expect(Object.is(outcome.failure.error, thrown)).toBe(true);
  expect(typeof outcome.failure.message).toBe('string');
  expect(outcome.failure.message.length).toBeLessThanOrEqual(1_000);
}
