// The functions that the workers of the tests run. Plain JavaScript, so that a worker can load it.
// `workerData.shared` is shared memory. It shows what a thread does, without messages from it.

import { execFileSync } from 'node:child_process';
import { threadId, workerData } from 'node:worker_threads';

const COUNT = 0;
const GO = 1;
let calls = 0;

const brand = (name) => Symbol.for(`slotvisor.${name}`);
const untilAborted = (signal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

export const value = ({ workerData }) => workerData;

export const context = ({ signal, heartbeat, throwIfCanceled, ...rest }) => {
  throwIfCanceled();
  heartbeat();
  return { ...rest, aborted: signal.aborted };
};

/** Fails until its third attempt. Returns its date, which each attempt has changed. */
export function dueAtThird({ attempt, due }) {
  const ms = due?.getTime();
  due?.setTime(0);
  if (attempt < 3) throw new Error('not yet');
  return { isDate: due instanceof Date, ms };
}

/** Adds many listeners to its signal, and returns the warnings that this raises. */
export async function listens({ signal }) {
  const warnings = [];
  process.on('warning', ({ name }) => warnings.push(name));
  for (let n = 0; n < 50; n += 1) signal.addEventListener('abort', () => {});
  await new Promise((resolve) => setImmediate(resolve));
  return warnings;
}

/** Fails until its third attempt. Returns the traces of earlier attempts that it can see. */
export function thirdTime({ attempt, workerData }) {
  calls += 1;
  workerData.push(attempt);
  if (attempt < 3) throw new Error('not yet');
  return { calls, pushed: workerData, threadId };
}

export function counting() {
  for (;;) Atomics.add(workerData.shared, COUNT, 1);
}

/** Native code that returns when the file `gate` exists. */
export function inNativeCode() {
  const { gate, shared } = workerData;
  const program = `const fs = require('node:fs'); const t = setInterval(() => fs.existsSync(process.argv[1]) && clearInterval(t), 5);`;
  Atomics.add(shared, COUNT, 1);
  execFileSync(process.execPath, ['-e', program, gate]);
}

export async function stopsOnAbort({ signal }) {
  Atomics.add(workerData.shared, COUNT, 1);
  await untilAborted(signal);
}

/** Waits with a Node API that turns the abort into an AbortError whose cause is the reason. */
export async function stopsByPlatform({ signal }) {
  const { setTimeout } = await import('node:timers/promises');
  Atomics.add(workerData.shared, COUNT, 1);
  await setTimeout(1e6, undefined, { signal });
}

export async function returnsReason({ signal }) {
  Atomics.add(workerData.shared, COUNT, 1);
  const error = await untilAborted(signal).catch((reason) => reason);
  const isCanceled = error[brand('CanceledError')] === true;
  const seen = { name: error.name, code: error.code, isCanceled, by: error.by, reason: error.reason };
  throw Object.assign(new Error('on my way out'), { seen });
}

export function pollsCanceled(ctx) {
  Atomics.add(workerData.shared, COUNT, 1);
  while (!ctx.canceled);
  ctx.throwIfCanceled();
}

export async function cleansUp({ signal }) {
  Atomics.add(workerData.shared, COUNT, 1);
  await untilAborted(signal).catch(() => {});
  return 'clean';
}

export function heartbeatsUntilReceived(ctx) {
  while (Atomics.load(workerData.shared, GO) === 0) ctx.heartbeat();
}

export function manyHeartbeats(ctx) {
  for (let n = 0; n < 100_000; n += 1) ctx.heartbeat();
  Atomics.store(workerData.shared, GO, 1);
  Atomics.notify(workerData.shared, GO);
}

export class Custom extends RangeError {
  name = 'Custom';
  code = 'E_CUSTOM';
  details = { at: [1, 2] };
  notClonable = () => {};
}

const thrown = {
  custom: () => new Custom('of its own', { cause: new TypeError('inner', { cause: 'innermost' }) }),
  aggregate: () => new AggregateError([new SyntaxError('one'), 'two'], 'several'),
  circle: () => {
    const errors = Array.from({ length: 20 }, (_, n) => new Error(String(n)));
    const error = new AggregateError(errors, 'round and round');
    error.cause = error;
    for (const each of errors) each.cause = error;
    error.errors.unshift(error);
    return error;
  },
  dom: () => new DOMException('no such thing', 'NotFoundError'),
  primitive: () => 7,
  nothing: () => undefined,
  unclonable: () => () => {},
  // Each of these has one getter that throws.
  ...Object.fromEntries(
    ['name', 'message', 'stack', 'cause', 'errors', 'detail'].map((field) => [
      `hostile ${field}`,
      () =>
        Object.defineProperty(Object.assign(new RangeError('the real one'), { code: 'E_REAL' }), field, {
          enumerable: true,
          get() {
            throw new Error('getter');
          },
        }),
    ]),
  ),
  revoked: () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  fatal: () => Object.assign(new Error('for good'), { [brand('FatalError')]: true, exitCode: 9 }),
  retry: () => Object.assign(new Error('later'), { [brand('RetryError')]: true, afterMs: 0 }),
  canceled: () =>
    Object.assign(new Error('enough'), { [brand('CanceledError')]: true, by: 'task', reason: { why: 1 } }),
};

export function throws({ workerData }) {
  throw thrown[workerData]();
}

/** Throws a RetryError in its first attempt, and succeeds in its second. */
export function retriesOnce({ attempt }) {
  if (attempt === 1) throw thrown.retry();
}

export const preloaded = () => globalThis.preloaded;
export const prints = () => {
  for (let n = 0; n < 200; n += 1) console.log(`line ${n}`);
};
export const printsCorked = () => {
  process.stdout.cork();
  process.stdout.cork();
  prints();
};
export const unclonable = () => () => {};
export const unreadable = ({ workerData }) => ({
  get field() {
    throw workerData;
  },
});
export const exits = ({ workerData }) => process.exit(workerData);
export const uncaught = () =>
  new Promise(() => {
    setTimeout(() => {
      throw new RangeError('not caught');
    });
  });
export const rejection = () => {
  void Promise.reject(new RangeError('not caught'));
  return new Promise(() => {});
};
export const notAFunction = 1;

export function hoards() {
  const hoard = [];
  for (;;) hoard.push(new Array(10_000).fill(hoard.length));
}

/** Returns while a timer that it started would keep its thread alive. */
export function leavesTimer() {
  setInterval(() => Atomics.add(workerData.shared, COUNT, 1), 1);
  return 'left';
}
