// Twenty seconds of the soak, and the proof that its monitor sees what it is there to see.

import { type AdmissionPolicy, type Outcome, type Submission, Supervisor, type TaskSpec } from 'slotvisor';
import { seededRandom, VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { run } from '../process/child.ts';
import { SEED } from '../support/effort.ts';
import { Findings, Monitor, WRONGS, type Wrong } from './monitor.ts';

/** The object, but for what it lies about. */
const disguised = <T extends object>(object: T, lies: Partial<T>): T =>
  new Proxy(object, {
    get(target, key) {
      const value: unknown = Reflect.get(Object.hasOwn(lies, key) ? lies : target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

type Submit = (spec: TaskSpec) => Submission;
const submitting = (supervisor: Supervisor, submit: (honest: Submit, spec: TaskSpec) => Submission): Supervisor =>
  disguised(supervisor, { submit: ((spec: TaskSpec) => submit((given) => supervisor.submit(given), spec)) as never });

/** A load in which every promise has something to hold: owners, a line, a replacement, a shared run, a pause, more than may run at once. */
async function findingsOf(plant: (supervisor: Supervisor) => Supervisor): Promise<Findings> {
  const clock = new VirtualClock();
  const findings = new Findings();
  const supervisor = plant(new Supervisor({ clock, random: seededRandom(1), concurrency: CONCURRENCY }));
  const monitor = new Monitor(findings, supervisor, CONCURRENCY);
  const submit = (slot: string, admission: AdmissionPolicy): void => {
    monitor.submit({ slot, admission }, (ctx) => ctx.sleep(10).then(() => ({})));
  };
  for (let i = 0; i < 2 * CONCURRENCY; i += 1) submit(`alone ${i}`, 'queue');
  for (const admission of ['queue', 'keepLatest', 'queue', 'join', 'dropIfRunning', 'queue'] as const)
    submit('line', admission);
  for (const admission of ['queue', 'replace', 'replace'] as const) submit('replaced', admission);
  monitor.pause('paused');
  submit('paused', 'queue');
  await clock.advance(50);
  monitor.resume('paused');
  monitor.look();
  await clock.advance(1_000);
  monitor.mustBeQuiet(clock.timers);
  return findings;
}

const CONCURRENCY = 3;

/** Each breaks a promise on purpose. */
const FAULTS: Readonly<Partial<Record<Wrong, (supervisor: Supervisor) => Supervisor>>> = {
  'overlapping bodies': (supervisor) =>
    submitting(supervisor, (honest, spec) =>
      honest({
        ...spec,
        run: (ctx) => {
          const body = spec.run as (given: typeof ctx) => unknown;
          void Promise.resolve(body(ctx)).catch(() => {});
          return body(ctx);
        },
      }),
    ),
  'lost outcomes': (supervisor) =>
    submitting(supervisor, (honest, spec) => disguised(honest(spec), { outcome: new Promise(() => {}) })),
  'double outcomes': (supervisor) =>
    submitting(supervisor, (honest, spec) => {
      const submission = honest(spec);
      const then = (told: (outcome: Outcome) => void) =>
        submission.outcome.then((outcome) => {
          told(outcome);
          told(outcome);
        });
      return disguised(submission, { outcome: { then } as never });
    }),
  'outcomes that are not true': (supervisor) =>
    submitting(supervisor, (honest, spec) => {
      const submission = honest(spec);
      const outcome = submission.outcome.then((one) => (one.kind === 'completed' ? { ...one, value: {} } : one));
      return disguised(submission, { outcome });
    }),
  'order violations': (supervisor) =>
    submitting(supervisor, (honest, spec) =>
      honest(spec.admission === 'queue' ? { ...spec, admission: 'replace' } : spec),
    ),
  'lost wakeups': (supervisor) =>
    disguised(supervisor, { slot: (name) => disguised(supervisor.slot(name), { resume: () => {} }) }),
  'starts that nobody may make': (supervisor) =>
    submitting(supervisor, (honest, { slot: _, ...spec }) =>
      honest({ ...spec, name: 'a slot of its own', slot: `${Math.random()}` }),
    ),
  'bodies past the concurrency': () => new Supervisor({ clock: new VirtualClock(), concurrency: 100 }),
  'events out of order': (supervisor) =>
    disguised(supervisor, {
      subscribe: (subscriber, options) =>
        supervisor.subscribe((event) => {
          if (typeof subscriber !== 'function') return;
          void subscriber(event);
          void subscriber(event);
        }, options),
    }),
  'books that do not agree': (supervisor) =>
    disguised(supervisor, { tasks: () => [...supervisor.tasks(), ...[{} as never]] }),
  'escaped errors': (supervisor) =>
    submitting(supervisor, (honest, spec) => {
      if (spec.admission === 'keepLatest') throw new Error('none of the two that may be thrown');
      return honest(spec);
    }),
};

describe('the monitor', () => {
  test('finds nothing wrong with a supervisor that keeps its promises', async () => {
    const findings = await findingsOf((supervisor) => supervisor);
    expect(findings.words).toEqual([]);
    expect(findings.sound).toBe(true);
  });

  for (const [wrong, plant] of Object.entries(FAULTS))
    test(`finds planted ${wrong}`, async () => {
      const findings = await findingsOf(plant);
      expect(findings.counts[wrong as Wrong]).toBeGreaterThan(0);
      expect(findings.sound).toBe(false);
    });
});

test(`twenty seconds under random load and faults break no promise, and leave the heap flat (seed ${SEED})`, {
  timeout: 180_000,
}, async () => {
  const { code, lines, stderr } = await run('soak/run.ts', {
    args: [String(20 / 60), String(SEED)],
    flags: ['--expose-gc'],
    patienceMs: 170_000,
  });
  const told = (name: string): number => {
    const line = lines.find((one) => one.startsWith(`  ${name} `));
    return Number(line?.trim().split(/ {2,}/).at(-1)?.replaceAll(',', ''));
  };
  expect(lines.filter((line) => line.startsWith('  ! '))).toEqual([]);
  expect(Object.fromEntries(WRONGS.map((wrong) => [wrong, told(wrong)]))).toEqual(
    Object.fromEntries(WRONGS.map((wrong) => [wrong, 0])),
  );
  expect({ code, stderr, verdict: lines.at(-1) }).toEqual({ code: 0, stderr: '', verdict: 'sound' });

  // It was a load, and everything that was to go wrong did.
  expect(told('submissions')).toBeGreaterThan(2_000);
  expect(told('rounds')).toBeGreaterThan(2);
  const kinds = ['completed', 'failed', 'fatal', 'canceled', 'killed', 'abandoned', 'rejected'];
  const faults = ['stalls', 'wall jumps', 'gate closed', 'pauses', 'cancels', 'restarts', 'signals', 'bad subscribers'];
  expect([...kinds, ...faults].filter((name) => !(told(name) > 0))).toEqual([]);
});
