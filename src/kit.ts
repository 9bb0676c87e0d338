// For the entry points only: how options are read, and how they are passed on. An entry point may
// import this file and `index.ts`. It is not exported from the package.

export { bare } from './kernel/bare.ts';
export { systemRandom } from './kernel/random.ts';
export { aFunction, numberFrom, oneOf, refuse, wholeFrom } from './model/check.ts';
export { parse, parseGiven, type Readers, readFields, reading } from './model/options.ts';
