// The options of the module and of the decorators.

import type { FactoryProvider, ModuleMetadata } from '@nestjs/common';
import { Supervisor, type SupervisorOptions, type TaskSpec } from '../../index.ts';
import { anObject, checkSupervisor, parseGiven } from '../../kit.ts';
import type { ScheduleDates, ScheduleIdentity, ScheduleSettings } from '../cron/index.ts';

/** The options of `SlotvisorModule.forRoot`: those of a new supervisor, or one of yours. */
export type SlotvisorModuleOptions =
  | (SupervisorOptions & {
      /** Not given: the application makes one with these options. */
      readonly supervisor?: undefined;
    })
  | {
      /** A supervisor that exists. The end of the application shuts it down, too. */
      readonly supervisor: Supervisor;
    };

/** The options of `SlotvisorModule.forRootAsync`. */
export interface SlotvisorModuleAsyncOptions {
  /** Modules whose exports `useFactory` needs. Default: none. */
  readonly imports?: ModuleMetadata['imports'];
  /** What `useFactory` is called with. Default: nothing. */
  readonly inject?: FactoryProvider['inject'];
  /** Returns the options of the module, or a promise of them. */
  readonly useFactory: FactoryProvider<SlotvisorModuleOptions>['useFactory'];
}

/**
 * A task spec without `run`: the method is the body. `slot` is `Class.method` by default, where
 * `Class` is the class of the instance.
 */
export type SupervisedOptions<S = undefined> = Omit<TaskSpec, 'run' | 'state'> & {
  /** Called before every attempt. What it returns is `ctx.state` of that attempt. */
  readonly state?: (() => S) | undefined;
};

/** The options of `schedule` of slotvisor/cron. The method is the `run` of the `task`. */
export type ScheduledOptions<S = undefined> = ScheduleDates &
  ScheduleSettings &
  ScheduleIdentity & {
    /** The options of its runs. Default: none. */
    readonly task?: SupervisedOptions<S> | undefined;
  };

/** The supervisor that the options give, or a new one with these options. */
export function supervisorOf(given: SlotvisorModuleOptions): Supervisor {
  anObject('useFactory', given, 'must return an object'); // `forRoot` has looked at its own
  const { supervisor, ...options } = given;
  if (supervisor === undefined) return new Supervisor(options);
  checkSupervisor(supervisor);
  parseGiven('options', options, {}, ['supervisor']); // no other option counts then
  return supervisor;
}
