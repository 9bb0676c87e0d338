import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { type BodyCall, type BodyEnd, callBody, callKill } from '../../src/engine/call-body.ts';
import type { AroundAttempt } from '../../src/engine/runtime.ts';
import type { LiveTaskContext } from '../../src/engine/task-context.ts';
import type { Kill, Run } from '../../src/model/task.ts';

const boom = new Error('boom');
const fail = (): never => {
  throw boom;
};

interface Given {
  readonly run: Run;
  readonly state?: () => unknown;
  readonly aroundAttempt?: AroundAttempt;
  readonly bodyBegins?: () => void;
}

/**
 * The call of a body, and what it reported: `now` within the call, `later` on a turn of its own,
 * `threw` within an interceptor.
 */
function call({ run, state, aroundAttempt, bodyBegins = () => {} }: Given) {
  const now: BodyEnd[] = [];
  const later: BodyEnd[] = [];
  const threw = vi.fn();
  const context = { state: undefined } as LiveTaskContext;
  callBody({
    host: { submission: { run, settings: { state } }, runtime: { aroundAttempt } },
    context,
    info: () => ({ attempt: 1 }),
    openWatches: () => undefined,
    bodyBegins,
    bodyThrew: threw,
    ended: (end: BodyEnd) => now.push(end),
    endedLater: (end: BodyEnd) => later.push(end),
  } as unknown as BodyCall);
  return { now, later, threw, context };
}

describe('a body', () => {
  test('that returns a value has ended within the call', () => {
    expect(call({ run: () => 7 }).now).toEqual([{ kind: 'value', value: 7 }]);
  });

  test('that throws has ended within the call', () => {
    expect(call({ run: fail }).now).toEqual([{ error: boom }]);
  });

  test.for<readonly [what: string, run: Run, end: BodyEnd]>([
    ['resolves', async () => 7, { kind: 'value', value: 7 }],
    ['rejects', async () => fail(), { error: boom }],
    // biome-ignore lint/suspicious/noThenProperty: a thenable on purpose
    ['returns a thenable that throws', () => ({ then: fail }) as never, { error: boom }],
  ])('that %s has ended on a later turn, once', async ([, run, end]) => {
    const { now, later } = call({ run });
    expect([now, later]).toEqual([[], []]);
    await turn();
    expect([now, later]).toEqual([[], [end]]);
  });

  test('that never settles has not ended', async () => {
    const { now, later } = call({ run: () => new Promise(() => {}) });
    await turn();
    expect([now, later]).toEqual([[], []]);
  });

  test('gets its context, and no this', () => {
    const seen: unknown[] = [];
    const { context } = call({
      run: function (this: unknown, ctx) {
        seen.push(this, ctx);
      },
    });
    expect(seen).toEqual([undefined, context]);
  });
});

describe('the state of a body', () => {
  test('is made before the body is called', () => {
    const run = vi.fn((ctx) => ctx.state);
    expect(call({ run: run as Run, state: () => 'fresh' }).now).toEqual([{ kind: 'value', value: 'fresh' }]);
  });

  test('that throws fails the attempt, and the body is not called', () => {
    const run = vi.fn();
    expect(call({ run, state: fail }).now).toEqual([{ error: boom }]);
    expect(run).not.toHaveBeenCalled();
  });

  test("may be a promise, whose rejection is the body's to handle", async () => {
    const rejected = Promise.reject(boom);
    const { now, context } = call({ run: () => 7, state: () => rejected });
    await turn(); // an unhandled rejection would fail this test
    expect(now).toEqual([{ kind: 'value', value: 7 }]);
    expect(context.state).toBe(rejected);
  });
});

test('a body whose attempt was stopped by its state or its interceptor is not called', async () => {
  const run = vi.fn();
  expect(call({ run, bodyBegins: fail }).now).toEqual([{ error: boom }]);
  const { later } = call({ run, bodyBegins: fail, aroundAttempt: (_, next) => next() });
  await turn();
  expect(later).toEqual([{ error: boom }]);
  expect(run).not.toHaveBeenCalled();
});

test('a body that throws within an aroundAttempt is reported before the interceptor has ended', async () => {
  let end = () => {};
  const { threw, later } = call({
    run: async () => fail(),
    aroundAttempt: async (_, next) => {
      await next().catch(() => {});
      await new Promise<void>((resolve) => {
        end = resolve;
      });
    },
  });
  await turn();
  expect([threw.mock.calls.length, later]).toEqual([1, []]);
  end();
  await turn();
  expect([threw.mock.calls.length, later]).toEqual([1, [{ error: boom }]]);
});

test('an aroundAttempt wraps the body, and the value of the body is kept', async () => {
  const log: string[] = [];
  const { later } = call({
    run: () => log.push('body'),
    aroundAttempt: async ({ attempt }, next) => {
      log.push(`before ${attempt}`);
      await next();
      log.push('after');
    },
  });
  await turn();
  expect(log).toEqual(['before 1', 'body', 'after']);
  expect(later).toEqual([{ kind: 'value', value: 2 }]);
});

describe('a kill', () => {
  const context = {} as LiveTaskContext;
  const killed = (kill: Kill) => {
    const log: unknown[] = [];
    callKill(
      kill,
      context,
      () => log.push('dead'),
      (error) => log.push(error),
    );
    return log;
  };

  test('that returns is the proof of end at once', () => {
    expect(killed(() => {})).toEqual(['dead']);
  });

  test('that resolves is the proof of end once it has', async () => {
    const log = killed(async () => {});
    expect(log).toEqual([]);
    await turn();
    expect(log).toEqual(['dead']);
  });

  test('that throws or rejects is no proof of end, and its error is reported', async () => {
    const logs = [killed(fail), killed(async () => fail())];
    await turn();
    expect(logs).toEqual([[boom], [boom]]);
  });

  test('gets the context of its attempt', () => {
    const kill = vi.fn();
    killed(kill);
    expect(kill).toHaveBeenCalledExactlyOnceWith(context);
  });
});
