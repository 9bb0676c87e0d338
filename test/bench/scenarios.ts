// All scenarios, by the option that selects them. The measuring process loads this module once for
// each build.

import { fleet } from './fleet.ts';
import type { Scenario } from './harness.ts';
import { policies } from './policies.ts';
import { queueing } from './queueing.ts';
import { scale } from './scale.ts';
import { schedules } from './schedules.ts';
import { watching } from './watching.ts';

export { standBy } from './peers.ts';

export const scenarios = {
  common: [...queueing, ...policies, ...scale],
  schedules,
  watching,
  fleet,
} satisfies Record<string, readonly Scenario[]>;

export type Kind = keyof typeof scenarios;
