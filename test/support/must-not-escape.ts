// Checks on hostile user code: no error of it may reach the process, and its slot must be free
// afterwards. Also the hostile values that a user function may throw or return.

import { getEventListeners } from 'node:events';
import { runInNewContext } from 'node:vm';
import type { Outcome, Submission, SupervisorOptions, TaskContext, TaskSpec } from 'slotvisor';
import { expect } from 'vitest';
import type { GateBody } from './gate.ts';
import { type Setup, setup } from './setup.ts';

type Channel = 'unhandledRejection' | 'uncaughtException' | 'warning';

const CHANNELS: readonly Channel[] = ['unhandledRejection', 'uncaughtException', 'warning'];

/**
 * Records each error and warning that reaches the process until it is stopped. It removes all other
 * listeners and restores them at its end, so that only this one sees an escape.
 */
export function watchEscapes(): { readonly stop: () => Promise<Channel[]> } {
  const escaped: Channel[] = [];
  const undo = CHANNELS.map((channel) => {
    const others = process.rawListeners(channel) as (() => void)[];
    const count = (): void => {
      escaped.push(channel);
    };
    process.removeAllListeners(channel);
    process.on(channel, count);
    return () => {
      process.removeListener(channel, count);
      for (const other of others) process.on(channel, other);
    };
  });
  return {
    stop: async () => {
      // Node reports a rejection after the microtasks of its turn, and a warning one tick later.
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      for (const restore of undo) restore();
      return escaped;
    },
  };
}

/** Runs `act` and checks that nothing reaches the process. */
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
  /** Runs between the submission and its outcome, if the task does not end by itself. */
  readonly drive?: (world: Setup, submission: Submission) => unknown;
  readonly outcome: Outcome['kind'];
  /** The outcome of the witness: `completed`, unless the hostile code belongs to the supervisor. */
  readonly witness?: Outcome['kind'];
}

export interface Survived extends Setup {
  readonly submission: Submission;
  readonly outcome: Outcome;
}

/**
 * Submits the spec with a parent signal and restart `never` (which the spec may override), and a
 * witness that waits behind it. Checks that the outcome has the expected kind, that the witness has
 * run, and that the process, the table, the clock and the parent signal hold nothing of either.
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
    expect(supervisor.snapshot()).toMatchObject({ slots: [], owners: 0, queued: 0, overrun: 0 });
    expect(supervisor.tasks()).toEqual([]);
    expect(clock.timers).toBe(0);
    expect(getEventListeners(parent.signal, 'abort')).toEqual([]);
    return { ...world, submission, outcome };
  });
}

/** Lets the body overrun its grace of 10 ms. The body then ends if nothing else has ended it. */
export const stopAndEnd =
  (gate: GateBody<string>): NonNullable<Hostile['drive']> =>
  async ({ clock }, submission) => {
    void submission.cancel();
    await clock.advance(10);
    if (submission.status !== 'ended') gate.open('late');
    await clock.settle();
  };

export type Made = readonly [name: string, make: () => unknown];

/** The value of a script that runs in another realm. */
export const far = (source: string): unknown => runInNewContext(source);

export const raise = (error: unknown): never => {
  throw error;
};
export const trap = (): never => raise(new Error('a trap'));

const getter = <T extends object>(on: T, name: PropertyKey, get: () => unknown): T =>
  Object.defineProperty(on, name, { get });

/** A function that gives each answer once, in order, and then repeats the last one. */
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

/** Every kind of value that may be thrown. */
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
  ['an AbortError of another signal', () => new DOMException('aborted', 'AbortError')],
  ['an error with the name CanceledError', () => Object.assign(new Error('x'), { name: 'CanceledError', by: 'task' })],
];

/** The ways in which a function may throw or reject. */
export const WAYS: readonly (readonly [name: string, body: (thrown: unknown) => (ctx: TaskContext) => unknown])[] = [
  ['thrown at once', (thrown) => () => raise(thrown)],
  ['rejected', (thrown) => () => Promise.reject(thrown)],
  ['rejected after a while', (thrown) => (ctx) => ctx.sleep(10).then(() => raise(thrown))],
  ['rejected by a thenable', (thrown) => () => thenable((_, no) => no(thrown))],
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

/** Starts only when its `then` is called. */
class Lazy extends Promise<string> {
  // biome-ignore lint/suspicious/noThenProperty: a promise with another `then` is what is tested
  override then = ((yes: (value: string) => unknown) => Promise.resolve('begun').then(yes)) as never;
}

const giving = () => (yes: (value: unknown) => void) => yes('value');

const binding: ProxyHandler<Promise<unknown>> = {
  get: (target, key) => (key === 'then' ? target.then.bind(target) : Reflect.get(target, key)),
};

/** Every kind of value that may be returned and settles. */
export const RETURNED: readonly Made[] = [
  ['a thenable that calls back at once', () => thenable((yes) => yes('value'))],
  ['a thenable that calls back later', () => thenable((yes) => setImmediate(yes, 'value'))],
  ['a thenable that rejects at once', () => thenable((_, no) => no(boom))],
  [
    'a thenable that settles three times',
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
  ['a `then` getter that throws on the second read', () => getter({}, 'then', looks(giving, fail))],
  [
    'a `then` getter that gives undefined on the second read',
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
  ['a promise of a subclass that starts with `then`', () => new Lazy(() => {})],
  ['a promise with its own `then` that throws', () => thenable(fail, Promise.resolve('value'))],
  ['a promise whose `constructor` throws', () => getter(Promise.resolve('value'), 'constructor', fail)],
  [
    'a promise whose `constructor` throws on the second read',
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

/** Every kind of value that may be returned and never settles. */
export const NEVER: readonly Made[] = [
  ['a thenable that never calls back', () => thenable(() => {})],
  ['a promise that never settles', () => new Promise(() => {})],
  ['a promise of another realm that never settles', () => far('new Promise(() => {})')],
];

/** The result of `await` for a value. Everything that the library awaits must end the same way. */
export async function awaited(
  make: () => unknown,
): Promise<{ readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }> {
  try {
    return { ok: true, value: await make() };
  } catch (error) {
    return { ok: false, error };
  }
}

/** Checks the thrown value by identity only, because reading a property of it may throw. */
export function expectThrown(outcome: Outcome, thrown: unknown): void {
  if (outcome.kind !== 'failed' || outcome.failure.kind !== 'thrown') throw new Error(`the outcome is ${outcome.kind}`);
  expect(Object.is(outcome.failure.error, thrown)).toBe(true);
  expect(typeof outcome.failure.message).toBe('string');
  expect(outcome.failure.message.length).toBeLessThanOrEqual(1_000);
}
