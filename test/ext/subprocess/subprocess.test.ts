import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Failure, FatalError } from 'slotvisor';
import { type Schedule, schedule } from 'slotvisor/cron';
import { type SubprocessContext, type SubprocessOptions, subprocessTask } from 'slotvisor/subprocess';
import { VirtualClock } from 'slotvisor/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { real, STUBBORN, script, spawnedDuring, until } from './setup.ts';

const value = (file: string, args: string[] = [], options: SubprocessOptions = {}) =>
  real()
    .supervisor.submit({ restart: 'never', run: subprocessTask(file, args, options) })
    .value();

describe('a process', () => {
  test('gets its arguments as they are, without a shell, and its output is collected', async () => {
    expect(await value('printf', ['%s|', '$HOME', '*', "a'b c"])).toEqual({ stdout: "$HOME|*|a'b c|", stderr: '' });
    expect(await value('sh', ['-c', 'echo out; echo err >&2'])).toEqual({ stdout: 'out\n', stderr: 'err\n' });
  });

  test('runs in a shell only with the `shell` option', async () => {
    expect((await value('echo "$((40 + 2))" | cat', [], { shell: true })).stdout).toBe('42\n');
  });

  test('gets only the environment of `env` and `inheritEnv`', async () => {
    const variables = async (options: SubprocessOptions) => (await value('env', [], options)).stdout.split('\n').sort();
    process.env.SLOTVISOR_TEST = 'inherited';
    try {
      expect(await variables({})).toEqual(['']);
      expect(await variables({ env: { A: '1' } })).toEqual(['', 'A=1']);
      const some = { inheritEnv: ['SLOTVISOR_TEST', 'SLOTVISOR_ABSENT'] };
      expect(await variables(some)).toEqual(['', 'SLOTVISOR_TEST=inherited']);
      expect(await variables({ ...some, env: { SLOTVISOR_TEST: 'own' } })).toEqual(['', 'SLOTVISOR_TEST=own']);
      const all = await variables({ inheritEnv: true, env: { A: '1' } });
      expect(all).toEqual(expect.arrayContaining(['A=1', 'SLOTVISOR_TEST=inherited', `PATH=${process.env.PATH}`]));
    } finally {
      delete process.env.SLOTVISOR_TEST;
    }
  });

  test('gets the bytes of `stdin`, and a closed stdin without them', async () => {
    expect((await value('cat')).stdout).toBe('');
    const much = 'é'.repeat(300_000);
    expect((await value('cat', [], { stdin: much })).stdout).toBe(much);
    expect((await value('cat', [], { stdin: Buffer.from('bytes') })).stdout).toBe('bytes');
  });

  test('that exits with 0 succeeds, even if it did not read all of its stdin', async () => {
    const much = 'x'.repeat(1e6);
    expect(await value('sh', ['-c', 'exec <&-; echo none'], { stdin: much })).toMatchObject({ stdout: 'none\n' });
    expect(await value('head', ['-c', '3'], { stdin: much, inheritEnv: ['PATH'] })).toMatchObject({ stdout: 'xxx' });
    const little = Array.from({ length: 40 }, () => value('true', [], { stdin: 'x', inheritEnv: ['PATH'] }));
    expect(await Promise.all(little)).toHaveLength(40);
  });

  test('has no open stdin once it has ended or could not be spawned, however much was not read', () =>
    spawnedDuring(async (spawned) => {
      const stdin = 'x'.repeat(1e6);
      await value('sh', ['-c', 'exit 0'], { stdin });
      await expect(value('sh', ['-c', 'kill -9 $$'], { stdin })).rejects.toThrow('SIGKILL');
      await expect(value('/slotvisor/none', [], { stdin })).rejects.toThrow('ENOENT');
      expect(spawned.map(({ process }) => process.stdin?.destroyed)).toEqual([true, true, true]);
    }));

  test('runs in the working directory of `cwd`, a path or a URL', async () => {
    const here = realpathSync(tmpdir());
    expect((await value('pwd', [], { cwd: here })).stdout).toBe(`${here}\n`);
    expect((await value('pwd', [], { cwd: pathToFileURL(here) })).stdout).toBe(`${here}\n`);
  });

  test('with ignored output has an empty value', async () => {
    expect(await value('sh', ['-c', 'yes | head -n 2000000'], { output: 'ignore' })).toEqual({
      stdout: '',
      stderr: '',
    });
  });
});

