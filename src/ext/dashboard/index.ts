/**
 * `slotvisor/dashboard`: a page that shows supervisors, live, in the process that has them.
 *
 * It listens to events and keeps a bounded memory of them, and looks through the slots while a page
 * is open. It is one handler of web-standard requests, and works under any path. Without options it
 * changes nothing.
 *
 * @privateRemarks
 * Reading order: `wire.ts` (what server and page say to each other), `options.ts`, `dashboard.ts`
 * (a request from its locks to its answer), `router.ts`, `guards.ts`, `endpoints.ts`, `actions.ts`,
 * `stream.ts` and `frames.ts` (open pages), `watched.ts` (what is known of a supervisor),
 * `listen.ts` (servers of Node).
 *
 * @module slotvisor/dashboard
 * @document README.md
 */

export { type Dashboard, dashboard } from './dashboard.ts';
export type { FleetSource } from './fleet-rows.ts';
export type { DashboardServer, NodeRequest, NodeResponse } from './listen.ts';
export type {
  DashboardAction,
  DashboardHistory,
  DashboardOptions,
  ServeOptions,
} from './options.ts';
export type { DashboardSchedule } from './schedule-rows.ts';
export type { ActionKind, ActionTarget } from './wire.ts';
