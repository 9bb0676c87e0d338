// The actions. Each answers with a sentence that says what has happened, or will.

import { type Admission, ClosedError, type Outcome, type Submission, type Supervisor } from '../../index.ts';
import { field, ignore, nameText, parseGiven, type Readers, refuse, show } from '../../kit.ts';
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
    const name = schedule as string; // `readTarget` has seen to it
    return await actOnSchedule(scheduleOf(watched, name), kind, name);
  } catch (error) {
    if (error instanceof ClosedError) throw new Refusal(409, 'closed', error.message);
    throw error;
  }
}

function actOnSlot(supervisor: Supervisor, kind: ActionKind, name: string): ActionAnswer {
  const slot = supervisor.slot(name);
  const what = `Slot ${show(name)}`;
  const { paused } = slot.view({ queued: 0 });
  if (kind === 'pause') {
    slot.pause();
    return done(
      paused ? `${what} was paused already.` : `${what} is paused: nothing starts in it until it is resumed.`,
    );
  }
  if (kind === 'resume') {
    slot.resume();
    return done(paused ? `${what} is resumed.` : `${what} was not paused.`);
  }
  return cancelSlot(supervisor, name);
}

function cancelSlot(supervisor: Supervisor, name: string): ActionAnswer {
  const slot = supervisor.slot(name);
  const before = slot.view({ queued: 0 });
  ignore(slot.cancel(REASON));
  const { owner } = slot.view({ queued: 0 });
  const count = before.queuedCount;
  const rejected = count === 0 ? '' : ` ${count} that waited ${count === 1 ? 'was' : 'were'} rejected.`;
  const ownerOf = `The owner of slot ${show(name)}`;
  if (owner !== undefined) return asked(`${ownerOf} was asked to stop.${rejected}`);
  if (before.owner !== undefined) return done(`${ownerOf} has ended.${rejected}`);
  return done(count === 0 ? `Slot ${show(name)} was empty.` : rejected.trim());
}

function actOnSubmission(supervisor: Supervisor, kind: ActionKind, id: string): ActionAnswer {
  const submission = supervisor.get(id as never);
  if (submission === undefined) throw new Refusal(404, 'unknownTask', 'no live submission has this id');
  const what = `Task ${show(submission.name)} (${submission.id})`;
  return kind === 'cancel' ? cancelSubmission(submission, what) : restartSubmission(submission, what);
}

function cancelSubmission(submission: Submission<unknown>, what: string): ActionAnswer {
  const before = submission.status;
  if (before === 'ended') return done(`${what} had ended before.`);
  ignore(submission.cancel(REASON));
  return submission.status === 'ended' ? done(`${what} has ended.`) : asked(`${what} was asked to stop.`);
}

function restartSubmission(submission: Submission<unknown>, what: string): ActionAnswer {
  const before = submission.status;
  if (!submission.restart()) throw new Refusal(409, 'notRestarted', `the task is ${before}, and was not restarted`);
  return before === 'running'
    ? asked(`${what}: its attempt was asked to stop, and the next one begins when it has ended.`)
    : done(`${what}: its next attempt begins now.`);
}

function scheduleOf(watched: Watched, name: string): DashboardSchedule {
  const found = watched.schedules?.list().find((schedule) => field(schedule, 'name') === name);
  if (found === undefined) throw new Refusal(404, 'unknownSchedule', 'no schedule has this name');
  if (found.status === 'ended') throw new Refusal(409, 'ended', 'the schedule has ended');
  return found;
}

async function actOnSchedule(schedule: DashboardSchedule, kind: ActionKind, name: string): Promise<ActionAnswer> {
  const what = `Schedule ${show(name)}`;
  const isPaused = schedule.status === 'paused';
  if (kind === 'pause') {
    ignore(schedule.pause());
    return done(
      isPaused ? `${what} was paused already.` : `${what} is paused: it submits at no date until it is resumed.`,
    );
  }
  if (kind === 'resume') {
    ignore(schedule.resume());
    return done(isPaused ? `${what} is resumed.` : `${what} was not paused.`);
  }
  const { admission, outcome } = schedule.trigger();
  ignore(outcome);
  if (admission !== 'rejected') return done(`${what} ${ADMITTED[admission as Exclude<Admission, 'rejected'>]}`);
  const { kind: end, ...rest } = (await outcome) as Outcome;
  throw new Refusal(409, 'rejected', `the run was rejected (${'reason' in rest ? rest.reason : end})`);
}

const ADMITTED: Readonly<Record<Exclude<Admission, 'rejected'>, string>> = {
  started: 'has submitted a run, which owns its slot.',
  queued: 'has submitted a run, which waits for its slot.',
  joined: 'has submitted a run, which shares the body that is there.',
  waiting: 'has submitted a run, which waits for the lease of its slot.',
};
