import { OptionError, Supervisor, type TaskContext } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { expectIdle, recordEvents, VirtualClock } from 'slotvisor/testing';
import { expect, test, vi } from 'vitest';

const forever = (ctx: TaskContext) => ctx.sleep(Infinity);

function setup() {
  const clock = new VirtualClock();
  return { clock, supervisor: new Supervisor({ clock, defaults: { restart: 'never' } }) };
}

/** The message with which the supervisor is not idle. */
const messageOf = (supervisor: Supervisor): Promise<string> =>
  expectIdle(supervisor).then(
    () => 'it is idle',
    (error: Error) => error.message,
  );

test('a supervisor is idle when it has run nothing, when all has ended, and after its shutdown', async () => {
  const { supervisor } = setup();
  await expectIdle(supervisor);
  supervisor.submit({ run: () => 'value' });
  await expectIdle(supervisor);
  supervisor.submit({ run: forever });
  await supervisor.shutdown();
  await expectIdle(supervisor);
});

test('a body that was just asked to stop has the turns that it needs to end', async () => {
  const { supervisor, clock } = setup();
  const task = supervisor.submit({
    run: async (ctx) => {
      try {
        await ctx.sleep(Infinity);
      } finally {
        for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  });
  await clock.settle();
  void task.cancel();
  await expectIdle(supervisor);
});

test('the error says of each slot what runs, since when, and what waits behind it', async () => {
  const { supervisor, clock } = setup();
  const sync = supervisor.submit({ slot: 'sync:acme', run: forever });
  const next = supervisor.submit({ slot: 'sync:acme', run: forever });
  const report = supervisor.submit({ slot: 'report', run: (ctx) => ctx.untilCanceled(new Promise(() => {})) });
  await clock.advance(5_000);
  expect(await messageOf(supervisor)).toBe(
    [
      'the supervisor is not idle:',
      `- Slot "sync:acme": "sync:acme" (${sync.id}) has run attempt 1 for 5 s; 1 waits behind it, and the first is "sync:acme" (${next.id}), for 5 s.`,
      `- Slot "report": "report" (${report.id}) has run attempt 1 for 5 s.`,
    ].join('\n'),
  );
});

test('the error says what a stopped body keeps, and which timers are set', async () => {
  const { supervisor, clock } = setup();
  const stuck = supervisor.submit({ slot: 'stuck', run: () => new Promise(() => {}) });
  await clock.settle();
  void stuck.cancel();
  expect(await messageOf(supervisor)).toBe(
    [
      'the supervisor is not idle:',
      `- Slot "stuck": "stuck" (${stuck.id}) was asked to stop 0 ms ago by caller, and its body has not ended.`,
      '- 1 timer set on its VirtualClock', // the grace
    ].join('\n'),
  );
});

test('the error says what waits in a paused slot, and a paused slot without work is idle', async () => {
  const { supervisor } = setup();
  supervisor.slot('empty').pause();
  await expectIdle(supervisor);
  supervisor.slot('paused').pause();
  supervisor.submit({ slot: 'paused', run: forever });
  expect(await messageOf(supervisor)).toMatch(/^the supervisor is not idle:\n- Slot "paused": .* paused/);
});

test('the error counts bodies that were given up and are alive', async () => {
  const { supervisor, clock } = setup();
  supervisor.submit({ graceMs: 10, onOverrun: 'abandon', run: () => new Promise(() => {}) });
  await clock.settle();
  const closing = supervisor.shutdown();
  await clock.advance(10);
  await closing;
  expect(await messageOf(supervisor)).toBe('the supervisor is not idle:\n- 1 body given up, and alive');
});

test('a timer that no task has set is that of a schedule, on a virtual clock', async () => {
  const { supervisor } = setup();
  const hourly = schedule(supervisor, { everyMs: 3_600_000, task: { run: () => {} } });
  expect(await messageOf(supervisor)).toBe(
    'the supervisor is not idle:\n- 1 timer set on its VirtualClock, and not by a task: a schedule that waits for its date has one',
  );
  await hourly.stop();
  await expectIdle(supervisor);
});

test('the error names a timer on a virtual clock of another copy of the package', async () => {
  vi.resetModules();
  const another: { VirtualClock: typeof VirtualClock } = await import('slotvisor/testing');
  const clock = new another.VirtualClock();
  clock.setTimer(10, () => {});
  expect(clock).not.toBeInstanceOf(VirtualClock);
  expect(await messageOf(new Supervisor({ clock }))).toBe(
    'the supervisor is not idle:\n- 1 timer set on its VirtualClock, and not by a task: a schedule that waits for its date has one',
  );
});

test('the error names ten slots and counts the rest', async () => {
  const { supervisor } = setup();
  for (let n = 0; n < 12; n += 1) supervisor.submit({ slot: `s${n}`, run: forever });
  const lines = (await messageOf(supervisor)).split('\n');
  expect([lines.length, lines[10], lines[11]]).toEqual([12, expect.stringContaining('"s9"'), '- 2 slots more']);
});

test('it stops nothing, and a subscription is nothing that is left', async () => {
  const { supervisor } = setup();
  recordEvents(supervisor);
  await expectIdle(supervisor);
  const task = supervisor.submit({ run: forever });
  await messageOf(supervisor);
  expect(task.status).toBe('running');
});

test('it works under fake timers, and on the clock of the platform', async () => {
  vi.useFakeTimers();
  try {
    const supervisor = new Supervisor({ defaults: { restart: 'never' } });
    const task = supervisor.submit({ run: (ctx) => ctx.sleep(1_000) });
    expect(await messageOf(supervisor)).toContain('has run attempt 1');
    void task.cancel();
    await expectIdle(supervisor);
  } finally {
    vi.useRealTimers();
  }
});

test.for<unknown>([undefined, null, 'supervisor', {}])('%o is no supervisor', async (given) => {
  await expect(expectIdle(given as Supervisor)).rejects.toThrow(OptionError);
  await expect(expectIdle(given as Supervisor)).rejects.toThrow(/^supervisor must be a Supervisor, got /);
});
