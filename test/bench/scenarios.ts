// All scenarios, by the option that selects them. The measuring process loads this module once for
// each build.

import { crowds } from './crowds.ts';
import { fleet } from './fleet.ts';
import { growth } from './growth.ts';
import type { Scenario } from './harness.ts';
import { memory } from './memory.ts';
import { policies } from './policies.ts';
import { queueing } from './queueing.ts';
import { realUse } from './real-use.ts';
import { schedules } from './schedules.ts';
import { start } from './start.ts';
import { watching } from './watching.ts';

export { standBy } from './peers.ts';

export const scenarios = {
  common: [...queueing, ...policies, ...realUse, ...start, ...growth, ...crowds, ...memory],
  schedules,
  watching,
  fleet,
} satisfies Record<string, readonly Scenario[]>;

export type Kind = keyof typeof scenarios;
