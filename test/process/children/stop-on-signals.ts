// A service that calls `stopOnSignals`: `stop-on-signals.ts [stubborn] [ticking] [before=<how>]
// [delay=<ms>] [exitCode=<n>] [two] [takeBack]`. It never calls process.exit.

import { setTimeout as sleep } from 'node:timers/promises';
import { type StopOnSignalsOptions, Supervisor, stopOnSignals } from 'slotvisor';

const args = new Map(
  process.argv.slice(2).map((arg): [string, string] => {
    const [name = '', value = ''] = arg.split('=');
    return [name, value];
  }),
);
const listeners = (): number => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');

process.on('warning', ({ message }) => console.log(`warning: ${message}`));
process.on('exit', (code) => console.log(`exit ${code}, ${listeners()} listeners`));
// Keeps the process alive, as a connection pool of the program would, until `after` ends it.
const pool = setInterval(() => {}, 1_000);

const before = {
  '': undefined,
  waits: async () => {
    console.log('before');
    await sleep(30);
    console.log('before is over');
  },
  throws: () => {
    throw new Error('boom');
  },
  hangs: () => {
    console.log('before');
    return new Promise(() => {});
  },
  shutsDown: () => supervisor.shutdown({ graceMs: 0 }),
}[args.get('before') ?? ''];

const supervisor = new Supervisor({ shutdownGraceMs: 3_600_000 });
supervisor.submit({ name: 'polite', run: (ctx) => ctx.sleep(3_600_000) });
if (args.has('stubborn'))
  supervisor.submit({
    name: 'stubborn',
    run: (ctx) => {
      if (args.has('ticking')) setInterval(() => {}, 1_000); // outlives the shutdown
      ctx.onCancel(() => console.log('stubborn stop request'));
      return new Promise(() => {});
    },
  });

const options: StopOnSignalsOptions = {
  before,
  delayMs: Number(args.get('delay') ?? 0),
  after: ({ cause, clean }) => {
    console.log(`report ${cause} ${clean}`);
    clearInterval(pool);
  },
  ...(args.has('exitCode') && { exitCode: Number(args.get('exitCode')) }),
};
const takeBack = stopOnSignals(supervisor, options);

/** Ends later than the first, which has to exit because of its stubborn body. */
const endsLate = async (): Promise<void> => {
  await sleep(300);
  console.log('the second has ended');
};
if (args.has('two')) stopOnSignals(new Supervisor(), { after: endsLate });
if (args.has('takeBack')) takeBack();

await sleep(20);
console.log('ready');
