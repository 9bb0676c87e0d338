import { OptionError, Supervisor } from 'slotvisor';
import { health } from 'slotvisor/health';
import { describe, expect, it, test } from 'vitest';
import { parseHealthOptions, readNamed } from '../../../src/ext/health/options.ts';

const one = new Supervisor();
const two = { api: one, jobs: new Supervisor() };

const unreadable = new Proxy(
  {},
  {
    ownKeys: () => {
      throw new Error('no keys');
    },
  },
);

const read = (supervisor: unknown, options: unknown): ReturnType<typeof parseHealthOptions> =>
  parseHealthOptions(options, readNamed(supervisor));

describe('an invalid argument or option throws an OptionError with its field, the rule and the value', () => {
  const rows: readonly [supervisor: unknown, options: unknown, field: string, text: RegExp][] = [
    [undefined, {}, 'supervisor', /must be a Supervisor, or an object with one or more of them, got undefined/],
    [5, {}, 'supervisor', /must be a Supervisor, or an object with one or more of them, got 5/],
    [{}, {}, 'supervisor', /must be a Supervisor, or an object with one or more of them, got an object/],
    [[one], {}, 'supervisor', /must be an object, got an array/],
    [{ api: undefined }, {}, 'supervisor.api', /must be a Supervisor, got undefined/],
    [{ api: one, jobs: undefined }, {}, 'supervisor.jobs', /must be a Supervisor, got undefined/],
    [{ '': one }, {}, 'supervisor.', /must not be empty/],
    [unreadable, {}, 'supervisor', /no keys/],
    [{ api: {} }, {}, 'supervisor.api', /must be a Supervisor, got an object/],
    [{ 'a/b': one }, {}, 'supervisor.a/b', /must have a name without \//],
    [one, null, 'options', /must be an object, got null/],
    [one, { critical: {} }, 'critical', /is not an option/],
    [one, { maxDelay: 5 }, 'maxDelay', /did you mean maxDelayMs\?/],
    [one, { maxDelayMs: 0 }, 'maxDelayMs', /must be a number of ms, more than 0 .*, got 0/],
    [one, { closedMs: -1 }, 'closedMs', /must be a number of ms, 0 or more, got -1/],
    [one, { rules: [] }, 'rules', /must be an object, got an array/],
    [one, { rules: { a: true } }, 'rules.a', /must be an object, got true/],
    [one, { rules: { a: { owner: true } } }, 'rules.a.owner', /did you mean owned\?/],
    [one, { rules: { a: { owned: 1 } } }, 'rules.a.owned', /must be true or false, got 1/],
    [one, { rules: { a: { live: 'yes' } } }, 'rules.a.live', /must be true or false, got "yes"/],
    [one, { rules: { a: { failures: 0 } } }, 'rules.a.failures', /must be a whole number, 1 or more .*, got 0/],
    ...['overrunMs', 'waitingMs', 'backoffMs'].map((field): (typeof rows)[number] => [
      one,
      { rules: { a: { [field]: Number.NaN } } },
      `rules.a.${field}`,
      /must be a number of ms, 0 or more, got NaN/,
    ]),
    [one, { rules: { '': {} } }, 'rules.', /must not be empty/],
    [
      two,
      { rules: { orders: {} } },
      'rules.orders',
      /must begin with the name of its supervisor \('api\/', 'jobs\/'\)/,
    ],
    [two, { rules: { 'jobs/': {} } }, 'rules.jobs/', /must not be empty/],
  ];
  for (const [supervisor, options, field, text] of rows)
    test(`${field}: ${text}`, () => {
      const call = () => health(supervisor as never, options as never);
      expect(call).toThrow(OptionError);
      expect(call).toThrow(expect.objectContaining({ field, message: expect.stringMatching(text) }));
    });
});

describe('rules', () => {
  it('have the documented defaults', () => {
    expect(read(one, { rules: { a: {} } })).toEqual({
      rules: new Map([
        ['a', { owned: true, overrunMs: 0, waitingMs: Infinity, failures: 5, backoffMs: Infinity, live: false }],
      ]),
      maxDelayMs: 1_000,
      closedMs: 30_000,
    });
    expect(read(one, {}).rules.size).toBe(0);
  });

  it('are read once, as own fields, whatever the slot is called', () => {
    const { rules } = read(one, {
      rules: { ['__proto__']: { failures: 2 }, constructor: { failures: 3 }, no: undefined },
    });
    expect([...rules].map(([slot, { failures }]) => [slot, failures])).toEqual([
      ['__proto__', 2],
      ['constructor', 3],
    ]);
  });

  it('of several supervisors belong to the one that their key begins with', () => {
    expect([...read(two, { rules: { 'jobs/a/b': {} } }).rules.keys()]).toEqual(['jobs/a/b']);
  });
});
