// supervisor.configure: other limits over all slots while tasks run.

import { ClosedError, type GateOptions } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { invalid, optionErrorOf } from '../../support/invalid-options.ts';
import { setup } from '../../support/setup.ts';

/** A supervisor with `count` submissions, whose bodies run until the test ends them. */
async function busy(count: number, options: GateOptions = {}) {
  const world = setup(options);
  const body = gateBody();
  const submit = (name: string, priority = 0) => world.supervisor.submit({ name, priority, run: body.body });
  for (let n = 0; n < count; n += 1) submit(`${n}`);
  await world.clock.settle();
  const names = () => body.calls.map(({ name }) => name);
  return { ...world, body, submit, names };
}

describe('configure', () => {
  test('with a higher concurrency lets waiting attempts in at once, the highest priority first', async () => {
    const { supervisor, clock, submit, names } = await busy(1, { concurrency: 1 });
    for (const [name, priority] of Object.entries({ low: -1, usual: 0, high: 1 })) submit(name, priority);
    supervisor.configure({ concurrency: 3 });
    await clock.settle();
    expect(names()).toEqual(['0', 'high', 'usual']);
    supervisor.configure({ concurrency: Infinity });
    await clock.settle();
    expect(names()).toEqual(['0', 'high', 'usual', 'low']);
  });

  for (const before of [Infinity, 5])
    test(`with a concurrency lower than the ${before} before stops no body, and counts all that run`, async () => {
      const { supervisor, clock, body, submit } = await busy(4, { concurrency: before });
      supervisor.configure({ concurrency: 2 });
      for (let n = 0; n < 3; n += 1) submit(`late ${n}`);
      for (const alive of [4, 3, 2, 2, 2, 2, 1, 0]) {
        await clock.settle();
        expect(body.alive).toBe(alive);
        body.open('end');
      }
      expect(body.calls).toHaveLength(7);
    });

  test('with a concurrency counts attempts that were about to begin when it came', async () => {
    const { supervisor, clock, body, submit } = await busy(0);
    for (let n = 0; n < 4; n += 1) submit(`${n}`);
    supervisor.configure({ concurrency: 2 });
    await clock.settle();
    expect(body.alive).toBe(2);
  });

  test('with a rate limits the starts from now on, and `rate: false` takes it away', async () => {
    const { supervisor, clock, body, submit } = await busy(3);
    supervisor.configure({ rate: { limit: 1, intervalMs: 100 } });
    for (let n = 0; n < 4; n += 1) submit(`late ${n}`);
    await clock.settle();
    expect(body.alive).toBe(4);
    await clock.advance(100);
    expect(body.alive).toBe(5);
    supervisor.configure({ rate: false });
    await clock.settle();
    expect([body.alive, clock.timers]).toEqual([7, 0]);
  });

  test('leaves alone what it does not name, and what is undefined', async () => {
    const { supervisor, clock, body } = await busy(9, { concurrency: 3, rate: { limit: 2, intervalMs: 100 } });
    supervisor.configure({ concurrency: undefined, rate: undefined });
    supervisor.configure({});
    await clock.settle();
    expect(body.alive).toBe(2);
    supervisor.configure({ concurrency: 5 });
    await clock.advance(100);
    expect(body.alive).toBe(4);
    supervisor.configure({ rate: false });
    await clock.settle();
    expect(body.alive).toBe(5);
  });

  test('does not end a pause', async () => {
    const { supervisor, clock, body, submit } = await busy(0, { concurrency: 1 });
    supervisor.pause();
    for (let n = 0; n < 3; n += 1) submit(`${n}`);
    supervisor.configure({ concurrency: Infinity });
    await clock.settle();
    expect(body.alive).toBe(0);
    supervisor.resume();
    await clock.settle();
    expect(body.alive).toBe(3);
  });

  test('with a wrong option changes nothing', async () => {
    const { supervisor, clock, body } = await busy(2, { concurrency: 1 });
    for (const [options, field, rule] of [
      [{ concurrency: 0 }, 'concurrency', /must be a whole number, 1 or more/],
      [{ concurrency: 5, rate: { limit: 1 } }, 'rate.intervalMs', /must be given/],
      [{ concurrency: 5, rate: true }, 'rate', /must be an object/],
      [{ concurrency: 5, rates: {} }, 'rates', /did you mean rate\?/],
      [{ concurrency: 5, graceMs: 1 }, 'graceMs', /is not an option/],
    ] as const) {
      const error = optionErrorOf(() => supervisor.configure(invalid(options)));
      expect([error.field, error.message]).toEqual([field, expect.stringMatching(rule)]);
    }
    expect(optionErrorOf(() => supervisor.configure(invalid(undefined))).field).toBe('options');
    await clock.settle();
    expect(body.alive).toBe(1);
  });

  test('during and after a shutdown throws nothing and lets nothing start', async () => {
    const { supervisor, clock, body } = await busy(2, { concurrency: 1 });
    const report = supervisor.shutdown();
    supervisor.configure({ concurrency: 5 });
    body.open('end');
    await report;
    supervisor.configure({ concurrency: Infinity, rate: { limit: 1, intervalMs: 1 } });
    await clock.settle();
    expect([body.calls.length, clock.timers]).toEqual([1, 0]);
    expect(() => supervisor.submit({ run: () => 1 })).toThrow(ClosedError);
  });
});
