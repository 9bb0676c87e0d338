// A turn of the event loop, as a promise. Imported by name from Node: fake timers do not replace it.

export { setImmediate as eventLoopTurn } from 'node:timers/promises';
