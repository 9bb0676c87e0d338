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

/** Runs a shell script in a group of its own. The numbers it prints first, as many as asked for, are process ids. */
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
  // Signaled with 0, the group of the tests themselves would be meant.
  if (child.pid === undefined || !printed.every((id) => id > 1)) throw new Error(`no process ids: ${text}`);
  return { pid: child.pid, ids: printed, exit };
}

async function state(promise: Promise<unknown>): Promise<'pending' | 'settled'> {
  const later = new Promise((resolve) => setTimeout(resolve, 60, 'pending'));
  return (await Promise.race([promise.then(() => 'settled'), later])) as 'pending' | 'settled';
}

describe('the proof of a group’s end', () => {
  test('a group is gone when its last process is, not when its leader is', async () => {
    const { pid, ids, exit } = await shell('sleep 1000 & echo $!', 1);
    await exit;
    const group = new ProcessGroup(pid);
    const gone = group.untilGone();
    expect(await state(gone)).toBe('pending');
    group.send('SIGKILL');
    await gone;
    expect(ids.map(isDead)).toEqual([true]);
  });

  test('a group that is gone is never signaled again: its number may be another’s', async () => {
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

  // Elsewhere the first process collects what is left to it.
  test.runIf(process.platform === 'linux')('zombies that nobody collects are no life', async () => {
    // The short sleep leads a group of its own; its parent becomes a long one, which never waits for it.
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
    expect(answers()).toBe(true); // still, and for ever
  });

  test('groups that are alive when the process exits are killed; afterwards no listener is left', async () => {
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

describe('a line of the process table', () => {
  /** As Linux writes it: from the state to the number of threads there are 18 fields. */
  const line = (name: string, state: string, threads: number): string =>
    `4711 (${name}) ${state} 1 4242 4242 0 -1 4194560 ${'0 '.repeat(8)}20 0 ${threads} 0 987654 2576384 230\n`;
  const rows: readonly [what: string, text: string, isDead: boolean][] = [
    ['a process that runs', line('node', 'R', 11), false],
    ['one that sleeps', line('sleep', 'S', 1), false],
    ['one that is stopped', line('sleep', 'T', 1), false],
    ['one that has ended, and that nobody has collected', line('sleep', 'Z', 1), true],
    ['one that is just being collected', line('sleep', 'X', 0), true],
    ['one whose main thread has ended while another one works', line('server', 'Z', 2), false],
    ['one with a name made to mislead', line('x) Z 1 4 (', 'R', 1), false],
    ['one with a name of its own that has ended', line('my (good) job', 'Z', 1), true],
  ];
  for (const [what, text, isDead] of rows)
    test(`${what} is ${isDead ? 'dead' : 'alive'}`, () => {
      expect(parseStat(text)).toEqual({ group: 4242, isDead });
    });

  test.runIf(process.platform === 'linux')('is written as it is read: this very process is alive', () => {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    expect(parseStat(stat).isDead).toBe(false);
    expect(parseStat(stat.replace(/\) \S/, ') Z')).isDead).toBe(false); // it has more threads than one
  });
});
