// One slot with its real machine, and a lease store that the test answers.

import { describe, expect, test, vi } from 'vitest';
import type { HeldLease, LeaseAnswer, LeaseStore } from '../../src/engine/lease-store.ts';
import { SlotLease } from '../../src/engine/slot-lease.ts';
import type { LiveSubmission } from '../../src/engine/submission.ts';
import type { Lease, LeaseRequest } from '../../src/model/lease.ts';
import { SlotMachine } from '../../src/policy/slot-machine.ts';

function setup() {
  const machine = new SlotMachine<LiveSubmission>();
  const requests: { request: LeaseRequest; answer: LeaseAnswer }[] = [];
  const released: Lease[] = [];
  const store = {
    acquire: (request: LeaseRequest, answer: LeaseAnswer) => void requests.push({ request, answer }),
    release: (_: string, lease: Lease) => void released.push(lease),
  };
  const answered = vi.fn();
  const slotLease = new SlotLease('s', machine, store as Partial<LeaseStore> as LeaseStore, answered);
  /** Submits an entry, and has the lease that the machine requests requested from the store. */
  const submit = (): LiveSubmission => {
    const entry = { id: 'x-1', slot: 's', policy: 'queue', place: 'new', ahead: null, behind: null };
    const submission = entry as unknown as LiveSubmission;
    machine.submit(submission, { queueLimit: 9, onFull: 'reject', mayWait: true });
    for (const effect of effects()) if (effect.do === 'acquire') slotLease.acquire(effect.asker, effect.request);
    return submission;
  };
  const effects = () => machine.effects.splice(0);
  const last = () => requests.at(-1) as (typeof requests)[number];
  return { machine, slotLease, requests, released, answered, submit, effects, last };
}

function leaseOf(fence = 3n) {
  const [lost, revoked] = [new AbortController(), new AbortController()];
  const lease: Lease = { fence, lost: lost.signal, revoked: revoked.signal, contended: true, release: () => {} };
  const held: HeldLease = { lease, fence, lost: lost.signal, revoked: revoked.signal };
  return { lease, held, lost, revoked };
}

/** A slot whose owner holds a lease. */
function owned() {
  const world = setup();
  const { lease, held, lost, revoked } = leaseOf();
  const owner = world.submit();
  world.last().answer.granted(held);
  world.effects();
  world.answered.mockClear();
  return { ...world, lease, lost, revoked, owner };
}

test('a request names the slot, the asker and its policy, and can be spread', () => {
  const { submit, last } = setup();
  submit();
  const { request } = last();
  expect({ ...request, signal: undefined }).toEqual({ slot: 's', owner: 'x-1', policy: 'queue', signal: undefined });
  expect(request.signal).toBeInstanceOf(AbortSignal);
  expect(request.signal).toBe(request.signal);
});

describe('a granted lease', () => {
  test('starts the asker, and shows its fence and whether another process waits (S2)', () => {
    const { slotLease, machine, submit, last, effects, answered } = setup();
    const entry = submit();
    expect([slotLease.fence, slotLease.contended]).toEqual([0n, false]);
    last().answer.granted(leaseOf(3n).held);
    expect(effects()).toEqual([{ do: 'start', entry }]);
    expect(machine.owner).toBe(entry);
    expect([slotLease.fence, slotLease.contended]).toEqual([3n, true]);
    expect(answered).toHaveBeenCalledTimes(1);
  });

  test('that was lost before it was granted is refused and not released', () => {
    const { machine, submit, last, effects, released } = setup();
    const entry = submit();
    const { held, lost } = leaseOf();
    lost.abort();
    last().answer.granted(held);
    expect(effects()).toMatchObject([{ do: 'reject', entry, reason: 'leaseUnavailable' }]);
    expect([machine.owner, released]).toEqual([null, []]);
  });

  test('that was revoked before it was granted starts the asker and stops it', () => {
    const { submit, last, effects } = setup();
    const owner = submit();
    const { held, revoked } = leaseOf();
    revoked.abort();
    last().answer.granted(held);
    expect(effects()).toEqual([
      { do: 'start', entry: owner },
      { do: 'stop', owner, by: 'replace', reason: undefined },
    ]);
  });

  test('that the slot no longer needs is released (S6)', () => {
    const { machine, submit, last, released, answered } = setup();
    const entry = submit();
    machine.withdraw(entry, 'canceled');
    const { held, lease } = leaseOf();
    last().answer.granted(held);
    expect([machine.owner, released]).toEqual([null, [lease]]);
    expect(answered).toHaveBeenCalledTimes(1);
  });
});

describe('a refused lease', () => {
  test.for<readonly [what: string, error: { error: unknown } | null, expected: object]>([
    ['because another process holds it rejects the asker as slotBusy', null, { reason: 'slotBusy' }],
    [
      'because the store threw rejects the asker as leaseUnavailable with that error',
      { error: 'down' },
      { reason: 'leaseUnavailable', error: 'down' },
    ],
  ])('%s', ([, error, expected]) => {
    const { submit, last, effects, answered } = setup();
    const entry = submit();
    last().answer.refused(error);
    expect(effects()).toMatchObject([{ do: 'reject', entry, ...expected }]);
    expect(answered).toHaveBeenCalledTimes(1);
  });
});

describe('a held lease', () => {
  test('that is lost stops the owner, and is dropped without a release', () => {
    const { slotLease, lost, owner, effects, answered, released } = owned();
    lost.abort();
    expect(effects()).toEqual([{ do: 'stop', owner, by: 'leaseLost', reason: undefined }]);
    expect(answered).toHaveBeenCalledTimes(1);
    slotLease.drop();
    expect([slotLease.fence, released]).toEqual([0n, []]);
  });

  test('that is revoked stops the owner for a replacement', () => {
    const { revoked, owner, effects, answered } = owned();
    revoked.abort();
    expect(effects()).toEqual([{ do: 'stop', owner, by: 'replace', reason: undefined }]);
    expect(answered).toHaveBeenCalledTimes(1);
  });

  test('is released once', () => {
    const { slotLease, lease, released } = owned();
    slotLease.release();
    slotLease.release();
    expect([slotLease.fence, slotLease.contended, released]).toEqual([0n, false, [lease]]);
  });

  test('is no longer watched after its release, so a late loss changes nothing (S8)', () => {
    const { slotLease, lost, revoked, effects, answered } = owned();
    slotLease.release();
    lost.abort();
    revoked.abort();
    expect([effects(), answered.mock.calls.length]).toEqual([[], 0]);
  });
});

describe('a cancel of the request', () => {
  test('aborts the signal of the pending request', () => {
    const { slotLease, submit, last } = setup();
    submit();
    const { signal } = last().request;
    slotLease.cancelRequest();
    expect(signal.aborted).toBe(true);
  });

  test.for<readonly [what: string, answer: (to: LeaseAnswer) => void]>([
    ['granted', (to) => to.granted(leaseOf().held)],
    ['refused', (to) => to.refused(null)],
  ])('does nothing once the request was %s', ([, answer]) => {
    const { slotLease, submit, last } = setup();
    submit();
    const { request, answer: to } = last();
    answer(to);
    slotLease.cancelRequest();
    expect(request.signal.aborted).toBe(false);
  });
});
