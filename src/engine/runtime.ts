// What every floor of the engine shares: time, chance, turns, places and news of one supervisor.

import type { Clock } from '../kernel/clock.ts';
import type { Gate } from '../kernel/gate.ts';
import type { Pump } from '../kernel/pump.ts';
import type { AttemptInfo } from '../model/task.ts';
import type { Ledger } from './ledger.ts';
import type { News } from './news.ts';

export type AroundAttempt = (info: AttemptInfo, next: () => Promise<void>) => Promise<void>;

export interface Runtime {
  readonly clock: Clock;
  readonly random: () => number;
  readonly pump: Pump;
  readonly gate: Gate;
  readonly news: News;
  readonly ledger: Ledger;
  readonly aroundAttempt: AroundAttempt | undefined;
}
