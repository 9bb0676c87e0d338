// Signals sent to real processes: `supervisor.run` shuts down, and the process exits by itself.

import { describe, test } from 'vitest';
import { start } from './child.ts';

interface Row {
  readonly claim: string;
  readonly args: readonly string[];
  /** Each signal is sent when its cue has been printed. */
  readonly signals: readonly (readonly [cue: string, name: NodeJS.Signals])[];
  readonly code: number | NodeJS.Signals;
  readonly report: object | undefined;
  /** Compared in any order: the slots are independent. */
  readonly printed: readonly string[];
}

const drained = (signalName: NodeJS.Signals, given: Partial<Row> = {}): Row => ({
  claim: `${signalName} begins a shutdown: the body stops without force, and the process exits with 0 by itself`,
  args: [],
  signals: [['polite started', signalName]],
  code: 0,
  report: {
    outcomes: ['canceled', 'failed'],
    cause: 'signal',
    clean: true,
    abandoned: [],
    listeners: [2, 0],
    exitCodeKept: true,
  },
  printed: ['polite started', 'polite stop request: shutdown', 'polite ended'],
  ...given,
});

const hastened = (first: NodeJS.Signals, second: NodeJS.Signals): Row => ({
  claim: `${second} after ${first} ends a grace of an hour: the report names the stubborn body, the process exits with 0`,
  args: ['stubborn'],
  signals: [
    ['stubborn started', first],
    ['polite ended', second],
  ],
  code: 0,
  report: {
    outcomes: ['canceled', 'failed', 'abandoned'],
    cause: 'signal',
    clean: false,
    abandoned: ['stubborn'],
    listeners: [2, 0],
    exitCodeKept: true,
  },
  printed: [
    'polite started',
    'stubborn started',
    'polite stop request: shutdown',
    'stubborn stop request',
    'polite ended',
  ],
});

const rows: readonly Row[] = [
  drained('SIGTERM'),
  drained('SIGINT', {
    claim: 'SIGINT begins a shutdown, and process.exitCode keeps its value',
    args: ['code=7'],
    code: 7,
  }),
  hastened('SIGTERM', 'SIGTERM'),
  hastened('SIGINT', 'SIGINT'),
  hastened('SIGTERM', 'SIGINT'),
  hastened('SIGINT', 'SIGTERM'),
  {
    claim: 'SIGTERM ends the process as usual where `signals` is false',
    args: ['no-signals'],
    signals: [['polite started', 'SIGTERM']],
    code: 'SIGTERM',
    report: undefined,
    printed: ['polite started'],
  },
];

describe.concurrent('signals', () => {
  for (const { claim, args, signals, code, report, printed } of rows)
    test(claim, async ({ expect }) => {
      const child = await start('process/children/shutdown.ts', { args });
      for (const [cue, name] of signals) {
        await child.printed(cue);
        child.signal(name);
      }
      const { lines, ...ended } = await child.ended;
      expect(ended).toEqual({ code, stderr: '' });
      const rest = [...lines];
      const last = report === undefined ? undefined : JSON.parse(rest.pop() ?? 'null');
      expect(last).toEqual(report);
      expect(rest.sort()).toEqual([...printed].sort());
    });
});
