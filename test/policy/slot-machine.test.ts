// The exact effects of single inputs. slot-machine.model.test.ts explores every order of inputs.

import { describe, expect, test } from 'vitest';
import type { StopCause } from '../../src/model/error.ts';
import { ADMISSION_POLICIES, type AdmissionPolicy } from '../../src/model/settings.ts';
import type { Departure } from '../../src/policy/departure.ts';
import { type SlotEffect, SlotMachine } from '../../src/policy/slot-machine.ts';
import { Entry, type Machine, submitTo } from '../support/slot-world.ts';

const LIMITS = { queueLimit: 9, onFull: 'reject', mayWait: true, mayStart: true } as const;
const STORE_DOWN = new Error('store is down');

function slot() {
  const machine: Machine = new SlotMachine<Entry>();
  let n = 0;
  const submit = (policy: AdmissionPolicy = 'queue', will: Entry['will'] = {}) => {
    n += 1;
    const entry = new Entry(n, policy, { finishes: false, resumes: false, ...will });
    const verdict = submitTo(machine, entry, LIMITS);
    return { entry, verdict };
  };
  /** The effects since the last call. */
  const effects = () => machine.effects.splice(0).flatMap(alone);
  /** Makes the first owner, with request 1. */
  const makeOwner = (will?: Entry['will']) => {
    const { entry } = submit('queue', will);
    machine.granted(1);
    return entry;
  };
  /** The owner has lost its lease, and waits for request 2. */
  const makeSuspended = () => {
    const owner = makeOwner({ resumes: true });
    machine.lost(1);
    machine.suspended(owner, false);
    effects();
    return owner;
  };
  return { machine, submit, effects, makeOwner, makeSuspended };
}

/** One effect for each that is rejected. */
function alone(effect: SlotEffect<Entry>): SlotEffect<Entry>[] {
  if (effect.do !== 'rejectAll') return [effect];
  const { departure, reason, by, error } = effect;
  return taken(departure).map((entry) => ({ do: 'reject', entry, reason, by, error }));
}

/** Those that leave together, in order. */
function taken(departure: Departure<Entry> | null): Entry[] {
  const all: Entry[] = [];
  while (departure?.isEmpty === false) all.push(departure.take());
  return all;
}

type World = ReturnType<typeof slot>;

/** Everything that a machine shows. */
const stateOf = (machine: Machine) => ({
  phase: machine.phase,
  owner: machine.owner,
  occupant: machine.occupant,
  participants: machine.owner?.flight?.participants,
  waiting: [...machine.waiting],
  paused: machine.paused,
  isIdle: machine.isIdle,
});

const rejected = (entry: Entry, reason: string, by: Entry | null = null, error?: unknown) => ({
  do: 'reject',
  entry,
  reason,
  by,
  error,
});

const stopped = (owner: Entry, by: StopCause, reason?: unknown) => ({ do: 'stop', owner, by, reason });

describe('a slot', () => {
  test('with a single submission requests the lease, starts the submission, and releases the lease at its end', () => {
    const { machine, submit, effects } = slot();
    const { entry } = submit();
    expect(effects()).toEqual([{ do: 'acquire', request: 1, asker: entry, policy: 'queue' }]);
    expect(machine.granted(1)).toBe(true);
    expect(effects()).toEqual([{ do: 'start', entry }]);
    expect(taken(machine.ended(entry, false, false))).toEqual([]);
    expect(effects()).toEqual([{ do: 'release' }]);
    expect(machine.isIdle).toBe(true);
  });

  test.for(ADMISSION_POLICIES)(
    'that is closed turns a %s submission away as shuttingDown and starts nothing (S7)',
    (policy) => {
      const { machine, submit, effects } = slot();
      machine.close();
      const { verdict } = submit(policy, { finishes: true });
      expect([verdict, effects()]).toEqual(['shuttingDown', []]);
      expect(machine.isIdle).toBe(true);
    },
  );

  test.for(ADMISSION_POLICIES)(
    'rejects a %s submission that requested the lease with the answer of the store',
    (policy) => {
      const { machine, submit, effects } = slot();
      const { entry } = submit(policy);
      const { entry: other } = submit('queue');
      expect(effects()).toEqual([{ do: 'acquire', request: 1, asker: entry, policy }]);
      machine.denied(1, 'leaseUnavailable', STORE_DOWN);
      expect(effects()).toEqual([
        rejected(entry, 'leaseUnavailable', null, STORE_DOWN),
        { do: 'acquire', request: 2, asker: other, policy: 'queue' },
      ]);
    },
  );
});

