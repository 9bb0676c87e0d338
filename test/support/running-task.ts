// One task that runs until the test ends it, and every cause that can stop it.

import type { KillableTask, Lease, StopCause, Submission, SupervisorOptions, TaskContext, TaskSpec } from 'slotvisor';
import { type GateBody, gateBody } from './gate.ts';
import { type Setup, setup } from './setup.ts';

export const REASON = { why: 'enough' };
export const GRACE = 1_000;

export interface Running extends Setup {
  readonly submission: Submission;
  readonly body: GateBody<string>;
  readonly ctx: TaskContext;
  /** Aborts the `lost` signal of the lease. */
  readonly lost: AbortController;
  /** The controller of the signal of the spec. */
  readonly parent: AbortController;
}

/** A task that runs on slot `s`. Its body ignores a stop request and ends when the test ends it. */
export async function running(
  spec: Partial<TaskSpec> = {},
  options: SupervisorOptions = {},
  kill?: KillableTask['kill'],
): Promise<Running> {
  const lost = new AbortController();
  let fence = 0n;
  const acquire = (): Lease => {
    fence += 1n;
    return { fence, lost: lost.signal, release: () => {} };
  };
  const world = setup({ leases: { acquire }, ...options });
  const parent = new AbortController();
  const body = gateBody();
  const submission = world.supervisor.submit({
    slot: 's',
    restart: 'never',
    graceMs: GRACE,
    signal: parent.signal,
    ...spec,
    run: kill === undefined ? body.body : { run: body.body, kill },
  });
  await world.clock.settle();
  return { ...world, submission, body, ctx: body.calls[0] as TaskContext, lost, parent };
}

export interface Cause {
  readonly by: StopCause;
  readonly reason?: unknown;
  readonly ask: (world: Running) => unknown;
}

export const DEADLINE = 500;

export const CAUSES: readonly Cause[] = [
  { by: 'caller', reason: REASON, ask: ({ submission }) => void submission.cancel(REASON) },
  {
    by: 'replace',
    ask: ({ supervisor }) => supervisor.submit({ slot: 's', admission: 'replace', run: () => 'next' }),
  },
  { by: 'slot', reason: REASON, ask: ({ supervisor }) => void supervisor.slot('s').cancel(REASON) },
  { by: 'signal', reason: REASON, ask: ({ parent }) => parent.abort(REASON) },
  { by: 'deadline', ask: ({ clock }) => clock.advance(DEADLINE) },
  { by: 'shutdown', ask: ({ supervisor }) => void supervisor.shutdown() },
  { by: 'leaseLost', ask: ({ lost }) => lost.abort() },
];

/** The fields of a cause in an outcome. A cause without a reason has no `reason` field. */
export const causeFields = ({ by, reason }: Cause) => ({ by, ...(reason !== undefined && { reason }) });
