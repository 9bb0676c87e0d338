// What options come to where they meet: whose admission counts, odd chance, and the fields that a refusal names.

import { OptionError, Supervisor } from 'slotvisor';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { setup } from '../support/setup.ts';

const run = () => 'done';

test('a slot of its own has the admission of slotDefaults, as any slot has that is not configured', async () => {
  const { supervisor, clock, recorded } = setup({
    defaults: { admission: 'join' },
    slotDefaults: { admission: 'keepLatest' },
    slots: { orders: { admission: 'replace' } },
  });
  supervisor.submit({ run });
  supervisor.submit({ run, slot: 'other' });
  supervisor.submit({ run, name: 'orders' });
  await clock.settle();
  const told = recorded.events.filter(({ type }) => type === 'submitted');
  expect(told.map((event) => 'policy' in event && event.policy)).toEqual(['keepLatest', 'keepLatest', 'replace']);
});

describe('a source of chance', () => {
  const delayed = async (random: () => number): Promise<unknown> => {
    const { supervisor, clock, recorded } = setup({ random });
    const backoff = { firstMs: 100, maxMs: 100, factor: 1, jitter: 'full' } as const;
    supervisor.submit({ run: () => Promise.reject(new Error('no')), backoff });
    await clock.settle();
    const told = recorded.events.find(({ type }) => type === 'backoffScheduled');
    return told !== undefined && 'delayMs' in told && told.delayMs;
  };

  test('that says 0 is believed: the least delay', async () => {
    expect(await delayed(() => 0)).toBe(1);
  });

  for (const [what, drawn] of [
    ['1', 1],
    ['less than 0', -0.5],
    ['not a number', Number.NaN],
    ['a text', '0.25'],
    ['a bigint', 0n],
  ] as const)
    test(`that says ${what} is not: the platform's takes its place`, async () => {
      const platform = vi.spyOn(Math, 'random').mockReturnValue(0.75);
      onTestFinished(() => platform.mockRestore());
      expect(await delayed(() => drawn as number)).toBe(75);
    });
});

describe('a refusal names the field', () => {
  const { proxy: revoked, revoke } = Proxy.revocable([], {});
  revoke();
  const supervisor = new Supervisor();
  const rows: readonly [what: string, field: string, message: RegExp, act: () => unknown][] = [
    [
      'a batch that cannot be looked at',
      'specs',
      /^specs must be readable, got .*revoked/,
      () => supervisor.submitAll(revoked),
    ],
    [
      'a slot name that is too long',
      'slots name',
      /^slots name must be at most 1024 characters/,
      () => new Supervisor({ slots: { ['x'.repeat(1_025)]: {} } }),
    ],
    [
      'a slot named twice',
      'slot',
      /^slot must not be set here: slot\("orders"\) already names it, got "b"$/,
      () => supervisor.slot('orders').submit({ run, slot: 'b' } as never),
    ],
    [
      'a fraction as a text',
      'deadFraction',
      /^deadFraction must be a number from 0 to 1/,
      () => new Supervisor({ deadFraction: '0.5' as never }),
    ],
  ];
  for (const [what, field, message, act] of rows)
    test(`of ${what}`, () => {
      expect(act).toThrow(OptionError);
      expect(act).toThrow(expect.objectContaining({ field, message: expect.stringMatching(message) }));
    });
});

test('leaving an `await using` shuts down as its caller would', async () => {
  const { supervisor, recorded } = setup();
  await supervisor[Symbol.asyncDispose]();
  expect(recorded.events[0]).toMatchObject({ type: 'shutdownStarted', cause: 'caller' });
});

for (const [what, signals, field, message] of [
  ['a single signal', 'SIGINT', 'signals', /^signals must be an array of signal names, or false, got "SIGINT"$/],
  [
    'one that nobody can catch',
    ['SIGTERM', 'SIGKILL'],
    'signals[1]',
    /^signals\[1\] must be a signal .*, got "SIGKILL"$/,
  ],
] as const)
  test(`run refuses ${what}`, async () => {
    const refused = new Supervisor().run([], { signals: signals as never });
    await expect(refused).rejects.toThrow(expect.objectContaining({ field, message: expect.stringMatching(message) }));
  });

test('run with signals: false listens to none', async () => {
  const { supervisor, clock } = setup();
  const heard = process.eventNames();
  const ended = supervisor.run([{ run: (ctx) => ctx.sleep(10) }], { signals: false });
  await clock.settle();
  expect(process.eventNames()).toEqual(heard);
  await clock.advance(10);
  expect((await ended).outcomes).toMatchObject([{ kind: 'completed' }]);
});
