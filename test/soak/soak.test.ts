// Twelve seconds of the soak, and the proof that its monitor finds each kind of violation.

import { type AdmissionPolicy, type Outcome, type Submission, Supervisor, type TaskSpec } from 'slotvisor';
import { seededRandom, VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { run } from '../process/child.ts';
import { SEED } from '../support/effort.ts';
import { Findings, Monitor, WRONGS, type Wrong } from './monitor.ts';

/** The object with some members replaced. */
const disguised = <T extends object>(object: T, replaced: Partial<T>): T =>
  new Proxy(object, {
    get(target, key) {
      const value: unknown = Reflect.get(Object.hasOwn(replaced, key) ? replaced : target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

type Submit = (spec: TaskSpec) => Submission;
const submitting = (supervisor: Supervisor, submit: (honest: Submit, spec: TaskSpec) => Submission): Supervisor =>
  disguised(supervisor, { submit: ((spec: TaskSpec) => submit((given) => supervisor.submit(given), spec)) as never });

/**
 * Runs a load that exercises every promise: owners, a queue, a replacement, a shared run that its
 * first participant leaves, a pause, and more submissions than the concurrency allows.
 */
async function findingsOf(plant: (supervisor: Supervisor) => Supervisor): Promise<Findings> {
  const clock = new VirtualClock();
  const findings = new Findings();
  const supervisor = plant(new Supervisor({ clock, random: seededRandom(1), concurrency: CONCURRENCY }));
  const monitor = new Monitor(findings, supervisor, CONCURRENCY);
  const submit = (slot: string, admission: AdmissionPolicy): Submission | undefined =>
    monitor.submit({ slot, admission }, (ctx) => ctx.sleep(10).then(() => ({})));
  for (let i = 0; i < 2 * CONCURRENCY; i += 1) submit(`alone ${i}`, 'queue');
  for (const admission of ['queue', 'queue', 'keepLatest', 'join', 'dropIfRunning', 'queue'] as const)
    submit('queue', admission);
  for (const admission of ['queue', 'replace', 'replace'] as const) submit('replaced', admission);
  monitor.pause('paused');
  submit('paused', 'queue');
  await clock.advance(50);
  monitor.resume('paused');
  monitor.check();
  await clock.advance(1_000);
  // The first of a shared run leaves, and in the same turn the run begins for the other.
  monitor.pause('left');
  const leader = submit('left', 'queue');
  submit('left', 'join');
  submit('awake', 'queue');
  void leader?.cancel();
  monitor.resume('left');
  await clock.advance(1_000);
  monitor.expectAtRest(clock.timers);
  return findings;
}

const CONCURRENCY = 3;

/** Each fault breaks one promise on purpose. */
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
      const then = (handle: (outcome: Outcome) => void) =>
        submission.outcome.then((outcome) => {
          handle(outcome);
          handle(outcome);
        });
      return disguised(submission, { outcome: { then } as never });
    }),
  'false outcomes': (supervisor) =>
    submitting(supervisor, (honest, spec) => {
      const submission = honest(spec);
      const outcome = submission.outcome.then((one) => (one.kind === 'completed' ? { ...one, value: {} } : one));
      return disguised(submission, { outcome });
    }),
  'order violations': (supervisor) =>
    submitting(supervisor, (honest, spec) =>
      honest(spec.admission === 'keepLatest' ? { ...spec, admission: 'replace' } : spec),
    ),
  'lost wakeups': (supervisor) =>
    disguised(supervisor, { slot: (name) => disguised(supervisor.slot(name), { resume: () => {} }) }),
  'forbidden starts': (supervisor) =>
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
  'inconsistent counts': (supervisor) =>
    disguised(supervisor, { tasks: () => [...supervisor.tasks(), ...[{} as never]] }),
  'escaped errors': (supervisor) =>
    submitting(supervisor, (honest, spec) => {
      if (spec.admission === 'keepLatest') throw new Error('neither ClosedError nor OptionError');
      return honest(spec);
    }),
};

describe('the monitor of the soak', () => {
  test('finds no violation in a correct supervisor', async () => {
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

test(`a supervisor under random load and faults for 12 s breaks no promise and leaves the heap flat (seed ${SEED})`, {
  timeout: 480_000,
}, async () => {
  const { code, lines, stderr } = await run('soak/run.ts', {
    args: [String(12 / 60), String(SEED)],
    flags: ['--expose-gc'],
    patienceMs: 460_000,
  });
  const reported = (name: string): number => {
    const line = lines.find((one) => one.startsWith(`  ${name} `));
    return Number(line?.trim().split(/ {2,}/).at(-1)?.replaceAll(',', ''));
  };
  expect(lines.filter((line) => line.startsWith('  ! '))).toEqual([]);
  expect(Object.fromEntries(WRONGS.map((wrong) => [wrong, reported(wrong)]))).toEqual(
    Object.fromEntries(WRONGS.map((wrong) => [wrong, 0])),
  );
  expect({ code, stderr, verdict: lines.at(-1) }).toEqual({ code: 0, stderr: '', verdict: 'sound' });

  // The load was real, and every fault and every kind of outcome occurred.
  expect(reported('submissions')).toBeGreaterThan(2_000);
  expect(reported('rounds')).toBeGreaterThan(2);
  const kinds = ['completed', 'failed', 'fatal', 'canceled', 'killed', 'abandoned', 'rejected'];
  const faults = ['stalls', 'wall jumps', 'gate closed', 'pauses', 'cancels', 'restarts', 'signals', 'bad subscribers'];
  expect([...kinds, ...faults].filter((name) => !(reported(name) > 0))).toEqual([]);
});