describe('a scheduled process', () => {
  /** The first outcome of a schedule. */
  async function outcomeOf(scheduled: Schedule) {
    const outcome = () => scheduled.runs.find((run) => run.kind === 'submitted')?.outcome;
    await until(() => outcome() !== undefined);
    return outcome();
  }

  test('has its date in SLOTVISOR_DUE, the same in each attempt, and another process has none', async () => {
    const { supervisor } = real();
    const text = 'echo "$SLOTVISOR_DUE" >&2; exit $1';
    const run = subprocessTask('sh', ({ attempt }) => ['-c', text, 'sh', attempt < 3 ? '1' : '0']);
    const at = Date.now();
    const failures: string[] = [];
    const retryIf = ({ message }: Failure) => failures.push(message) > 0;
    const task = { run, restart: 'onFailure', backoff: { firstMs: 0 }, retryIf } as const;
    const due = new Date(at).toISOString();
    expect(await outcomeOf(schedule(supervisor, { at, task }))).toMatchObject({
      attempts: 3,
      value: { stderr: `${due}\n` },
    });
    expect(failures).toEqual(Array(2).fill(`sh exited with code 1: ${due}`));
    expect((await value('sh', ['-c', 'echo "<$SLOTVISOR_DUE>"'])).stdout).toBe('<>\n');
  });

  test('has what `args` and `env` return for its date', async () => {
    const at = Date.UTC(2030, 0, 2);
    const run = subprocessTask('sh', ({ due }) => ['-c', `echo ${due?.getTime()} $DAY $SLOTVISOR_DUE`], {
      env: ({ due }) => ({ DAY: String(due?.toISOString().slice(0, 10)), SLOTVISOR_DUE: 'own' }),
    });
    const clock = new VirtualClock({ wallMs: at });
    const scheduled = schedule(real({ clock }).supervisor, { at, task: { run } });
    await clock.advance(1);
    expect(await outcomeOf(scheduled)).toMatchObject({
      value: { stdout: `${at} 2030-01-02 own\n` },
    });
  });
});

describe('functions for `args` and `env`', () => {
  test('are called once for each attempt, with the attempt', async () => {
    const { supervisor } = real();
    const seen: SubprocessContext[] = [];
    const args = (ctx: SubprocessContext) => {
      seen.push(ctx);
      return ['-c', ctx.attempt < 2 ? 'exit 1' : 'echo "$ID"'];
    };
    const run = subprocessTask('sh', args, { env: ({ id }) => ({ ID: id }) });
    const submission = supervisor.submit({ slot: 's', name: 'n', run, backoff: { firstMs: 0 } });
    expect((await submission.value()).stdout).toBe(`${submission.id}\n`);
    const attempt = { id: submission.id, slot: 's', name: 'n', fence: 0n, due: undefined };
    expect(seen).toEqual([
      { ...attempt, attempt: 1 },
      { ...attempt, attempt: 2 },
    ]);
  });

  test('that throw or return something else fail the attempt, name the field, and spawn nothing', () =>
    spawnedDuring(async (spawned) => {
      const outcome = (args: () => string[], env: () => Record<string, string> = () => ({})) => {
        const run = subprocessTask('sh', args, { env });
        return real().supervisor.submit({ run, maxRetries: 1, backoff: { firstMs: 0 } }).outcome;
      };
      const fail = (error: Error) => (): never => {
        throw error;
      };
      const late = async (): Promise<never> => fail(new Error('too late'))();
      const rows: [ReturnType<typeof outcome>, string][] = [
        [outcome(fail(new Error('boom'))), 'args threw: boom'],
        [outcome(() => [], fail(new Error('boom'))), 'env threw: boom'],
        [outcome(late as never), 'args must return an array of strings without NUL, got an object'],
        [outcome(() => [], late as never), 'env must return a plain object of names and strings, got an object'],
      ];
      for (const [ended, message] of rows)
        expect(await ended).toMatchObject({ kind: 'failed', attempts: 2, failure: { kind: 'thrown', message } });
      expect(await outcome(fail(new FatalError('no more')))).toMatchObject({ kind: 'fatal', attempts: 1 });
      expect(spawned).toEqual([]);
    }));
});

describe('a process in a leased slot', () => {
  test('has the fence and the slot in its environment', async () => {
    const lease = { fence: 12n, lost: new AbortController().signal, release: async () => {} };
    const { supervisor } = real({ leases: { acquire: () => lease } });
    const submission = script(supervisor, 'echo $SLOTVISOR_FENCE $SLOTVISOR_SLOT', {}, { slot: 'shared' });
    expect((await submission.value()).stdout).toBe('12 shared\n');
  });
});

