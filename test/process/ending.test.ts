// How a process with a supervisor ends: by itself when there is no work, at once on `process.exit`,
// never because of the library.

import { describe, test } from 'vitest';
import { run } from './child.ts';

describe.concurrent('the end of the process', () => {
  test('a process with idle supervisors exits by itself without a shutdown: they hold no timer and no handle', async ({
    expect,
  }) => {
    expect(await run('process/children/idle.ts')).toEqual({
      code: 0,
      lines: ['completed completed canceled completed completed', 'holds: []', 'exit 0, open'],
      stderr: '',
    });
  });

  test('a process exits by itself after a shutdown from inside a body, a subscriber or an outcome handler', async ({
    expect,
  }) => {
    expect(await run('process/children/shutdown-inside.ts')).toEqual({
      code: 0,
      lines: [
        'a body that waits until its stop request: within grace: true canceled: 2 abandoned: ',
        'a body that waits for its own end: within grace: false canceled: 1 abandoned: closer',
        'the body continues, abandoned: 1',
        'a body that does not wait: within grace: true canceled: 2 abandoned: ',
        'a body that disposes of the supervisor: within grace: false canceled: 1 abandoned: closer',
        'a subscriber: within grace: true canceled: 1 abandoned: ',
        'an outcome handler, twice: within grace: true canceled: 1 abandoned: ',
      ],
      stderr: '',
    });
  });

  for (const [when, code, line] of [
    ['open', 3, 'exit 3, open, 0 shutdowns'],
    ['closing', 4, 'exit 4, closing, 1 shutdowns'],
  ] as const)
    test(`process.exit in a body whose supervisor is ${when} ends the process at once, with its code and no new shutdown`, async ({
      expect,
    }) => {
      const ended = await run('process/children/exit-inside.ts', { args: [when] });
      expect(ended).toEqual({ code, lines: [line], stderr: '' });
    });

  test('an uncaught exception outside the library ends a process that is shutting down, as it ends any other', async ({
    expect,
  }) => {
    const { code, lines, stderr } = await run('process/children/elsewhere.ts', { args: ['uncaught'] });
    expect({ code, lines }).toEqual({ code: 1, lines: ['exit 1, closing, 1 shutdowns'] });
    expect(stderr).toContain('Error: thrown elsewhere');
  });

  test('a shutdown from an uncaughtException handler joins the current shutdown, and the process exits by itself', async ({
    expect,
  }) => {
    expect(await run('process/children/elsewhere.ts', { args: ['handled'] })).toEqual({
      code: 5,
      lines: ['caught: thrown elsewhere', 'ended without force', 'exit 5, closed, 1 shutdowns'],
      stderr: '',
    });
  });

  test('a shutdown from a beforeExit handler happens once, and the process exits', async ({ expect }) => {
    expect(await run('process/children/elsewhere.ts', { args: ['beforeExit'] })).toEqual({
      code: 0,
      lines: ['exit 0, closed, 1 shutdowns'],
      stderr: '',
    });
  });
});
