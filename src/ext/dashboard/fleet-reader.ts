// Reads the fleet, at most every five seconds for each text that is looked for.

import type { Clock } from '../../index.ts';
import type { DashboardFleet } from './options.ts';
import type { FleetPage } from './wire.ts';

export class Fleet {
  readonly #fleet: DashboardFleet;
  readonly #clock: Clock;
  constructor(fleet: DashboardFleet, clock: Clock) {
    this.#fleet = fleet;
    this.#clock = clock;
  }
  async page(q: string): Promise<FleetPage> {
    return { ...((await this.#fleet.look({ q, limit: 200 })) as FleetPage), at: this.#clock.wallNow() };
  }
}
