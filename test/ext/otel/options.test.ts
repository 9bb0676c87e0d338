import { OptionError, Supervisor } from 'slotvisor';
import { otel } from 'slotvisor/otel';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseOtelOptions } from '../../../src/ext/otel/options.ts';

const refusalOf = (options: unknown, supervisor: unknown = new Supervisor()): string => {
  try {
    otel(supervisor as never, options as never);
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError);
    return (error as Error).message;
  }
  throw new Error('it refused nothing');
};

describe('an invalid option is refused, by its name', () => {
  it.for<[unknown, string]>([
    [{ spans: 'root' }, `spans must be one of 'auto', 'link', 'child', 'detached', 'none', got "root"`],
    [{ metrics: 1 }, 'metrics must be true or false, got 1'],
    [{ name: '' }, 'name must not be empty, got ""'],
    [{ group: 'sync' }, 'group must be a function, got "sync"'],
    [{ maxGroups: 0 }, 'maxGroups must be a whole number from 1 to 10000, got 0'],
    [{ tracerProvider: {} }, 'tracerProvider must be a TracerProvider, got an object'],
    [{ meterProvider: null }, 'meterProvider must be a MeterProvider, got null'],
    [{ recordException: 'logs' }, 'recordException must be true or false, got "logs"'],
    [{ span: 'link' }, 'span is not an option'],
    [null, 'options must be an object, got null'],
  ])('%o', ([options, message]) => expect(refusalOf(options)).toContain(message));

  it('and so is what is no supervisor', () => {
    expect(refusalOf({}, {})).toBe('supervisor must be a Supervisor, got an object');
  });
});

describe('recordException', () => {
  afterEach(() => vi.unstubAllEnvs());

  it.for([
    [undefined, undefined, true],
    ['logs', undefined, false],
    ['logs/dup', undefined, true],
    ['logs', true, true],
    [undefined, false, false],
  ] as const)('with %o in the environment and the option %o it is %o', ([signal, recordException, expected]) => {
    vi.stubEnv('OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN', signal);
    expect(parseOtelOptions({ recordException }).recordException).toBe(expected);
  });
});
