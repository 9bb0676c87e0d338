// What an error shows of a text of the caller: at most 60 characters.

import { backoffDelayMs, OptionError, Supervisor, type TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { invalid, optionErrorOf } from '../../support/invalid-options.ts';
import { setup } from '../../support/setup.ts';

const LONG = 'x'.repeat(5_000_000);
const NAME = 'n'.repeat(1_024);
const run = () => 1;

describe('an OptionError is short, whatever is long:', () => {
  const { supervisor } = setup({ limits: { slots: 0 } });
  const unreadable = {
    run,
    get meta(): never {
      throw new Error(LONG);
    },
  };
  const submit = (spec: object) => supervisor.submit(invalid<TaskSpec>({ run, ...spec }));
  const rows: readonly [what: string, call: () => unknown, field: RegExp][] = [
    ['the name of an option', () => submit({ [LONG]: 1 }), /^x{40}…x{19}$/],
    ['the name of an option of an option', () => submit({ backoff: { [LONG]: 1 } }), /^backoff\.x{32}…x{19}$/],
    ['the name of a default', () => new Supervisor({ defaults: { [LONG]: 1 } }), /^defaults\.x{31}…x{19}$/],
    ['the name of a slot', () => new Supervisor({ slots: { [LONG]: {} } }), /^slots name$/],
    [
      'the name of a slot before an option',
      () => new Supervisor({ slots: { [NAME]: { queueLimit: -1 } } }),
      /^slots\.n{34}…n{8}\.queueLimit$/,
    ],
    ['a name', () => submit({ slot: LONG }), /^slot$/],
    ['a value', () => submit({ graceMs: LONG }), /^graceMs$/],
    ['a huge bigint', () => submit({ graceMs: 2n ** 100_000n }), /^graceMs$/],
    ['a word', () => submit({ restart: LONG }), /^restart$/],
    ['the error of a getter', () => supervisor.submit(unreadable), /^spec$/],
    [
      'the name of a slot beside a spec that names one',
      () => supervisor.slot(NAME).submit(invalid<TaskSpec>({ run, slot: LONG })),
      /^slot$/,
    ],
    ['the name of a slot that cannot be paused', () => supervisor.slot(NAME).pause(), /^limits\.slots$/],
    ['an argument', () => backoffDelayMs({}, invalid(LONG)), /^retryIndex$/],
  ];
  test.each(rows)('%s', (_, call, field) => {
    const error = optionErrorOf(call);
    expect(error.field).toMatch(field);
    expect(error.message.startsWith(`${error.field} `)).toBe(true);
    expect(error.field.length).toBeLessThanOrEqual(60);
    expect(error.message).not.toMatch(/x{61}|n{61}/);
    expect(error.message.length).toBeLessThan(500);
  });
});

test('an OptionError of your own is short too', () => {
  const error = new OptionError(LONG, 'must be short', LONG);
  expect(error).toMatchObject({ field: expect.stringMatching(/^x{40}…x{19}$/), got: LONG });
  expect(error.message).toBe(`${error.field} must be short, got "${'x'.repeat(60)}…"`);
});

test('the OutcomeError of a task with a long name shows 60 characters of it', async () => {
  const { supervisor } = setup();
  const task = supervisor.submit({ name: NAME, signal: AbortSignal.abort(), run });
  await expect(task.value()).rejects.toThrow(/^n{60}…: rejected: canceled$/);
});
