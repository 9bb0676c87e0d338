// For the entry points only: how options are read and passed on, how a timer is set, and how an
// object is shown. An entry point may import this file and `index.ts`. It is not exported from the
// package.

export { bare } from './kernel/bare.ts';
export { after } from './kernel/clock.ts';
export { systemRandom } from './kernel/random.ts';
export { aFunction, numberFrom, oneOf, refuse, wholeFrom } from './model/check.ts';
export { parse, parseGiven, type Readers, readFields, reading } from './model/options.ts';
export { showAs } from './model/record.ts';
