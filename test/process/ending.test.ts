// How a process with a supervisor in it ends: by itself when there is nothing to do, at once when it is told to, never because of us.

import { describe, test } from 'vitest';
import { run } from './child.ts';

describe.concurrent('the end of the process', () => {
  test('idle supervisors hold no timer and no handle: the process exits by itself, without a shutdown', async ({
    expect,
  }) => {
    expect(await run('process/children/idle.ts')).toEqual({
      code: 0,
      lines: ['completed completed canceled completed completed', 'holds: []', 'exit 0, open'],
      stderr: '',
    });
  });

  test('a shutdown from inside a body, a subscriber or an outcome handler does not deadlock, and the process exits by itself', async ({
    expect,
  }) => {
    expect(await run('process/children/shutdown-inside.ts')).toEqual({
      code: 0,
      lines: [
        'a body that gives up waiting when it is told to stop: within grace: true canceled: 2 abandoned: ',
        'a body that waits for the end of itself: within grace: false canceled: 1 abandoned: closer',
        'the body goes on, 1 given up',
        'a body that does not wait: within grace: true canceled: 2 abandoned: ',
        'a body that disposes of it: within grace: false canceled: 1 abandoned: closer',
        'a subscriber: within grace: true canceled: 1 abandoned: ',
        'an outcome handler, twice: within grace: true canceled: 1 abandoned: ',
      ],
      stderr: '',
    });
  });

  for (const [when, code, line] of [
    ['running', 3, 'exit 3, open, 0 shutdowns'],
    ['stopping', 4, 'exit 4, draining, 1 shutdowns'],
  ] as const)
    test(`process.exit inside a task that is ${when} ends the process at once, with its code and no further shutdown`, async ({
      expect,
    }) => {
      const ended = await run('process/children/exit-inside.ts', { args: [when] });
      expect(ended).toEqual({ code, lines: [line], stderr: '' });
    });

  test('an uncaught exception elsewhere ends a process in the middle of a shutdown as it ends any other', async ({
    expect,
  }) => {
    const { code, lines, stderr } = await run('process/children/elsewhere.ts', { args: ['uncaught'] });
    expect({ code, lines }).toEqual({ code: 1, lines: ['exit 1, draining, 1 shutdowns'] });
    expect(stderr).toContain('Error: thrown elsewhere');
  });

  test('a handler of uncaught exceptions that shuts down joins the shutdown that goes on, and the process exits by itself', async ({
    expect,
  }) => {
    expect(await run('process/children/elsewhere.ts', { args: ['handled'] })).toEqual({
      code: 5,
      lines: ['caught: thrown elsewhere', 'ended in its own time', 'exit 5, closed, 1 shutdowns'],
      stderr: '',
    });
  });

  test('a handler of beforeExit that shuts down does so once, and the process exits', async ({ expect }) => {
    expect(await run('process/children/elsewhere.ts', { args: ['beforeExit'] })).toEqual({
      code: 0,
      lines: ['exit 0, closed, 1 shutdowns'],
      stderr: '',
    });
  });
});
