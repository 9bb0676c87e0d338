import { describe, expect, test, vi } from 'vitest';
import {
  parseRunOptions,
  parseShutdownOptions,
  parseStopOptions,
  parseSubscribeOptions,
  parseSubscriber,
  type ShutdownOptions,
  timesOfCall,
} from '../../src/api/call-options.ts';
import { EVENT_TYPES, type Subscriber, type TaskEvent } from '../../src/model/event.ts';

const bad = <T>(value: unknown) => value as T;
const refused = (field: string) => expect.objectContaining({ name: 'OptionError', field });

describe('the options of subscribe', () => {
  test('have a capacity of 65,536, every type and no signal by default', () => {
    const defaults = { capacity: 65_536, types: undefined, signal: undefined };
    expect(parseSubscribeOptions({})).toEqual(defaults);
    expect(parseSubscribeOptions({ capacity: undefined, types: undefined })).toEqual(defaults);
  });

  test('are kept as given, and the types are a copy', () => {
    const { signal } = new AbortController();
    const types = [...EVENT_TYPES];
    const kept = parseSubscribeOptions({ capacity: Infinity, types, signal });
    types.length = 0;
    expect(kept).toEqual({ capacity: Infinity, types: EVENT_TYPES, signal });
    expect(kept.signal).toBe(signal);
  });

  test.for<readonly [field: string, options: object]>([
    ['capacity', { capacity: 0 }],
    ['types', { types: 'finished' }],
    ['types[1]', { types: ['finished', 'ended'] }],
    ['signal', { signal: { aborted: false } }],
    ['type', { type: ['finished'] }],
  ])('are refused by the field %s in %j', ([field, options]) => {
    expect(() => parseSubscribeOptions(options)).toThrow(refused(field));
  });
});

describe('a subscriber', () => {
  const event = { type: 'slotPaused', slot: 's', seq: 1, at: 0 } as TaskEvent;

  test('that is a function is called with each event', () => {
    const onEvent = vi.fn();
    expect(parseSubscriber(onEvent)).toEqual({ onEvent });
  });

  test('that is an object has its onEvent called as its method, also after the method was replaced', () => {
    const seen: unknown[] = [];
    const subscriber = {
      name: 'log',
      onEvent(event: TaskEvent) {
        seen.push([this, event]);
      },
    };
    const { name, onEvent } = parseSubscriber(subscriber);
    subscriber.onEvent = () => {};
    void onEvent(event);
    expect(name).toBe('log');
    expect(seen).toEqual([[subscriber, event]]);
  });

  test('that is an object has each field read once', () => {
    const reads: PropertyKey[] = [];
    const get = (target: object, key: PropertyKey): unknown => {
      reads.push(key);
      return Reflect.get(target, key);
    };
    parseSubscriber(new Proxy<Subscriber>({ name: 'log', onEvent: () => {} }, { get }));
    expect(reads.sort()).toEqual(['name', 'onEvent']);
  });

  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  test.for<readonly [field: string, what: string, subscriber: unknown]>([
    ['subscriber', 'a string', 'log'],
    ['subscriber', 'null', null],
    ['subscriber', 'a value that cannot be read', proxy],
    ['subscriber.onEvent', 'an object without onEvent', {}],
    ['subscriber.name', 'an empty name', { name: '', onEvent: () => {} }],
  ])('is refused by the field %s for %s', ([field, , subscriber]) => {
    expect(() => parseSubscriber(bad(subscriber))).toThrow(refused(field));
  });
});

describe('the signals of run and of stopOnSignals', () => {
  test.for<readonly [what: string, options: object, signals: readonly string[]]>([
    ['SIGINT and SIGTERM by default', {}, ['SIGINT', 'SIGTERM']],
    ['those that are given, each once', { signals: ['SIGHUP', 'SIGTERM', 'SIGHUP'] }, ['SIGHUP', 'SIGTERM']],
    ['none for an empty array', { signals: [] }, []],
    ['none for false', { signals: false }, []],
  ])('are %s', ([, options, signals]) => {
    expect(parseRunOptions(options).signals).toEqual(signals);
    expect(parseStopOptions(options).signals).toEqual(signals);
  });

  test.for<readonly [field: string, signals: unknown]>([
    ['signals', 'SIGINT'],
    ['signals', true],
    ['signals[0]', ['SIGKILL']],
    ['signals[1]', ['SIGINT', 'SIGSTOP']],
    ['signals[0]', ['toString']],
    ['signals[0]', [2]],
  ])('are refused by the field %s for %j', ([field, signals]) => {
    expect(() => parseRunOptions(bad({ signals }))).toThrow(refused(field));
    expect(() => parseStopOptions(bad({ signals }))).toThrow(refused(field));
  });
});