test('a lease request stays when its asker is canceled while another waits, and the lease goes to that other', () => {
  const { machine, submit, effects } = slot();
  const { entry: asker } = submit();
  const { entry: other } = submit();
  effects();
  machine.leave(asker, 'caller');
  expect(effects()).toEqual([rejected(asker, 'canceled')]);
  expect(machine.granted(1)).toBe(true);
  expect(effects()).toEqual([{ do: 'start', entry: other }]);
});

test('a late grant of a withdrawn request is given back, and what waits by then asks itself', () => {
  const { machine, submit, effects } = slot();
  machine.leave(submit().entry, 'caller');
  const { entry } = submit();
  effects();
  expect(machine.granted(1)).toBe(false);
  expect(effects()).toEqual([{ do: 'acquire', request: 2, asker: entry, policy: 'queue' }]);
});

test('a grant is given back where all that waited was called off', () => {
  const { machine, submit, effects } = slot();
  const { entry } = submit();
  entry.isCalledOff = true;
  effects();
  expect(machine.granted(1)).toBe(false);
  expect([effects(), machine.isIdle]).toEqual([[rejected(entry, 'canceled')], true]);
});

test.for<[string, before: (world: World) => void, kept: number[]]>([
  ['an owner', ({ makeOwner }) => makeOwner(), []],
  ['a replacement', ({ makeOwner, submit }) => [makeOwner(), submit('replace')], [2]],
  ['the head, which waits for the lease', ({ submit }) => submit(), [1]],
])('dropOldest with a lowered queueLimit behind %s keeps that, and the newest of the queue', ([, make, kept]) => {
  const world = slot();
  make(world);
  const queue = [world.submit(), world.submit(), world.submit()].map(({ entry }) => entry);
  world.effects();
  const last = new Entry(9, 'queue');
  submitTo(world.machine, last, { ...LIMITS, queueLimit: 2, onFull: 'dropOldest' });
  expect(world.effects()).toEqual(queue.slice(0, 2).map((one) => rejected(one, 'queueFull', last)));
  expect([...world.machine.waiting].map(({ n }) => n)).toEqual([...kept, queue[2]?.n, 9]);
});

test.for<[StopCause, string]>([
  ['caller', 'canceled'],
  ['signal', 'canceled'],
  ['deadline', 'deadline'],
  ['queueTimeout', 'queueTimeout'],
])('a waiting submission that leaves by %s is rejected as %s', ([by, reason]) => {
  const { machine, submit, effects, makeOwner } = slot();
  makeOwner();
  const { entry } = submit();
  const { entry: joined } = submit('queue');
  effects();
  machine.leave(entry, by);
  machine.leave(joined, by);
  expect(effects()).toEqual([rejected(entry, reason), rejected(joined, reason)]);
});

test('what leaves together has left before it is taken: nothing that it does changes anything', () => {
  const { machine, submit, makeOwner } = slot();
  makeOwner();
  const { entry } = submit('replace');
  const { entry: joined } = submit('join');
  machine.cancel();
  const count = machine.effects.length;
  for (const one of [entry, joined]) machine.leave(one, 'caller');
  expect([machine.effects.length, machine.pending]).toEqual([count, 0]);
});