describe('the attempt fails, and the restart policy decides, on', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'slotvisor-subprocess-'));
    writeFileSync(join(folder, 'plain'), 'not a program', { mode: 0o600 });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const exited = (exitCode: number | null, signal: string | null, message: RegExp): object => ({
    ...{ kind: 'exited', exitCode, signal, message: expect.stringMatching(message), fatal: false },
  });
  const thrown = (code: string | undefined, message: RegExp): object => ({
    kind: 'thrown',
    message: expect.stringMatching(message),
    error: expect.objectContaining(code === undefined ? {} : { code }),
  });
  const sh = (text: string): [string, string[]] => ['sh', ['-c', text]];
  const rows: readonly [
    name: string,
    command: () => [string, string[]],
    options: SubprocessOptions,
    failure: object,
  ][] = [
    [
      'a non-zero exit code, with the end of stderr in the message',
      () => sh('echo why >&2; exit 3'),
      {},
      exited(3, null, /^sh exited with code 3: why$/),
    ],
    ['the death by a signal', () => sh('kill -9 $$'), {}, exited(null, 'SIGKILL', /^sh was ended by SIGKILL$/)],
    [
      'a missing program',
      () => ['slotvisor-none', []],
      { inheritEnv: ['PATH'] },
      thrown('ENOENT', /^spawn slotvisor-none ENOENT$/),
    ],
    ['an environment without PATH', () => ['slotvisor-none', []], {}, thrown('ENOENT', /no PATH \(see inheritEnv\)$/)],
    [
      'a missing working directory',
      () => ['pwd', []],
      { cwd: '/slotvisor/none' },
      thrown('ENOENT', /directory \/slotvisor\/none does not exist/),
    ],
    ['a file that is not executable', () => [join(folder, 'plain'), []], {}, thrown('EACCES', /EACCES/)],
    [
      'a non-zero exit code, with the error of stdin in the message if stderr is empty',
      () => sh('exec <&-; exit 4'),
      { stdin: 'x'.repeat(1e6) },
      exited(4, null, /^sh exited with code 4: it did not take all of its stdin: write EPIPE$/),
    ],
    [
      'a non-zero exit code, with stderr rather than the error of stdin in the message',
      () => sh('exec <&-; echo why >&2; exit 4'),
      { stdin: 'x'.repeat(1e6) },
      exited(4, null, /^sh exited with code 4: why$/),
    ],
    [
      'a stdout over maxBuffer',
      () => ['yes', []],
      { maxBuffer: 10_000 },
      thrown('ERR_CHILD_PROCESS_STDIO_MAXBUFFER', /^stdout is over/),
    ],
    [
      'a stderr over maxBuffer',
      () => sh('yes >&2'),
      {},
      thrown('ERR_CHILD_PROCESS_STDIO_MAXBUFFER', /^stderr is over/),
    ],
    [
      'a line over maxBuffer',
      () => sh('yes | tr -d "\\n"'),
      { maxBuffer: 10_000, onLine: () => {} },
      thrown('ERR_CHILD_PROCESS_STDIO_MAXBUFFER', /^a line of stdout is over/),
    ],
    [
      'a listener that throws',
      () => sh(STUBBORN),
      {
        onLine: () => {
          throw new Error('no more');
        },
      },
      thrown(undefined, /^no more$/),
    ],
    [
      'a listener that rejects',
      () => sh(STUBBORN),
      { onLine: async () => Promise.reject(new Error('later')) },
      thrown(undefined, /^later$/),
    ],
  ];

  for (const [name, command, options, failure] of rows)
    test(name, async () => {
      const { supervisor, recorded } = real();
      const run = subprocessTask(...command(), options);
      const outcome = await supervisor.submit({ run, maxRetries: 1, backoff: { firstMs: 0 } }).outcome;
      expect(outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 2, failure });
      expect(recorded.of('attemptFailed')).toHaveLength(2);
    });
});

