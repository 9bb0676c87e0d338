// Signals, sent to real processes: supervisor.run drains, and the process ends by itself.

import { describe, test } from 'vitest';
import { start } from './child.ts';

interface Row {
  readonly claim: string;
  readonly args: readonly string[];
  /** Each is sent once its cue has been printed. */
  readonly signals: readonly (readonly [cue: string, name: NodeJS.Signals])[];
  readonly code: number | NodeJS.Signals;
  readonly report: object | undefined;
  /** In any order between slots. */
  readonly told: readonly string[];
}

const drained = (signalName: NodeJS.Signals, given: Partial<Row> = {}): Row => ({
  claim: `${signalName} drains: the body is told to stop, ends in its own time, and the process exits with 0 by itself`,
  args: [],
  signals: [['polite up', signalName]],
  code: 0,
  report: {
    outcomes: ['canceled', 'failed'],
    cause: 'signal',
    withinGrace: true,
    abandoned: [],
    heard: [2, 0],
    exitCodeKept: true,
  },
  told: ['polite up', 'polite told to stop: shutdown', 'polite ended'],
  ...given,
});

const hastened = (first: NodeJS.Signals, second: NodeJS.Signals): Row => ({
  claim: `${first}, then ${second}: the second cuts a grace of an hour, the stubborn body is named, and the process exits with 0 by itself`,
  args: ['stubborn'],
  signals: [
    ['stubborn up', first],
    ['polite ended', second],
  ],
  code: 0,
  report: {
    outcomes: ['canceled', 'failed', 'abandoned'],
    cause: 'signal',
    withinGrace: false,
    abandoned: ['stubborn'],
    heard: [2, 0],
    exitCodeKept: true,
  },
  told: ['polite up', 'stubborn up', 'polite told to stop: shutdown', 'stubborn told to stop', 'polite ended'],
});

const rows: readonly Row[] = [
  drained('SIGTERM'),
  drained('SIGINT', {
    claim: 'SIGINT drains as well; process.exitCode is left as it was set',
    args: ['code=7'],
    code: 7,
  }),
  hastened('SIGTERM', 'SIGTERM'),
  hastened('SIGINT', 'SIGINT'),
  hastened('SIGTERM', 'SIGINT'),
  hastened('SIGINT', 'SIGTERM'),
  {
    claim: 'with signals: false the platform does what it always does',
    args: ['deaf'],
    signals: [['polite up', 'SIGTERM']],
    code: 'SIGTERM',
    report: undefined,
    told: ['polite up'],
  },
];

describe.concurrent('signals', () => {
  for (const { claim, args, signals, code, report, told } of rows)
    test(claim, async ({ expect }) => {
      const child = await start('process/children/drain.ts', { args });
      for (const [cue, name] of signals) {
        await child.printed(cue);
        child.signal(name);
      }
      const { lines, ...ended } = await child.ended;
      expect(ended).toEqual({ code, stderr: '' });
      const printed = [...lines];
      const last = report === undefined ? undefined : JSON.parse(printed.pop() ?? 'null');
      expect(last).toEqual(report);
      expect(printed.sort()).toEqual([...told].sort());
    });
});
