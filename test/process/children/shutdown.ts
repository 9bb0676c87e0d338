// A service that calls `supervisor.run`: `shutdown.ts [stubborn] [no-signals] [code=<n>]`. It never
// calls process.exit.

import { Supervisor, type TaskSpec } from 'slotvisor';

const args = process.argv.slice(2);
const listeners = (): number => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');

const preset = args.find((arg) => arg.startsWith('code='));
if (preset !== undefined) process.exitCode = Number(preset.slice(5));
const exitCode = process.exitCode;

/** Ends a little after its stop request. */
const polite: TaskSpec = {
  name: 'polite',
  run: async (ctx) => {
    const stop = ctx.sleep(3_600_000);
    console.log('polite started');
    try {
      await stop;
    } finally {
      console.log(`polite stop request: ${ctx.signal.reason.by}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
      console.log('polite ended');
    }
  },
};

/** Never ends, and holds nothing that keeps the process alive. */
const stubborn: TaskSpec = {
  name: 'stubborn',
  run: (ctx) => {
    ctx.onCancel(() => console.log('stubborn stop request'));
    console.log('stubborn started');
    return new Promise(() => {});
  },
};

const failing: TaskSpec = {
  name: 'failing',
  restart: 'never',
  run: () => Promise.reject(new Error('boom')),
};

const before = listeners();
const supervisor = new Supervisor({ shutdownGraceMs: 3_600_000 });
const tasks = [polite, failing, ...(args.includes('stubborn') ? [stubborn] : [])];
const running = supervisor.run(tasks, args.includes('no-signals') ? { signals: false } : {});
const during = listeners() - before;
const { outcomes, shutdown } = await running;
const { cause, clean, abandoned } = shutdown;
console.log(
  JSON.stringify({
    outcomes: outcomes.map(({ kind }) => kind),
    cause,
    clean,
    abandoned: abandoned.map(({ name }) => name),
    listeners: [during, listeners() - before],
    exitCodeKept: process.exitCode === exitCode,
  }),
);
