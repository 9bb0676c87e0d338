// The bodies of the soak: a few behave, most do not. Each plan is for one submission, with random
// numbers from the dice.

import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { CanceledError, FatalError, RetryError, type TaskContext, type TaskSpec } from 'slotvisor';
import type { Inner, Kill } from './monitor.ts';

export interface Plan {
  readonly spec: Partial<Omit<TaskSpec, 'run' | 'slot' | 'admission'>>;
  readonly inner: Inner;
  readonly kill?: Kill;
}

/** A random whole number from 0 to `bound - 1`. */
export type Dice = (bound: number) => number;

/** Submits once more to the slot of the calling body. */
export type Resubmit = () => void;

/** A new promise each time: a shared one would keep all of its waiters alive. */
const never = () => new Promise<never>(() => {});

const boom = (): never => {
  throw new Error('boom');
};

/** Each waits for the stop request in a different way. */
const HANGS: readonly ((ctx: TaskContext) => Promise<unknown>)[] = [
  (ctx) => ctx.sleep(Number.POSITIVE_INFINITY),
  (ctx) => ctx.untilCanceled(never()),
  (ctx) => new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))),
  (ctx) => new Promise((resolve) => ctx.onCancel(resolve)),
];
const hang = (dice: Dice) => HANGS[dice(HANGS.length)] ?? HANGS[0] ?? boom;

/** Half of the overruns hold their slot until the body ends. Half are abandoned. */
const overrun = (dice: Dice) => ({ onOverrun: dice(2) === 0 ? ('hold' as const) : ('abandon' as const) });

export const PLANS: Readonly<Record<string, (dice: Dice, resubmit: Resubmit) => Plan>> = {
  value: () => ({ spec: {}, inner: () => ({}) }),
  'value, later': () => ({ spec: {}, inner: async () => ({}) }),
  'value, after a while': (dice) => {
    const ms = dice(10);
    return { spec: { deadlineMs: 1_000 }, inner: (ctx) => ctx.sleep(ms).then(() => ({})) };
  },
  throws: () => ({ spec: {}, inner: boom }),
  rejects: (dice) => ({ spec: { restart: dice(2) === 0 ? 'never' : 'onFailure' }, inner: () => turn().then(boom) }),
  'fails, then well': () => ({ spec: {}, inner: (ctx) => (ctx.attempt < 3 ? boom() : {}) }),
  'says when to retry': (dice) => {
    const afterMs = dice(10);
    return { spec: {}, inner: () => Promise.reject(new RetryError('soon', { afterMs })) };
  },
  'fails for good': () => ({ spec: {}, inner: () => Promise.reject(new FatalError('for good')) }),
  'gives up': () => ({
    spec: {},
    inner: () => {
      throw new CanceledError('done here');
    },
  }),
  'hangs until its stop request': (dice) => ({ spec: { deadlineMs: 50 + dice(1_000) }, inner: hang(dice) }),
  'ends late': (dice) => {
    const until = hang(dice);
    const lateMs = dice(50);
    const inner = async (ctx: TaskContext) => {
      try {
        await until(ctx);
      } finally {
        await sleep(lateMs);
      }
      return {};
    };
    return { spec: { deadlineMs: 20 + dice(500), ...overrun(dice) }, inner };
  },
  'ignores its stop request': (dice) => {
    const ms = 20 + dice(60);
    return { spec: { timeoutMs: 10, maxRetries: dice(3), ...overrun(dice) }, inner: () => sleep(ms, {}) };
  },
  stalls: (dice) => ({ spec: { stallMs: 10 + dice(20), maxRetries: dice(3) }, inner: hang(dice) }),
  'gives heartbeats': () => ({
    spec: { stallMs: 100 },
    inner: async (ctx) => {
      for (let i = 0; i < 10; i += 1) {
        await ctx.sleep(5);
        ctx.heartbeat();
      }
      return {};
    },
  }),
  repeats: (dice) => {
    const spec = { restart: 'always', intervalMs: dice(10), deadlineMs: 50 + dice(300) } as const;
    return { spec, inner: (ctx) => (ctx.attempt % 5 === 0 ? boom() : {}) };
  },
  'must be killed': (dice) => {
    let buried = (): void => {};
    const dyingMs = dice(10);
    const inner: Inner = (_, dead) => {
      buried = dead;
      return never();
    };
    const kill = async () => {
      await sleep(dyingMs);
      buried();
    };
    return { spec: { deadlineMs: 20 + dice(200) }, inner, kill };
  },
  'submits again': (dice, resubmit) => {
    const ms = dice(3);
    const inner = async (ctx: TaskContext) => {
      try {
        await ctx.sleep(ms);
        return {};
      } finally {
        resubmit();
      }
    };
    return { spec: { restart: 'never' }, inner };
  },
};

/** Blocks the event loop. */
export const blocking = (ms: number): Plan => ({
  spec: { restart: 'never' },
  inner: () => {
    for (const until = performance.now() + ms; performance.now() < until; );
    return {};
  },
});

/** Lets only microtasks run. */
export const flooding = (ms: number): Plan => ({
  spec: { restart: 'never' },
  inner: async () => {
    for (const until = performance.now() + ms; performance.now() < until; ) await null;
    return {};
  },
});