describe('the lines of a process', () => {
  test('are passed to `onLine` one by one, with the stream and the context', async () => {
    const got: unknown[] = [];
    const { supervisor } = real();
    const text = "printf 'a\\n\\nb\\r\\n'; printf 'last'";
    const submission = script(supervisor, text, { onLine: (line, stream, ctx) => got.push([line, stream, ctx.id]) });
    expect(await submission.value()).toEqual({ stdout: '', stderr: '' });
    expect(got).toEqual(['a', '', 'b', 'last'].map((line) => [line, 'stdout', submission.id]));
    await script(supervisor, 'echo e >&2', { onLine: (line, stream) => got.push([line, stream]) }).value();
    expect(got.at(-1)).toEqual(['e', 'stderr']);
  });

  test('make the process itself wait while the promise of `onLine` is pending', async () => {
    const { supervisor } = real();
    let open = (): void => {};
    const opening = new Promise<void>((resolve) => {
      open = resolve;
    });
    let seen = 0;
    let wrote = false;
    // 20 MB in lines of 1,000 bytes: more than all buffers hold. At its end, the process writes to
    // stderr.
    const text = 'yes $(printf %0999d 7) | head -n 20000; echo through >&2';
    const submission = script(supervisor, text, {
      onLine: async (_, stream) => {
        if (stream === 'stderr') wrote = true;
        else if (++seen === 1) await opening;
      },
    });
    await until(() => seen === 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect({ seen, wrote }).toEqual({ seen: 1, wrote: false });
    open();
    await submission.value();
    expect({ seen, wrote }).toEqual({ seen: 20_000, wrote: true });
  });

  test('extend the attempt until the last line is taken', async () => {
    const { supervisor } = real();
    const got: string[] = [];
    const submission = script(supervisor, 'echo 1; echo 2', {
      onLine: async (line) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        got.push(line);
      },
    });
    await submission.outcome;
    expect(got).toEqual(['1', '2']);
  });

  test('do not delay a kill when `onLine` never settles, and stop after the kill', async () => {
    const { supervisor } = real({ defaults: { graceMs: 20 } });
    const got: string[] = [];
    let release = (): void => {};
    const submission = script(supervisor, `echo 1; echo 2; ${STUBBORN}`, {
      onLine: (line) => {
        got.push(line);
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    });
    await until(() => got.length === 1);
    expect(await submission.cancel()).toMatchObject({ kind: 'killed' });
    release();
    await new Promise(setImmediate);
    expect(got).toEqual(['1']);
  });
});

describe('subprocessTask', () => {
  const rows: readonly [options: unknown, field: string, rule: RegExp][] = [
    [null, 'options', /must be an object, got null/],
    [{ maxbuffer: 1 }, 'maxbuffer', /^maxbuffer is not an option \(did you mean maxBuffer\?\)/],
    [{ environment: {} }, 'environment', /is not an option \(known: cwd, env, inheritEnv/],
    [{ env: 'A=1' }, 'env', /must be a plain object of names and strings, got "A=1"/],
    [{ env: null }, 'env', /must be a plain object of names and strings, got null/],
    [{ env: Promise.resolve({}) }, 'env', /must be a plain object of names and strings, got an object/],
    [{ env: new Map([['A', '1']]) }, 'env', /must be a plain object of names and strings, got an iterable object/],
    [{ cwd: '' }, 'cwd', /must be a path or a file: URL/],
    [{ cwd: new URL('https://example.org') }, 'cwd', /file: URL/],
    [{ env: { A: 1 } }, 'env', /must be a plain object of names and strings/],
    [{ env: { 'A=B': '1' } }, 'env', /names and strings/],
    [{ env: { A: 'a\0b' } }, 'env', /names and strings/],
    [{ inheritEnv: 'PATH' }, 'inheritEnv', /must be true, false or an array of names, got "PATH"/],
    [{ inheritEnv: [''] }, 'inheritEnv', /array of names/],
    [{ stdin: 1 }, 'stdin', /must be a string or bytes, got 1/],
    [{ output: 'pipe' }, 'output', /must be one of 'collect', 'ignore', 'inherit', got "pipe"/],
    [{ output: 'ignore', onLine: () => {} }, 'output', /must not be combined with onLine/],
    [{ onLine: 'log' }, 'onLine', /must be a function/],
    [{ maxBuffer: 0 }, 'maxBuffer', /whole number of bytes, 1 or more, got 0/],
    [{ maxBuffer: Number.POSITIVE_INFINITY }, 'maxBuffer', /got Infinity/],
    [{ killSignal: 'TERM' }, 'killSignal', /must be the name of a signal, got "TERM"/],
    [{ killSignal: 'toString' }, 'killSignal', /name of a signal/],
    [{ shell: '' }, 'shell', /must be true, false or the path of a shell/],
    [{ shell: true }, 'args', /must be empty where a shell takes the command line/],
  ];
  for (const [options, field, rule] of rows)
    test(`refuses ${JSON.stringify(options)} and names the field ${field}`, () => {
      expect(() => subprocessTask('sh', ['-c', ''], options as SubprocessOptions)).toThrow(
        expect.objectContaining({ name: 'OptionError', field, message: expect.stringMatching(rule) }),
      );
    });

  for (const field of ['cwd', 'env', 'inheritEnv', 'stdin', 'output', 'onLine', 'maxBuffer', 'killSignal', 'shell'])
    test(`refuses a getter of ${field} that throws`, () => {
      const options = {
        get [field](): never {
          throw new Error('not today');
        },
      };
      expect(() => subprocessTask('sh', [], options)).toThrow(
        expect.objectContaining({ name: 'OptionError', field, message: expect.stringMatching(/readable.*not today/) }),
      );
    });

  test('refuses a revoked proxy', () => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    const refused = (field: string): object => expect.objectContaining({ name: 'OptionError', field });
    expect(() => subprocessTask('sh', proxy)).toThrow(refused('args') as Error);
    expect(() => subprocessTask('sh', [], { inheritEnv: proxy })).toThrow(refused('inheritEnv') as Error);
    expect(() => subprocessTask('sh', [], { env: proxy as never })).toThrow(refused('env') as Error);
  });

  test('refuses an invalid file and invalid args', () => {
    const refused = (field: string): object => expect.objectContaining({ name: 'OptionError', field });
    for (const file of ['', 'a\0b', 1, undefined])
      expect(() => subprocessTask(file as string)).toThrow(refused('file') as Error);
    for (const args of ['-c', [1], ['a\0b'], null])
      expect(() => subprocessTask('sh', args as string[])).toThrow(refused('args') as Error);
  });

  for (const file of ['ls -l', 'npm run build', ' ls', 'ls\t-l', '/bin/sh -c', 'cat /etc/hosts', "sh -c 'echo hi'"])
    test(`refuses the command line ${JSON.stringify(file)}, and names what to do`, () => {
      for (const args of [undefined, [], ['x']])
        expect(() => subprocessTask(file, args)).toThrow(
          expect.objectContaining({
            name: 'OptionError',
            field: 'file',
            message: `file must be a program, not a command line (give its arguments apart, or set shell: true), got ${JSON.stringify(file)}`,
          }),
        );
    });

  test('runs a program that has a space in its path, from any working directory', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slotvisor a space '));
    writeFileSync(join(folder, 'my tool'), '#!/bin/sh\necho "$1"', { mode: 0o700 });
    expect(await value(join(folder, 'my tool'), ['a'])).toMatchObject({ stdout: 'a\n' });
    for (const cwd of [folder, pathToFileURL(folder)])
      expect(await value('./my tool', ['b'], { cwd })).toMatchObject({ stdout: 'b\n' });
    rmSync(folder, { recursive: true });
    await expect(value(join(folder, 'my tool'))).rejects.toThrow('ENOENT'); // its folder may be mounted later
  });

  test('shows at most 60 characters of a program, of a command line and of a working directory', async () => {
    const long = 'x'.repeat(5_000);
    const messageOf = async (file: string, options: SubprocessOptions): Promise<string> => {
      const run = subprocessTask(file, [], options);
      const outcome = await real().supervisor.submit({ restart: 'never', run }).outcome;
      return outcome.kind === 'failed' ? outcome.failure.message : outcome.kind;
    };
    const rows: [file: string, options: SubprocessOptions, message: string][] = [
      [`/none/${long.slice(0, 200)}/tool`, {}, `spawn /none/${'x'.repeat(34)}…${'x'.repeat(14)}/tool ENOENT`],
      [`exit 3 # ${long}`, { shell: true }, `exit 3 # ${'x'.repeat(31)}…${'x'.repeat(19)} exited with code 3`],
      [
        'sh',
        { cwd: `/none/${long.slice(0, 200)}` },
        `spawn sh ENOENT: the working directory /none/${'x'.repeat(34)}…${'x'.repeat(19)} does not exist`,
      ],
    ];
    for (const [file, options, message] of rows) expect(await messageOf(file, options)).toBe(message);
    for (const make of [() => subprocessTask(`ls ${long}`), () => subprocessTask('sh', [], { cwd: `${long}\0` })])
      expect(make).toThrow(expect.objectContaining({ message: expect.stringMatching(/^.{20,180}$/) }));
  });

  test('reads an undefined option as absent, and copies the others when it is called', async () => {
    const args = ['-c', 'echo "$A"'];
    const options = { env: { A: 'kept' }, cwd: undefined, onLine: undefined, output: undefined, maxBuffer: undefined };
    const run = subprocessTask('sh', args, options);
    args[1] = 'echo changed';
    options.env.A = 'changed';
    expect(await real().supervisor.submit({ restart: 'never', run }).value()).toEqual({ stdout: 'kept\n', stderr: '' });
  });
});
