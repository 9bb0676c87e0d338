// The actions. Each answers with a sentence that says what has happened, or will.

import { type Admission, ClosedError, type Outcome, type Supervisor } from '../../index.ts';
import { field, ignore, nameText, parseGiven, type Readers, refuse } from '../../kit.ts';
import { Refusal } from './answer.ts';
import type { DashboardSchedule } from './schedule-rows.ts';
import type { Watched } from './watched.ts';
import type { ActionAnswer, ActionKind, ActionTarget } from './wire.ts';

type TargetName = keyof ActionTarget;

/** What each action can be asked of. */
const TARGETS: Readonly<Record<ActionKind, readonly TargetName[]>> = {
  cancel: ['slot', 'id'],
  restart: ['id'],
  pause: ['slot', 'schedule'],
  resume: ['slot', 'schedule'],
  trigger: ['schedule'],
};

const READERS: Readers<Required<ActionTarget>> = { slot: nameText, id: nameText, schedule: nameText };

/** @throws OptionError unless it has exactly one target, of those that the action has. */
export function readTarget(kind: ActionKind, body: unknown): ActionTarget {
  const target: ActionTarget = { ...parseGiven('body', body, READERS) };
  const names = Object.keys(target) as TargetName[];
  const known = TARGETS[kind];
  if (names.length === 1 && known.includes(names[0] as TargetName)) return target;
  const list = known.map((name) => `'${name}'`).join(' or ');
  return refuse('body', `of ${kind} must have one field, ${list}`, body);
}

const done = (text: string): ActionAnswer => ({ done: true, text });
const asked = (text: string): ActionAnswer => ({ done: false, text });

/** The reason of a cancel: what `because` and `signal.reason` show. */
const REASON = 'canceled in the dashboard';

/**
 * @throws Refusal for a target that is not there, and for what is not possible now; whatever the
 *   supervisor or the schedule throws.
 */
export async function act(watched: Watched, kind: ActionKind, target: ActionTarget): Promise<ActionAnswer> {
  const { supervisor } = watched;
  if (supervisor.phase === 'closed') throw new Refusal(409, 'closed', 'the supervisor is closed');
  const { slot, id, schedule } = target;
  try {
    if (slot !== undefined) return actOnSlot(supervisor, kind, slot);
    if (id !== undefined) return actOnSubmission(supervisor, kind, id);
    return await actOnSchedule(scheduleOf(watched, schedule as string), kind);
  } catch (error) {
    if (error instanceof ClosedError) throw new Refusal(409, 'closed', error.message);
    throw error;
  }
}

function actOnSlot(supervisor: Supervisor, kind: ActionKind, name: string): ActionAnswer {
  const slot = supervisor.slot(name);
  const { paused } = slot.view({ queued: 0 });
  if (kind === 'pause') {
    slot.pause();
    return done(paused ? 'It was paused already.' : 'It is paused: nothing starts in it until resume.');
  }
  if (kind === 'resume') {
    slot.resume();
    return done(paused ? 'The pause has ended.' : 'It was not paused.');
  }
  return cancelSlot(supervisor, name);
}

function cancelSlot(supervisor: Supervisor, name: string): ActionAnswer {
  const slot = supervisor.slot(name);
  const before = slot.view({ queued: 0 });
  ignore(slot.cancel(REASON));
  const { owner } = slot.view({ queued: 0 });
  const count = before.queuedCount;
  const turnedAway = count === 0 ? '' : ` ${count} that waited ${count === 1 ? 'was' : 'were'} turned away.`;
  if (owner !== undefined) return asked(`The owner was asked to stop.${turnedAway}`);
  if (before.owner !== undefined) return done(`The owner has ended.${turnedAway}`);
  return done(count === 0 ? 'Nothing was there.' : turnedAway.trim());
}

function actOnSubmission(supervisor: Supervisor, kind: ActionKind, id: string): ActionAnswer {
  const submission = supervisor.get(id as never);
  if (submission === undefined) throw new Refusal(404, 'unknownTask', 'no live submission has this id');
  const before = submission.status;
  if (kind === 'cancel') {
    if (before === 'ended') return done('It had ended before.');
    ignore(submission.cancel(REASON));
    return submission.status === 'ended' ? done('It has ended.') : asked('It was asked to stop.');
  }
  if (!submission.restart()) throw new Refusal(409, 'notRestarted', `it is ${before}, and was not restarted`);
  return before === 'running'
    ? asked('Its attempt was asked to stop. The next one begins when it has ended.')
    : done('Its next attempt begins now.');
}

function scheduleOf(watched: Watched, name: string): DashboardSchedule {
  const found = watched.schedules?.list().find((schedule) => field(schedule, 'name') === name);
  if (found === undefined) throw new Refusal(404, 'unknownSchedule', 'no schedule has this name');
  if (found.status === 'ended') throw new Refusal(409, 'ended', 'the schedule has ended');
  return found;
}

async function actOnSchedule(schedule: DashboardSchedule, kind: ActionKind): Promise<ActionAnswer> {
  const isPaused = schedule.status === 'paused';
  if (kind === 'pause') {
    ignore(schedule.pause());
    return done(isPaused ? 'It was paused already.' : 'It is paused: it submits at no date until resume.');
  }
  if (kind === 'resume') {
    ignore(schedule.resume());
    return done(isPaused ? 'The pause has ended.' : 'It was not paused.');
  }
  const { admission, outcome } = schedule.trigger();
  ignore(outcome);
  if (admission !== 'rejected') return done(ADMITTED[admission as Exclude<Admission, 'rejected'>]);
  const { kind: end, ...rest } = (await outcome) as Outcome;
  throw new Refusal(409, 'rejected', `the run was turned away (${'reason' in rest ? rest.reason : end})`);
}

const ADMITTED: Readonly<Record<Exclude<Admission, 'rejected'>, string>> = {
  started: 'A run was submitted, and owns its slot.',
  queued: 'A run was submitted, and waits for its slot.',
  joined: 'A run was submitted, and shares the body that is there.',
  waiting: 'A run was submitted, and waits for the lease of its slot.',
};
