// What each admission policy decides in each state of a slot.

import type { AdmissionPolicy, Outcome, Submission, SupervisorOptions, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES } from '../../../src/model/settings.ts';
import { PLAIN_BACKOFF } from '../../support/bodies.ts';
import { type GateBody, gateBody } from '../../support/gate.ts';
import { completed } from '../../support/outcomes.ts';
import { type Setup, setup } from '../../support/setup.ts';

describe('the decision of each admission policy in each state of a slot', () => {
  /** The decision on the new submission. `next`: it is queued, and the owner is asked to stop. */
  type Verdict = 'started' | 'queued' | 'next' | 'joined' | 'slotBusy';
  interface Situation {
    readonly options?: SupervisorOptions;
    readonly spec?: Partial<TaskSpec<string>>;
    /** Brings the slot into the state. Without an owner the slot is idle. */
    readonly lead: (world: Setup, owner: GateBody<string>, submit: () => Submission) => unknown;
    /** Lets the slot continue from the state. */
    readonly go: (world: Setup, owner: GateBody<string>) => unknown;
    readonly verdicts: Record<AdmissionPolicy, Verdict>;
    /** The outcome of the owner if no submission replaced it. */
    readonly end?: Outcome;
  }
  const all = (verdict: Verdict): Situation['verdicts'] => ({
    queue: verdict,
    replace: verdict,
    dropIfRunning: verdict,
    keepLatest: verdict,
    join: verdict,
  });
  const busy = { ...all('queued'), replace: 'next', dropIfRunning: 'slotBusy', join: 'joined' } as const;
  // Between two attempts no body is alive. A stop request ends the owner at once, and the
  // replacement owns the slot when submit returns.
  const between = { ...busy, replace: 'started' } as const;
  const stopping = { ...busy, replace: 'queued', join: 'queued' } as const;
  const open = (_: Setup, owner: GateBody<string>) => owner.open('old');
  const canceled: Outcome = { kind: 'canceled', by: 'caller', value: 'old', attempts: 1 };

  const situations: Record<string, Situation> = {
    idle: { lead: () => {}, go: () => {}, verdicts: all('started') },
    'running an attempt': {
      lead: ({ clock }, _, submit) => submit() && clock.settle(),
      go: open,
      verdicts: busy,
      end: completed('old'),
    },
    'waiting at the gate': {
      lead: ({ supervisor, clock }, _, submit) => [supervisor.pause(), submit(), clock.settle()][2],
      go: async ({ supervisor, clock }, owner) => [supervisor.resume(), await clock.settle(), owner.open('old')],
      verdicts: between,
      end: completed('old'),
    },
    'in backoff': {
      spec: { backoff: PLAIN_BACKOFF },
      lead: async ({ clock }, owner, submit) => {
        submit();
        await clock.settle();
        owner.fail('no');
        await clock.settle();
      },
      go: async ({ clock }, owner) => [await clock.advance(100), owner.open('old')],
      verdicts: between,
      end: completed('old', 2),
    },
    'in its interval': {
      spec: { restart: 'always', intervalMs: 100, maxRetries: 0 },
      lead: async ({ clock }, owner, submit) => {
        submit();
        await clock.settle();
        owner.open('again');
        await clock.settle();
      },
      go: async ({ clock }, owner) => [await clock.advance(100), owner.fail('no')],
      verdicts: between,
      end: { kind: 'failed', because: 'maxRetries', attempts: 2, failure: expect.anything() as never },
    },
    stopping: {
      lead: async ({ clock }, _, submit) => {
        const submission = submit();
        await clock.settle();
        void submission.cancel();
      },
      go: open,
      verdicts: stopping,
      end: canceled,
    },
    'in overrun': {
      spec: { graceMs: 10 },
      lead: async ({ clock }, _, submit) => {
        const submission = submit();
        await clock.settle();
        void submission.cancel();
        await clock.advance(50);
        expect(submission.status).toBe('overrun');
      },
      go: open,
      verdicts: stopping,
      end: canceled,
    },
    'paused without an owner': {
      lead: ({ supervisor }) => supervisor.slot('s').pause(),
      go: ({ supervisor }) => supervisor.slot('s').resume(),
      verdicts: all('queued'),
    },
    'paused with an owner': {
      lead: ({ supervisor, clock }, _, submit) => [submit(), supervisor.slot('s').pause(), clock.settle()][2],
      go: async ({ supervisor, clock }, owner) => {
        owner.open('old');
        await clock.advance(1_000);
        expect(supervisor.snapshot().totals.attempts).toBe(1); // nothing starts until the slot is resumed
        supervisor.slot('s').resume();
      },
      verdicts: busy,
      end: completed('old'),
    },
  };

  for (const [situation, { options, spec, lead, go, verdicts, end }] of Object.entries(situations))
    for (const policy of ADMISSION_POLICIES)
      test(`on a slot that is ${situation} the policy ${policy} decides: ${verdicts[policy]}`, async () => {
        const world = setup(options);
        const { supervisor, clock, recorded } = world;
        const old = gateBody();
        const fresh = gateBody();
        let owner: Submission<string> | undefined;
        await lead(world, old, () => {
          owner = supervisor.submit({ slot: 's', ...spec, run: old.body });
          return owner;
        });
        const stopsBefore = recorded.of('stopRequested').length;
        const verdict = verdicts[policy];
        const newcomer = supervisor.submit({ slot: 's', admission: policy, run: fresh.body });
        expect(newcomer.admission).toBe({ next: 'queued', slotBusy: 'rejected' }[verdict as string] ?? verdict);
        if (verdict !== 'started') {
          await clock.settle();
          expect(fresh.calls).toHaveLength(0);
        }
        const stoppedOwner = policy === 'replace' && owner !== undefined && verdict !== 'queued';
        await clock.settle();
        expect(recorded.of('stopRequested').slice(stopsBefore)).toMatchObject(
          stoppedOwner ? [{ id: owner?.id, by: 'replace' }] : [],
        );
        await go(world, old);
        await clock.settle();
        const runs = verdict !== 'joined' && verdict !== 'slotBusy';
        expect([old.alive, fresh.alive]).toEqual([0, runs ? 1 : 0]);
        fresh.open('new');
        const ownerEnd = stoppedOwner
          ? {
              kind: 'canceled',
              by: 'replace',
              ...(verdict === 'next' ? { attempts: 1, value: 'old' } : { attempts: expect.any(Number) }),
            }
          : end;
        if (owner !== undefined) expect(await owner.outcome).toEqual(ownerEnd);
        expect(await newcomer.outcome).toEqual(
          verdict === 'joined'
            ? end
            : verdict === 'slotBusy'
              ? { kind: 'rejected', reason: 'slotBusy', by: owner?.id }
              : completed('new'),
        );
        expect(supervisor.snapshot()).toMatchObject({ slots: [], owners: 0, queued: 0 });
        expect(clock.timers).toBe(0);
      });
});
