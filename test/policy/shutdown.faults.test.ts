// Each of these faults is planted in the steps of a shutdown, and found by name.

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type * as Shutdown from '../../src/policy/shutdown.ts';
import { type Fault, loadPatched } from '../support/patched.ts';
import { Broken, exploreShutdown } from '../support/shutdown-explorer.ts';

describe('a fault in the steps of a shutdown is found', () => {
  const faults: readonly (Fault & { readonly breaks: RegExp })[] = [
    {
      name: 'a later caller lengthens the grace',
      from: 'deadlineMs >= state.deadlineMs',
      to: 'deadlineMs <= state.deadlineMs',
      breaks: /^a deadline never gets later/,
    },
    {
      name: 'a shutdown that forces already accepts a shorter grace',
      from: "state.phase !== 'draining' || deadlineMs >= state.deadlineMs",
      to: "state.phase === 'open' || deadlineMs >= state.deadlineMs",
      breaks: /^stale hasten changes nothing/,
    },
    {
      name: 'the timer of a longer grace ends the present one',
      from: ' || input.nowMs < state.deadlineMs',
      to: '',
      breaks: /^stale graceOver changes nothing/,
    },
    {
      name: 'a timer that fires at its very moment is too early',
      from: 'input.nowMs < state.deadlineMs',
      to: 'input.nowMs <= state.deadlineMs',
      breaks: /^the end of the grace forces/,
    },
    {
      name: 'a second begin begins anew',
      from: "if (state.phase !== 'open') return unchanged(state);",
      to: '',
      breaks: /^stopAll is said once/,
    },
    {
      name: 'a shorter grace sets no timer',
      from: "effects: [{ do: 'graceUntil', atMs: deadlineMs }] };",
      to: 'effects: [] };',
      breaks: /^a shorter grace hastens/,
    },
    {
      name: 'the end of the grace forces nobody',
      from: "{ do: 'killOrAbandon' }, ",
      to: '',
      breaks: /^patienceUntil comes after killOrAbandon/,
    },
    {
      name: 'a killed body that does not die is waited for for ever',
      from: "state.phase === 'forcing' ? { state, effects: [{ do: 'abandonRest' }] } : unchanged(state)",
      to: 'unchanged(state)',
      breaks: /^the end of the patience abandons/,
    },
    {
      name: 'nothing leads out of the force',
      from: "state.phase !== 'draining' && state.phase !== 'forcing'",
      to: "state.phase !== 'draining'",
      breaks: /^the report is reached from everywhere: not from \{"phase":"forcing"/,
    },
    {
      name: 'an empty supervisor that nobody shuts down is flushed',
      from: "if (state.phase !== 'draining' && state.phase !== 'forcing') return unchanged(state);",
      to: '',
      breaks: /^phases only go forward/,
    },
    {
      name: 'it reports twice',
      from: "if (state.phase !== 'flushing') return unchanged(state);",
      to: "if (state.phase !== 'flushing' && state.phase !== 'closed') return unchanged(state);",
      breaks: /^report is said once/,
    },
    {
      name: 'it closes without a report',
      from: "effects: [{ do: 'report', cause: state.cause, withinGrace: !state.forced }],",
      to: 'effects: [],',
      breaks: /^the report is the end/,
    },
    {
      name: 'a shutdown that had to force reports that it kept its grace',
      from: "const forced = state.phase === 'forcing';",
      to: 'const forced = false;',
      breaks: /^when nothing is left it flushes/,
    },
  ];

  const path = fileURLToPath(new URL('../../src/policy/shutdown.ts', import.meta.url));

  test.for(faults)('$name', ({ breaks, ...fault }) => {
    const { shutdownStep, OPEN } = loadPatched<typeof Shutdown>(path, fault);
    const run = () => exploreShutdown(shutdownStep, OPEN);
    expect(run).toThrow(Broken);
    expect(run).toThrow(breaks);
  });
});
