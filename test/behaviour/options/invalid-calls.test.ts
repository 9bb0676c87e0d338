// Invalid options of single calls.

import { backoffDelayMs, OptionError, Supervisor } from 'slotvisor';
import { describe, expect, test, vi } from 'vitest';
import {
  bad,
  checkRefusal,
  DURATION,
  expectNothingKept,
  FUNCTION,
  NO_COUNTS,
  NO_DURATIONS,
  NO_FUNCTIONS,
  NO_OBJECTS,
  NO_SIGNALS,
  OBJECT,
  refusal,
  row,
  throwingGetter,
  titled,
  WHOLE,
  WORD,
  ZEROS,
} from '../../support/invalid-options.ts';
import { setup } from '../../support/setup.ts';

const run = () => 'done';

describe('options of calls', () => {
  test.each([
    row('capacity', WHOLE, NO_COUNTS, ZEROS),
    row('types', /must be an array of event types/, [
      ['started', '"started"'],
      [null, 'null'],
      [5, '5'],
      [{}, 'an object'],
    ]),
    row('signal', /must be an AbortSignal/, NO_SIGNALS),
    row('options', OBJECT, NO_OBJECTS),
  ])('subscribe and events refuse bad $field', ({ field, rule, wrong }) => {
    const { supervisor } = setup();
    for (const one of wrong) {
      const options = bad<never>(field === 'options' ? one[0] : { [field]: one[0] });
      checkRefusal(
        refusal(() => supervisor.subscribe(() => {}, options)),
        field,
        rule,
        one,
      );
      checkRefusal(
        refusal(() => supervisor.events(options)),
        field,
        rule,
        one,
      );
    }
  });

  test('subscribe refuses an unknown event type by its place, an unknown key, and a subscriber that is none', () => {
    const { supervisor } = setup();
    const type = refusal(() => supervisor.subscribe(() => {}, bad<never>({ types: ['started', 'strated'] })));
    checkRefusal(type, 'types[1]', WORD, ['strated', '"strated"']);
    const key = refusal(() => supervisor.subscribe(() => {}, bad<never>({ capacty: 5 })));
    expect([key.field, key.message]).toEqual(['capacty', expect.stringContaining('did you mean capacity?')]);
    for (const subscriber of [null, undefined, 5, 'x'])
      expect(refusal(() => supervisor.subscribe(bad<() => void>(subscriber))).field).toBe('subscriber');
    for (const subscriber of [{}, { onEvent: 5 }])
      expect(refusal(() => supervisor.subscribe(bad<() => void>(subscriber))).field).toBe('subscriber.onEvent');
    expect(refusal(() => supervisor.subscribe(bad<never>({ name: 5, onEvent: () => {} }))).field).toBe(
      'subscriber.name',
    );
  });

  test.each(titled(NO_DURATIONS))('shutdown refuses graceMs of $shown and does not begin', async ({ value, shown }) => {
    const { supervisor } = setup();
    checkRefusal(
      refusal(() => supervisor.shutdown(bad<never>({ graceMs: value }))),
      'graceMs',
      DURATION,
      [value, shown],
    );
    expect(supervisor.snapshot().phase).toBe('open');
  });

  test('shutdown refuses an unknown key, an unreadable option and what is no object, and does not begin', () => {
    const { supervisor } = setup();
    expect(refusal(() => supervisor.shutdown(bad<never>({ grace: 5 }))).message).toContain('did you mean graceMs?');
    for (const [value, shown] of NO_OBJECTS)
      checkRefusal(
        refusal(() => supervisor.shutdown(bad<never>(value))),
        'options',
        OBJECT,
        [value, shown],
      );
    expect(refusal(() => supervisor.shutdown(throwingGetter('graceMs'))).message).toMatch(/^graceMs must be readable/);
    expect(supervisor.snapshot().phase).toBe('open');
  });

  test.each([
    [{ signals: 'SIGINT' }, 'signals'],
    [{ signals: null }, 'signals'],
    [{ signals: true }, 'signals'],
    [{ signals: [5] }, 'signals[0]'],
    [{ signals: ['SIGINT', 'SIGNONE'] }, 'signals[1]'],
    [{ signals: ['SIGKILL'] }, 'signals[0]'], // the platform lets nobody listen to it
    [{ signal: [] }, 'signal'],
    [null, 'options'],
    [5, 'options'],
  ])('run refuses the options %j before anything is admitted', async (options, field) => {
    const { supervisor, clock } = setup();
    const body = vi.fn();
    const error = await supervisor.run([{ run: body }], bad<never>(options)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OptionError);
    expect((error as OptionError).field).toBe(field);
    await clock.settle();
    expect(body).not.toHaveBeenCalled();
    expectNothingKept(supervisor);
    expect(supervisor.snapshot().phase).toBe('open');
  });

  test('backoffDelayMs refuses a bad index, previous delay and random', () => {
    for (const one of [...NO_COUNTS])
      checkRefusal(
        refusal(() => backoffDelayMs({}, bad<number>(one[0]))),
        'retryIndex',
        WHOLE,
        one,
      );
    for (const one of NO_DURATIONS)
      checkRefusal(
        refusal(() => backoffDelayMs({}, 0, Math.random, bad<number>(one[0]))),
        'previousMs',
        DURATION,
        one,
      );
    for (const one of NO_FUNCTIONS)
      checkRefusal(
        refusal(() => backoffDelayMs({}, 0, bad<() => number>(one[0]))),
        'random',
        FUNCTION,
        one,
      );
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
