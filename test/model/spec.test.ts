import { describe, expect, test } from 'vitest';
import { RecentSettings } from '../../src/model/recent-settings.ts';
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts';
import { type ParsedSpec, parseSpec } from '../../src/model/spec.ts';

const run = () => 'value';
const recent = new RecentSettings();
const read = (spec: object, defaults = DEFAULT_SETTINGS): ParsedSpec => parseSpec({ run, ...spec }, defaults, recent);

describe('a spec', () => {
  test('without settings shares the defaults', () => {
    const meta = { own: true };
    const parsed = read({ name: 'n', slot: 's', admission: 'join', meta, state: undefined, signal: undefined });
    expect(parsed.settings).toBe(DEFAULT_SETTINGS);
    expect(parsed).toMatchObject({ run, name: 'n', slot: 's', admission: 'join' });
    expect(parsed.meta).toBe(meta);
  });

  test('with settings gets an object of its own', () => {
    const { settings } = read({ timeoutMs: 5, maxRetries: 0, graceMs: undefined, state: run });
    expect(settings).toStrictEqual({ ...DEFAULT_SETTINGS, timeoutMs: 5, maxRetries: 0, state: run });
    expect(DEFAULT_SETTINGS.timeoutMs).toBe(Infinity);
  });

  test('with the same settings as an earlier spec shares that object', () => {
    const { settings } = read({ timeoutMs: 5, backoff: { firstMs: 1 } });
    expect(read({ backoff: { firstMs: 1 }, timeoutMs: 5 }).settings).toBe(settings);
    expect(read({ timeoutMs: 6, backoff: { firstMs: 1 } }).settings).not.toBe(settings);
  });

  test('is read once, own keys only, and a later change of it has no effect', () => {
    let reads = 0;
    const spec = Object.create({ timeoutMs: 1 }) as { graceMs: number; backoff: { firstMs: number }; run: unknown };
    Object.defineProperty(spec, 'run', {
      get: () => {
        reads += 1;
        return run;
      },
      enumerable: true,
    });
    spec.graceMs = 5;
    spec.backoff = { firstMs: 10 };
    const parsed = parseSpec(spec, DEFAULT_SETTINGS, recent);
    spec.graceMs = 6;
    spec.backoff.firstMs = 99;
    expect(reads).toBe(1);
    expect(parsed.settings).toMatchObject({ graceMs: 5, timeoutMs: Infinity, backoff: { firstMs: 10 } });
  });

  test('can override an inherited limit with Infinity', () => {
    const defaults = { ...DEFAULT_SETTINGS, timeoutMs: 5, maxRetries: 1 };
    expect(read({ timeoutMs: Infinity, maxRetries: Infinity }, defaults).settings).toStrictEqual(DEFAULT_SETTINGS);
  });

  test('binds the methods of a killable task, so a later change of the object has no effect', () => {
    class Job {
      id = 7;
      run() {
        return this.id;
      }
      kill() {
        this.id = 0;
      }
    }
    const job = new Job();
    const parsed = read({ run: job });
    Object.assign(job, { run: null, kill: null });
    expect(parsed.run({} as never)).toBe(7);
    void parsed.settings.kill?.({} as never);
    expect(job.id).toBe(0);
  });

  test('may have an interval if restart is always, in the spec or in the defaults', () => {
    const always = { ...DEFAULT_SETTINGS, restart: 'always', intervalMs: 7 } as const;
    expect(read({ restart: 'always', intervalMs: 5 }).settings.intervalMs).toBe(5);
    expect(read({ intervalMs: 5 }, always).settings).toMatchObject({ restart: 'always', intervalMs: 5 });
    expect(read({ restart: 'never' }, always).settings.restart).toBe('never');
  });
});

describe('parseSpec refuses an invalid', () => {
  const rows: readonly [field: string, spec: unknown, rule: string][] = [
    ['spec', null, 'must be an object'],
    ['spec', [], 'must be an object'],
    ['spec', run, 'must be an object'],
    [
      'spec',
      {
        get run() {
          throw new Error('not readable');
        },
      },
      'not readable',
    ],
    ['run', {}, 'must be a function, or an object with run and kill'],
    ['run.run', { run: { kill: run } }, 'must be a function'],
    ['run.kill', { run: { run } }, 'must be a function'],
    ['slot', { run, slot: '' }, 'must not be empty'],
    ['name', { run, name: 7 }, 'must be a string'],
    ['signal', { run, signal: {} }, 'must be an AbortSignal'],
    ['state', { run, state: {} }, 'must be a function'],
    ['admission', { run, admission: 'drop' }, "'dropIfRunning'"],
    ['restart', { run, restart: 'sometimes' }, "'onFailure'"],
    ['retryIf', { run, retryIf: true }, 'must be a function'],
    ['onOverrun', { run, onOverrun: 'kill' }, "'hold', 'abandon'"],
    ['priority', { run, priority: Infinity }, 'must be a finite number'],
    ['timeoutMs', { run, timeoutMs: 0 }, 'more than 0'],
    ['stallMs', { run, stallMs: 0 }, 'more than 0'],
    ['deadlineMs', { run, deadlineMs: 0 }, 'more than 0'],
    ['queueTimeoutMs', { run, queueTimeoutMs: -1 }, '0 or more'],
    ['maxRetries', { run, maxRetries: 1.5 }, 'whole number'],
    ['backoff.jitter', { run, backoff: { jitter: 'some' } }, "'decorrelated'"],
    ['restartLimit.restarts', { run, restartLimit: { withinMs: 1 } }, 'must be given'],
    ['restartLimit.withinMs', { run, restartLimit: { restarts: 1 } }, 'must be given'],
    ['restartLimit.withinMs', { run, restartLimit: { restarts: 1, withinMs: 0 } }, 'more than 0'],
    ['restartLimit.within', { run, restartLimit: { restarts: 1, withinMs: 1, within: 1 } }, 'did you mean withinMs?'],
    ['intervalMs', { run, intervalMs: 5 }, "needs restart 'always' (restart is 'onFailure')"],
    ['timeout', { run, timeout: undefined }, 'did you mean timeoutMs?'],
    ['hasOwnProperty', { run, hasOwnProperty: undefined }, 'is not an option'],
  ];
  for (const [field, spec, rule] of rows)
    test(`${field}, and the error says: ${rule}`, () => {
      const parse = () => parseSpec(spec, DEFAULT_SETTINGS, recent);
      expect(parse).toThrow(expect.objectContaining({ name: 'OptionError', field }));
      expect(parse).toThrow(rule);
    });
});
