import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES, type AdmissionPolicy } from '../../src/model/settings.ts';
import { ON_FULL, type OnFull } from '../../src/model/slot-options.ts';
import { isRefusal, type Verdict } from '../../src/policy/admission.ts';
import { type Capacity, DryRun } from '../../src/policy/dry-run.ts';
import { SlotMachine } from '../../src/policy/slot-machine.ts';
import { Entry, type Machine, submitTo } from '../support/slot-world.ts';

interface SlotLimits {
  readonly queueLimit: number;
  readonly onFull: OnFull;
}

const UNLIMITED: SlotLimits = { queueLimit: Infinity, onFull: 'reject' };

/** A capacity that has no limit where the test sets none. */
const free = (limits: Partial<Capacity> = {}): Capacity => ({
  slots: Infinity,
  pending: Infinity,
  starts: Infinity,
  ...limits,
});

const nothing = () => undefined;

/** All that is rejected has its outcome. */
function forget({ effects }: Machine): void {
  for (const effect of effects)
    if (effect.do === 'rejectAll') while (!effect.departure.isEmpty) effect.departure.take();
  effects.length = 0;
}

function submit(machine: Machine, entry: Entry, limits: SlotLimits): Verdict {
  const verdict = submitTo(machine, entry, { ...limits, mayWait: true, mayStart: true });
  forget(machine);
  return verdict;
}

/** A slot to which these were submitted, in order. */
function slotWith(policies: readonly AdmissionPolicy[], isLocal = true): Machine {
  const machine: Machine = new SlotMachine<Entry>(isLocal);
  policies.forEach((policy, n) => {
    submit(machine, new Entry(n, policy), UNLIMITED);
  });
  return machine;
}

/** A slot with an owner, behind which these wait. */
const running = (...waiting: readonly AdmissionPolicy[]): Machine => slotWith(['queue', ...waiting]);

describe('a dry run', () => {
  const policies = fc.constantFrom(...ADMISSION_POLICIES);
  const cases = fc.record({
    before: fc.array(policies, { maxLength: 6 }),
    leaving: fc.array(fc.nat(5), { maxLength: 3 }),
    batch: fc.array(policies, { minLength: 1, maxLength: 5 }),
    queueLimit: fc.nat(3),
    onFull: fc.constantFrom(...ON_FULL),
    paused: fc.boolean(),
    isLocal: fc.boolean(),
  });

  test('accepts a batch exactly when submitting the batch would reject none of its entries, a joined one included', () => {
    fc.assert(
      fc.property(cases, (given) => {
        const machine: Machine = new SlotMachine<Entry>(given.isLocal);
        if (given.paused) machine.pause();
        const before = given.before.map((policy, n) => new Entry(n, policy));
        for (const entry of before) submit(machine, entry, given);
        for (const n of given.leaving) if (before[n] !== undefined) machine.leave(before[n], 'caller');
        forget(machine);
        const dryRun = new DryRun(free(), given.isLocal);
        const found = () => (machine.isIdle ? undefined : machine);
        const refused = given.batch.map((policy) => dryRun.add('s', found, policy, given));
        const batch = given.batch.map((policy, i) => new Entry(100 + i, policy));
        const isTurnedAway = batch.map((entry) => isRefusal(submit(machine, entry, given))).includes(true);
        const isRejected = batch.some(({ place }) => place === 'done');
        expect(refused.some((reason) => reason !== undefined)).toBe(isTurnedAway || isRejected);
      }),
      { numRuns: 5_000 },
    );
  });

  test('leaves the slot and its entries as they were', () => {
    const entries = (['queue', 'replace', 'keepLatest', 'queue'] as const).map((policy, n) => new Entry(n, policy));
    const machine: Machine = new SlotMachine<Entry>();
    for (const entry of entries) submit(machine, entry, UNLIMITED);
    const shown = () => [
      machine.phase,
      machine.owner,
      [...machine.waiting],
      entries.map(({ place, ahead, behind, flight }) => [place, ahead, behind, flight]),
    ];
    const before = shown();
    const dryRun = new DryRun(free(), true);
    for (const policy of [...ADMISSION_POLICIES, ...ADMISSION_POLICIES])
      dryRun.add('s', () => machine, policy, { queueLimit: 2, onFull: 'dropOldest' });
    expect(shown()).toEqual(before);
    expect(machine.effects).toEqual([]);
  });

  describe('reads as many entries beside 100,000 that wait as beside 10, with a batch of', () => {
    /** A queue behind an owner, and how often its entries are read. */
    function counted(waiting: number) {
      const count = { reads: 0 };
      const machine: Machine = new SlotMachine<Entry>();
      const read = (entry: Entry) =>
        new Proxy(entry, {
          get(target, key) {
            count.reads += 1;
            return Reflect.get(target, key);
          },
        });
      for (let n = 0; n <= waiting; n += 1) submit(machine, read(new Entry(n, 'queue')), UNLIMITED);
      submit(machine, read(new Entry(-1, 'replace')), UNLIMITED);
      submit(machine, read(new Entry(-2, 'keepLatest')), UNLIMITED);
      return { machine, count };
    }
    const short = counted(10);
    const long = counted(100_000);

    for (const policy of ADMISSION_POLICIES)
      test(`${policy}`, () => {
        const readsOf = ({ machine, count }: typeof short): number => {
          count.reads = 0;
          const limits = { queueLimit: machine.queueLength, onFull: 'dropOldest' } as const;
          const dryRun = new DryRun(free(), true);
          for (let i = 0; i < 3; i += 1) dryRun.add('s', () => machine, policy, limits);
          return count.reads;
        };
        expect(readsOf(long)).toBe(readsOf(short));
      });
  });
});

