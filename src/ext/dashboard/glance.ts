// What is shown beside the table of slots: what keeps failing, what was turned away or asked to
// stop and by whom, and what begins next. Other views have all of it.

import type { TaskEventType } from '../../index.ts';
import type { EventQuery } from './event-memory.ts';
import { bySoonest, MAX_NEXT, type Tally } from './tally.ts';
import type { EventRow, EventsPage, Glance, NextRow, ProblemRow, ScheduleRow } from './wire.ts';

/** How many problems are shown. */
const PROBLEMS = 4;
/** How many of those turned away are shown, and of those asked to stop: no kind hides the other. */
const STOPPED = 3;

const STOPS: ReadonlySet<string> = new Set<TaskEventType>(['stopRequested']);

export interface GlanceMemory {
  problems(): readonly ProblemRow[];
  events(query: EventQuery): EventsPage;
}

export interface GlanceSources {
  readonly recorder: GlanceMemory;
  readonly tally: Pick<Tally, 'next'>;
  readonly schedules: readonly ScheduleRow[];
  /** Epoch ms. */
  readonly now: number;
}

export function glanceOf({ recorder, tally, schedules, now }: GlanceSources): Glance {
  const problems = recorder.problems().slice(0, PROBLEMS);
  return {
    problems: problems.map(({ latest: _, ...row }) => row),
    stopped: stoppedIn(recorder),
    next: [...tally.next, ...schedules.flatMap((row) => nextDate(row, now))].sort(bySoonest).slice(0, MAX_NEXT),
  };
}

function stoppedIn(recorder: GlanceMemory): EventRow[] {
  const { events: rejected } = recorder.events({ kind: 'rejected', limit: STOPPED });
  const { events: asked } = recorder.events({ kind: 'notable', types: STOPS, limit: STOPPED });
  return [...rejected, ...asked].sort((a, b) => b.seq - a.seq);
}

/** The first date that is still to come. Rows of schedules are some seconds old. */
function nextDate({ name, slot, status, next }: ScheduleRow, now: number): NextRow[] {
  const at = next.find((date) => date > now);
  return at === undefined || status !== 'active' ? [] : [{ kind: 'date', at, slot, name }];
}
