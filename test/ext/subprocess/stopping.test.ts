import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CanceledError } from 'slotvisor';
import { type SubprocessOptions, subprocessTask } from 'slotvisor/subprocess';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test, vi } from 'vitest';
import { cleanupAndKill } from '../../support/around-run.ts';
import {
  ALOOF,
  exists,
  fakeContext,
  isDead,
  isStopped,
  listener,
  type Rest,
  real,
  STUBBORN,
  script,
  spawnedDuring,
  until,
} from './setup.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Of a process whose lines go to `onLine`. */
const NO_OUTPUT = { stdout: '', stderr: '' };

describe('after a stop request, a process', () => {
  const rows: readonly [name: string, text: string, options: SubprocessOptions, outcome: object][] = [
    [
      'that dies of the signal ends as canceled, without a failure',
      'echo; sleep 1000',
      {},
      { kind: 'canceled', by: 'caller', attempts: 1 },
    ],
    [
      'that exits with code 0 ends as canceled, without a failure',
      "trap 'exit 0' TERM; echo; while :; do sleep 0.01; done",
      {},
      { kind: 'canceled', by: 'caller', value: NO_OUTPUT, attempts: 1 },
    ],
    [
      'that exits with another code ends as canceled, with that code in the failure',
      "trap 'exit 5' TERM; echo; while :; do sleep 0.01; done",
      {},
      {
        kind: 'canceled',
        by: 'caller',
        attempts: 1,
        failure: expect.objectContaining({ kind: 'exited', exitCode: 5 }),
      },
    ],
    [
      'gets the signal of the `killSignal` option',
      "trap '' TERM; trap 'exit 0' INT; echo; while :; do sleep 0.01; done",
      { killSignal: 'SIGINT' },
      { kind: 'canceled', by: 'caller', value: NO_OUTPUT, attempts: 1 },
    ],
  ];
  for (const [name, text, options, outcome] of rows)
    test(name, async () => {
      const { supervisor, recorded } = real();
      const { lines, onLine } = listener();
      const submission = script(supervisor, text, { ...options, onLine });
      await until(() => lines.length > 0);
      expect(await submission.cancel()).toEqual(outcome);
      expect(recorded.types()).not.toContain('overrun');
    });

  test('that was killed before it began does not start', async () => {
    const { lines, onLine } = listener();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let began: Promise<void> | undefined;
    const { supervisor, recorded } = real({
      defaults: { graceMs: 0 },
      aroundAttempt: async (_, next) => {
        await held;
        began = next();
        await began;
      },
    });
    const submission = script(supervisor, 'echo began', { onLine, killSignal: 'SIGCONT' });
    await recorded.until(({ type }) => type === 'attemptStarted');
    expect(await submission.cancel()).toMatchObject({ kind: 'killed' });
    release();
    await until(() => began !== undefined);
    await expect(began).rejects.toBeInstanceOf(CanceledError);
    expect(lines).toEqual([]);
  });
});

