// For the entry points only: how options are read and passed on, how texts of the caller are cut,
// how a timer is set, and how an outcome is looked at. An entry point may import this file and
// `index.ts`. It is not exported from the package.

export { peekOutcome } from './engine/submission.ts';
export { bare } from './kernel/bare.ts';
export { after } from './kernel/clock.ts';
export { systemRandom } from './kernel/random.ts';
export { aFunction, numberFrom, oneOf, refuse, wholeFrom } from './model/check.ts';
export { brief, briefPath } from './model/error.ts';
export { parse, parseGiven, type Readers, readFields, reading } from './model/options.ts';
export { RESTARTABLE } from './model/spec.ts';
