import { runInNewContext } from 'node:vm';
import { eventRecord } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { fieldsOf } from '../../../src/ext/log/fields.ts';
import { EVENT_TYPES } from '../../../src/model/event.ts';
import { made, thrown } from '../../support/made-events.ts';

const recordIn = (fields: object): object => (fields as { readonly slotvisor: object }).slotvisor;

describe('the fields of a line', () => {
  const PLAIN = EVENT_TYPES.filter((type) => !['started', 'attemptFailed', 'subscriberFailed'].includes(type));
  test.each(PLAIN)('are the record of %s under the key, and nothing else', (type) => {
    const event = made(type);
    expect(fieldsOf(event, 'slotvisor', undefined)).toStrictEqual({ slotvisor: eventRecord(event) });
    expect(fieldsOf(event, 'sv', undefined)).toStrictEqual({ sv: eventRecord(event) });
  });

  test('have the thrown error as it is, and the failure without it', () => {
    const error = new Error('boom');
    for (const event of [
      made('attemptFailed', { failure: thrown(error) }),
      made('finished', { outcome: 'failed', because: 'policy', failure: thrown(error) }),
      made('finished', { outcome: 'canceled', by: 'caller', failure: thrown(error) }),
    ]) {
      const fields = fieldsOf(event, 'slotvisor', undefined);
      expect(fields.err).toBe(error);
      expect(recordIn(fields)).toHaveProperty('failure', { kind: 'thrown', message: 'boom', fatal: false });
    }
  });

  test('have the error of a subscriber as it is, and the record without it', () => {
    const error = new Error('boom');
    const fields = fieldsOf(made('subscriberFailed', { error }), 'slotvisor', undefined);
    expect(fields.err).toBe(error);
    expect(recordIn(fields)).toStrictEqual({
      ...{ seq: 1, at: expect.any(Number), type: 'subscriberFailed', subscriber: 'metrics' },
    });
  });

  test('have an error of another realm as it is', () => {
    const error: unknown = runInNewContext('new Error("far")');
    expect(fieldsOf(made('attemptFailed', { failure: thrown(error) }), 'slotvisor', undefined).err).toBe(error);
  });

  test.each([
    ['text', 'text'],
    [5n, '5'],
    [{ a: 1n }, { a: '1' }],
    [undefined, '[not JSON: undefined]'],
    [() => {}, '[not JSON: a function]'],
  ])('have what was thrown and is no error as JSON can hold it: %s', (value, err) => {
    const event = made('attemptFailed', { failure: thrown(value) });
    expect(fieldsOf(event, 'slotvisor', undefined)).toMatchObject({ err });
  });

  test('have no err where nothing was thrown', () => {
    for (const type of ['attemptTimedOut', 'attemptStalled', 'finished', 'submitted'] as const)
      expect(fieldsOf(made(type), 'slotvisor', undefined)).not.toHaveProperty('err');
  });

  test('have a fence as text, and none where leases are local', () => {
    expect(recordIn(fieldsOf(made('started', { fence: 2n ** 70n }), 'slotvisor', undefined))).toHaveProperty(
      'fence',
      '1180591620717411303424',
    );
    expect(recordIn(fieldsOf(made('started', { fence: 0n }), 'slotvisor', undefined))).not.toHaveProperty('fence');
  });
});

describe('meta', () => {
  const event = made('started', { meta: { tenant: 7n, secret: 's3cret' } });

  test('is absent unless a function shows it, and then it is what that returns', () => {
    expect(recordIn(fieldsOf(event, 'slotvisor', undefined))).not.toHaveProperty('meta');
    const shown = fieldsOf(event, 'slotvisor', (meta) => ({ tenant: (meta as { tenant: bigint }).tenant }));
    expect(recordIn(shown)).toHaveProperty('meta', { tenant: '7' });
    expect(recordIn(fieldsOf(event, 'slotvisor', () => undefined))).not.toHaveProperty('meta');
  });

  test('is not asked for where a task has none, or where the event is about no task', () => {
    const fail = (): never => {
      throw new Error('it was asked');
    };
    for (const type of EVENT_TYPES)
      expect(recordIn(fieldsOf(made(type), 'slotvisor', fail))).not.toHaveProperty('meta');
  });

  test('says why where its function throws', () => {
    const fail = (): never => {
      throw new Error('no');
    };
    expect(recordIn(fieldsOf(event, 'slotvisor', fail))).toHaveProperty('meta', '[not JSON: no]');
  });
});

test('names in a record are one line that a terminal shows as it is', () => {
  const evil = 'a\n\u001b[31m\u2028\u202eb\u009b';
  const safe = 'a\\u000a\\u001b[31m\\u2028\\u202eb\\u009b';
  const record = (event: Parameters<typeof fieldsOf>[0]) => recordIn(fieldsOf(event, 'slotvisor', undefined));
  expect(record(made('queued', { slot: evil, name: evil }))).toMatchObject({ slot: safe, name: safe });
  expect(record(made('slotPaused', { slot: evil }))).toMatchObject({ slot: safe });
  expect(record(made('subscriberFailed', { subscriber: evil }))).toMatchObject({ subscriber: safe });
  expect(record(made('eventsDropped', { subscriber: evil }))).toMatchObject({ subscriber: safe });
  expect(record(made('shutdownFinished', { stuck: ['a', evil] }))).toMatchObject({ stuck: ['a', safe] });
});
