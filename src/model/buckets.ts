// The bounds of the histograms of attempts, for every entry point that has one.

/** In seconds: from bodies that only calculate to bodies that take half an hour. */
export const ATTEMPT_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800,
];
