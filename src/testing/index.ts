/**
 * slotvisor/testing: a virtual clock, seeded chance and an event recorder, as the library's own tests use them.
 *
 * @module
 */

export { type EventRecorder, recordEvents } from './event-recorder.ts';
export { seededRandom } from './seeded-random.ts';
export { VirtualClock, type VirtualClockOptions } from './virtual-clock.ts';