describe('the limits of the supervisor hold over the whole batch:', () => {
  const reasons = (
    capacity: Partial<Capacity>,
    batch: readonly (readonly [slot: string, found: Machine | undefined, policy: AdmissionPolicy])[],
    limits = UNLIMITED,
    isLocal = true,
  ) => {
    const dryRun = new DryRun(free(capacity), isLocal);
    return batch.map(([slot, found, policy]) => dryRun.add(slot, () => found, policy, limits));
  };
  const ok = undefined;

  test('a slot is opened once for all its entries', () => {
    expect(
      reasons({ slots: 1 }, [
        ['a', undefined, 'queue'],
        ['a', undefined, 'queue'],
        ['b', undefined, 'queue'],
      ]),
    ).toEqual([ok, ok, 'resourceLimit']);
  });

  test('an entry for a live slot opens none', () => {
    expect(reasons({ slots: 0 }, [['a', running(), 'queue']])).toEqual([ok]);
  });

  test('every entry that waits counts to limits.pending', () => {
    expect(
      reasons({ pending: 1 }, [
        ['a', undefined, 'queue'],
        ['a', undefined, 'queue'],
        ['a', undefined, 'queue'],
      ]),
    ).toEqual([ok, ok, 'resourceLimit']);
  });

  test('an entry that waits for a lease counts to limits.pending', () => {
    expect(
      reasons(
        { pending: 1 },
        [
          ['a', undefined, 'queue'],
          ['b', running(), 'queue'],
        ],
        UNLIMITED,
        false,
      ),
    ).toEqual([ok, 'resourceLimit']);
  });

  test('a start that waits at the gate counts to limits.pending', () => {
    expect(
      reasons({ pending: 1, starts: 1 }, [
        ['a', undefined, 'queue'],
        ['b', undefined, 'queue'],
        ['c', undefined, 'queue'],
      ]),
    ).toEqual([ok, ok, 'resourceLimit']);
  });

  test('a start that the gate lets in counts to nothing', () => {
    expect(
      reasons({ pending: 0, starts: 2 }, [
        ['a', undefined, 'queue'],
        ['b', undefined, 'replace'],
      ]),
    ).toEqual([ok, ok]);
  });

  test('an entry that joins counts to nothing', () => {
    expect(
      reasons({ pending: 0, starts: 1 }, [
        ['a', undefined, 'queue'],
        ['a', undefined, 'join'],
        ['b', running(), 'join'],
      ]),
    ).toEqual([ok, ok, ok]);
  });

  test.for<[claim: string, before: Machine, policy: AdmissionPolicy]>([
    ['a replacement that supersedes another', running('replace'), 'replace'],
    ['a replacement that supersedes a keepLatest', running('keepLatest'), 'replace'],
    ['a keepLatest that supersedes another', running('keepLatest'), 'keepLatest'],
  ])('%s takes its place', ([, before, policy]) => {
    expect(
      reasons({ pending: 1 }, [
        ['a', before, policy],
        ['b', running(), 'queue'],
        ['b', running(), 'queue'],
      ]),
    ).toEqual([ok, ok, 'resourceLimit']);
  });

  test('a replacement that supersedes a replacement and a keepLatest frees a place', () => {
    expect(
      reasons({ pending: 0 }, [
        ['a', running('replace', 'keepLatest'), 'replace'],
        ['a', undefined, 'queue'],
        ['a', undefined, 'queue'],
      ]),
    ).toEqual([ok, ok, 'resourceLimit']);
  });

  test('an entry that queues beside a waiting replacement counts', () => {
    expect(
      reasons({ pending: 1 }, [
        ['a', running('replace'), 'queue'],
        ['a', undefined, 'queue'],
      ]),
    ).toEqual([ok, 'resourceLimit']);
  });

  test('an entry that drops the oldest does not count', () => {
    expect(
      reasons(
        { pending: 1 },
        [
          ['a', running('queue'), 'queue'],
          ['b', running(), 'queue'],
          ['c', running(), 'queue'],
        ],
        { queueLimit: 1, onFull: 'dropOldest' },
      ),
    ).toEqual([ok, ok, 'resourceLimit']);
  });
});

