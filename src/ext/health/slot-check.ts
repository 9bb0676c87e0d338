// One slot against its rule. Pure: it sees a view, and no supervisor.

import type { SlotView, TaskView, VitalSlot } from '../../index.ts';
import { brief, printable } from '../../kit.ts';
import type { Rule } from './options.ts';

/** What was found: a `fail` is worse than a `warn`. */
export type HealthCheck =
  | { readonly status: 'pass' }
  | {
      readonly status: 'warn' | 'fail';
      /** A text for people, on one line. */
      readonly why: string;
    };

export const PASS: HealthCheck = { status: 'pass' };
export const fail = (why: string): HealthCheck => ({ status: 'fail', why });
export const warn = (why: string): HealthCheck => ({ status: 'warn', why });

/**
 * @param view of the slot, with `SEEN_OF_QUEUE` of those that wait if `waitingMs` is finite.
 * @param lastOutcome of a vital slot.
 */
export function checkSlot(view: SlotView, rule: Rule, lastOutcome: VitalSlot['lastOutcome']): HealthCheck {
  const { owner, queuedCount } = view;
  if (rule.owned && owner === undefined && queuedCount === 0) {
    if (view.vital !== 'dead') return fail('nothing owns it');
    return fail(
      lastOutcome === 'rejected' ? 'it is dead: it got no lease' : `it is dead: its owner ended ${lastOutcome}`,
    );
  }
  if (owner?.status === 'overrun' && owner.sinceMs >= rule.overrunMs)
    return fail(`its body has overrun its grace, ${ms(owner.sinceMs)} ago`);
  const waits = longestWait(view);
  if (waits !== undefined && waits.sinceMs >= rule.waitingMs)
    return fail(`a task has waited for ${ms(waits.sinceMs)}${waits.waitingFor ? ` (${waits.waitingFor})` : ''}`);
  return owner?.status === 'backoff' ? checkBackoff(owner, rule) : PASS;
}

function checkBackoff({ streak, sinceMs, lastFailure }: TaskView, rule: Rule): HealthCheck {
  if (streak < rule.failures && sinceMs < rule.backoffMs) return PASS;
  return warn(
    `it is in backoff after ${streak === 1 ? '1 failure' : `${streak} failures in a row`}: ${printable(brief(lastFailure?.message ?? ''))}`,
  );
}

function longestWait({ owner, queued }: SlotView): TaskView | undefined {
  const isWaiting = owner?.status === 'starting' || owner?.status === 'suspended';
  const waiting = isWaiting ? [owner, ...queued] : [...queued];
  return waiting.sort((one, other) => other.sinceMs - one.sinceMs)[0];
}

const ms = (value: number): string => `${Math.round(value)} ms`;
