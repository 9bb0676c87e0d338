// What one input says and leaves behind, word by word. Every order of inputs is slot.model.test.ts.

import { describe, expect, test } from 'vitest';
import type { AdmissionPolicy } from '../../src/model/settings.ts';
import { SlotMachine } from '../../src/policy/slot-machine.ts';
import type { Entry, Machine } from '../support/slot-explorer.ts';

const POLICIES: readonly AdmissionPolicy[] = ['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'];
const ROOM = { queueLimit: 9, onFull: 'reject', mayWait: true } as const;
const STORE_DOWN = new Error('store is down');

function slot() {
  const machine: Machine = new SlotMachine<Entry>();
  let n = 0;
  const submit = (policy: AdmissionPolicy = 'queue') => {
    n += 1;
    const entry: Entry = { n, policy, place: 'new', ahead: null, behind: null };
    const verdict = machine.submit(entry, ROOM);
    return { entry, verdict };
  };
  /** What has been said since the last time. */
  const said = () => machine.effects.splice(0);
  /** The first owner, by request 1. */
  const owned = () => {
    const { entry } = submit();
    machine.granted(1);
    return entry;
  };
  return { machine, submit, said, owned };
}

type World = ReturnType<typeof slot>;

/** All that can be asked of a machine. */
const looked = (machine: Machine) => ({
  phase: machine.phase,
  owner: machine.owner,
  participants: machine.participants,
  waiting: [...machine.waiting()],
  paused: machine.paused,
  spent: machine.isIdle,
});

describe('what a slot says', () => {
  test('of one submission alone: the lease is asked for, it starts, and its end releases the lease', () => {
    const { machine, submit, said } = slot();
    const { entry } = submit();
    expect(said()).toEqual([{ do: 'acquire', request: 1, asker: entry }]);
    expect(machine.granted(1)).toBe(true);
    expect(said()).toEqual([{ do: 'start', entry }]);
    expect(machine.ended(entry, false, false)).toBe(true);
    expect(said()).toEqual([{ do: 'release' }]);
    expect(machine.isIdle).toBe(true);
  });

  test.for(POLICIES)('%s: a closed slot turns it away as shuttingDown and starts nothing (S7)', (policy) => {
    const { machine, submit, said } = slot();
    machine.close();
    const { entry, verdict } = submit(policy);
    expect(verdict).toBe('shuttingDown');
    expect(said()).toEqual([{ do: 'reject', entry, reason: 'shuttingDown', by: null, error: undefined }]);
    expect(machine.isIdle).toBe(true);
  });

  test.for(POLICIES)('%s: whoever asked for the lease is rejected with the answer of the store', (policy) => {
    const { machine, submit, said } = slot();
    const { entry } = submit(policy);
    const { entry: other } = submit('queue');
    said();
    machine.denied(1, 'leaseUnavailable', STORE_DOWN);
    expect(said()).toEqual([
      { do: 'reject', entry, reason: 'leaseUnavailable', by: null, error: STORE_DOWN },
      { do: 'acquire', request: 2, asker: other },
    ]);
  });
});

test('a request outlives its asker while another waits, and the lease goes to that one', () => {
  const { machine, submit, said } = slot();
  const { entry: asker } = submit();
  const { entry: other } = submit();
  said();
  machine.withdraw(asker, 'canceled');
  expect(said().map((effect) => effect.do)).toEqual(['reject']);
  expect(machine.granted(1)).toBe(true);
  expect(said()).toEqual([{ do: 'start', entry: other }]);
});

test('whoever is done is out, however it came to its end', () => {
  const { machine, submit, owned } = slot();
  const owner = owned();
  const { entry: left } = submit('join');
  const { entry: turnedAway } = submit('dropIfRunning');
  const { entry: withdrawn } = submit('queue');
  machine.detach(left, 'caller');
  machine.withdraw(withdrawn, 'canceled');
  machine.ended(owner, false, false);
  const places = Object.entries({ owner, left, turnedAway, withdrawn }).map(([name, { place }]) => [name, place]);
  expect(places).toEqual(['owner', 'left', 'turnedAway', 'withdrawn'].map((name) => [name, 'done']));
});

describe('what comes too late, or twice, changes nothing (S8)', () => {
  const answers: readonly (readonly [name: string, give: (machine: Machine) => unknown])[] = [
    ['a grant', (machine) => machine.granted(1)],
    ['a denial', (machine) => machine.denied(1, 'slotBusy')],
  ];
  const moments: readonly (readonly [name: string, bring: (machine: Machine, asker: Entry) => void])[] = [
    ['granted', (machine) => void machine.granted(1)],
    ['denied', (machine) => machine.denied(1, 'slotBusy')],
    [
      'granted after its asker gave up',
      (machine, asker) => {
        machine.withdraw(asker, 'canceled');
        machine.granted(1);
      },
    ],
  ];
  for (const [answer, give] of answers)
    for (const [moment, bring] of moments)
      for (const others of [0, 1])
        test(`${answer} to a request that was ${moment}, ${others} behind the asker`, () => {
          const { machine, submit, said } = slot();
          const { entry } = submit();
          if (others > 0) submit();
          bring(machine, entry);
          said();
          const before = looked(machine);
          expect(give(machine)).not.toBe(true);
          expect([looked(machine), said()]).toEqual([before, []]);
        });

  // Nobody can leave but who owns the slot or shares it.
  const behindOwner =
    (policy: AdmissionPolicy) =>
    ({ owned, submit }: World) => {
      owned();
      return submit(policy).entry;
    };
  const strangers: Record<string, (world: World) => Entry> = {
    'one who waits for the lease': ({ submit }) => submit().entry,
    'one who waits behind the owner': behindOwner('queue'),
    'a replacement that waits': behindOwner('replace'),
    'one who was turned away': behindOwner('dropIfRunning'),
    'an owner that has ended': ({ machine, owned }) => {
      const owner = owned();
      machine.ended(owner, false, false);
      return owner;
    },
    'an owner that has ended, under the next one': ({ machine, owned, submit }) => {
      const owner = owned();
      submit();
      machine.ended(owner, false, false);
      return owner;
    },
    'one who shared what has ended': ({ machine, owned, submit }) => {
      const owner = owned();
      const { entry } = submit('join');
      machine.ended(owner, false, false);
      return entry;
    },
    'one who has left already': ({ machine, owned, submit }) => {
      owned();
      const { entry } = submit('join');
      machine.detach(entry, 'caller');
      return entry;
    },
  };
  test.for(Object.entries(strangers))('a leave of %s', ([, bring]) => {
    const world = slot();
    const { machine, said } = world;
    const entry = bring(world);
    said();
    const before = { ...looked(machine), place: entry.place };
    machine.detach(entry, 'caller');
    expect([{ ...looked(machine), place: entry.place }, said()]).toEqual([before, []]);
  });
});
