// What a test has left behind in a supervisor, in words. It looks from outside, as any user can.

import type { Supervisor } from '../index.ts';
import { checkSupervisor, fromCaller, looking } from '../kit.ts';
import { settle } from './settle.ts';
import { VirtualClock } from './virtual-clock.ts';

/** How many slots an error names. */
const MAX_SLOTS = 10;

/** How many timers are set on a virtual clock. A test may have that of another copy. */
const virtualTimers = looking(VirtualClock, 'virtual-timers', ({ timers }) => timers);

/**
 * Rejects unless the supervisor is idle: no task runs, none waits, no body that was given up is
 * alive, and no timer is set on its clock, if that is a {@link VirtualClock}. The error says what
 * is left, slot by slot. For the `afterEach` of any test runner: it stops nothing and changes
 * nothing.
 *
 * First it gives the event loop its turns until no code waits for another one, so a body that was
 * just asked to stop can end. It waits for no timer and no I/O: for those, await the outcome,
 * `idle()` or `shutdown()` before.
 *
 * Not seen: timers of the platform, what a body has started and dropped, subscriptions, paused
 * slots, and schedules whose clock is not virtual.
 *
 * It rejects with an OptionError if it is not a supervisor.
 */
export async function expectIdle(supervisor: Supervisor): Promise<void> {
  fromCaller(expectIdle, () => checkSupervisor(supervisor));
  await settle();
  const work = [...slotsOf(supervisor), ...bodiesOf(supervisor)];
  const left = [...work, ...timersOf(supervisor, work.length > 0)];
  if (left.length > 0) throw new Error(`the supervisor is not idle:\n${left.map((one) => `- ${one}`).join('\n')}`);
}

function slotsOf(supervisor: Supervisor): string[] {
  const left: string[] = [];
  let others = 0;
  for (const { name, phase, queuedCount } of supervisor.slots({ queued: 0 })) {
    if (phase === 'idle' && queuedCount === 0) continue; // paused
    if (left.length < MAX_SLOTS) left.push(supervisor.slot(name).explain());
    else others += 1;
  }
  return others === 0 ? left : [...left, `${counted(others, 'slot')} more`];
}

function bodiesOf(supervisor: Supervisor): string[] {
  const { abandonedAlive } = supervisor.stats();
  return abandonedAlive === 0 ? [] : [`${counted(abandonedAlive, 'body')} given up, and alive`];
}

function timersOf({ clock }: Supervisor, isExplained: boolean): string[] {
  const timers = virtualTimers(clock) ?? 0;
  if (timers === 0) return [];
  const why = isExplained ? '' : ', and not by a task: a schedule that waits for its date has one';
  return [`${counted(timers, 'timer')} set on its VirtualClock${why}`];
}

const counted = (count: number, what: 'slot' | 'body' | 'timer'): string => {
  const many = what === 'body' ? 'bodies' : `${what}s`;
  return `${count} ${count === 1 ? what : many}`;
};