describe('a batch is rejected, with the reason, because of', () => {
  const stopping = (next: AdmissionPolicy) => {
    const machine = running();
    machine.cancel();
    submit(machine, new Entry(9, next), UNLIMITED);
    return machine;
  };
  const pausedWith = (machine: Machine) => {
    machine.pause();
    return machine;
  };

  test.for<readonly [claim: string, found: Machine, batch: readonly AdmissionPolicy[], last: string]>([
    ['a replacement that supersedes an entry of the batch', running(), ['replace', 'replace'], 'superseded'],
    ['a replacement that supersedes a keepLatest of the batch', running(), ['keepLatest', 'replace'], 'superseded'],
    ['a keepLatest that supersedes an entry of the batch', running(), ['keepLatest', 'keepLatest'], 'superseded'],
    [
      'a replacement that supersedes one of before, which an entry of the batch joined',
      running('replace'),
      ['join', 'replace'],
      'superseded',
    ],
    [
      'a replacement that supersedes a keepLatest of before, which an entry of the batch joined',
      stopping('keepLatest'),
      ['join', 'replace'],
      'superseded',
    ],
    ['an entry that drops an older entry of the batch', running(), ['queue', 'queue'], 'queueFull'],
    [
      'an entry that drops one of before, which an entry of the batch joined',
      stopping('queue'),
      ['join', 'queue'],
      'queueFull',
    ],
    [
      'an entry that drops an older entry of the batch beside a replacement',
      slotWith(['queue'], false),
      ['queue', 'replace', 'queue'],
      'queueFull',
    ],
    [
      'an owner that the batch replaces, and that still owns the slot',
      pausedWith(running()),
      ['replace', 'dropIfRunning'],
      'slotBusy',
    ],
    [
      'an entry of the batch that waits in a paused slot',
      pausedWith(slotWith([])),
      ['queue', 'dropIfRunning'],
      'slotBusy',
    ],
  ])('%s', ([, found, batch, last]) => {
    const dryRun = new DryRun(free(), false);
    const limits = { queueLimit: 1, onFull: 'dropOldest' } as const;
    const reasons = batch.map((policy) => dryRun.add('a', () => found, policy, limits));
    expect(reasons).toEqual(batch.map((_, i) => (i === batch.length - 1 ? last : undefined)));
  });

  test('a slot that may not be opened', () => {
    expect(new DryRun(free({ slots: 0 }), true).add('a', nothing, 'queue', UNLIMITED)).toBe('resourceLimit');
  });
});
