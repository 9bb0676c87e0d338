// A turn of the event loop, as a promise. It is imported by name: fake timers do not replace it.

export { setImmediate as eventLoopTurn } from 'node:timers/promises';
