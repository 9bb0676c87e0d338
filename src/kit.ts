// For the entry points only: how options are read and passed on, and how a timer is set. An entry
// point may import this file and `index.ts`. It is not exported from the package.

export { bare } from './kernel/bare.ts';
export { after } from './kernel/clock.ts';
export { systemRandom } from './kernel/random.ts';
export {
  aFunction,
  aNumber,
  finiteMs,
  finiteNumber,
  numberFrom,
  oneOf,
  refuse,
  wholeFrom,
} from './model/check.ts';
export { fromCaller, specAt } from './model/error.ts';
export { EVENT_TYPES } from './model/event.ts';
export { anObjectWith, parse, parseGiven, type Readers, readFields, reading } from './model/options.ts';
export { SPEC_KEYS, type StateOption } from './model/spec.ts';
