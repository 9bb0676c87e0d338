// A small program of a user, for every runtime, test runner and bundler.

/** The four entry points that every environment has to run. */
export const HEAD = `
import { OptionError, Supervisor } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { VirtualClock } from 'slotvisor/testing';
import { workerTask } from 'slotvisor/worker';
`;

/** Prints `42 2 OptionError` if they all work. */
export const BODY = `
const sum = 'data:text/javascript,export const sum = ({ workerData: [a, b] }) => a + b';
async function main() {
  const supervisor = new Supervisor();
  const submission = supervisor.submit({ restart: 'never', run: workerTask(sum, { export: 'sum', workerData: [40, 2] }) });
  const value = await submission.value();
  await supervisor.shutdown();
  const clock = new VirtualClock();
  let runs = 0;
  schedule(new Supervisor({ clock }), { everyMs: 1_000, task: { run: () => { runs += 1; } } });
  await clock.advance(2_500);
  try {
    supervisor.slot('');
  } catch (error) {
    return [value, runs, error instanceof OptionError && error.name].join(' ');
  }
}
`;

export const SAYS = '42 2 OptionError';
const PRINT = 'main().then(console.log);';

/** The program as an ES module, and in CommonJS. */
export const asModule = (): string => `${HEAD}${BODY}${PRINT}`;
export const asCommonJs = (): string => `${toRequire(HEAD)}${BODY}${PRINT}`;

export const toRequire = (head: string): string =>
  head.replace(/^import (.+) from ('.+');$/gm, 'const $1 = require($2);');
