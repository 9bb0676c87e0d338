/**
 * `slotvisor/nestjs`: a supervisor in a NestJS application.
 *
 * {@link SlotvisorModule} makes one supervisor for the application. {@link Supervised} and
 * {@link Scheduled} run methods of providers from the end of the boot on, {@link OnTaskEvent} hands
 * events to them, and {@link SlotvisorHealthIndicator} answers Terminus. The module ends the
 * supervisor before anything that the bodies use.
 *
 * @privateRemarks
 * Reading order: `options.ts` (the options), `decorators.ts` (what is left on a method),
 * `methods.ts` (how it is found), `lifecycle.ts` (what begins and ends), `module.ts` (when),
 * `health-indicator.ts`.
 *
 * @module slotvisor/nestjs
 * @document README.md
 */

export { type MethodDecoratorOf, OnTaskEvent, type OptionsOf, Scheduled, Supervised } from './decorators.ts';
export { SlotvisorHealthIndicator, type SlotvisorHealthResult } from './health-indicator.ts';
export { SlotvisorModule } from './module.ts';
export type {
  ScheduledOptions,
  SlotvisorModuleAsyncOptions,
  SlotvisorModuleOptions,
  SupervisedOptions,
} from './options.ts';
