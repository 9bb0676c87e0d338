// A module that is loaded when the test opens it: what happens before its function is called can be put before it with certainty.

import { workerData } from 'node:worker_threads';

Atomics.wait(workerData.shared, 1, 0);

export default () => Atomics.add(workerData.shared, 0, 1);
