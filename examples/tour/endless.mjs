// A worker module whose function never ends, never yields and ignores its signal.

export default ({ workerData: frames }) => {
  for (;;) Atomics.add(frames, 0, 1);
};
