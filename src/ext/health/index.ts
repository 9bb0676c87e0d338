/**
 * `slotvisor/health`: liveness and readiness of a process, from its supervisors.
 *
 * It only looks: it reads the phase of each supervisor and the views of a few slots, when it
 * is asked. It decides nothing else, sets no timer, and starts no server. `stopOnSignals` of
 * slotvisor ends the process; its `before` is where `notReady` belongs.
 *
 * @privateRemarks
 * Reading order: `options.ts` (the rules), `slot-check.ts` (one slot against its rule),
 * `loop-delay.ts` (the event loop), `watched.ts` (one supervisor), `report.ts` and `health.ts`
 * (what a probe says), `http.ts` (how it says it).
 *
 * @module slotvisor/health
 * @document README.md
 */

export { type HealthProbe, health } from './health.ts';
export type { HealthRequest, HealthResponse } from './http.ts';
export type { LoopDelay } from './loop-delay.ts';
export type { HealthOptions, SlotRule } from './options.ts';
export type { HealthReport } from './report.ts';
export type { HealthCheck } from './slot-check.ts';