test('every entry that has ended has the place done, whatever its end was', () => {
  const { machine, submit, makeOwner } = slot();
  const owner = makeOwner();
  const { entry: detached } = submit('join');
  const { entry: joined } = submit('join');
  const { entry: left } = submit('queue');
  submit('replace');
  const { entry: joinedReplacement } = submit('join');
  machine.leave(detached, 'caller');
  machine.leave(left, 'caller');
  machine.leave(joinedReplacement, 'caller');
  expect(taken(machine.ended(owner, false, false))).toEqual([joined]);
  const all = [owner, detached, joined, left, joinedReplacement];
  expect(all.map(({ place }) => place)).toEqual(Array(5).fill('done'));
});

describe('a flight', () => {
  test('that waits is rejected with all that are left of it: the leader first, then in the order in which they joined', () => {
    const { machine, submit, effects } = slot();
    const flight = [submit(), submit('join'), submit('join'), submit('join')].map(({ entry }) => entry);
    const [leader, first, second, third] = flight as [Entry, Entry, Entry, Entry];
    effects();
    machine.leave(first, 'deadline');
    expect(effects()).toEqual([rejected(first, 'deadline')]);
    machine.cancel();
    expect(effects()).toEqual([
      rejected(leader, 'canceled'),
      rejected(second, 'canceled'),
      rejected(third, 'canceled'),
      { do: 'cancelRequest' },
    ]);
  });

  test('keeps the place of a leader that has left, until the last participant leaves', () => {
    const { machine, submit, effects } = slot();
    const { entry: leader } = submit();
    const { entry: joined } = submit('join');
    const { entry: next } = submit('queue');
    effects();
    machine.leave(leader, 'caller');
    expect([effects(), machine.occupant, [...machine.waiting]]).toEqual([
      [rejected(leader, 'canceled')],
      joined,
      [leader, next],
    ]);
    machine.leave(joined, 'queueTimeout');
    expect([effects(), [...machine.waiting]]).toEqual([[rejected(joined, 'queueTimeout')], [next]]);
  });

  test('starts with its leader, also after that has left, and ends with those that are left', () => {
    const { machine, submit, effects } = slot();
    const { entry: leader } = submit();
    const { entry: joined } = submit('join');
    machine.leave(leader, 'caller');
    effects();
    machine.granted(1);
    expect([effects(), machine.owner, machine.occupant]).toEqual([[{ do: 'start', entry: leader }], leader, joined]);
    expect(taken(machine.ended(leader, false, false))).toEqual([joined]);
  });

  test('is joined at the owner, at the waiting replacement, and at the head of the queue, in this order', () => {
    const { machine, submit, makeOwner } = slot();
    const owner = makeOwner();
    const { entry: head } = submit('queue');
    const leaderOf = () => submit('join').entry.flight?.leader;
    expect(leaderOf()).toBe(owner);
    machine.leave(owner, 'caller');
    expect(leaderOf()).toBe(owner);
    const { entry: replacement } = submit('replace');
    expect(leaderOf()).toBe(replacement);
    machine.leave(replacement, 'caller');
    expect(leaderOf()).toBe(replacement);
    machine.cancel();
    expect(submit('queue').verdict).toBe('append');
    expect(leaderOf()).not.toBe(head);
  });

  test('that owns the slot stops when its last participant leaves, with the cause of that', () => {
    const { machine, submit, effects, makeOwner } = slot();
    const owner = makeOwner();
    const { entry: joined } = submit('join');
    effects();
    machine.leave(owner, 'caller', 'first');
    machine.leave(joined, 'deadline', 'second');
    expect(effects()).toEqual([
      { do: 'detach', entry: owner, by: 'caller', reason: 'first' },
      { do: 'detach', entry: joined, by: 'deadline', reason: 'second' },
      stopped(owner, 'deadline', 'second'),
    ]);
  });

  test('whose joined ones have left is one submission again: the slot stops it, and it ends with its body', () => {
    const { machine, submit, effects, makeOwner } = slot();
    const owner = makeOwner();
    machine.leave(submit('join').entry, 'caller');
    effects();
    machine.leave(owner, 'caller');
    expect(effects()).toEqual([stopped(owner, 'caller')]);
    expect(taken(machine.ended(owner, false, false))).toEqual([]);
  });

  test('that is being stopped gives its cause to those that leave it', () => {
    const { machine, submit, effects, makeOwner } = slot();
    makeOwner();
    const { entry: joined } = submit('join');
    machine.cancel('because');
    effects();
    machine.leave(joined, 'caller', 'mine');
    expect(effects()).toEqual([{ do: 'detach', entry: joined, by: 'slot', reason: 'because' }]);
  });

  test('names its first participant that is left where a dropIfRunning finds the slot busy', () => {
    const { machine, submit, effects } = slot();
    const { entry: leader } = submit();
    const { entry: joined } = submit('join');
    machine.leave(leader, 'caller');
    effects();
    const { entry, verdict } = submit('dropIfRunning');
    expect([verdict, machine.occupant, entry.place, effects()]).toEqual(['slotBusy', joined, 'new', []]);
  });
});

