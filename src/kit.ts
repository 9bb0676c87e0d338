// For the entry points only: how options are read. An entry point may import this file and
// `index.ts`. It is not exported from the package.

export { systemRandom } from './kernel/random.ts';
export { aFunction, numberFrom, oneOf, refuse, wholeFrom } from './model/check.ts';
export { parse, parseGiven, type Readers, readFields, reading } from './model/options.ts';
