/**
 * slotvisor/testing: a context to call a body with, a virtual clock, a seeded random source, an
 * event recorder, a check that a supervisor is idle, and the cases that a lease store must pass.
 * The library's own tests use them.
 *
 * @module slotvisor/testing
 * @document README.md
 */

export { type EventRecorder, recordEvents } from './event-recorder.ts';
export { expectIdle } from './expect-idle.ts';
export { type FakeContext, type FakeContextOptions, type FakeStopCause, fakeContext } from './fake-context.ts';
export { type ConformanceCase, type ConformanceOptions, leaseConformance } from './lease-conformance.ts';
export type { ConformanceRule, LeaseWorld } from './lease-world.ts';
export { seededRandom } from './seeded-random.ts';
export { VirtualClock, type VirtualClockOptions } from './virtual-clock.ts';
