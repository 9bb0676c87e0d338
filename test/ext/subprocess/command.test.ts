// What a process gets: its arguments, and its environment. subprocess.test.ts sees real ones.

import { CanceledError, FatalError, RetryError } from 'slotvisor';
import type { SubprocessContext } from 'slotvisor/subprocess';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { commandOf } from '../../../src/ext/subprocess/command.ts';
import { parseTask } from '../../../src/ext/subprocess/options.ts';
import { fakeContext } from './setup.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

interface Given {
  readonly args?: unknown;
  readonly options?: object;
  readonly ctx?: object;
  readonly due?: Date;
}

const DUE = new Date('2030-01-02T03:04:05.678Z');
const local = { slot: 's', name: 'n', fence: 0n };
const of = ({ args = [], options = {}, ctx = local, due }: Given) =>
  commandOf(parseTask('sh', args, options), fakeContext(ctx), due);
const environment = (options: object, rest: Given = {}) => of({ options, ...rest }).env;

describe('the environment of a process', () => {
  test('is the one given and nothing else by default', () => {
    expect(environment({ env: { A: '1' } })).toEqual({ A: '1' });
  });

  test('has all variables of this process with inheritEnv: true, and a given one in its place', () => {
    vi.stubEnv('A', 'inherited');
    vi.stubEnv('B', 'inherited');
    expect(environment({ env: { A: '1' }, inheritEnv: true })).toEqual({ ...process.env, A: '1' });
  });

  test('has the named variables of this process, and a given one in its place', () => {
    vi.stubEnv('A', 'inherited');
    vi.stubEnv('B', 'inherited');
    expect(environment({ env: { A: '1' }, inheritEnv: ['A', 'B'] })).toEqual({ A: '1', B: 'inherited' });
  });

  test('is read when it is asked for, not when the options are read', () => {
    const task = parseTask('sh', [], { inheritEnv: ['A'] });
    vi.stubEnv('A', 'later');
    expect(commandOf(task, fakeContext(local), undefined).env).toEqual({ A: 'later' });
  });

  test('has the date of a scheduled run in SLOTVISOR_DUE, as ISO 8601 text in UTC', () => {
    expect(environment({ env: { A: '1' } }, { due: DUE })).toEqual({
      A: '1',
      SLOTVISOR_DUE: '2030-01-02T03:04:05.678Z',
    });
  });

  test('has the fence and the slot of a leased slot, and of no other', () => {
    const leased = { ...local, fence: 2n ** 64n };
    expect(environment({}, { ctx: leased })).toEqual({ SLOTVISOR_FENCE: '18446744073709551616', SLOTVISOR_SLOT: 's' });
    expect(environment({}, { ctx: { ...leased, slot: 'a\0b' } })).toEqual({ SLOTVISOR_FENCE: '18446744073709551616' });
    expect(environment({})).toEqual({});
  });

  test('has the SLOTVISOR_ variables that `env` sets, as they are', () => {
    const own = { SLOTVISOR_DUE: 'tomorrow', SLOTVISOR_FENCE: '', SLOTVISOR_SLOT: 'other' };
    const leased = { ctx: { ...local, fence: 1n }, due: DUE };
    expect(environment({ env: own }, leased)).toEqual(own);
    expect(environment({ env: () => own }, leased)).toEqual(own);
  });

  test.for([true, ['SLOTVISOR_DUE', 'SLOTVISOR_FENCE', 'SLOTVISOR_SLOT']])(
    'inherits no SLOTVISOR_ variable of another attempt with inheritEnv: %s',
    (inheritEnv) => {
      vi.stubEnv('SLOTVISOR_DUE', '2001-01-01T00:00:00.000Z');
      vi.stubEnv('SLOTVISOR_FENCE', '7');
      vi.stubEnv('SLOTVISOR_SLOT', 'outer');
      const own = (rest: Given): unknown => {
        const { SLOTVISOR_DUE: due, SLOTVISOR_FENCE: fence, SLOTVISOR_SLOT: slot } = environment({ inheritEnv }, rest);
        return [due, fence, slot];
      };
      expect(own({})).toEqual([undefined, undefined, undefined]);
      expect(own({ due: DUE })).toEqual([DUE.toISOString(), undefined, undefined]);
    },
  );
});

