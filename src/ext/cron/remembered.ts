// Schedules with equal expressions ask one calendar about nearly the same moments, each a little
// later than the one before. So a calendar remembers what its last answers are true for.

import type { Calendar } from './calendar.ts';

/** A question after a long sleep asks for the first date, the last ones, and the next one. */
const KEPT = 4;

/** The answer `date` to all moments between `ms` and `date`. */
interface Answer {
  readonly ms: number;
  readonly date: number | undefined;
}

/** The same calendar. It asks `calendar` once for all moments between two dates. */
export function remembered(calendar: Calendar): Calendar {
  const after = recalling(
    (ms) => ({ ms, date: calendar.after(ms) }),
    ({ ms, date }, asked) => asked >= ms && asked < (date ?? Infinity),
  );
  let wayBack: number | undefined;
  const before = recalling(
    (asked) => {
      const date = calendar.before(asked);
      // All moments up to the next date have this answer. On the way back `asked` is that date.
      const ms = date === undefined || asked === wayBack ? asked : (after(date) ?? Infinity);
      wayBack = date;
      return { ms, date };
    },
    ({ ms, date }, asked) => asked <= ms && asked > (date ?? -Infinity),
  );
  let counted = { first: undefined as number | undefined, end: undefined as number | undefined, count: 0 };
  return {
    after,
    before,
    // The dates in (from, to] are those from `first` on and before `end`.
    count(from, to) {
      if (from >= to) return 0;
      const [first, end] = [after(from), after(to)];
      if (first === end) return 0;
      if (first !== counted.first || end !== counted.end) counted = { first, end, count: calendar.count(from, to) };
      return counted.count;
    },
  };
}

function recalling(
  ask: (ms: number) => Answer,
  holds: (answer: Answer, ms: number) => boolean,
): (ms: number) => number | undefined {
  const answers: Answer[] = [];
  return (ms) => {
    const known = answers.find((answer) => holds(answer, ms));
    if (known !== undefined) return known.date;
    const answer = ask(ms);
    answers.unshift(answer);
    answers.splice(KEPT);
    return answer.date;
  };
}
