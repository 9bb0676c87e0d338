// A service in the static mode: `drain.ts [polite] [stubborn] [deaf] [code=<n>]`. It never exits by force.

import { Supervisor, type TaskSpec } from 'slotvisor';

const args = process.argv.slice(2);
const heard = (): number => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');

const preset = args.find((arg) => arg.startsWith('code='));
if (preset !== undefined) process.exitCode = Number(preset.slice(5));
const exitCode = process.exitCode;

/** Ends a little after it is told to. */
const polite: TaskSpec = {
  name: 'polite',
  run: async (ctx) => {
    const stop = ctx.sleep(3_600_000);
    console.log('polite up');
    try {
      await stop;
    } finally {
      console.log(`polite told to stop: ${ctx.signal.reason.by}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
      console.log('polite ended');
    }
  },
};

/** Never ends, and holds nothing that would keep the process. */
const stubborn: TaskSpec = {
  name: 'stubborn',
  run: (ctx) => {
    ctx.onCancel(() => console.log('stubborn told to stop'));
    console.log('stubborn up');
    return new Promise(() => {});
  },
};

const failing: TaskSpec = {
  name: 'failing',
  restart: 'never',
  run: () => Promise.reject(new Error('boom')),
};

const before = heard();
const supervisor = new Supervisor({ graceMs: 3_600_000 });
const tasks = [polite, failing, ...(args.includes('stubborn') ? [stubborn] : [])];
const running = supervisor.run(tasks, args.includes('deaf') ? { signals: false } : {});
const during = heard() - before;
const { outcomes, shutdown } = await running;
const { cause, withinGrace, abandoned } = shutdown;
console.log(
  JSON.stringify({
    outcomes: outcomes.map(({ kind }) => kind),
    cause,
    withinGrace,
    abandoned: abandoned.map(({ name }) => name),
    heard: [during, heard() - before],
    exitCodeKept: process.exitCode === exitCode,
  }),
);
