// A turn of the event loop, as a promise. It is taken once: fake timers may replace the function of
// the module, too, and CommonJS would look it up at each call.

import { setImmediate } from 'node:timers/promises';

export const eventLoopTurn = setImmediate;
