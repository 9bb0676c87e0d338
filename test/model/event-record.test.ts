import { describe, expect, test, vi } from 'vitest';
import { OptionError } from '../../src/model/error.ts';
import type { TaskEvent } from '../../src/model/event.ts';
import { eventRecord } from '../../src/model/event-record.ts';
import { thrownFailure } from '../../src/model/failure.ts';
import { createTaskIds } from '../../src/model/id.ts';

const id = createTaskIds('prefix').text(1);
const base = { seq: 1, at: 2, id, slot: 's', name: 'n', meta: { secret: 1 } } as const;
const started: TaskEvent = { ...base, type: 'started', waitedMs: 3, fence: 2n ** 70n };

describe('the record of an event', () => {
  test('has the fields of the event as plain JSON, without meta', () => {
    expect(eventRecord(started)).toStrictEqual({
      ...{ seq: 1, at: 2, type: 'started', id, slot: 's', name: 'n' },
      waitedMs: 3,
      fence: '1180591620717411303424',
    });
  });

  test('has the thrown error of a failure', () => {
    const error = Object.assign(new Error('boom'), { code: 'E' });
    const failed: TaskEvent = {
      ...base,
      type: 'attemptFailed',
      attempt: 1,
      durationMs: 5,
      failure: thrownFailure(error),
    };
    expect(eventRecord(failed)).toMatchObject({
      failure: {
        kind: 'thrown',
        message: 'boom',
        error: { name: 'Error', message: 'boom', code: 'E', stack: error.stack },
      },
    });
  });

  test('has meta if it is asked for: as it is, or as a function gives it', () => {
    expect(eventRecord(started, { meta: true }).meta).toEqual({ secret: 1 });
    expect(eventRecord(started, { meta: () => ({ shown: 1n }) }).meta).toEqual({ shown: '1' });
    for (const options of [{ meta: false }, { meta: undefined }, { meta: () => undefined }, undefined])
      expect(eventRecord(started, options)).not.toHaveProperty('meta');
  });

  test('says why where the meta, or the function for it, cannot be used', () => {
    const fail = () => {
      throw new Error('no');
    };
    expect(eventRecord(started, { meta: fail }).meta).toBe('[not JSON: no]');
    expect(eventRecord({ ...started, meta: { toJSON: fail } }, { meta: true }).meta).toBe('[not JSON: no]');
  });

  test('of an event without meta has none, and the function for it is not called', () => {
    const paused: TaskEvent = { seq: 1, at: 2, type: 'slotPaused', slot: 's' };
    const shown = vi.fn(() => 'shown');
    expect(eventRecord(paused, { meta: shown })).toStrictEqual({ ...paused });
    expect(shown).not.toHaveBeenCalled();
    expect(eventRecord({ ...started, meta: undefined }, { meta: shown }).meta).toBe('shown');
  });

  test('refuses an invalid option', () => {
    expect(() => eventRecord(started, { meta: 'yes' as never })).toThrow(OptionError);
    expect(() => eventRecord(started, { mata: true } as never)).toThrow('did you mean meta');
  });
});