describe('a replacement', () => {
  test('supersedes the replacement and the keepLatest that wait, and leaves the rest of the queue', () => {
    const { machine, submit, effects, makeOwner } = slot();
    const owner = makeOwner();
    const { entry: queued } = submit();
    effects();
    const { entry: first } = submit('replace');
    expect(effects()).toEqual([stopped(owner, 'replace')]);
    const { entry: latest } = submit('keepLatest');
    const { entry: joined } = submit('join');
    const { entry: second } = submit('replace');
    expect(effects()).toEqual([
      rejected(first, 'superseded', second),
      rejected(joined, 'superseded', second),
      rejected(latest, 'superseded', second),
    ]);
    expect([machine.owner, ...machine.waiting]).toEqual([owner, second, queued]);
  });

  test('in another process supersedes the same, without a by, and stops the owner', () => {
    const { machine, submit, effects, makeOwner } = slot();
    const owner = makeOwner();
    const { entry: latest } = submit('keepLatest');
    machine.revoked(1);
    const { entry: replacement } = submit('replace');
    expect(effects().slice(-2)).toEqual([rejected(latest, 'superseded'), stopped(owner, 'replace')]);
    machine.ended(owner, false, false);
    expect(effects()).toEqual([
      { do: 'release' },
      { do: 'acquire', request: 2, asker: replacement, policy: 'replace' },
    ]);
  });

  test('that comes while the lease is requested urges the request once', () => {
    const { submit, effects } = slot();
    submit('queue');
    effects();
    submit('replace');
    submit('keepLatest');
    expect(effects()).toEqual([{ do: 'urge' }]);
    const { entry: older } = submit('replace');
    effects();
    const { entry: newer } = submit('replace');
    expect(effects()).toEqual([rejected(older, 'superseded', newer)]);
  });

  test('urges neither the request of a replacement nor a withdrawn request', () => {
    const { machine, submit, effects } = slot();
    const { entry: older } = submit('replace');
    effects();
    const { entry: newer } = submit('replace');
    expect(effects()).toEqual([rejected(older, 'superseded', newer)]);
    machine.granted(1);
    const { entry: queued } = submit('queue');
    machine.ended(newer, true, false);
    effects();
    machine.cancel();
    expect(effects()).toEqual([rejected(queued, 'canceled'), { do: 'cancelRequest' }]);
    submit('replace');
    machine.pause(); // a request is withdrawn once
    expect(effects()).toEqual([]);
  });

  test('that the store superseded is rejected, and what waits behind it asks again', () => {
    const { machine, submit, effects } = slot();
    const { entry: queued } = submit('queue');
    const { entry: replacement } = submit('replace');
    effects();
    machine.denied(1, 'superseded');
    expect(effects()).toEqual([
      rejected(replacement, 'superseded'),
      { do: 'acquire', request: 2, asker: queued, policy: 'queue' },
    ]);
  });

  test('that waits in a paused slot outlives the answer superseded to a withdrawn request', () => {
    const { machine, submit, effects } = slot();
    const { entry } = submit('replace');
    machine.pause();
    effects();
    machine.denied(1, 'superseded');
    expect([effects(), ...machine.waiting]).toEqual([[], entry]);
  });
});