describe('functions for `args` and `env`', () => {
  test('get the attempt and the date of its run', () => {
    const seen: SubprocessContext[] = [];
    const args = (ctx: SubprocessContext) => [String(seen.push(ctx))];
    const env = (ctx: SubprocessContext) => ({ A: String(seen.push(ctx)) });
    expect(of({ args, options: { env }, due: DUE }).args).toEqual(['2']);
    const attempt = { id: 'x-1', slot: 's', name: 'n', attempt: 1, fence: 0n };
    expect(seen).toEqual([
      { ...attempt, due: DUE },
      { ...attempt, due: DUE },
    ]);
    of({ args });
    expect(seen[2]).toEqual({ ...attempt, due: undefined });
  });

  test('have no `this`', () => {
    const those: unknown[] = [];
    function args(this: unknown): string[] {
      those.push(this);
      return [];
    }
    function env(this: unknown): Record<string, string> {
      those.push(this);
      return {};
    }
    of({ args, options: { env } });
    expect(those).toEqual([undefined, undefined]);
  });

  test('cannot change the date of the other one or of SLOTVISOR_DUE', () => {
    const change = ({ due }: SubprocessContext): string => {
      const text = String(due?.toISOString());
      due?.setTime(0);
      return text;
    };
    const due = new Date(DUE);
    const options = { env: (ctx: SubprocessContext) => ({ A: change(ctx) }) };
    const { args, env } = of({ args: (ctx: SubprocessContext) => [change(ctx)], options, due });
    expect([args[0], env.A, env.SLOTVISOR_DUE]).toEqual(Array(3).fill(DUE.toISOString()));
    expect(due).toEqual(DUE);
  });

  test('return what is copied: a later change has no effect', () => {
    const [list, variables] = [['a'], { A: '1' }];
    const command = of({ args: () => list, options: { env: () => variables } });
    list.push('b');
    variables.A = '2';
    expect(command).toEqual({ args: ['a'], env: { A: '1' } });
  });

  const wrongArgs = [undefined, null, 'a', {}, [1], ['a\0b'], [undefined], Promise.resolve([])];
  const wrongEnv = [undefined, 'A=1', { A: 1 }, { 'A=B': '1' }, { A: 'a\0b' }, new Map([['A', '1']]), () => ({})];
  for (const [field, wrong, rule] of [
    ['args', wrongArgs, /^args must return an array of strings without NUL, got /],
    ['env', [...wrongEnv, Promise.resolve({})], /^env must return a plain object of names and strings, got /],
  ] as const)
    for (const got of wrong)
      test(`are refused by name when ${field} returns ${Object.prototype.toString.call(got)} ${JSON.stringify(got)}`, () => {
        const refused = { name: 'OptionError', field, got, message: expect.stringMatching(rule) };
        const call = field === 'args' ? { args: () => got } : { options: { env: () => got } };
        expect(() => of(call)).toThrow(expect.objectContaining(refused));
      });

  for (const field of ['args', 'env'])
    describe(`when ${field} throws`, () => {
      const throwing = (error: unknown) => {
        const fail = (): never => {
          throw error;
        };
        return () => of(field === 'args' ? { args: fail } : { options: { env: fail } });
      };

      test('its error is the cause of one that names the field', () => {
        const cause = new RangeError('no such year');
        expect(throwing(cause)).toThrow(expect.objectContaining({ message: `${field} threw: no such year`, cause }));
        expect(throwing(undefined)).toThrow(`${field} threw: undefined`);
      });

      test('an error that decides what follows the attempt is thrown on as it is', () => {
        for (const error of [new FatalError('f'), new RetryError('r'), new CanceledError('c')])
          expect(throwing(error)).toThrow(error);
      });
    });
});
