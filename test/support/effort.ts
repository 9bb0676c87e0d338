// The number of random runs. `npm test` is for every change, `npm run test:long` for a release.

const { SLOTVISOR_LONG, SLOTVISOR_RUNS, SLOTVISOR_SEED } = process.env;

export const RUNS =
  SLOTVISOR_LONG === '1'
    ? { sequences: 100_000, schedules: 1_000_000, timeoutMs: 3_600_000 }
    : {
        sequences: Number(SLOTVISOR_RUNS ?? 2_000),
        schedules: Number(SLOTVISOR_RUNS ?? 2_000) * 10,
        timeoutMs: 240_000,
      };

/** Each random test prints its seed in its name. Set SLOTVISOR_SEED to repeat a failure. */
export const SEED = Number(SLOTVISOR_SEED ?? 1);