describe('the lease at the end of an owner', () => {
  test.for<[claim: string, next: AdmissionPolicy | 'none', contended: boolean, bodyAlive: boolean, effects: string[]]>([
    ['is kept for the queue', 'queue', false, false, ['start']],
    ['is kept for a replacement', 'replace', false, false, ['start']],
    ['is released when another process waits, before the queue asks', 'queue', true, false, ['release', 'acquire']],
    ['is kept for a replacement, also when another process waits', 'replace', true, false, ['start']],
    ['is released when nothing waits', 'none', false, false, ['release']],
    ['is set aside when the body was given up', 'none', false, true, ['setAside']],
    [
      'is set aside when the body was given up, and the next one asks for another',
      'replace',
      false,
      true,
      ['setAside', 'acquire'],
    ],
  ])('%s', ([, next, contended, bodyAlive, expected]) => {
    const { machine, submit, effects, makeOwner } = slot();
    const owner = makeOwner();
    if (next !== 'none') submit(next);
    effects();
    machine.ended(owner, bodyAlive, contended);
    expect(effects().map((effect) => effect.do)).toEqual(expected);
  });

  test('is released in a paused slot, although one waits', () => {
    const { machine, submit, effects, makeOwner } = slot();
    const owner = makeOwner();
    submit();
    machine.pause();
    effects();
    machine.ended(owner, false, false);
    expect(effects()).toEqual([{ do: 'release' }]);
  });

  test.for(['lost', 'revoked'] as const)('is released when it is %s, although one waits', (what) => {
    const { machine, submit, effects, makeOwner } = slot();
    const owner = makeOwner();
    submit();
    machine[what](1);
    effects();
    machine.ended(owner, false, false);
    expect(effects().map((effect) => effect.do)).toEqual(['release', 'acquire']);
  });
});

describe('a lost lease', () => {
  test('suspends an owner that resumes: it is released at proof of end, and the next grant resumes the owner (S11)', () => {
    const { machine, effects, makeOwner } = slot();
    const owner = makeOwner({ resumes: true });
    effects();
    machine.lost(1);
    expect(effects()).toEqual([{ do: 'suspend', owner }]);
    machine.suspended(owner, false);
    expect(effects()).toEqual([{ do: 'release' }, { do: 'acquire', request: 2, asker: owner, policy: 'queue' }]);
    expect(machine.granted(2)).toBe(true);
    expect([effects(), machine.phase]).toEqual([[{ do: 'resume', owner }], 'running']);
  });

  test('is set aside when the suspended body was given up', () => {
    const { machine, effects, makeOwner } = slot();
    const owner = makeOwner({ resumes: true });
    machine.lost(1);
    effects();
    machine.suspended(owner, true);
    expect(effects().map((effect) => effect.do)).toEqual(['setAside', 'acquire']);
  });

  test('changes nothing for an owner that is stopping or revoked: its lease is released at its end', () => {
    for (const isRevoked of [false, true]) {
      const { machine, effects, makeOwner } = slot();
      const owner = makeOwner({ resumes: true });
      if (isRevoked) machine.revoked(1);
      else machine.cancel();
      effects();
      machine.lost(1);
      expect(effects()).toEqual([]);
      machine.ended(owner, false, false);
      expect(effects()).toEqual([{ do: 'release' }]);
    }
  });

  test.for<[string, Entry['will'], finishing: boolean]>([
    ['does not resume', { resumes: false }, false],
    ['finishes', { resumes: true, finishes: true }, true],
  ])('stops an owner that %s', ([, will, finishing]) => {
    const { machine, effects, makeOwner } = slot();
    const owner = makeOwner(will);
    machine.close();
    if (finishing) machine.stop();
    effects();
    machine.lost(1);
    expect(effects()).toEqual([stopped(owner, 'leaseLost')]);
  });

  test('that cannot be replaced stops the suspended owner, which then has no lease to release', () => {
    const { machine, effects, makeSuspended } = slot();
    const owner = makeSuspended();
    machine.denied(2, 'leaseUnavailable', STORE_DOWN);
    expect(effects()).toEqual([stopped(owner, 'leaseLost', STORE_DOWN)]);
    machine.ended(owner, false, false);
    expect([effects(), machine.isIdle]).toEqual([[], true]);
  });
});

