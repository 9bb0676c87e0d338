// Invalid options of single calls.

import { backoffDelayMs, OptionError, Supervisor } from 'slotvisor';
import { describe, expect, test, vi } from 'vitest';
import { never } from '../../support/bodies.ts';
import {
  DURATION,
  expectNothingAdmitted,
  expectOptionError,
  FUNCTION,
  invalid,
  NO_COUNTS,
  NO_DURATIONS,
  NO_FUNCTIONS,
  NO_OBJECTS,
  NO_SIGNALS,
  OBJECT,
  optionErrorOf,
  row,
  throwingGetter,
  titled,
  WHOLE,
  WORD,
  ZEROS,
} from '../../support/invalid-options.ts';
import { setup } from '../../support/setup.ts';

const run = () => 'done';

describe('an invalid option of a call', () => {
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
  ])('subscribe() and events() throw for an invalid $field', ({ field, rule, wrong }) => {
    const { supervisor } = setup();
    for (const one of wrong) {
      const options = invalid<never>(field === 'options' ? one[0] : { [field]: one[0] });
      expectOptionError(
        optionErrorOf(() => supervisor.subscribe(() => {}, options)),
        field,
        rule,
        one,
      );
      expectOptionError(
        optionErrorOf(() => supervisor.events(options)),
        field,
        rule,
        one,
      );
    }
  });

  test('subscribe() throws for an unknown event type with its index, for an unknown key and for an invalid subscriber', () => {
    const { supervisor } = setup();
    const type = optionErrorOf(() => supervisor.subscribe(() => {}, invalid<never>({ types: ['started', 'strated'] })));
    expectOptionError(type, 'types[1]', WORD, ['strated', '"strated"']);
    const key = optionErrorOf(() => supervisor.subscribe(() => {}, invalid<never>({ capacty: 5 })));
    expect([key.field, key.message]).toEqual(['capacty', expect.stringContaining('did you mean capacity?')]);
    for (const subscriber of [null, undefined, 5, 'x'])
      expect(optionErrorOf(() => supervisor.subscribe(invalid<() => void>(subscriber))).field).toBe('subscriber');
    for (const subscriber of [{}, { onEvent: 5 }])
      expect(optionErrorOf(() => supervisor.subscribe(invalid<() => void>(subscriber))).field).toBe(
        'subscriber.onEvent',
      );
    expect(optionErrorOf(() => supervisor.subscribe(invalid<never>({ name: 5, onEvent: () => {} }))).field).toBe(
      'subscriber.name',
    );
  });

  for (const option of ['graceMs', 'finishMs'])
    test.each(titled(NO_DURATIONS))(
      `shutdown() throws for ${option} of $shown and does not start`,
      async ({ value, shown }) => {
        const { supervisor } = setup();
        expectOptionError(
          optionErrorOf(() => supervisor.shutdown(invalid<never>({ [option]: value }))),
          option,
          DURATION,
          [value, shown],
        );
        expect(supervisor.snapshot().phase).toBe('open');
      },
    );

  test('shutdown() throws for a finishMs that is more than its grace, and does not start or hasten', async () => {
    const { supervisor, clock } = setup({ shutdownGraceMs: 10, finishMs: 10 });
    const tooLong = () => supervisor.shutdown({ graceMs: 1, finishMs: 2 });
    expectOptionError(optionErrorOf(tooLong), 'finishMs', /must be at most the grace .* \(1 ms\)/, [2, '2']);
    expect(supervisor.phase).toBe('open');
    supervisor.submit({ run: never });
    await clock.settle();
    void supervisor.shutdown();
    expect(optionErrorOf(tooLong).field).toBe('finishMs');
    await clock.advance(9);
    expect(supervisor.phase).toBe('closing');
    expect(supervisor.snapshot().owners).toBe(1);
  });

  test('shutdown() throws for an unknown key, an unreadable option and a value that is no object, and does not start', () => {
    const { supervisor } = setup();
    expect(optionErrorOf(() => supervisor.shutdown(invalid<never>({ grace: 5 }))).message).toContain(
      'did you mean graceMs?',
    );
    for (const [value, shown] of NO_OBJECTS)
      expectOptionError(
        optionErrorOf(() => supervisor.shutdown(invalid<never>(value))),
        'options',
        OBJECT,
        [value, shown],
      );
    expect(optionErrorOf(() => supervisor.shutdown(throwingGetter('graceMs'))).message).toMatch(
      /^graceMs must be readable/,
    );
    expect(supervisor.snapshot().phase).toBe('open');
  });

  test.each([
    [{ signals: 'SIGINT' }, 'signals'],
    [{ signals: null }, 'signals'],
    [{ signals: true }, 'signals'],
    [{ signals: [5] }, 'signals[0]'],
    [{ signals: ['SIGINT', 'SIGNONE'] }, 'signals[1]'],
    [{ signals: ['SIGKILL'] }, 'signals[0]'], // it cannot be caught
    [{ signal: [] }, 'signal'],
    [null, 'options'],
    [5, 'options'],
  ])('run() rejects for the options %j before it admits a task', async (options, field) => {
    const { supervisor, clock } = setup();
    const body = vi.fn();
    const error = await supervisor.run([{ run: body }], invalid<never>(options)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OptionError);
    expect((error as OptionError).field).toBe(field);
    await clock.settle();
    expect(body).not.toHaveBeenCalled();
    expectNothingAdmitted(supervisor);
    expect(supervisor.snapshot().phase).toBe('open');
  });

  test('backoffDelayMs() throws for an invalid index, previous delay or random', () => {
    for (const one of [...NO_COUNTS])
      expectOptionError(
        optionErrorOf(() => backoffDelayMs({}, invalid<number>(one[0]))),
        'retryIndex',
        WHOLE,
        one,
      );
    for (const one of NO_DURATIONS)
      expectOptionError(
        optionErrorOf(() => backoffDelayMs({}, 0, Math.random, invalid<number>(one[0]))),
        'previousMs',
        DURATION,
        one,
      );
    for (const one of NO_FUNCTIONS)
      expectOptionError(
        optionErrorOf(() => backoffDelayMs({}, 0, invalid<() => number>(one[0]))),
        'random',
        FUNCTION,
        one,
      );
  });
});

describe('the field of an OptionError', () => {
  const { proxy: revoked, revoke } = Proxy.revocable([], {});
  revoke();
  const supervisor = new Supervisor();
  const rows: readonly [what: string, field: string, message: RegExp, act: () => unknown][] = [
    [
      'a batch that cannot be read',
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
      'a slot that is named twice',
      'slot',
      /^slot must not be set here: slot\("orders"\) already names it, got "b"$/,
      () => supervisor.slot('orders').submit({ run, slot: 'b' } as never),
    ],
    [
      'a fraction that is text',
      'deadFraction',
      /^deadFraction must be a number from 0 to 1/,
      () => new Supervisor({ deadFraction: '0.5' as never }),
    ],
  ];
  for (const [what, field, message, act] of rows)
    test(`the error for ${what} names the field`, () => {
      expect(act).toThrow(OptionError);
      expect(act).toThrow(expect.objectContaining({ field, message: expect.stringMatching(message) }));
    });
});
