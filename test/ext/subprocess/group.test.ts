import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ProcessGroup, parseStat } from '../../../src/ext/subprocess/group.ts';
import { isDead, until } from './setup.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  vi.restoreAllMocks();
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

/** More than the largest process id of any system: no real process is reached by accident. */
const LEADER = 2 ** 22 + 1;

/**
 * Replaces `process.kill`. Only the processes in `alive`, and groups with a negative id, exist.
 * Records each call.
 */
function processTable(...alive: number[]) {
  const table = new Map<number, true | 'EPERM'>(alive.map((id) => [id, true]));
  const calls: [id: number, signal: unknown][] = [];
  vi.spyOn(process, 'kill').mockImplementation((id, signal) => {
    calls.push([id, signal]);
    const answer = table.get(id) ?? 'ESRCH';
    if (answer !== true) throw Object.assign(new Error(answer), { code: answer });
    return true;
  });
  return { table, calls };
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
    group.leaderCollected();
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
    group.leaderCollected();
    await group.untilGone();
    const { calls } = processTable(pid, -pid);
    expect(group.send('SIGTERM')).toBe(false);
    expect(calls).toEqual([]);
  });

  test('gets SIGKILL again and again while its end is awaited', async () => {
    const { table, calls } = processTable(-LEADER);
    const group = new ProcessGroup(LEADER);
    group.send('SIGKILL');
    group.leaderCollected();
    const gone = group.untilGone();
    await until(() => calls.filter(([id, signal]) => id === -LEADER && signal === 'SIGKILL').length > 3);
    table.clear();
    await gone;
    expect(calls.filter(([id, signal]) => id === -LEADER && signal !== 'SIGKILL')).toEqual([]);
  });

  // On other systems the first process collects orphans.
  test.runIf(process.platform === 'linux')('has ended when only uncollected zombies are left', async () => {
    // The short sleep stays in the group. Its parent leaves the group, and never collects it.
    const text = "(sleep 0.2 & echo $!; exec setsid sh -c 'echo $$; exec sleep 1000') &";
    const { pid, ids, exit } = await shell(text, 2);
    const [zombie = Number.NaN, parent = Number.NaN] = ids;
    await exit;
    const group = new ProcessGroup(pid);
    group.leaderCollected();
    await group.untilGone();
    expect(isDead(zombie)).toBe(true);
    expect(process.kill(-pid, 0)).toBe(true); // a zombie still accepts signals
    process.kill(parent);
  });

  test('is killed when the process exits, and its exit listener is removed at its end', async () => {
    const before = process.listeners('exit');
    const { pid, exit } = await shell("trap '' TERM INT HUP; echo; while :; do sleep 1; done", 0);
    const group = new ProcessGroup(pid);
    const added = process.listeners('exit').filter((listener) => !before.includes(listener));
    expect(added).toHaveLength(1);
    for (const listener of added) listener.call(process, 0);
    await exit;
    group.leaderCollected();
    await group.untilGone();
    expect(process.listeners('exit')).toEqual(before);
  });
});

describe('a process with the number of the leader', () => {
  const SIGNALS = ['SIGTERM', 'SIGKILL', 0] as const;

  /** A group whose leader has been collected. Another process has the leader's number then. */
  function reused(): { group: ProcessGroup } & ReturnType<typeof processTable> {
    const world = processTable(-LEADER);
    const group = new ProcessGroup(LEADER);
    group.leaderCollected();
    expect(group.send(0)).toBe(true); // a descendant of the leader is still alive
    world.calls.length = 0;
    world.table.set(LEADER, true);
    return { group, ...world };
  }

  test('is the leader until the leader has been collected, and its group is signaled', () => {
    const { calls, table } = processTable(LEADER, -LEADER);
    const group = new ProcessGroup(LEADER);
    for (const signal of SIGNALS) expect(group.send(signal)).toBe(true);
    expect(calls).toEqual(SIGNALS.map((signal) => [-LEADER, signal]));
    table.clear();
    group.leaderCollected();
    expect(group.send(0)).toBe(false);
  });

  test('is looked for directly before each signal to a group without its leader', () => {
    const { group, calls, table } = reused();
    table.delete(LEADER);
    for (const signal of SIGNALS) group.send(signal);
    expect(calls).toEqual(
      SIGNALS.flatMap((signal) => [
        [LEADER, 0],
        [-LEADER, signal],
      ]),
    );
    table.clear();
    group.send(0);
  });

  for (const signal of SIGNALS)
    test(`keeps the group of that number from getting ${signal}, once the leader has been collected`, () => {
      const { group, calls } = reused();
      expect(group.send(signal)).toBe(false);
      expect(calls).toEqual([[LEADER, 0]]);
    });

  test('may belong to another user', () => {
    const { group, table, calls } = reused();
    table.set(LEADER, 'EPERM');
    expect(group.send('SIGKILL')).toBe(false);
    expect(calls).toEqual([[LEADER, 0]]);
  });

  test('ends the group for good, also if that process ends and its own group lives on', () => {
    const { group, table, calls } = reused();
    group.send(0);
    table.delete(LEADER);
    calls.length = 0;
    expect(group.send('SIGKILL')).toBe(false);
    expect(calls).toEqual([]);
  });

  test('ends the wait for the group, and the exit of this process signals it no more', async () => {
    const before = process.listeners('exit');
    const { group, calls } = reused();
    const added = process.listeners('exit').filter((listener) => !before.includes(listener));
    await group.untilGone();
    expect(process.listeners('exit')).toEqual(before);
    for (const listener of added) listener.call(process, 0);
    expect(calls.filter(([id]) => id === -LEADER)).toEqual([]);
  });

  test('is not signaled when this process exits', () => {
    const before = process.listeners('exit');
    const { calls } = reused();
    const added = process.listeners('exit').filter((listener) => !before.includes(listener));
    expect(added).toHaveLength(1);
    for (const listener of added) listener.call(process, 0);
    expect(calls).toEqual([[LEADER, 0]]);
  });

  test('survives the kill of a group that had its number before', async () => {
    const { pid: stranger } = await shell('exec sleep 1000', 0);
    const group = new ProcessGroup(stranger);
    group.leaderCollected(); // the process that had this number before
    expect(group.send('SIGKILL')).toBe(false);
    await group.untilGone();
    expect(isDead(stranger)).toBe(false);
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
