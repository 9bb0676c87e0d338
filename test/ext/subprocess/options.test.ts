// Options as they are kept. subprocess.test.ts has the refusals.

import { expect, test } from 'vitest';
import { parseTask } from '../../../src/ext/subprocess/options.ts';

test('options that are left out have their defaults', () => {
  expect(parseTask('sh', [], {})).toEqual({
    file: 'sh',
    args: [],
    cwd: undefined,
    env: {},
    inheritEnv: false,
    stdin: undefined,
    output: 'collect',
    onLine: undefined,
    maxBuffer: 1_048_576,
    killSignal: 'SIGTERM',
    shell: false,
  });
});

test('onLine takes the output as lines', () => {
  const onLine = () => {};
  expect(parseTask('sh', [], { onLine })).toMatchObject({ output: 'lines', onLine });
});

test('what was given is copied, so changing it later changes nothing', () => {
  const args = ['-c', 'true'];
  const given = {
    cwd: new URL('file:///srv/'),
    env: { A: '1' } as Record<string, string>,
    inheritEnv: ['PATH'],
    stdin: new Uint8Array([1, 2]),
  };
  const task = parseTask('sh', args, given);
  args.push('x');
  given.cwd.pathname = '/elsewhere/';
  given.env.B = '2';
  given.inheritEnv.push('HOME');
  given.stdin[0] = 9;
  expect(task.args).toEqual(['-c', 'true']);
  expect(String(task.cwd)).toBe('file:///srv/');
  expect(task.env).toEqual({ A: '1' });
  expect(task.inheritEnv).toEqual(['PATH']);
  expect(task.stdin).toEqual(new Uint8Array([1, 2]));
});

test('a shell takes a command line without arguments, and may be named by its path', () => {
  for (const shell of [true, '/bin/bash']) expect(parseTask('echo hi', [], { shell }).shell).toBe(shell);
  expect(() => parseTask('echo', ['hi'], { shell: true })).toThrow(expect.objectContaining({ field: 'args' }));
  expect(() => parseTask('echo', () => [], { shell: true })).toThrow(expect.objectContaining({ field: 'args' }));
});

test('functions for the arguments and the environment are kept, and not called', () => {
  const never = (): never => {
    throw new Error('called');
  };
  expect(parseTask('sh', never, { env: never })).toMatchObject({ args: never, env: never });
});

test('a NUL is refused in file, in an argument, in cwd and in the shell, because the system would cut the text there', () => {
  const refused = (field: string) => expect.objectContaining({ name: 'OptionError', field });
  expect(() => parseTask('a\0b', [], {})).toThrow(refused('file'));
  expect(() => parseTask('sh', ['a\0b'], {})).toThrow(refused('args'));
  expect(() => parseTask('sh', [], { cwd: 'a\0b' })).toThrow(refused('cwd'));
  expect(() => parseTask('sh', [], { shell: 'a\0b' })).toThrow(refused('shell'));
});
