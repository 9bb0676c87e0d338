// Schedules with equal expressions ask one calendar about nearly the same moment, each a little
// later than the one before. So a calendar remembers what its last answers are true for.

import type { Calendar } from './calendar.ts';

/** The same calendar. It asks `calendar` once for all moments between two dates. */
export function remembered(calendar: Calendar): Calendar {
  const after = rememberedAfter(calendar);
  const afterStart = rememberedAfter(calendar);
  let before = { date: undefined as number | undefined, to: -Infinity };
  let counted = { first: undefined as number | undefined, end: undefined as number | undefined, count: 0 };
  return {
    after,
    before(ms) {
      if (!(ms <= before.to && ms > (before.date ?? -Infinity))) {
        const date = calendar.before(ms);
        // If `ms` was the last answer, it is the date that follows.
        const follows = date === undefined || ms === before.date ? ms : after(date);
        before = { date, to: follows ?? Infinity };
      }
      return before.date;
    },
    // The dates in (from, to] are those from `first` on and before `end`.
    count(from, to) {
      if (from >= to) return 0;
      const [first, end] = [afterStart(from), after(to)];
      if (first === end) return 0;
      if (first !== counted.first || end !== counted.end) counted = { first, end, count: calendar.count(from, to) };
      return counted.count;
    },
  };
}

function rememberedAfter(calendar: Calendar): Calendar['after'] {
  let from = Infinity;
  let date: number | undefined;
  return (ms) => {
    if (!(ms >= from && ms < (date ?? Infinity))) {
      date = calendar.after(ms);
      from = ms;
    }
    return date;
  };
}
