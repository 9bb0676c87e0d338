import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { ProcessGroup, parseStat } from '../../../src/ext/subprocess/group.ts';
import { isDead, until } from './setup.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/**
 * Runs a shell script in a group of its own. The first `ids` lines that it prints are process ids.
 */
async function shell(script: string, ids: number): Promise<{ pid: number; ids: number[]; exit: Promise<unknown> }> {
  const child = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  const exit = once(child, 'exit');
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more) => {
    text += more;
  });
  await until(() => text.split('\n').length > ids);
  const printed = text.split('\n').slice(0, ids).map(Number);
  // A signal to group 0 would reach the tests themselves.
  if (child.pid === undefined || !printed.every((id) => id > 1)) throw new Error(`no process ids: ${text}`);
  return { pid: child.pid, ids: printed, exit };
}

async function state(promise: Promise<unknown>): Promise<'pending' | 'settled'> {
  const later = new Promise((resolve) => setTimeout(resolve, 60, 'pending'));
  return (await Promise.race([promise.then(() => 'settled'), later])) as 'pending' | 'settled';
}

describe('a process group', () => {
  test('has ended when its last process has ended, not when its leader has', async () => {
    const { pid, ids, exit } = await shell('sleep 1000 & echo $!', 1);
    await exit;
    const group = new ProcessGroup(pid);
    const gone = group.untilGone();
    expect(await state(gone)).toBe('pending');
    group.send('SIGKILL');
    await gone;
    expect(ids.map(isDead)).toEqual([true]);
  });

  test('is never signaled again after its end, because its id may be reused', async () => {
    const { pid, exit } = await shell('echo', 0);
    await exit;
    const group = new ProcessGroup(pid);
    await group.untilGone();
    const other = process.kill;
    let signals = 0;
    process.kill = () => {
      signals += 1;
      return true;
    };
    try {
      expect(group.send('SIGTERM')).toBe(false);
    } finally {
      process.kill = other;
    }
    expect(signals).toBe(0);
  });

  // On other systems the first process collects orphans.
  test.runIf(process.platform === 'linux')('has ended when only uncollected zombies are left', async () => {
    // The short sleep leads its own group. Its parent becomes a long sleep, which never collects
    // it.
    const { ids } = await shell('setsid sleep 0.2 & echo $!; exec sleep 1000', 1);
    const [zombie = Number.NaN] = ids;
    const answers = (): boolean => {
      try {
        return process.kill(-zombie, 0);
      } catch {
        return false;
      }
    };
    await until(answers);
    await new ProcessGroup(zombie).untilGone();
    expect(isDead(zombie)).toBe(true);
    expect(answers()).toBe(true); // a zombie still accepts signals
  });

  test('is killed when the process exits, and its exit listener is removed at its end', async () => {
    const before = process.listeners('exit');
    const { pid, exit } = await shell("trap '' TERM INT HUP; echo; while :; do sleep 1; done", 0);
    const group = new ProcessGroup(pid);
    const added = process.listeners('exit').filter((listener) => !before.includes(listener));
    expect(added).toHaveLength(1);
    for (const listener of added) listener.call(process, 0);
    await exit;
    await group.untilGone();
    expect(process.listeners('exit')).toEqual(before);
  });
});

describe('an entry of the process table', () => {
  /** The format of Linux: 18 fields from the state to the number of threads. */
  const line = (name: string, state: string, threads: number): string =>
    `4711 (${name}) ${state} 1 4242 4242 0 -1 4194560 ${'0 '.repeat(8)}20 0 ${threads} 0 987654 2576384 230\n`;
  const rows: readonly [what: string, text: string, isDead: boolean][] = [
    ['of a running process', line('node', 'R', 11), false],
    ['of a sleeping process', line('sleep', 'S', 1), false],
    ['of a stopped process', line('sleep', 'T', 1), false],
    ['of an ended process that is not collected yet', line('sleep', 'Z', 1), true],
    ['of a process that is being collected', line('sleep', 'X', 0), true],
    ['of a process whose main thread has ended while another thread runs', line('server', 'Z', 2), false],
    ['of a running process whose name looks like a state', line('x) Z 1 4 (', 'R', 1), false],
    ['of an ended process with parentheses in its name', line('my (good) job', 'Z', 1), true],
  ];
  for (const [what, text, isDead] of rows)
    test(`${what} is read as ${isDead ? 'dead' : 'alive'}`, () => {
      expect(parseStat(text)).toEqual({ group: 4242, isDead });
    });

  test.runIf(process.platform === 'linux')('has the format that Linux writes: this process is read as alive', () => {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    expect(parseStat(stat).isDead).toBe(false);
    expect(parseStat(stat.replace(/\) \S/, ') Z')).isDead).toBe(false); // it has more than one thread
  });
});
