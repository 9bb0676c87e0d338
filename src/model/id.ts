// Identity: how submissions are told apart. Minting needs randomness once per supervisor, never per submission.

import { nanoid } from 'nanoid';

/** `<nanoid of 10>-<n>`: one nanoid a supervisor, `n` counts from 1. Unique across processes; of two of one supervisor the one with the smaller `n` is the older. */
export type TaskId = string & { readonly __brand: 'TaskId' };

/** The ids of one supervisor. The text is made on demand, so a submission carries one integer until somebody looks. */
export interface TaskIds {
  text(n: number): TaskId;
  /** The counter behind an id of this supervisor; `undefined` for any other text. */
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
