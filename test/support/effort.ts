// How hard the random tests try. `npm test` is for every change; `npm run test:long` for a release.

const long = process.env.SLOTVISOR_LONG === '1';

export const RUNS = long
  ? { sequences: 100_000, schedules: 1_000_000, timeoutMs: 3_600_000 }
  : { sequences: 2_000, schedules: 20_000, timeoutMs: 60_000 };

/** Printed in the name of each random test; set it to see a failure again. */
export const SEED = Number(process.env.SLOTVISOR_SEED ?? 1);
