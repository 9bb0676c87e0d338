// A supervisor on virtual time, with its events recorded.

import { Supervisor, type SupervisorOptions } from 'slotvisor';
import { type EventRecorder, recordEvents, seededRandom, VirtualClock } from 'slotvisor/testing';

export interface Setup {
  readonly clock: VirtualClock;
  readonly supervisor: Supervisor;
  readonly recorded: EventRecorder;
}

export function setup(options: SupervisorOptions = {}): Setup {
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock, random: seededRandom(1), ...options });
  return { clock, supervisor, recorded: recordEvents(supervisor) };
}
