// One story for each admission policy: submissions arrive at a slot of a real supervisor, on a
// virtual clock.

import { type AdmissionPolicy, Supervisor, type TaskEvent } from 'slotvisor';
import { recordEvents, VirtualClock } from 'slotvisor/testing';

export interface Story {
  readonly policy: AdmissionPolicy;
  /** What the policy does when the slot is busy. Printed above the picture. */
  readonly rule: string;
  /** What happens in this story, in one sentence. It is the alternative text of the picture. */
  readonly text: string;
  readonly queueLimit?: number;
  /** How long a body runs when it is not stopped. */
  readonly runMs: number;
  /** When each submission arrives. */
  readonly arrivalsMs: Readonly<Record<string, number>>;
}

/** How long a body needs to end after its stop request. */
const STOPPING_MS = 3_500;

export const STORIES: readonly Story[] = [
  {
    policy: 'queue',
    rule: 'On a busy slot, a new submission waits in the queue.',
    text:
      'With the admission policy queue and a queueLimit of 2, B and C wait while A runs and then run one after the ' +
      'other in the order of their arrival, and D is rejected with queueFull because two submissions wait already.',
    queueLimit: 2,
    runMs: 3_000,
    arrivalsMs: { A: 0, B: 750, C: 1_500, D: 2_250 },
  },
  {
    policy: 'replace',
    rule: 'On a busy slot, a new submission stops the owner, and starts after its end.',
    text:
      'With the admission policy replace, A gets a stop request when B arrives, B is rejected with superseded when the ' +
      'newer C arrives, and C starts only after the body of A has ended.',
    runMs: 3_500,
    arrivalsMs: { A: 0, B: 1_500, C: 2_750 },
  },
  {
    policy: 'dropIfRunning',
    rule: 'On a busy slot, a new submission is rejected.',
    text:
      'With the admission policy dropIfRunning, B and C are rejected with slotBusy at once because A runs, and D starts ' +
      'at once because the slot is idle again.',
    runMs: 3_500,
    arrivalsMs: { A: 0, B: 1_250, C: 2_250, D: 4_250 },
  },
  {
    policy: 'keepLatest',
    rule: 'On a busy slot, the latest submission waits, and supersedes an earlier one.',
    text:
      'With the admission policy keepLatest, A runs to its end, B and then C wait and are rejected with superseded when ' +
      'a newer submission arrives, and D, the latest, runs after A.',
    runMs: 4_500,
    arrivalsMs: { A: 0, B: 500, C: 1_500, D: 2_500 },
  },
  {
    policy: 'join',
    rule: "On a busy slot, a new submission shares the owner's run and outcome.",
    text:
      'With the admission policy join, B and C join the run of A and complete together with it, and D starts a run of ' +
      'its own because the slot is idle again.',
    runMs: 3_500,
    arrivalsMs: { A: 0, B: 1_000, C: 2_000, D: 4_500 },
  },
];

/** Runs the story, and returns its events. Their `at` counts from the first arrival. */
export async function play({ policy, queueLimit, runMs, arrivalsMs }: Story): Promise<readonly TaskEvent[]> {
  const clock = new VirtualClock({ wallMs: 0 });
  const supervisor = new Supervisor({ clock });
  const recorder = recordEvents(supervisor);
  const slot = supervisor.slot('slot');
  slot.configure({ admission: policy, queueLimit });
  for (const [name, atMs] of Object.entries(arrivalsMs)) {
    await clock.advance(atMs - clock.now());
    slot.submit({
      name,
      restart: 'never',
      run: async (ctx) => {
        try {
          await ctx.sleep(runMs);
        } catch (stopReason) {
          await new Promise<void>((resolve) => clock.setTimer(STOPPING_MS, resolve));
          throw stopReason;
        }
      },
    });
  }
  while (await clock.next());
  recorder.stop();
  await supervisor.shutdown();
  return recorder.events;
}