describe('a suspended owner', () => {
  test('is busy for others, and is joined', () => {
    const { submit, makeSuspended } = slot();
    makeSuspended();
    expect([submit('dropIfRunning').verdict, submit('join').verdict, submit('queue').verdict]).toEqual([
      'slotBusy',
      'join',
      'append',
    ]);
  });

  test('that ends leaves its request to the next one', () => {
    const { machine, submit, effects, makeSuspended } = slot();
    const owner = makeSuspended();
    const { entry: next } = submit();
    machine.leave(owner, 'caller');
    machine.ended(owner, false, false);
    expect([effects(), machine.phase]).toEqual([[stopped(owner, 'caller')], 'waiting']);
    machine.granted(2);
    expect(effects()).toEqual([{ do: 'start', entry: next }]);
  });

  test('that is replaced leaves its request to the replacement, urged', () => {
    const { machine, submit, effects, makeSuspended } = slot();
    const owner = makeSuspended();
    submit('replace');
    effects();
    machine.ended(owner, false, false);
    expect(effects()).toEqual([{ do: 'urge' }]);
  });

  test('that ends with nothing behind it withdraws its request', () => {
    const { machine, effects, makeSuspended } = slot();
    const owner = makeSuspended();
    machine.cancel();
    machine.ended(owner, false, false);
    expect(effects()).toEqual([stopped(owner, 'slot'), { do: 'cancelRequest' }]);
    expect(machine.granted(2)).toBe(false);
    expect(machine.isIdle).toBe(true);
  });

  test('that is stopped, and gets the lease all the same, keeps it for the next one', () => {
    const { machine, submit, effects, makeSuspended } = slot();
    const owner = makeSuspended();
    const { entry: next } = submit();
    machine.leave(owner, 'caller');
    effects();
    expect(machine.granted(2)).toBe(true);
    machine.ended(owner, false, false);
    expect(effects()).toEqual([{ do: 'start', entry: next }]);
  });
});

