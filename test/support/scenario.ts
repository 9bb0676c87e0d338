// A slot `s` on virtual time, and the acts of a test on it.

import type { Submission, SupervisorOptions, TaskSpec } from 'slotvisor';
import { PLAIN_BACKOFF } from './bodies.ts';
import { type GateBody, gateBody } from './gate.ts';
import { type Setup, setup } from './setup.ts';

export const boom = new Error('boom');

export const throwBoom = (): never => {
  throw boom;
};

export const reason = { why: 'enough' };

export interface Scenario extends Setup {
  readonly gate: GateBody<unknown>;
  /** Every submission of the test, in order. */
  readonly all: Submission<unknown>[];
  put(spec?: Partial<TaskSpec<unknown>>): Submission<unknown>;
}

export function scenario(options: SupervisorOptions = {}): Scenario {
  const base = setup({ shutdownGraceMs: 100, ...options, defaults: { graceMs: 100, ...options.defaults } });
  const gate = gateBody<unknown>();
  const all: Submission<unknown>[] = [];
  const put: Scenario['put'] = (spec) => {
    const task = { slot: 's', restart: 'never', backoff: PLAIN_BACKOFF, run: gate.body, ...spec } as const;
    const one = base.supervisor.submit<unknown>(task);
    all.push(one);
    return one;
  };
  return { ...base, gate, all, put };
}

export type Act = (scenario: Scenario, one: Submission<unknown>) => void | Promise<void>;

export const open: Act = ({ gate }) => gate.open('out');
export const throwOut: Act = ({ gate }) => gate.fail(boom);
export const cancel: Act = (_, one) => void one.cancel(reason);

export const wait =
  (ms: number): Act =>
  ({ clock }) =>
    clock.advance(ms);

export const put =
  (spec?: Partial<TaskSpec<unknown>>): Act =>
  (made) =>
    void made.put(spec);

export const shutdown: Act = ({ supervisor }) => void supervisor.shutdown();

export interface Given extends Partial<TaskSpec<unknown>> {
  /** The slot already has an owner when the task is submitted. */
  readonly owned?: true;
  readonly options?: SupervisorOptions;
}