describe('the times of a shutdown', () => {
  const defaults = { graceMs: 8, finishMs: 3 };

  test.for<readonly [what: string, options: ShutdownOptions, times: object]>([
    ["are the supervisor's where none is given", {}, { graceMs: 8, finishMs: 3 }],
    ['are absent where they are undefined', { graceMs: undefined, finishMs: undefined }, { graceMs: 8, finishMs: 3 }],
    ["keep the supervisor's finishMs beside a longer grace", { graceMs: 20 }, { graceMs: 20, finishMs: 3 }],
    ["shorten the supervisor's finishMs to a shorter grace", { graceMs: 2 }, { graceMs: 2, finishMs: 2 }],
    ['may leave no time', { graceMs: 0 }, { graceMs: 0, finishMs: 0 }],
    ['may be endless', { graceMs: Infinity, finishMs: Infinity }, { graceMs: Infinity, finishMs: Infinity }],
    ['are the given ones', { graceMs: 20, finishMs: 20 }, { graceMs: 20, finishMs: 20 }],
    ["complete a given finishMs with the supervisor's grace", { finishMs: 8 }, { graceMs: 8, finishMs: 8 }],
  ])('%s', ([, options, times]) => {
    expect(timesOfCall(parseShutdownOptions(options), defaults)).toEqual(times);
  });

  test('give finishMs half of the grace where neither the call nor the supervisor gives it', () => {
    const supervisor = { graceMs: 8, finishMs: undefined };
    expect(timesOfCall({}, supervisor)).toEqual({ graceMs: 8, finishMs: 4 });
    expect(timesOfCall({ graceMs: 20 }, supervisor)).toEqual({ graceMs: 20, finishMs: 10 });
  });

  test("of a later call are the supervisor's too, but half of a grace of its own", () => {
    expect(timesOfCall({}, defaults, true)).toEqual({ graceMs: 8, finishMs: 3 });
    expect(timesOfCall({ graceMs: 4 }, defaults, true)).toEqual({ graceMs: 4, finishMs: 2 });
  });

  test.for([-1, Number.NaN, '5', {}])('are refused by field when they are %j', (value) => {
    expect(() => parseShutdownOptions(bad({ graceMs: value }))).toThrow(refused('graceMs'));
    expect(() => parseShutdownOptions(bad({ finishMs: value }))).toThrow(refused('finishMs'));
  });

  test.for([{ finishMs: 9 }, { graceMs: 20, finishMs: 21 }, { graceMs: 0, finishMs: 1 }])(
    'are refused by finishMs where that is more than the grace: %j',
    (options) => {
      expect(() => timesOfCall(parseShutdownOptions(options), defaults)).toThrow(refused('finishMs'));
    },
  );
});

describe('the options of run', () => {
  test('have no signal by default, and keep a given one', () => {
    const { signal } = new AbortController();
    expect(parseRunOptions({}).signal).toBeUndefined();
    expect(parseRunOptions({ signal }).signal).toBe(signal);
    expect(() => parseRunOptions(bad({ signal: {} }))).toThrow(refused('signal'));
  });

  test.for(['graceMs', 'finishMs', 'vital'])('do not have %s', (field) => {
    expect(() => parseRunOptions(bad({ [field]: 1 }))).toThrow(refused(field));
  });
});

describe('the options of stopOnSignals', () => {
  test('have no callback, no delay and the exit code 1 by default', () => {
    const defaults = { signals: ['SIGINT', 'SIGTERM'], before: undefined, delayMs: 0, after: undefined, exitCode: 1 };
    expect(parseStopOptions({})).toEqual(defaults);
    expect(parseStopOptions({ before: undefined, exitCode: undefined, graceMs: undefined })).toEqual(defaults);
  });

  test('are kept as given', () => {
    const given = { before: () => {}, delayMs: 5, graceMs: Infinity, finishMs: 0, after: () => {}, exitCode: 255 };
    expect(parseStopOptions(given)).toEqual({ signals: ['SIGINT', 'SIGTERM'], ...given });
  });

  test.for<readonly [field: string, value: unknown]>([
    ['before', 'now'],
    ['after', null],
    ['delayMs', -1],
    ['delayMs', Infinity],
    ['graceMs', '5'],
    ['finishMs', Number.NaN],
    ['exitCode', 256],
    ['exitCode', -1],
    ['exitCode', 1.5],
    ['beforeMs', 1],
  ])('are refused by the field %s when it is %j', ([field, value]) => {
    expect(() => parseStopOptions(bad({ [field]: value }))).toThrow(refused(field));
  });
});
