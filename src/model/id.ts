// The ids of submissions. Making them needs randomness once for each supervisor, not for each
// submission.

import { nanoid } from 'nanoid';

/**
 * The id of a submission: `<prefix>-<n>`. The prefix is a nanoid of 10 characters, one for each
 * supervisor, so ids are unique across processes. `n` counts the submissions of the supervisor from
 * 1: the smaller `n` is the older submission.
 */
export type TaskId = string & { readonly __brand: 'TaskId' };

/**
 * The ids of one supervisor. A submission carries only its number. The text is made when it is
 * read.
 */
export interface TaskIds {
  text(n: number): TaskId;
  /** The number in an id of this supervisor; `undefined` for any other text. */
  number(id: string): number | undefined;
}

export function createTaskIds(prefix: string = nanoid(10)): TaskIds {
  const start = `${prefix}-`;
  return {
    text: (n) => `${start}${n}` as TaskId,
    number: (id) => {
      if (typeof id !== 'string' || !id.startsWith(start)) return undefined;
      const digits = id.slice(start.length);
      return /^[1-9]\d{0,15}$/.test(digits) ? Number(digits) : undefined;
    },
  };
}
