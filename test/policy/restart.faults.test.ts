// Each fault is planted in the decision after an attempt. The table test must find it in the cases
// that it breaks.

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Fault, loadPatched } from '../support/patched.ts';
import { type Decide, wrongAnswers } from '../support/restart-table.ts';

describe('the table of restart policies finds the fault:', () => {
  const faults: readonly (Fault & { readonly breaks: RegExp })[] = [
    {
      name: 'one retry more than maxRetries is allowed',
      from: 'streak >= settings.maxRetries',
      to: 'streak > settings.maxRetries',
      breaks: /streak (\d) of \1: retry, expected fail$/,
    },
    {
      name: 'a FatalError is retried',
      from: "if (failure.fatal) return { next: 'fatal', failure };",
      to: '',
      breaks: /^a FatalError, .*: (retry|fail), expected fatal$/,
    },
    {
      name: 'restart() counts before a stop request',
      from: 'if (task.stop !== undefined) {',
      to: 'if (task.stop !== undefined && !task.restartAsked) {',
      breaks: /restart true.*: freshAttempt, expected cancel$/,
    },
    {
      name: 'a lost lease counts before a stop request',
      from: 'if (task.stop !== undefined) {',
      to: 'if (task.stop !== undefined && !task.suspending) {',
      breaks: / suspending, stop .*: suspend, expected cancel$/,
    },
    {
      name: 'a failure after the loss of the lease is retried',
      from: "if (task.suspending) return { next: 'suspend' };",
      to: "if (task.suspending && end.kind !== 'failure') return { next: 'suspend' };",
      breaks: /^thrown, .* suspending, .*: retry, expected suspend$/,
    },
    {
      name: 'a finisher has another attempt after its interval',
      from: " && !task.finishing) return { next: 'afterInterval' };",
      to: ") return { next: 'afterInterval' };",
      breaks: /^a value, always, finishing, .*: afterInterval, expected complete$/,
    },
    {
      name: 'a finisher is retried after a failure',
      from: "finishing ? { next: 'fail', failure, because: 'shuttingDown' } : ",
      to: '',
      breaks: /^thrown, onFailure, finishing, .*: retry, expected fail$/,
    },
    {
      name: 'a finisher has the fresh attempt that restart() asked for',
      from: 'task.finishing ? SHUT_DOWN : ',
      to: '',
      breaks: / finishing, .*: freshAttempt, expected cancel$/,
    },
    {
      name: 'restart() counts as a failure',
      from: "task.restartAsked || end.kind === 'stopped'",
      to: "end.kind === 'stopped'",
      breaks: /^thrown, .*, restart true, .*: (retry|fail), expected freshAttempt$/,
    },
    {
      name: 'a value after a stop request completes the task',
      from: 'if (task.stop !== undefined) {',
      to: "if (task.stop !== undefined && end.kind !== 'value') {",
      breaks: /^a value, never, undisturbed, stop caller, .*: complete, expected cancel$/,
    },
    {
      name: 'the error of a stopped body is lost',
      from: 'reason, failure: end.failure }',
      to: "reason, failure: end.kind === 'failure' ? end.failure : undefined }",
      breaks: /^stopped, with an error, .*: cancel, expected cancel$/,
    },
    {
      name: 'the policy never retries after a failure',
      from: "if (settings.restart === 'never') return { next: 'fail', failure, because: 'policy' };",
      to: '',
      breaks: /^thrown, never, .*: retry, expected fail$/,
    },
    {
      name: 'the policy onFailure repeats after a success',
      from: "settings.restart === 'always'",
      to: "settings.restart !== 'never'",
      breaks: /^a value, onFailure, .*: afterInterval, expected complete$/,
    },
    {
      name: 'a CanceledError of the body is attributed to the caller',
      from: "by: 'task'",
      to: "by: 'caller'",
      breaks: /^a CanceledError of the body, .*: cancel, expected cancel$/,
    },
  ];

  const path = fileURLToPath(new URL('../../src/policy/restart.ts', import.meta.url));

  for (const { breaks, ...fault } of faults)
    test(fault.name, () => {
      const { afterAttempt } = loadPatched<{ afterAttempt: Decide }>(path, fault);
      expect(wrongAnswers(afterAttempt).wrong.filter((answer) => breaks.test(answer))).not.toEqual([]);
    });
});
