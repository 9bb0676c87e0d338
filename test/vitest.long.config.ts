// `npm run test:long`: the random tests and the leak tests, with many more runs than in `npm test`.

import { base, globalSetup } from './vitest.config.ts';

process.env.SLOTVISOR_LONG = '1';

export default { ...base, test: { ...base.test, globalSetup, include: ['test/**/*.{race,long}.test.ts'] } };