describe('stall, kill and proof of end', () => {
  test('a process that ignores SIGTERM is killed after the grace', async () => {
    const { supervisor, recorded } = real({ defaults: { graceMs: 50 } });
    const received = listener();
    const submission = script(supervisor, STUBBORN, { onLine: received.onLine });
    await until(() => received.ids.length === 1);
    expect(await submission.cancel()).toEqual({ kind: 'killed', by: 'caller', attempts: 1 });
    expect(received.ids.map(isDead)).toEqual([true]);
    expect(recorded.of('overrun')).toMatchObject([{ action: 'kill' }]);
  });

  test('the slot is busy until grandchildren that ignore SIGTERM have ended, even if their parent has (S1)', async () => {
    const { supervisor, recorded } = real({ defaults: { graceMs: 150 } });
    const received = listener();
    const text = `sh -c "${ALOOF.replaceAll('$', '\\$')}" & sh -c "${ALOOF.replaceAll('$', '\\$')}" & wait`;
    const submission = script(supervisor, text, { onLine: received.onLine }, { slot: 'one' });
    await until(() => received.ids.length === 2);
    const next = supervisor.submit({
      slot: 'one',
      admission: 'replace',
      restart: 'never',
      run: () => received.ids.map(isDead),
    });
    expect(await next.value()).toEqual([true, true]); // when the replacement begins
    expect(await submission.outcome).toMatchObject({ kind: 'killed', by: 'replace' });
    expect(recorded.types(submission.id)).toContain('overrun');
  });

  test('the rest of a group is killed at once when its leader ends by itself', async () => {
    const { supervisor } = real();
    // The leader waits for the id of the first process, prints both ids and ends.
    const submission = script(
      supervisor,
      `{ sh -c "${STUBBORN.replaceAll('$', '\\$')}" & } | { read id; echo $id; }; read line < /dev/zero & echo $!`,
    );
    const { stdout } = await submission.value();
    const ids = stdout.trim().split('\n').map(Number);
    expect(ids).toHaveLength(2);
    expect(ids.map(isDead)).toEqual([true, true]);
  });

  test('a stopped process (SIGSTOP) is killed', async () => {
    const { supervisor } = real({ defaults: { graceMs: 50 } });
    const received = listener();
    const submission = script(supervisor, 'echo $$; kill -STOP $$', { onLine: received.onLine });
    await until(() => received.ids.some(isStopped)); // before its SIGSTOP, SIGTERM would just end it
    expect(await submission.cancel()).toMatchObject({ kind: 'killed' });
    expect(received.ids.map(isDead)).toEqual([true]);
  });

  test('an attempt does not wait for a process that left the group and holds its output open', async () => {
    const { supervisor } = real();
    const leave = `const { spawn } = require('node:child_process');
      const child = spawn('sleep', ['1000'], { detached: true, stdio: ['ignore', 'inherit', 'ignore'] });
      child.unref();
      console.log(child.pid);`;
    const run = subprocessTask(process.execPath, ['-e', leave]);
    const { stdout } = await supervisor.submit({ restart: 'never', run }).value();
    const escaped = Number(stdout);
    expect(isDead(escaped)).toBe(false);
    process.kill(escaped);
  });

  test('a process without output stalls, and each output is a heartbeat', async () => {
    const { supervisor } = real({ defaults: { graceMs: 0 } });
    const rest: Rest = { stallMs: 150, restart: 'onFailure', maxRetries: 1, backoff: { firstMs: 0 } };
    const silent = await script(supervisor, STUBBORN, {}, rest).outcome;
    expect(silent).toMatchObject({ kind: 'failed', attempts: 2, failure: { kind: 'stalled', silentMs: 150 } });
    let heartbeats = 0;
    const heartbeat = (): void => {
      heartbeats += 1;
    };
    // The second output comes after the first one has been seen, so the two are not read as one.
    const folder = mkdtempSync(join(tmpdir(), 'slotvisor-heartbeat-'));
    const seen = join(folder, 'seen');
    const text = 'echo 1; until [ -e "$SEEN" ]; do sleep 0.01; done; echo 2';
    const ctx = fakeContext({
      heartbeat: () => {
        heartbeat();
        writeFileSync(seen, '');
      },
    });
    await subprocessTask('sh', ['-c', text], { env: { SEEN: seen }, inheritEnv: ['PATH'] }).run(ctx);
    rmSync(folder, { recursive: true });
    expect(heartbeats).toBe(2);
  });

  test('a process that has ended well is not run again because its lines are taken slowly', async () => {
    const clock = new VirtualClock();
    const { supervisor, recorded } = real({ clock, defaults: { graceMs: 0 } });
    let taken = 0;
    const onLine = async (): Promise<void> => {
      await clock.advance(25);
      taken += 1;
    };
    const rest: Rest = { stallMs: 400, restart: 'onFailure', backoff: { firstMs: 0 }, maxRetries: 1 };
    const slow = await script(supervisor, 'seq 1 40', { inheritEnv: ['PATH'], onLine }, rest).outcome;
    expect(slow).toMatchObject({ kind: 'completed', attempts: 1 });
    expect(taken).toBe(40); // a second's work, from one chunk of output
    expect(recorded.types()).not.toContain('attemptStalled');
  });

  test('a line that is never taken is a stall, although the process has ended', async () => {
    const clock = new VirtualClock();
    const { supervisor } = real({ clock, defaults: { graceMs: 0 } });
    let began = 0;
    const onLine = (line: string): Promise<void> | undefined => {
      began = Number(line);
      return began < 3 ? undefined : new Promise(() => {});
    };
    const { outcome } = script(supervisor, 'echo 1; echo 2; echo 3; echo 4', { onLine }, { stallMs: 200 });
    await until(() => began === 3);
    await clock.advance(200);
    const hung = await outcome;
    expect(hung).toMatchObject({ kind: 'failed', failure: { kind: 'stalled', silentMs: 200 } });
    expect(began).toBe(3);
  });

  // This process leaves the group. It ends when its pipe is closed.
  const apart = (text: string): string => `setsid sh -c 'while :; do echo x${text}; sleep 0.02; done'`;

  test.runIf(process.platform === 'linux')(
    'a process that left the group and still writes does not make the attempt stall',
    async () => {
      const clock = new VirtualClock();
      const { supervisor } = real({ clock, defaults: { graceMs: 0 } });
      const text = `${apart('')} & sleep 0.2`;
      const onLine = (): Promise<void> => clock.advance(25);
      const outcome = await script(supervisor, text, { inheritEnv: ['PATH'], onLine }, { stallMs: 400 }).outcome;
      expect(outcome).toMatchObject({ kind: 'completed' });
    },
  );

  test.runIf(process.platform === 'linux')(
    'an attempt whose listener hangs stalls, although a process that left the group still writes',
    async () => {
      const { supervisor } = real({ defaults: { graceMs: 0 } });
      const onLine = (_: string, stream: string): Promise<void> | undefined =>
        stream === 'stdout' ? new Promise(() => {}) : undefined;
      const text = `${apart(' >&2')} >/dev/null & echo; sleep 0.2`;
      const hung = await script(supervisor, text, { inheritEnv: ['PATH'], onLine }, { stallMs: 200 }).outcome;
      expect(hung).toMatchObject({ kind: 'failed', failure: { kind: 'stalled' } });
    },
  );

  test('each line that is taken is a heartbeat, also after the process has ended', async () => {
    let heartbeats = 0;
    let heartbeatsAtEnd = Number.NaN;
    const heartbeat = (): void => {
      heartbeats += 1;
    };
    let seen = 0;
    // 130,000 bytes: more than one read takes, but few enough that the process can end before they
    // are read.
    const text = 'echo $$; yes $(printf %099d 7) | head -n 1300';
    const onLine = async (line: string): Promise<void> => {
      if (++seen > 1) return;
      await until(() => isDead(Number(line)));
      await new Promise((resolve) => setTimeout(resolve, 200)); // the proof takes a few checks
      heartbeatsAtEnd = heartbeats;
    };
    await subprocessTask('sh', ['-c', text], { onLine }).run(fakeContext({ heartbeat }));
    expect(seen).toBe(1_301);
    expect(heartbeats - heartbeatsAtEnd).toBeGreaterThanOrEqual(1_301);
  });

  test('a killed attempt is garbage-collected, although its listener never settles', async () => {
    let lines = 0;
    const onLine = (): Promise<void> => {
      lines += 1;
      return new Promise(() => {});
    };
    const task = subprocessTask('sh', ['-c', STUBBORN], { onLine });
    const killed = async (): Promise<WeakRef<object>> => {
      const ctx = fakeContext();
      const run = Promise.resolve(task.run(ctx)).catch(() => {});
      await until(() => lines === 1);
      await task.kill(ctx);
      await run;
      return new WeakRef(ctx);
    };
    const left = await killed();
    await until(() => {
      gc();
      return left.deref() === undefined;
    });
    expect(left.deref()).toBe(undefined);
    void task.kill; // keeps the task itself alive
  });

  const WRITES = "trap '' TERM; while :; do echo x; done";
  const killed: readonly [what: string, text: string, options: SubprocessOptions][] = [
    ['that writes nothing', STUBBORN, {}],
    ['whose output is not read', STUBBORN, { output: 'ignore' }],
    ['that writes without a pause', WRITES, { maxBuffer: 1e9 }],
    ['whose lines are taken slowly', WRITES, { onLine: () => new Promise((resolve) => setTimeout(resolve, 1)) }],
    ['whose lines are never taken', `echo; ${STUBBORN}`, { onLine: () => new Promise(() => {}) }],
  ];
  for (const [what, text, { onLine, ...options }] of killed)
    test(`the code around a killed process ${what} has gone on when its kill resolves`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'slotvisor-kill-'));
      const began = join(folder, 'began');
      let lines = 0;
      const counted: SubprocessOptions['onLine'] = (...line) => {
        lines += 1;
        return onLine?.(...line);
      };
      const task = subprocessTask('sh', ['-c', `touch "$BEGAN"; ${text}`], {
        ...{ inheritEnv: ['PATH'], env: { BEGAN: began }, ...options },
        ...(onLine && { onLine: counted }),
      });
      const hasBegun = () => until(() => existsSync(began) && (onLine === undefined || lines > 0));
      const order = await cleanupAndKill(task, fakeContext(), hasBegun);
      rmSync(folder, { recursive: true });
      expect(order).toEqual(['cleaned up', 'killed']);
    });

  test('a call of onLine that is pending at a kill can end before the kill resolves', async () => {
    const lines: string[] = [];
    let taken = 0;
    const onLine = async (line: string): Promise<void> => {
      lines.push(line);
      await until(() => isDead(Number(line)));
      await new Promise((resolve) => setTimeout(resolve, 30));
      taken += 1;
    };
    const task = subprocessTask('sh', ['-c', 'echo $$; echo 2; exec sleep 1000'], { onLine, inheritEnv: ['PATH'] });
    const ctx = fakeContext();
    const run = Promise.resolve(task.run(ctx)).catch(() => {});
    await until(() => lines.length === 1);
    await task.kill(ctx);
    expect({ lines: lines.length, taken }).toEqual({ lines: 1, taken: 1 });
    await run;
  });

  test.runIf(process.platform === 'linux')(
    'a kill resolves when the pipes to the process are closed, also if a process that left the group holds them open',
    () =>
      spawnedDuring(async (spawned) => {
        const received = listener();
        const text = `setsid sh -c 'echo $$; exec sleep 1000' & ${STUBBORN}`;
        const task = subprocessTask('sh', ['-c', text], {
          onLine: received.onLine,
          inheritEnv: ['PATH'],
          stdin: 'x'.repeat(1e6),
        });
        const ctx = fakeContext();
        const run = Promise.resolve(task.run(ctx)).catch(() => {});
        await until(() => received.ids.length === 2);
        await task.kill(ctx);
        expect(spawned).toMatchObject([{ closed: true }]);
        await run;
        const escaped = received.ids.filter((id) => !isDead(id));
        expect(escaped).toHaveLength(1);
        for (const id of escaped) process.kill(id);
      }),
  );

  test('a group is signaled no more once another process has the number of its leader', async () => {
    const { supervisor } = real();
    const received = listener();
    const text = `echo $$; sh -c "${ALOOF.replaceAll('$', '\\$')}" & trap 'exit 0' TERM; while :; do sleep 0.01; done`;
    const submission = script(supervisor, text, { onLine: received.onLine });
    await until(() => received.ids.length === 2);
    const [leader = Number.NaN, descendant = Number.NaN] = received.ids;
    void submission.cancel();
    await until(() => !exists(leader)); // its number can be used again, and its descendant lives on
    let signals = 0;
    const kill = process.kill.bind(process);
    const table = vi.spyOn(process, 'kill').mockImplementation((id, signal) => {
      if (id === leader) return true;
      if (id === -leader) signals += 1;
      return kill(id, signal);
    });
    await until(() => submission.status === 'ended' || signals > 0);
    table.mockRestore();
    expect(signals).toBe(0);
    expect(isDead(descendant)).toBe(false);
    process.kill(descendant, 'SIGKILL');
  });

  test('a shutdown kills the process after its grace and abandons nothing', async () => {
    const { supervisor } = real();
    const received = listener();
    script(supervisor, STUBBORN, { onLine: received.onLine }, { name: 'stubborn' });
    await until(() => received.ids.length === 1);
    const report = await supervisor.shutdown({ graceMs: 20 });
    expect(report).toMatchObject({ killed: [{ name: 'stubborn' }], abandoned: [] });
    expect(received.ids.map(isDead)).toEqual([true]);
  });
});

test('a process that exits kills its groups', async () => {
  const subprocessModule = JSON.stringify(new URL('../../../src/ext/subprocess/index.ts', import.meta.url));
  const indexModule = JSON.stringify(new URL('../../../src/index.ts', import.meta.url));
  const program = `import { Supervisor } from ${indexModule}; import { subprocessTask } from ${subprocessModule};
    const onLine = (line) => { console.log(line); process.exit(); };
    new Supervisor().submit({ run: subprocessTask('sh', ['-c', ${JSON.stringify(STUBBORN)}], { onLine }) });`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { stdio: 'pipe' });
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  expect(text).toMatch(/^\d+\n$/);
  await until(() => isDead(Number(text)));
});
