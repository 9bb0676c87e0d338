/**
 * slotvisor/testing: a virtual clock, a seeded random source and an event recorder. The library's
 * own tests use them.
 *
 * @module
 */

export { type EventRecorder, recordEvents } from './event-recorder.ts';
export { seededRandom } from './seeded-random.ts';
export { VirtualClock, type VirtualClockOptions } from './virtual-clock.ts';
