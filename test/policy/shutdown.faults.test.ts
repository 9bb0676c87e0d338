// Each fault is planted in the steps of a shutdown. The exploration must find it and name the
// broken rule.

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type * as Shutdown from '../../src/policy/shutdown.ts';
import { type Fault, loadPatched } from '../support/patched.ts';
import { exploreShutdown, Violation } from '../support/shutdown-explorer.ts';

describe('the exploration of a shutdown finds the fault:', () => {
  const faults: readonly (Fault & { readonly breaks: RegExp })[] = [
    {
      name: 'a later call makes the grace longer',
      from: 'deadlineMs >= state.deadlineMs',
      to: 'deadlineMs <= state.deadlineMs',
      breaks: /^a deadline never gets later/,
    },
    {
      name: 'a shutdown that already forces accepts a shorter grace',
      from: "state.phase !== 'draining' || deadlineMs >= state.deadlineMs",
      to: "state.phase === 'open' || deadlineMs >= state.deadlineMs",
      breaks: /^stale hasten changes nothing/,
    },
    {
      name: 'the timer of an earlier, longer grace ends the present grace',
      from: ' || input.nowMs < state.deadlineMs',
      to: '',
      breaks: /^stale graceOver changes nothing/,
    },
    {
      name: 'a timer that fires at the deadline counts as too early',
      from: 'input.nowMs < state.deadlineMs',
      to: 'input.nowMs <= state.deadlineMs',
      breaks: /^the end of the grace forces the rest/,
    },
    {
      name: 'a second begin begins the shutdown again',
      from: "if (state.phase !== 'open') return unchanged(state);",
      to: '',
      breaks: /^stopAll happens once/,
    },
    {
      name: 'a shorter grace sets no timer',
      from: "effects: [{ do: 'graceUntil', atMs: deadlineMs }] };",
      to: 'effects: [] };',
      breaks: /^a shorter grace moves the deadline/,
    },
    {
      name: 'the end of the grace kills and abandons nothing',
      from: "{ do: 'killOrAbandon' }, ",
      to: '',
      breaks: /^patienceUntil comes after killOrAbandon/,
    },
    {
      name: 'the shutdown waits forever for a killed body that does not die',
      from: "state.phase === 'forcing' ? { state, effects: [{ do: 'abandonRest' }] } : unchanged(state)",
      to: 'unchanged(state)',
      breaks: /^the end of the patience abandons the rest/,
    },
    {
      name: 'a shutdown that forces never goes on',
      from: "state.phase !== 'draining' && state.phase !== 'forcing'",
      to: "state.phase !== 'draining'",
      breaks: /^the report can be reached from every state: not from \{"phase":"forcing"/,
    },
    {
      name: 'an empty supervisor is flushed without a shutdown',
      from: "if (state.phase !== 'draining' && state.phase !== 'forcing') return unchanged(state);",
      to: '',
      breaks: /^phases only go forward/,
    },
    {
      name: 'the shutdown reports twice',
      from: "if (state.phase !== 'flushing') return unchanged(state);",
      to: "if (state.phase !== 'flushing' && state.phase !== 'closed') return unchanged(state);",
      breaks: /^report happens once/,
    },
    {
      name: 'the shutdown closes without a report',
      from: "effects: [{ do: 'report', cause: state.cause, withinGrace: state.withinGrace }],",
      to: 'effects: [],',
      breaks: /^a shutdown is closed exactly when it has reported/,
    },
    {
      name: 'a shutdown that had to force reports that everything ended within the grace',
      from: "const withinGrace = state.phase === 'draining';",
      to: 'const withinGrace = true;',
      breaks: /^an empty supervisor flushes its events/,
    },
  ];

  const path = fileURLToPath(new URL('../../src/policy/shutdown.ts', import.meta.url));

  for (const { breaks, ...fault } of faults)
    test(fault.name, () => {
      const { shutdownStep, OPEN } = loadPatched<typeof Shutdown>(path, fault);
      const run = () => exploreShutdown(shutdownStep, OPEN);
      expect(run).toThrow(Violation);
      expect(run).toThrow(breaks);
    });
});
