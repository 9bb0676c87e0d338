/**
 * `slotvisor/fleet`: the lease store of one supervisor, and the claims of its schedules, over a
 * store that several processes share.
 *
 * A store is eleven small operations (`LeaseStore`). `slotvisor/postgres` and `slotvisor/redis`
 * have one each; this entry point is for other engines, and it is what those two are made of.
 *
 * @privateRemarks
 * Reading order: `store.ts` (what a store does), `fleet.ts` (requests, leases and repair),
 * `session.ts`, `sessions.ts` and `beats.ts` (for how long this process may believe that it holds
 * what it holds), `look.ts` (what people see), `claims.ts` (dates of schedules).
 *
 * @module slotvisor/fleet
 * @document README.md
 */

export { type ClaimStore, fleetClaims } from './claims.ts';
export { type FleetLeases, type FleetStats, fleetLeases } from './fleet.ts';
export { Gather, type GatherOptions } from './gather.ts';
export type { FleetLook, FleetProcess, FleetSlot, LookAsk, LookOptions } from './look.ts';
export {
  FLEET_DEFAULTS,
  FLEET_READERS,
  type FleetOperation,
  type FleetOptions,
  type FleetSettings,
} from './options.ts';
export type {
  AskAnswer,
  AskMode,
  HeldSlot,
  LeaseAsk,
  LeaseNews,
  LeasePulse,
  LeaseStore,
} from './store.ts';