describe('in a shutdown', () => {
  test('only flights whose leader finishes go on waiting, with all that joined them', () => {
    const { machine, submit, effects, makeOwner } = slot();
    const owner = makeOwner();
    const { entry: first } = submit('replace');
    const { entry: joined } = submit('join', { finishes: true });
    const { entry: finisher } = submit('queue', { finishes: true });
    const { entry: last } = submit();
    effects();
    machine.close();
    expect(effects()).toEqual([
      rejected(first, 'shuttingDown'),
      rejected(joined, 'shuttingDown'),
      rejected(last, 'shuttingDown'),
    ]);
    machine.ended(owner, false, false);
    expect([effects(), machine.phase]).toEqual([[{ do: 'start', entry: finisher }], 'running']);
  });

  test('the owner goes on until it is reached: it is stopped then, or asked once to finish', () => {
    for (const finishes of [false, true]) {
      const { machine, effects, makeOwner } = slot();
      const owner = makeOwner({ finishes });
      effects();
      machine.close();
      expect(effects()).toEqual([]);
      machine.stop();
      machine.stop();
      expect(effects()).toEqual([finishes ? { do: 'finish', owner } : stopped(owner, 'shutdown')]);
    }
  });

  test('a suspended owner is stopped, although it finishes', () => {
    const { machine, effects, makeOwner } = slot();
    const owner = makeOwner({ finishes: true, resumes: true });
    machine.lost(1);
    machine.close();
    effects();
    machine.stop();
    expect(effects()).toEqual([stopped(owner, 'shutdown')]);
  });

  test('the end of the time to finish rejects what waits, and stops an owner that was asked to finish', () => {
    for (const isReached of [false, true]) {
      const { machine, submit, effects, makeOwner } = slot();
      const owner = makeOwner({ finishes: true });
      const { entry } = submit('queue', { finishes: true });
      machine.close();
      if (isReached) machine.stop();
      effects();
      machine.endFinish();
      expect(effects()).toEqual([rejected(entry, 'shuttingDown'), ...(isReached ? [stopped(owner, 'shutdown')] : [])]);
      machine.stop();
      expect(effects()).toEqual(isReached ? [] : [stopped(owner, 'shutdown')]);
    }
  });
});

