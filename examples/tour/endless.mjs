// A job for a thread of its own: it never ends, never yields and looks at no signal.

export default ({ workerData: frames }) => {
  for (;;) Atomics.add(frames, 0, 1);
};
