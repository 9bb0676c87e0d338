// Unusual hosts: strict about rejections, with frozen intrinsics, with two copies of the package,
// with worker threads.

import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, test } from 'vitest';
import { run } from './child.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The outcome of each kind of hostile code. */
const HOSTILE = {
  value: 'completed',
  'sync throw': 'failed',
  reject: 'failed',
  thenable: 'failed',
  'bad then': 'failed',
  fatal: 'fatal',
  retry: 'failed',
  state: 'failed',
  'state rejects': 'completed',
  retryIf: 'failed',
  'retryIf rejects': 'failed',
  around: 'failed',
  'kill throws, then the body ends': 'failed',
  'rejects after it was abandoned': 'failed',
  'listener throws': 'failed',
  'value with hostile methods': 'completed',
};

describe.concurrent('unusual hosts', () => {
  for (const [claim, flags, frozen] of [
    [
      'hostile code leaves no unhandled rejection under --unhandled-rejections=strict',
      ['--unhandled-rejections=strict'],
      false,
    ],
    [
      'hostile code has the same outcomes under --frozen-intrinsics',
      ['--frozen-intrinsics', '--disable-warning=ExperimentalWarning', '--unhandled-rejections=strict'],
      true,
    ],
  ] as const)
    test(claim, async ({ expect }) => {
      const { lines, ...ended } = await run('process/children/hostile.ts', { flags });
      expect(ended).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(lines.at(-1) ?? 'null')).toEqual({
        outcomes: HOSTILE,
        abandonedAlive: 0,
        clean: true,
        eventsDropped: true,
        frozen,
      });
    });

  test('--unhandled-rejections=strict ends the process for an unhandled rejection (control)', async ({ expect }) => {
    const flags = ['--unhandled-rejections=strict'];
    const { code, stderr } = await run('process/children/hostile.ts', { args: ['control'], flags });
    expect(code).toBe(1);
    expect(stderr).toContain('control');
  });

  test('two copies of the package recognize the errors of each other, and no other errors', async ({ expect }) => {
    const copy = mkdtempSync(join(tmpdir(), 'slotvisor-copy-'));
    try {
      cpSync(join(ROOT, 'src'), join(copy, 'src'), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction');
      writeFileSync(join(copy, 'package.json'), '{ "type": "module" }');
      const other = pathToFileURL(join(copy, 'src', 'index.ts')).href;
      const { lines, ...ended } = await run('process/children/copies.ts', { args: [other] });
      expect(ended).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(lines.at(-1) ?? 'null')).toEqual({
        apart: true,
        FatalError: 'fatal 1',
        RetryError: 'failed 2',
        CanceledError: 'canceled by task 1',
        instances: {
          OptionError: true,
          OutcomeError: true,
          CanceledError: true,
          TimeoutError: true,
          ClosedError: true,
        },
        strangers: [false, false, false, false],
        subclass: [true, false],
      });
    } finally {
      rmSync(copy, { recursive: true, force: true, maxRetries: 3 });
    }
  });

  test('a supervisor works in a worker thread, and a slot continues only when kill has ended its thread', async ({
    expect,
  }) => {
    const { lines, ...ended } = await run('process/children/workers.ts');
    expect(ended).toEqual({ code: 0, stderr: '' });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { inside: { outcomes: ['completed', 'completed', 'failed'], cause: 'finished' }, code: 0 },
      {
        replaced: { kind: 'killed', by: 'replace', attempts: 1 },
        spinning: 2,
        most: 1,
        alive: 0,
        clean: false,
        killed: ['second'],
      },
    ]);
  });
});
