// `npm run test:package`: the packed package under other compilers. It installs them, so it needs
// the network.

import { base } from './vitest.config.ts';

export default { ...base, test: { ...base.test, include: ['test/package/**/*.test.ts'], exclude: [] } };
