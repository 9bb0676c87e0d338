// The bodies and backoffs that many tests use.

import type { TaskContext } from 'slotvisor';

/** Never ends. */
export const never = (): Promise<never> => new Promise(() => {});

/** Ends on its stop request. */
export const polite = (ctx: TaskContext): Promise<void> => ctx.sleep(Infinity);

/** 100, 200, 400 ... without jitter, so a test can name the due times. */
export const PLAIN_BACKOFF = { firstMs: 100, jitter: 'none' } as const;

/** Always 100 ms. */
export const CONSTANT_BACKOFF = { firstMs: 100, factor: 1, jitter: 'none' } as const;
