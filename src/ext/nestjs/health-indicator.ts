// `SlotvisorHealthIndicator`: the report of slotvisor/health in the shape that Terminus takes.

import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Supervisor } from '../../index.ts';
import { fromCaller } from '../../kit.ts';
import { type HealthOptions, type HealthProbe, type HealthReport, health } from '../health/index.ts';

/** What an indicator of `@nestjs/terminus` returns. `up` stands for the status `warn`, too. */
export type SlotvisorHealthResult<Key extends string = string> = Record<
  Key,
  {
    /** `down` if the probe fails. */
    readonly status: 'up' | 'down';
    /** What was found, a text for people each. It has names of slots and messages of errors. */
    readonly why?: readonly string[];
  }
>;

/**
 * A health indicator for `@nestjs/terminus` 11 or newer, which it does not import. List it among
 * the providers of the module that has your health controller.
 *
 * Not promised: the words of `why`.
 */
export class SlotvisorHealthIndicator implements OnApplicationShutdown {
  readonly #probe: HealthProbe;

  /**
   * @param options those of `health` of slotvisor/health. Nest gives none: for rules, provide it by
   *   a factory.
   * @throws OptionError for an invalid argument or option.
   */
  constructor(supervisor: Supervisor, options: HealthOptions = {}) {
    this.#probe = fromCaller(SlotvisorHealthIndicator, () => health(supervisor, options));
  }

  /** Whether the process should get requests: `down` from the first moment of a shutdown on. */
  isReady<Key extends string = 'slotvisor'>(key: Key = 'slotvisor' as Key): SlotvisorHealthResult<Key> {
    return resultOf(key, this.#probe.ready());
  }

  /** Whether a restart of the process would help. Call it for the probe of the platform only. */
  isLive<Key extends string = 'slotvisor'>(key: Key = 'slotvisor' as Key): SlotvisorHealthResult<Key> {
    return resultOf(key, this.#probe.live());
  }

  /** Ends the measurement of the event loop. Nest calls it. */
  onApplicationShutdown(): void {
    this.#probe.close();
  }
}

Injectable()(SlotvisorHealthIndicator);
Inject(Supervisor)(SlotvisorHealthIndicator, undefined, 0);

function resultOf<Key extends string>(key: Key, { status, why }: HealthReport): SlotvisorHealthResult<Key> {
  const result = { status: status === 'fail' ? 'down' : 'up', ...(why.length > 0 && { why }) } as const;
  return { [key]: result } as SlotvisorHealthResult<Key>;
}
