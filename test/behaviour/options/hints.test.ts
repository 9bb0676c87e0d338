import { type OptionError, once, Supervisor } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { workerTask } from 'slotvisor/worker';
import { describe, expect, test } from 'vitest';

const run = () => {};
const task = { run };
const cron = '* * * * *';

/** A call that the compiler refuses, and the beginning of what the library says. */
const ROWS: readonly (readonly [message: string, call: (to: Supervisor) => unknown])[] = [
  ['retries is not an option (did you mean maxRetries?), got 5', (to) => to.submit({ run, retries: 5 } as never)],
  ['timeout is not an option (did you mean timeoutMs?)', (to) => to.submit({ run, timeout: 5 } as never)],
  ['interval is not an option (did you mean intervalMs?)', (to) => to.submit({ run, interval: 5 } as never)],
  ['jitter is not an option (did you mean backoff.jitter?)', (to) => to.submit({ run, jitter: 'full' } as never)],
  ['concurrency is not an option (the supervisor has it', (to) => to.submit({ run, concurrency: 1 } as never)],
  ['cron is not an option (slotvisor/cron has it', (to) => to.submit({ run, cron } as never)],
  [
    'kill is not an option (a killable task is the run of a spec: { run: task })',
    (to) => to.submit(workerTask('/job.js') as never),
  ],
  [
    'run must be a function, not the promise that it returned: pass it without calling it, got an object',
    (to) => to.submit({ run: Promise.resolve(1) } as never),
  ],
  ['run must be a function, not the promise that it returned', (to) => to.submit(once(Promise.resolve(1) as never))],
  ['spec must be an object, such as { slot, run }, got a function', (to) => to.submit(run as never)],
  ['spec must be an object, such as { slot, run }, got "slot"', (to) => to.slot('s').submit('slot' as never)],
  [
    'specs[1].retries is not an option (did you mean maxRetries?)',
    (to) => to.submitAll([task, { run, retries: 5 } as never]),
  ],
  ['specs[0].run must be a function, not the promise', (to) => to.run([{ run: Promise.resolve(1) } as never])],
  ['specs[1] must be an object, such as { slot, run }, got a function', (to) => to.submitAll([task, run as never])],
  ['specs[0].backoff.firstMs must be a number of ms', (to) => to.submitAll([{ run, backoff: { firstMs: -1 } }])],
  ['retries is not an option (did you mean defaults.maxRetries?)', () => new Supervisor({ retries: 5 } as never)],
  ['timeoutMs is not an option (did you mean defaults.timeoutMs?)', () => new Supervisor({ timeoutMs: 5 } as never)],
  ['run is not an option (did you mean task.run?)', (to) => schedule(to, { cron, run } as never)],
  ['slot is not an option (did you mean task.slot?)', (to) => schedule(to, { cron, task, slot: 's' } as never)],
  ['interval is not an option (did you mean everyMs?)', (to) => schedule(to, { interval: 5, task } as never)],
  [
    'task.retries is not an option (did you mean maxRetries?)',
    (to) => schedule(to, { cron, task: { run, retries: 5 } as never }),
  ],
  [
    'task.kill is not an option (a killable task is',
    (to) => schedule(to, { cron, task: workerTask('/job.js') as never }),
  ],
  ['task.maxRetries must be a whole number', (to) => schedule(to, { everyMs: 5, task: { run, maxRetries: -1 } })],
];

describe('a call that a newcomer would try is refused with a hint', () => {
  test.each(ROWS)('%s', async (message, call) => {
    const supervisor = new Supervisor();
    const error: OptionError = await Promise.resolve()
      .then(() => call(supervisor))
      .then(
        () => expect.unreachable('it was accepted'),
        (thrown) => thrown,
      );
    expect(error.name).toBe('OptionError');
    expect(error.message.slice(0, message.length)).toBe(message);
    expect(error.message.startsWith(`${error.field} `)).toBe(true);
    expect(supervisor.snapshot().totals.submitted).toBe(0);
  });
});
