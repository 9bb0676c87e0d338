// A module whose loading blocks until the test opens it. So the test can do things that certainly
// happen before the module's function is called.

import { workerData } from 'node:worker_threads';

Atomics.wait(workerData.shared, 1, 0);

export default () => Atomics.add(workerData.shared, 0, 1);
