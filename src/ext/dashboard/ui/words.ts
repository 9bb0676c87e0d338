// The words for what a slot does, and how bad each is. A colour never says it alone.

import { type EventRow, FAILING, type Level, type SlotRow, type SlotState, type TaskRow } from '../wire.ts';
import { count, counted } from './format.ts';

export type Tone = 'ok' | 'info' | 'warn' | 'bad' | 'off';

const TONES: Readonly<Record<string, Tone>> = {
  running: 'ok',
  starting: 'info',
  lease: 'info',
  backoff: 'warn',
  suspended: 'warn',
  stopping: 'warn',
  paused: 'warn',
  failing: 'bad',
  overrun: 'bad',
  dead: 'bad',
  succeeded: 'ok',
  completed: 'ok',
  active: 'ok',
  submitted: 'ok',
  open: 'ok',
  failed: 'bad',
  fatal: 'bad',
  killed: 'bad',
  abandoned: 'bad',
  timedOut: 'bad',
  stalled: 'bad',
  error: 'bad',
  rejected: 'warn',
  missed: 'warn',
  closing: 'warn',
};

export const toneOf = (word: string): Tone => TONES[word] ?? 'off';

export const LEVEL_WORDS: Readonly<Record<Level, string>> = { bad: 'urgent', warn: 'look', info: 'fine' };

/** The tiles. `isAlways`: shown at 0, too. The others come when they count something. */
export const TILES: readonly { readonly state: SlotState; readonly isAlways?: boolean; readonly text: string }[] = [
  { state: 'running', isAlways: true, text: 'running' },
  { state: 'waiting', isAlways: true, text: 'with a line' },
  { state: 'backoff', isAlways: true, text: 'in backoff' },
  { state: 'failing', isAlways: true, text: 'failing' },
  { state: 'stopping', isAlways: true, text: 'stopping' },
  { state: 'overrun', isAlways: true, text: 'overrun' },
  { state: 'paused', isAlways: true, text: 'paused' },
  { state: 'dead', text: 'dead' },
  { state: 'starting', text: 'starting' },
  { state: 'lease', text: 'without a lease' },
  { state: 'suspended', text: 'suspended' },
  { state: 'interval', text: 'between runs' },
];

/** What a slot is, the worst first: the words of its state. */
export function statesOf(row: SlotRow): string[] {
  const states: string[] = [];
  if (row.vital === 'dead') states.push('dead');
  if (row.owner !== undefined) states.push(row.owner.status);
  else if (row.phase === 'waiting') states.push('lease');
  if ((row.owner?.streak ?? 0) >= FAILING) states.push('failing');
  if (row.paused) states.push('paused');
  return states.length > 0 ? states : ['idle'];
}

const STOPPED_BY: Readonly<Record<string, string>> = {
  caller: 'a caller',
  replace: 'its replacement',
  slot: 'a cancel of the slot',
  signal: 'its signal',
  deadline: 'its deadline',
  queueTimeout: 'its queue timeout',
  shutdown: 'the shutdown',
  leaseLost: 'the loss of its lease',
  task: 'itself',
};

export const stoppedBy = (by: string): string => STOPPED_BY[by] ?? by;

const WAITS_FOR: Readonly<Record<string, string>> = {
  owner: 'waits for the owner to end',
  slotPaused: 'waits for the slot to be resumed',
  lease: 'waits for the lease',
  gate: 'waits for a place at the gate',
  rate: 'waits for its turn by the rate',
  supervisorPaused: 'waits for the supervisor to be resumed',
};

export interface Reason {
  readonly text: string;
  readonly tone: Tone;
  /** How long it has been so, in ms before the row was made. */
  readonly agoMs?: number;
}

/** Why a slot does not get on, in a few words. Undefined: it does. */
export function reasonOf(row: SlotRow): Reason | undefined {
  const { owner } = row;
  if (owner === undefined) return reasonWithoutOwner(row);
  if (owner.stop !== undefined)
    return {
      text: `asked to stop by ${stoppedBy(owner.stop.by)}`,
      tone: toneOf(owner.status),
      agoMs: owner.stop.sinceMs,
    };
  const waits = waitText(owner);
  if (waits !== undefined) return { text: waits, tone: 'off' };
  if (owner.failure === undefined) return undefined;
  const inARow = owner.streak > 1 ? `${count(owner.streak)} in a row: ` : '';
  return { text: inARow + owner.failure.message, tone: owner.streak > 0 ? 'bad' : 'off' };
}

function reasonWithoutOwner({ paused, waiting, phase, vital }: SlotRow): Reason | undefined {
  if (paused && waiting > 0)
    return { text: `paused, and ${counted(waiting, 'submission')} wait${waiting === 1 ? 's' : ''}`, tone: 'warn' };
  if (phase === 'waiting') return { text: 'waits for its lease', tone: 'off' };
  return vital === 'dead' ? { text: 'its last owner is gone, and no other came', tone: 'bad' } : undefined;
}

export const waitText = ({ waitingFor }: TaskRow): string | undefined =>
  waitingFor === undefined ? undefined : WAITS_FOR[waitingFor];

/** `2`, or `7, 5 failed in a row`. */
export const attemptText = ({ attempt, streak }: TaskRow): string =>
  streak > 1 ? `${count(attempt)} · ${count(streak)} failed in a row` : count(attempt);

/** `slot.explain()` without the name of the slot, which stands above it. */
export const withoutName = (explained: string): string =>
  explained.replace(/^Slot "(?:[^"\\]|\\.)*": (.)/, (_, first: string) => first.toUpperCase());

/** What happened, and who turned it away: not only an id in brackets. */
export const saidOf = ({ text, type, other }: Pick<EventRow, 'text' | 'type' | 'other'>): string =>
  type === 'rejected' && other !== undefined ? text.replace(` (${other})`, `, by ${other}`) : text;

/** `attemptTimedOut`: `attempt timed out`. */
export const spaced = (word: string): string =>
  word.replace(/[A-Z]/g, (letter, at: number) => `${at > 0 ? ' ' : ''}${letter.toLowerCase()}`);