describe('input that comes late or twice changes nothing (S8):', () => {
  const answers: readonly (readonly [name: string, deliver: (machine: Machine) => unknown])[] = [
    ['a grant', (machine) => machine.granted(1)],
    ['a denial', (machine) => machine.denied(1, 'slotBusy')],
    ['a superseded replacement', (machine) => machine.denied(1, 'superseded')],
  ];
  const moments: readonly (readonly [name: string, reach: (machine: Machine, asker: Entry) => void])[] = [
    ['granted', (machine) => void machine.granted(1)],
    ['denied', (machine) => machine.denied(1, 'slotBusy')],
    [
      'granted after its asker was canceled',
      (machine, asker) => {
        machine.leave(asker, 'caller');
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

  const afterLeaving: Record<string, (world: World) => Entry> = {
    'an entry that was rejected': ({ makeOwner, submit }) => {
      makeOwner();
      return submit('dropIfRunning').entry;
    },
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
    'a joined entry that has left': ({ machine, makeOwner, submit }) => {
      makeOwner();
      const { entry } = submit('join');
      machine.leave(entry, 'caller');
      return entry;
    },
    'a leader that has left the slot to those that joined it': ({ machine, makeOwner, submit }) => {
      const owner = makeOwner();
      submit('join');
      machine.leave(owner, 'caller');
      return owner;
    },
    'a leader that has left its place in the queue to those that joined it': ({ machine, submit }) => {
      const { entry } = submit();
      submit('join');
      machine.leave(entry, 'caller');
      return entry;
    },
  };
  test.for(Object.entries(afterLeaving))('a leave of %s', ([, make]) => {
    const world = slot();
    const { machine, effects } = world;
    const entry = make(world);
    effects();
    const before = { ...stateOf(machine), place: entry.place };
    machine.leave(entry, 'caller');
    expect([{ ...stateOf(machine), place: entry.place }, effects()]).toEqual([before, []]);
  });

  test('a proof of end of an owner that is not suspended, or asked again', () => {
    const { machine, effects, makeOwner } = slot();
    const owner = makeOwner({ resumes: true });
    effects();
    machine.suspended(owner, false);
    expect(effects()).toEqual([]);
    machine.lost(1);
    machine.suspended(owner, false);
    effects();
    machine.suspended(owner, false);
    machine.lost(1);
    expect(effects()).toEqual([]);
  });

  test('a second loss, a revocation after it, and a proof of end of another entry', () => {
    const { machine, effects, makeOwner } = slot();
    const owner = makeOwner({ resumes: true });
    machine.lost(1);
    effects();
    machine.lost(1);
    machine.revoked(1);
    machine.suspended(new Entry(9, 'queue'), false);
    expect([effects(), machine.phase]).toEqual([[], 'running']);
    machine.ended(owner, false, false);
    effects();
    machine.suspended(owner, false);
    expect([effects(), machine.phase]).toEqual([[], 'idle']);
  });
});

test('what was called off does not start: it is rejected when it would be next, with all that joined it', () => {
  const { machine, submit, effects, makeOwner } = slot();
  const owner = makeOwner();
  const { entry: replacement } = submit('replace');
  const { entry: joined } = submit('join');
  const { entry: second } = submit();
  const { entry: third } = submit();
  const { entry: last } = submit();
  for (const one of [replacement, joined, second, last]) one.isCalledOff = true;
  effects();
  machine.ended(owner, false, false);
  expect(effects()).toEqual([
    ...[replacement, joined, second].map((one) => rejected(one, 'canceled')),
    { do: 'start', entry: third },
  ]);
  expect([...machine.waiting]).toEqual([last]);
});

test('a flight whose leader has left does not start once the others have called it off', () => {
  const { machine, submit, effects, makeOwner } = slot();
  const owner = makeOwner();
  const { entry: leader } = submit('replace');
  const { entry: joined } = submit('join');
  machine.leave(leader, 'caller');
  joined.isCalledOff = true;
  effects();
  machine.ended(owner, false, false);
  expect(effects()).toEqual([rejected(joined, 'canceled'), { do: 'release' }]);
});

test('a flight starts while one of its participants that are left has not called it off', () => {
  for (const [leader, joined, leaderLeaves] of [
    [false, true, false],
    [true, false, false],
    [true, false, true],
  ] as const) {
    const { machine, submit, effects, makeOwner } = slot();
    const owner = makeOwner();
    const { entry } = submit('replace');
    const { entry: other } = submit('join');
    entry.isCalledOff = leader;
    other.isCalledOff = joined;
    if (leaderLeaves) machine.leave(entry, 'caller');
    effects();
    machine.ended(owner, false, false);
    expect(effects()).toEqual([{ do: 'start', entry }]);
  }
});

test('an owner that was called off is stopped by its signal', () => {
  const { machine, effects, makeOwner } = slot();
  const owner = makeOwner();
  effects();
  machine.calledOff('reason');
  expect(effects()).toEqual([stopped(owner, 'signal', 'reason')]);
});

test('a paused slot starts nothing, and what waits requests the lease once it is resumed', () => {
  const { machine, submit, effects } = slot();
  machine.pause();
  const { entry } = submit();
  expect(effects()).toEqual([]);
  machine.resume();
  expect(effects()).toEqual([{ do: 'acquire', request: 1, asker: entry, policy: 'queue' }]);
});

test('a copy decides as the machine does, and shares no entry with it', () => {
  const { machine, submit, makeOwner } = slot();
  const owner = makeOwner();
  submit('replace');
  submit('keepLatest');
  submit('queue');
  const copies = new Map<Entry, Entry>();
  const copyOf = (entry: Entry): Entry => {
    const known = copies.get(entry);
    if (known !== undefined) return known;
    const copy = new Entry(entry.n, entry.policy, entry.will);
    copies.set(entry, copy);
    copy.place = entry.place;
    copy.ahead = entry.ahead && copyOf(entry.ahead);
    copy.behind = entry.behind && copyOf(entry.behind);
    return copy;
  };
  const copy = machine.copy(copyOf);
  const shown = (one: Machine) => [one.phase, one.owner?.n, [...one.waiting].map(({ n }) => n), one.paused];
  expect(shown(copy)).toEqual(shown(machine));
  expect([copy.owner === owner, copy.hasLatest, copy.queueLength, copy.pending]).toEqual([false, true, 2, 3]);
  const before = shown(machine);
  submitTo(copy, new Entry(9, 'replace'), LIMITS);
  expect(shown(machine)).toEqual(before);
});
