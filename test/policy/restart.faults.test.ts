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
      from: ') >= settings.maxRetries',
      to: ') > settings.maxRetries',
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
      breaks: /^a value, .*, always, finishing, .*: afterInterval, expected complete$/,
    },
    {
      name: 'a finisher is retried after a failure',
      from: "task.finishing ? { next: 'fail', failure, because: 'shuttingDown' } : ",
      to: '',
      breaks: /^thrown, .*, onFailure, finishing, .*: retry, expected fail$/,
    },
    {
      name: 'a finisher has the fresh attempt that restart() asked for',
      from: 'task.finishing ? { ...SHUT_DOWN, ...returned(end, task) } : ',
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
      breaks: /^a value, .*, never, undisturbed, stop caller, .*: complete, expected cancel$/,
    },
    {
      name: 'the error of a stopped body is lost',
      from: 'reason, failure: end.failure, ...',
      to: "reason, failure: end.kind === 'failure' ? end.failure : undefined, ...",
      breaks: /^stopped, with an error, .*: cancel, expected cancel$/,
    },
    {
      name: 'the policy never retries after a failure',
      from: "if (settings.restart === 'never') return { next: 'fail', failure, because: 'policy' };",
      to: '',
      breaks: /^thrown, .*, never, .*: retry, expected fail$/,
    },
    {
      name: 'the policy onFailure repeats after a success',
      from: "settings.restart === 'always'",
      to: "settings.restart !== 'never'",
      breaks: /^a value, .*, onFailure, .*: afterInterval, expected complete$/,
    },
    {
      name: 'a stable attempt does not end the streak',
      from: '(newStreak ? 0 : task.streak)',
      to: 'task.streak',
      breaks: /^thrown, stable, .*, streak (\d) of \1: fail, expected retry$/,
    },
    {
      name: 'the failure of a stable attempt continues the streak',
      from: "{ next: 'retry', failure, newStreak }",
      to: "{ next: 'retry', failure, newStreak: false }",
      breaks: /^stalled, stable, .*: retry, expected retry$/,
    },
    {
      name: 'a stable attempt is retried with maxRetries 0',
      from: '(newStreak ? 0 : task.streak) >=',
      to: '(newStreak ? -1 : task.streak) >=',
      breaks: /^thrown, stable, .*, streak \d of 0: retry, expected fail$/,
    },
    {
      name: 'a timeout ends the streak',
      from: "kind !== 'timedOut' && ",
      to: '',
      breaks: /^timed out, stable, .*: retry, expected (fail|retry)$/,
    },
    {
      name: 'an attempt has to run longer than stableMs',
      from: 'ranMs >= stableMs',
      to: 'ranMs > stableMs',
      breaks: /^thrown, stable, .*: (fail|retry), expected retry$/,
    },
    {
      name: 'an attempt is stable without stableMs',
      from: 'ranMs >= stableMs',
      to: '(stableMs === Infinity || ranMs >= stableMs)',
      breaks: /^thrown, long, .*: retry, expected (fail|retry)$/,
    },
    {
      name: 'a value after a stop request is lost',
      from: "'value' in end && !suspending ? { value: end.value } : {}",
      to: '{}',
      breaks: /^a value of undefined, .*: cancel, expected cancel$/,
    },
    {
      name: 'a value after a timeout and a stop request is lost',
      from: "'value' in end && !suspending",
      to: "end.kind === 'value' && !suspending",
      breaks: /^timed out, then a value, .*: cancel, expected cancel$/,
    },
    {
      name: 'a value after the loss of the lease is kept',
      from: "'value' in end && !suspending",
      to: "'value' in end",
      breaks: /^a value, .* suspending, stop .*: cancel, expected cancel$/,
    },
    {
      name: 'a finisher that was restarted loses its value',
      from: '{ ...SHUT_DOWN, ...returned(end, task) }',
      to: 'SHUT_DOWN',
      breaks: /^a value, .* finishing, stop none, restart true.*: cancel, expected cancel$/,
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
