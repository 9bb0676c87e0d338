import { Supervisor } from 'slotvisor';
import { consoleWriter, logTo } from 'slotvisor/log';
import { describe, expect, test } from 'vitest';
import { LOG_LEVELS } from '../../../src/ext/log/options.ts';
import {
  cases,
  expectOptionError,
  FUNCTION,
  invalid,
  NO_COUNTS,
  NO_FUNCTIONS,
  NO_NAMES,
  NO_OBJECTS,
  NO_WORDS,
  optionErrorOf,
  revoked,
  row,
  throwingGetter,
  titled,
  WHOLE,
  WORD,
  type Wrong,
  ZEROS,
} from '../../support/invalid-options.ts';

const NO_LOGGERS: readonly Wrong[] = [...NO_OBJECTS, [{}, 'an object'], [{ debug: () => {} }, 'an object']];
const NO_BOOLEANS: readonly Wrong[] = [
  ['yes', '"yes"'],
  [null, 'null'],
  [1, '1'],
];
const LEVEL = /must be one of 'debug', 'info', 'warn', 'error', or false/;

const logTwice = (options: unknown) => logTo(new Supervisor(), console, invalid(options));

describe('logTo refuses', () => {
  const ROWS = [
    row('levels', /must be an object/, NO_OBJECTS),
    row('levels.finished', LEVEL, [...NO_WORDS, [true, 'true'], ['fatal', '"fatal"'], ['Info', '"Info"']]),
    row('meta', FUNCTION, [...NO_FUNCTIONS, [true, 'true'], [false, 'false']]),
    row('types', /must be an array of event types/, [
      ['finished', '"finished"'],
      [null, 'null'],
      [{}, 'an object'],
    ]),
    row('key', /must be a string|must not be empty|at most 1024/, NO_NAMES),
    row('key', /must not be 'err', which holds the error/, [['err', '"err"']]),
    row('capacity', WHOLE, NO_COUNTS, ZEROS),
  ];
  test.each(cases(ROWS))('$field: $shown', ({ field, rule, one, put }) => {
    expectOptionError(
      optionErrorOf(() => logTwice(put(one[0]))),
      field,
      rule,
      one,
    );
  });

  test('a type of which there are no events', () => {
    const error = optionErrorOf(() => logTwice({ types: ['finished', 'nonsense'] }));
    expectOptionError(error, 'types[1]', WORD, ['nonsense', '"nonsense"']);
  });

  test.each(titled(NO_LOGGERS))('a logger without its four methods: $shown', ({ value, shown }) => {
    const error = optionErrorOf(() => logTo(new Supervisor(), invalid(value)));
    expectOptionError(error, 'logger', /must have the methods debug, info, warn, error/, [value, shown]);
  });

  test('a logger whose isLevelEnabled is no function', () => {
    const error = optionErrorOf(() => logTo(new Supervisor(), invalid({ ...console, isLevelEnabled: true })));
    expectOptionError(error, 'logger.isLevelEnabled', FUNCTION, [true, 'true']);
  });

  test.each(titled(NO_OBJECTS))('what is no supervisor: $shown', ({ value, shown }) => {
    const error = optionErrorOf(() => logTo(invalid(value), console));
    expectOptionError(error, 'supervisor', /must be a Supervisor/, [value, shown]);
  });

  test('an unknown option, and names the nearest one', () => {
    expect(optionErrorOf(() => logTwice({ level: {} })).message).toContain('did you mean levels');
    expect(optionErrorOf(() => logTwice({ levels: { finish: 'warn' } })).message).toContain('did you mean finished');
  });

  test('options, and a logger, that throw when they are read', () => {
    expect(optionErrorOf(() => logTwice(throwingGetter('key'))).field).toBe('key');
    expect(optionErrorOf(() => logTwice(revoked())).field).toBe('options');
    expect(optionErrorOf(() => logTo(new Supervisor(), revoked())).field).toBe('logger');
  });

  test('and subscribes nothing then', async () => {
    const supervisor = new Supervisor();
    let lines = 0;
    const count = () => (lines += 1);
    const logger = { debug: count, info: count, warn: count, error: count };
    expect(() => logTo(supervisor, logger, { key: '' })).toThrow();
    await supervisor.submit({ run: () => 1 }).outcome;
    await supervisor.shutdown();
    expect(lines).toBe(0);
  });
});

test('options that are undefined count as absent', () => {
  const none = { levels: undefined, meta: undefined, types: undefined, key: undefined, capacity: undefined };
  logTo(new Supervisor(), console, none)();
  logTo(new Supervisor(), console, undefined)();
  logTo(new Supervisor(), console, { capacity: Infinity, types: [] })();
  expect(consoleWriter({ stream: undefined, color: undefined })).toHaveProperty('onEvent');
});

test('the levels are the methods of the logger', () => {
  expect(LOG_LEVELS).toEqual(['debug', 'info', 'warn', 'error']);
});

describe('consoleWriter refuses', () => {
  const ROWS = [
    row('stream', /must be a writable stream/, NO_OBJECTS, [[{}, 'an object']]),
    row('color', /must be true or false/, NO_BOOLEANS),
  ];
  test.each(cases(ROWS))('$field: $shown', ({ field, rule, one, put }) => {
    expectOptionError(
      optionErrorOf(() => consoleWriter(invalid(put(one[0])))),
      field,
      rule,
      one,
    );
  });

  test('an unknown option, and names the nearest one', () => {
    expect(optionErrorOf(() => consoleWriter(invalid({ colour: true }))).message).toContain('did you mean color');
  });
});
