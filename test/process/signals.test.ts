// Signals sent to real processes: `supervisor.run` and `stopOnSignals` shut down, and the process
// exits by itself.

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

interface Stopped {
  readonly claim: string;
  readonly args: readonly string[];
  readonly signals: readonly (readonly [cue: string, name: NodeJS.Signals])[];
  readonly code: number | NodeJS.Signals;
  readonly printed: readonly string[];
}

const ONCE = [['ready', 'SIGTERM']] as const;

const stopped: readonly Stopped[] = [
  {
    claim: 'stopOnSignals: a first signal shuts down, and the process exits by itself',
    args: [],
    signals: ONCE,
    code: 0,
    printed: ['ready', 'report signal true', 'exit 0, 0 listeners'],
  },
  {
    claim: 'stopOnSignals: the shutdown comes after before and the delay',
    args: ['before=waits', 'delay=30'],
    signals: ONCE,
    code: 0,
    printed: ['ready', 'before', 'before is over', 'report signal true', 'exit 0, 0 listeners'],
  },
  {
    claim: 'stopOnSignals: what before throws is a warning, and the shutdown comes all the same',
    args: ['before=throws'],
    signals: ONCE,
    code: 0,
    printed: ['ready', 'warning: before of stopOnSignals failed: boom', 'report signal true', 'exit 0, 0 listeners'],
  },
  {
    claim: 'stopOnSignals: a second signal ends a before that hangs, and a long delay',
    args: ['before=hangs', 'delay=3600000'],
    signals: [...ONCE, ['before', 'SIGINT']],
    code: 0,
    printed: ['ready', 'before', 'report signal true', 'exit 0, 0 listeners'],
  },
  {
    claim: 'stopOnSignals: a second signal ends the grace, and the process exits with 1 because of the body',
    args: ['stubborn', 'ticking'],
    signals: [...ONCE, ['stubborn stop request', 'SIGTERM']],
    code: 1,
    printed: ['ready', 'stubborn stop request', 'report signal false', 'exit 1, 0 listeners'],
  },
  {
    claim: 'stopOnSignals: the process exits with the given code',
    args: ['stubborn', 'ticking', 'exitCode=70'],
    signals: [...ONCE, ['stubborn stop request', 'SIGTERM']],
    code: 70,
    printed: ['ready', 'stubborn stop request', 'report signal false', 'exit 70, 0 listeners'],
  },
  {
    claim: 'stopOnSignals: a before that shuts down itself is joined',
    args: ['before=shutsDown'],
    signals: ONCE,
    code: 0,
    printed: ['ready', 'report caller true', 'exit 0, 0 listeners'],
  },
  {
    claim: 'stopOnSignals: the exit because of one supervisor waits for the other one',
    args: ['stubborn', 'ticking', 'two'],
    signals: [
      ['ready', 'SIGTERM'],
      ['stubborn stop request', 'SIGTERM'],
    ],
    code: 1,
    printed: ['ready', 'stubborn stop request', 'report signal false', 'the second has ended', 'exit 1, 0 listeners'],
  },
  {
    claim: 'stopOnSignals: taken back, a signal ends the process as usual',
    args: ['takeBack'],
    signals: ONCE,
    code: 'SIGTERM',
    printed: ['ready'],
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

  for (const { claim, args, signals, code, printed } of stopped)
    test(claim, async ({ expect }) => {
      const child = await start('process/children/stop-on-signals.ts', { args, flags: ['--no-warnings'] });
      for (const [cue, name] of signals) {
        await child.printed(cue);
        child.signal(name);
      }
      const { lines, ...ended } = await child.ended;
      expect(ended).toEqual({ code, stderr: '' });
      expect(lines).toEqual(printed);
    });
});
