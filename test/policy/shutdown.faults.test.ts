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
      from: 'Math.min(state.deadlineMs, nowMs + graceMs)',
      to: 'nowMs + graceMs',
      breaks: /^a deadline never gets later/,
    },
    {
      name: 'a later call makes the finish time longer',
      from: 'Math.min(state.finishUntilMs, nowMs + finishMs)',
      to: 'Math.min(deadlineMs, nowMs + finishMs)',
      breaks: /^a deadline never gets later/,
    },
    {
      name: 'a later call makes the stage longer',
      from: 'Math.min(state.stageUntilMs, nowMs + share)',
      to: 'nowMs + share',
      breaks: /^a shorter grace shortens the stage to its new share/,
    },
    {
      name: 'a later call leaves the stage as long as it was',
      from: 'Math.min(state.stageUntilMs, nowMs + share)',
      to: 'state.stageUntilMs',
      breaks: /^a shorter grace shortens the stage to its new share/,
    },
    {
      name: 'a later call forces within the call',
      from: 'return goOn({ ...state, deadlineMs, finishUntilMs, stageUntilMs }, input);',
      to: 'return mayForce({ ...state, deadlineMs }, nowMs) ? force(state) : goOn({ ...state, deadlineMs, finishUntilMs, stageUntilMs }, input);',
      breaks: /^the force comes by a timer, not within a call/,
    },
    {
      name: 'a later call that shortens nothing sets the timer again',
      from: 'deadlineMs === state.deadlineMs && finishUntilMs === state.finishUntilMs',
      to: 'deadlineMs < 0',
      breaks: /^a later call that shortens nothing sets no timer/,
    },
    {
      name: 'a shutdown that forces listens to a later call',
      from: "return input.kind === 'empty' ? flush(state.cause) :",
      to: "return input.kind === 'empty' || input.kind === 'hasten' ? flush(state.cause) :",
      breaks: /^stale hasten changes nothing/,
    },
    {
      name: 'a second begin begins the shutdown again',
      from: 'return whileClosing(state, input);',
      to: "return input.kind === 'begin' ? begin(input) : whileClosing(state, input);",
      breaks: /^stale begin changes nothing/,
    },
    {
      name: 'a timer that fires early ends the grace',
      from: 'nowMs >= deadlineMs && finishOver',
      to: 'finishOver',
      breaks: /^the grace is not cut short/,
    },
    {
      name: 'a timer that fires at the end of the grace counts as early',
      from: 'nowMs >= deadlineMs && finishOver',
      to: 'nowMs > deadlineMs && finishOver',
      breaks: /^the end of the grace forces the rest/,
    },
    {
      name: 'the force does not wait for the stages that have not begun',
      from: 'finishOver && stage === Infinity',
      to: 'finishOver',
      breaks: /^every stage has begun before the force/,
    },
    {
      name: 'the force does not wait for the end of the finish time',
      from: 'nowMs >= deadlineMs && finishOver && stage',
      to: 'nowMs >= deadlineMs && stage',
      breaks: /^the finish time is over before the force/,
    },
    {
      name: 'the force comes in the turn of the last stop request',
      from: 'return { state: next, effects };',
      to: 'return nowMs >= next.deadlineMs ? { state: force(next).state, effects: [...effects, ...force(next).effects] } : { state: next, effects };',
      breaks: /^the force comes a turn after the last stop request/,
    },
    {
      name: 'the slots are not closed',
      from: "[{ do: 'close' }, wakeAt(state)]",
      to: '[wakeAt(state)]',
      breaks: /^wakeAt comes after close/,
    },
    {
      name: 'the lowest stage begins before the slots are closed',
      from: "effects: [{ do: 'close' }, wakeAt(state)]",
      to: "effects: [{ do: 'close' }, { do: 'tell', stage: -1 }, wakeAt(state)]",
      breaks: /^a stage keeps its time until it is over/,
    },
    {
      name: 'a stage is passed over',
      from: 'const [stage = Infinity, ...later] = stages;',
      to: 'const [, stage = Infinity, ...later] = stages;',
      breaks: /^no stage is passed over/,
    },
    {
      name: 'the last two stages begin together',
      from: 'later.length === 0',
      to: 'later.length <= 1',
      breaks: /^no stage is passed over/,
    },
    {
      name: 'the end of the grace begins one stage only',
      from: ' || nowMs >= state.deadlineMs)',
      to: ')',
      breaks: /^the end of the grace begins every stage at once/,
    },
    {
      name: 'a stage does not count itself for its share',
      from: 'shareOf(state.deadlineMs, nowMs, stages.length)',
      to: 'shareOf(state.deadlineMs, nowMs, later.length)',
      breaks: /^a stage gets an equal share of what is left of the grace/,
    },
    {
      name: 'a stage lasts until the grace is over',
      from: 'stage, stageUntilMs: nowMs + shareOf(state.deadlineMs, nowMs, stages.length)',
      to: 'stage, stageUntilMs: state.deadlineMs',
      breaks: /^a stage gets an equal share of what is left of the grace/,
    },
    {
      name: 'the share of an endless grace is no number',
      from: 'return (deadlineMs - nowMs) / stages;',
      to: 'return deadlineMs - nowMs / stages - deadlineMs * (1 - 1 / stages);',
      breaks: /^every time is a number/,
    },
    {
      name: 'the end of a stage begins no other one',
      from: 'goOn({ ...state, stageUntilMs: input.nowMs }, input)',
      to: 'goOn(state, input)',
      breaks: /^after a stage the next one begins/,
    },
    {
      name: 'a stage begins again when all have begun',
      from: 'state.stage === Infinity ? unchanged(state) : goOn',
      to: 'goOn',
      breaks: /^a later stage is a higher one/,
    },
    {
      name: 'a timer that fires early begins the next stage',
      from: 'if (nowMs >= next.stageUntilMs)',
      to: 'if (next.stage < Infinity)',
      breaks: /^a stage keeps its time until it is over/,
    },
    {
      name: 'a stage that does not end keeps the next one from beginning',
      from: '? force(state) : goOn(state, input)',
      to: '? force(state) : goOn({ ...state, stageUntilMs: Math.max(state.stageUntilMs, state.deadlineMs) }, input)',
      breaks: /^a stage begins at the end of the share of the one before/,
    },
    {
      name: 'the finish time ends twice',
      from: '!next.finishOver && nowMs',
      to: 'nowMs',
      breaks: /^endFinish happens once/,
    },
    {
      name: 'the finish time is cut short',
      from: 'nowMs >= next.finishUntilMs',
      to: 'nowMs >= next.finishUntilMs - 1',
      breaks: /^the finish time is not cut short/,
    },
    {
      name: 'the finish time lasts as long as the grace',
      from: 'nowMs >= next.finishUntilMs',
      to: 'nowMs >= next.deadlineMs',
      breaks: /^the end of the finish time ends it/,
    },
    {
      name: 'no timer is set',
      from: 'effects.push(wakeAt(next));',
      to: '',
      breaks: /^a timer runs for the next end/,
    },
    {
      name: 'the timer ignores the end of the stage',
      from: 'Math.min(stageUntilMs, finishEndMs,',
      to: 'Math.min(finishEndMs,',
      breaks: /^a timer runs for the next end/,
    },
    {
      name: 'the timer ignores the end of the finish time',
      from: 'finishEndMs, deadlineMs) };',
      to: 'deadlineMs) };',
      breaks: /^a timer runs for the next end/,
    },
    {
      name: 'the timer waits for a finish time that is over',
      from: 'const finishEndMs = finishOver ? Infinity : finishUntilMs;',
      to: 'const finishEndMs = finishUntilMs;',
      breaks: /^a timer runs for the next end/,
    },
    {
      name: 'the end of the grace kills and abandons nothing',
      from: "{ do: 'killOrAbandon' }, ",
      to: '',
      breaks: /^patience comes after killOrAbandon/,
    },
    {
      name: 'the shutdown waits forever for a killed body that does not die',
      from: "if (input.kind === 'patienceOver') return { state, effects: [{ do: 'abandonRest' }] };",
      to: '',
      breaks: /^the end of the patience abandons the rest/,
    },
    {
      name: 'a shutdown that forces never goes on',
      from: "return input.kind === 'empty' ? flush(state.cause) : unchanged(state);",
      to: 'return unchanged(state);',
      breaks: /^an empty supervisor flushes its events/,
    },
    {
      name: 'an empty supervisor is flushed without a shutdown',
      from: "return input.kind === 'begin' ? begin(input)",
      to: "return input.kind === 'empty' ? flush('caller') : input.kind === 'begin' ? begin(input)",
      breaks: /^phases only go on/,
    },
    {
      name: 'the shutdown reports twice',
      from: "    case 'closed':\n      return unchanged(state);",
      to: "    case 'closed':\n      return input.kind === 'flushed' ? report('caller') : unchanged(state);",
      breaks: /^stale flushed changes nothing/,
    },
    {
      name: 'the shutdown closes without a report',
      from: "effects: [{ do: 'report', cause }]",
      to: 'effects: []',
      breaks: /^a shutdown is closed exactly when it has reported/,
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
