// The exact effects of single inputs. slot-machine.model.test.ts explores every order of inputs.

import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES, type AdmissionPolicy } from '../../src/model/settings.ts';
import { SlotMachine } from '../../src/policy/slot-machine.ts';
import type { Entry, Machine } from '../support/slot-explorer.ts';

const LIMITS = { queueLimit: 9, onFull: 'reject', mayWait: true } as const;
const STORE_DOWN = new Error('store is down');

function slot() {
  const machine: Machine = new SlotMachine<Entry>();
  let n = 0;
  const submit = (policy: AdmissionPolicy = 'queue') => {
    n += 1;
    const entry: Entry = { n, policy, place: 'new', ahead: null, behind: null };
    const verdict = machine.submit(entry, LIMITS);
    return { entry, verdict };
  };
  /** The effects since the last call. */
  const effects = () => machine.effects.splice(0);
  /** Makes the first owner, with request 1. */
  const makeOwner = () => {
    const { entry } = submit();
    machine.granted(1);
    return entry;
  };
  return { machine, submit, effects, makeOwner };
}

type World = ReturnType<typeof slot>;

/** Everything that a machine shows. */
const stateOf = (machine: Machine) => ({
  phase: machine.phase,
  owner: machine.owner,
  participants: machine.participants,
  waiting: [...machine.waiting()],
  paused: machine.paused,
  isIdle: machine.isIdle,
});

describe('a slot', () => {
  test('with a single submission requests the lease, starts the submission, and releases the lease at its end', () => {
    const { machine, submit, effects } = slot();
    const { entry } = submit();
    expect(effects()).toEqual([{ do: 'acquire', request: 1, asker: entry }]);
    expect(machine.granted(1)).toBe(true);
    expect(effects()).toEqual([{ do: 'start', entry }]);
    expect(machine.ended(entry, false, false)).toBe(true);
    expect(effects()).toEqual([{ do: 'release' }]);
    expect(machine.isIdle).toBe(true);
  });

  test.for(ADMISSION_POLICIES)(
    'that is closed rejects a %s submission as shuttingDown and starts nothing (S7)',
    (policy) => {
      const { machine, submit, effects } = slot();
      machine.close();
      const { entry, verdict } = submit(policy);
      expect(verdict).toBe('shuttingDown');
      expect(effects()).toEqual([{ do: 'reject', entry, reason: 'shuttingDown', by: null, error: undefined }]);
      expect(machine.isIdle).toBe(true);
    },
  );

  test.for(ADMISSION_POLICIES)(
    'rejects a %s submission that requested the lease with the answer of the store',
    (policy) => {
      const { machine, submit, effects } = slot();
      const { entry } = submit(policy);
      const { entry: other } = submit('queue');
      effects();
      machine.denied(1, 'leaseUnavailable', STORE_DOWN);
      expect(effects()).toEqual([
        { do: 'reject', entry, reason: 'leaseUnavailable', by: null, error: STORE_DOWN },
        { do: 'acquire', request: 2, asker: other },
      ]);
    },
  );
});

test('a lease request stays when its asker is canceled while another waits, and the lease goes to that other', () => {
  const { machine, submit, effects } = slot();
  const { entry: asker } = submit();
  const { entry: other } = submit();
  effects();
  machine.withdraw(asker, 'canceled');
  expect(effects().map((effect) => effect.do)).toEqual(['reject']);
  expect(machine.granted(1)).toBe(true);
  expect(effects()).toEqual([{ do: 'start', entry: other }]);
});

test('every entry that has ended has the place done, whatever its end was', () => {
  const { machine, submit, makeOwner } = slot();
  const owner = makeOwner();
  const { entry: detached } = submit('join');
  const { entry: rejected } = submit('dropIfRunning');
  const { entry: withdrawn } = submit('queue');
  machine.detach(detached, 'caller');
  machine.withdraw(withdrawn, 'canceled');
  machine.ended(owner, false, false);
  const places = Object.entries({ owner, detached, rejected, withdrawn }).map(([name, { place }]) => [name, place]);
  expect(places).toEqual(['owner', 'detached', 'rejected', 'withdrawn'].map((name) => [name, 'done']));
});

describe('input that comes late or twice changes nothing (S8):', () => {
  const answers: readonly (readonly [name: string, deliver: (machine: Machine) => unknown])[] = [
    ['a grant', (machine) => machine.granted(1)],
    ['a denial', (machine) => machine.denied(1, 'slotBusy')],
  ];
  const moments: readonly (readonly [name: string, reach: (machine: Machine, asker: Entry) => void])[] = [
    ['granted', (machine) => void machine.granted(1)],
    ['denied', (machine) => machine.denied(1, 'slotBusy')],
    [
      'granted after its asker was canceled',
      (machine, asker) => {
        machine.withdraw(asker, 'canceled');
        machine.granted(1);
      },
    ],
  ];
  for (const [answer, deliver] of answers)
    for (const [moment, reach] of moments)
      for (const others of [0, 1])
        test(`${answer} of a request that was ${moment}, with ${others} waiting behind the asker`, () => {
          const { machine, submit, effects } = slot();
          const { entry } = submit();
          if (others > 0) submit();
          reach(machine, entry);
          effects();
          const before = stateOf(machine);
          expect(deliver(machine)).not.toBe(true);
          expect([stateOf(machine), effects()]).toEqual([before, []]);
        });

  // Only an owner or a joined entry can be detached.
  const behindOwner =
    (policy: AdmissionPolicy) =>
    ({ makeOwner, submit }: World) => {
      makeOwner();
      return submit(policy).entry;
    };
  const others: Record<string, (world: World) => Entry> = {
    'an entry that waits for the lease': ({ submit }) => submit().entry,
    'an entry that waits behind the owner': behindOwner('queue'),
    'a replacement that waits': behindOwner('replace'),
    'an entry that was rejected': behindOwner('dropIfRunning'),
    'an owner that has ended': ({ machine, makeOwner }) => {
      const owner = makeOwner();
      machine.ended(owner, false, false);
      return owner;
    },
    'an owner that has ended, while the next owner runs': ({ machine, makeOwner, submit }) => {
      const owner = makeOwner();
      submit();
      machine.ended(owner, false, false);
      return owner;
    },
    'an entry that had joined an owner that has ended': ({ machine, makeOwner, submit }) => {
      const owner = makeOwner();
      const { entry } = submit('join');
      machine.ended(owner, false, false);
      return entry;
    },
    'an entry that was detached before': ({ machine, makeOwner, submit }) => {
      makeOwner();
      const { entry } = submit('join');
      machine.detach(entry, 'caller');
      return entry;
    },
  };
  test.for(Object.entries(others))('a detach of %s', ([, make]) => {
    const world = slot();
    const { machine, effects } = world;
    const entry = make(world);
    effects();
    const before = { ...stateOf(machine), place: entry.place };
    machine.detach(entry, 'caller');
    expect([{ ...stateOf(machine), place: entry.place }, effects()]).toEqual([before, []]);
  });
});
