// What the page asks before it does something: what will happen, in the slot's own terms.

import type { ActionKind, ActionTarget, ScheduleRow, SlotDetail, SlotRow, TaskRow } from '../wire.ts';
import { counted } from './format.ts';
import { stoppedBy } from './words.ts';

export interface Ask {
  readonly kind: ActionKind;
  readonly target: ActionTarget;
  readonly title: string;
  /** What will happen, a sentence each. */
  readonly lines: readonly string[];
  /** The button that does it, and the harmless one. */
  readonly yes: string;
  readonly no: string;
  /** It ends work. */
  readonly isDanger: boolean;
}

const hasBody = ({ status }: TaskRow): boolean => status === 'running' || status === 'stopping' || status === 'overrun';

const named = ({ name, id }: TaskRow): string => `“${name}” (${id})`;

/** Who has the slot next, and when. */
function afterwards({ row, line }: SlotDetail): string {
  const [next] = line;
  if (next === undefined) return 'No submission waits behind it: then the slot has no owner.';
  const among = row !== null && row.waiting > 1 ? `, the first of ${row.waiting} in line` : '';
  if (row?.paused === true)
    return `Next in line is ${named(next)}${among}. It starts when the slot is resumed: the slot is paused.`;
  return `Then ${named(next)} starts${among}.`;
}

function ending(owner: TaskRow): string[] {
  if (!hasBody(owner)) return ['It runs no body now, so it ends at once.'];
  const asked =
    owner.stop === undefined
      ? `Attempt ${owner.attempt} is asked to stop.`
      : `Attempt ${owner.attempt} was asked to stop already, by ${stoppedBy(owner.stop.by)}.`;
  return [asked, 'The slot is free only when its body has ended.'];
}

/** Others have joined: one of them alone leaves the body, which goes on for the rest. */
function leaving({ joined = 0 }: TaskRow): string[] {
  return [`${counted(joined, 'other submission')} ${joined === 1 ? 'shares' : 'share'} its body, so the body goes on.`];
}

export function askCancelOwner(detail: SlotDetail, owner: TaskRow): Ask {
  const isShared = (owner.joined ?? 0) > 0;
  return {
    kind: 'cancel',
    target: { id: owner.id },
    title: `Cancel the owner of ${detail.slot}?`,
    lines: [
      `${named(owner)} ends canceled, and is not retried.`,
      ...(isShared ? leaving(owner) : [...ending(owner), afterwards(detail)]),
    ],
    yes: 'Cancel the owner',
    no: 'Let it run',
    isDanger: true,
  };
}

export function askCancelWaiting(detail: SlotDetail, task: TaskRow, place: number): Ask {
  return {
    kind: 'cancel',
    target: { id: task.id },
    title: `Take number ${place} out of the line of ${detail.slot}?`,
    lines: [
      `${named(task)} is rejected, because canceled. It has had no attempt.`,
      'The owner and the rest of the line stay.',
    ],
    yes: 'Cancel it',
    no: 'Let it wait',
    isDanger: true,
  };
}

export function askCancelAll({ slot, row }: SlotDetail): Ask {
  const owner = row?.owner;
  const waiting = row?.waiting ?? 0;
  return {
    kind: 'cancel',
    target: { slot },
    title: `Cancel all that ${slot} has?`,
    lines: [
      ...(owner === undefined ? [] : [`${named(owner)} owns it, and ends canceled.`, ...ending(owner)]),
      waiting === 0
        ? 'No submission waits in it.'
        : `${counted(waiting, 'submission')} in line ${waiting === 1 ? 'is' : 'are'} rejected, because canceled.`,
      'Later submissions are admitted as before.',
    ],
    yes: 'Cancel all',
    no: 'Keep all',
    isDanger: true,
  };
}

/** Only where `restart` is accepted: see {@link canRestart}. */
export function askRestart({ slot }: SlotDetail, owner: TaskRow): Ask {
  const next = `attempt ${owner.attempt + 1}`;
  return {
    kind: 'restart',
    target: { id: owner.id },
    title: `Start a fresh attempt in ${slot}?`,
    lines: [
      hasBody(owner)
        ? `Attempt ${owner.attempt} of ${named(owner)} is asked to stop. When its body has ended, ${next} follows at once.`
        : `${named(owner)} does not wait for its next try: ${next} follows at once.`,
      'Its earlier failures are forgotten: the backoff begins again.',
      'It keeps the slot, and the line stays as it is.',
    ],
    yes: 'Restart',
    no: 'Leave it',
    isDanger: false,
  };
}

export const canRestart = ({ status }: TaskRow): boolean =>
  status === 'running' || status === 'backoff' || status === 'interval';

export function askPause({ slot, owner, waiting }: SlotRow): Ask {
  return {
    kind: 'pause',
    target: { slot },
    title: `Pause ${slot}?`,
    lines: [
      'Nothing more starts in it until it is resumed.',
      owner === undefined ? 'It has no owner now.' : `Its owner ${named(owner)} goes on, its retries included.`,
      waiting === 0 ? 'Later submissions wait.' : `${counted(waiting, 'submission')} in line, and later ones, wait.`,
    ],
    yes: 'Pause',
    no: 'Leave it',
    isDanger: false,
  };
}

export function askResume(detail: SlotDetail): Ask {
  const { row, line, slot } = detail;
  const [next] = line;
  const then =
    next === undefined
      ? 'No submission waits in it.'
      : row?.owner === undefined
        ? `${named(next)} starts at once, the first in line.`
        : `${named(next)} is the first in line, and starts when the owner has ended.`;
  return {
    kind: 'resume',
    target: { slot },
    title: `Resume ${slot}?`,
    lines: [then],
    yes: 'Resume',
    no: 'Leave it paused',
    isDanger: false,
  };
}

export function askSchedule(kind: 'pause' | 'resume' | 'trigger', { name, slot }: ScheduleRow): Ask {
  const said = {
    trigger: {
      title: `Run ${name} now?`,
      line: `A submission goes to the slot ${slot}. Its admission policy decides, as for any other. The next date stays as it is.`,
      yes: 'Run now',
    },
    pause: {
      title: `Pause ${name}?`,
      line: 'It submits at no date until it is resumed. Runs that are submitted already go on.',
      yes: 'Pause',
    },
    resume: {
      title: `Resume ${name}?`,
      line: 'It submits at its next date. Its option “missed” decides what becomes of the dates that came meanwhile.',
      yes: 'Resume',
    },
  }[kind];
  return {
    kind,
    target: { schedule: name },
    title: said.title,
    lines: [said.line],
    yes: said.yes,
    no: 'Leave it',
    isDanger: false,
  };
}
