// One slot with its real machine, and a lease store that the test answers.

import { getEventListeners } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { HeldLease, LOCAL } from '../../src/engine/held-lease.ts';
import type { LeaseStore, RequestListener } from '../../src/engine/lease-store.ts';
import { RecentFences } from '../../src/engine/recent-fences.ts';
import { SlotLease } from '../../src/engine/slot-lease.ts';
import type { LiveSubmission } from '../../src/engine/submission.ts';
import type { LeaseRequest } from '../../src/model/lease.ts';
import type { AdmissionPolicy } from '../../src/model/settings.ts';
import { SlotMachine } from '../../src/policy/slot-machine.ts';
import { leaseWith } from '../support/fake-lease-store.ts';
import { submitTo } from '../support/slot-world.ts';

const LIMITS = { queueLimit: 9, onFull: 'reject', mayWait: true, mayStart: true } as const;

function setup() {
  const machine = new SlotMachine<LiveSubmission>();
  const requests: { request: LeaseRequest; answer: RequestListener }[] = [];
  const released: HeldLease[] = [];
  const watched: string[] = [];
  const store = {
    fences: new RecentFences(),
    acquire(request: LeaseRequest, answer: RequestListener) {
      answer.asked();
      requests.push({ request, answer });
    },
    release: (_: string, held: HeldLease) => void released.push(held),
    releaseAside: (_: string, held: HeldLease) => void released.push(held),
    watch(_: string, what: string) {
      watched.push(what);
      return () => void watched.push(`${what} answered`);
    },
  } as Partial<LeaseStore> as LeaseStore;
  const changed = vi.fn((apply: () => void) => apply());
  const informed = vi.fn();
  const open = () => new SlotLease('s', machine, store, { leaseChanged: changed, leaseLost: informed });
  const slotLease = open();
  const effects = () => machine.effects.splice(0);
  /** Submits an entry, and has the lease that the machine requests requested from the store. */
  const submit = (policy: AdmissionPolicy = 'queue'): LiveSubmission => {
    const entry = { id: 'x-1', slot: 's', policy, place: 'new', ahead: null, behind: null, flight: null };
    const submission = { ...entry, finishes: false, resumes: false } as unknown as LiveSubmission;
    submitTo(machine, submission, LIMITS);
    for (const effect of effects())
      if (effect.do === 'acquire') slotLease.acquire(effect.asker, effect.request, effect.policy);
      else if (effect.do === 'urge') slotLease.urge();
    return submission;
  };
  const last = () => requests.at(-1) as (typeof requests)[number];
  return { machine, store, open, slotLease, requests, released, watched, changed, informed, submit, effects, last };
}

function leaseOf(fields: { fence?: bigint; graceMs?: number } = {}) {
  const [lost, revoked] = [new AbortController(), new AbortController()];
  const signals = { lost: lost.signal, revoked: revoked.signal };
  const held = new HeldLease(leaseWith({ fence: 3n, ...signals, contended: true, ...fields }));
  const listeners = () => Object.values(signals).map((signal) => getEventListeners(signal, 'abort').length);
  return { held, lost, revoked, listeners };
}

/** A slot whose owner holds a lease. */
function owned() {
  const world = setup();
  const lease = leaseOf();
  const owner = world.submit();
  world.last().answer.granted(lease.held);
  world.effects();
  world.changed.mockClear();
  return { ...world, ...lease, owner };
}

describe('a request', () => {
  test('names the slot, the asker and its policy, and can be spread', () => {
    const { submit, last } = setup();
    submit();
    const { request } = last();
    const signals = { signal: undefined, urgent: undefined };
    expect({ ...request, ...signals }).toEqual({ slot: 's', owner: 'x-1', policy: 'queue', ...signals });
    for (const name of ['signal', 'urgent'] as const) {
      expect(request[name]).toBeInstanceOf(AbortSignal);
      expect(request[name]).toBe(request[name]);
      expect(request[name].aborted).toBe(false);
    }
  });

  test('of a replacement is urgent from the start, and any other once a replacement waits', () => {
    const replacing = setup();
    replacing.submit('replace');
    expect(replacing.last().request.urgent.aborted).toBe(true);
    const { submit, last, requests } = setup();
    submit();
    submit('replace');
    expect([requests.length, last().request.urgent.aborted, last().request.signal.aborted]).toEqual([1, true, false]);
    expect(last().request.urgent.reason).toMatchObject({ by: 'replace' });
  });
});

describe('a granted lease', () => {
  test('starts the asker, and is the lease of the slot (S2)', () => {
    const { slotLease, machine, submit, last, effects, changed } = setup();
    const entry = submit();
    expect(slotLease.held).toBe(LOCAL);
    const { held } = leaseOf();
    last().answer.granted(held);
    expect(effects()).toEqual([{ do: 'start', entry }]);
    expect([machine.owner, slotLease.held]).toEqual([entry, held]);
    expect(changed).toHaveBeenCalledTimes(1);
  });

  test('that was lost before it was granted is refused and released', () => {
    const { machine, submit, last, effects, released } = setup();
    const entry = submit();
    const { held, lost, listeners } = leaseOf();
    lost.abort();
    last().answer.granted(held);
    expect(effects()).toMatchObject([{ do: 'reject', entry, reason: 'leaseUnavailable' }]);
    expect([machine.owner, released, listeners()]).toEqual([null, [held], [0, 0]]);
  });

  test('that was revoked before it was granted starts the asker and stops it, and is not watched after its release', () => {
    const { slotLease, submit, last, effects, listeners, held, revoked } = { ...setup(), ...leaseOf() };
    const owner = submit();
    revoked.abort();
    last().answer.granted(held);
    expect(effects()).toEqual([
      { do: 'start', entry: owner },
      { do: 'stop', owner, by: 'replace', reason: undefined },
    ]);
    slotLease.release();
    expect(listeners()).toEqual([0, 0]);
  });

  test('that the slot no longer needs is released (S6)', () => {
    const { machine, submit, last, released, changed } = setup();
    const entry = submit();
    machine.leave(entry, 'caller');
    const { held } = leaseOf();
    last().answer.granted(held);
    expect([machine.owner, released]).toEqual([null, [held]]);
    expect(changed).toHaveBeenCalledTimes(1);
  });

  test('whose fence is not greater than the last one of the slot is refused and released', () => {
    for (const fence of [3n, 2n, 0n, -1n]) {
      const { machine, owner, slotLease, submit, last, effects, released, held } = owned();
      machine.ended(owner, false, false);
      slotLease.release();
      effects();
      const entry = submit();
      const late = leaseOf({ fence }).held;
      last().answer.granted(late);
      const refusal = `the lease's fence must be greater than 3, the last one of this slot: it is ${fence}`;
      expect(effects()).toMatchObject([
        { do: 'reject', entry, reason: 'leaseUnavailable', error: { message: refusal } },
      ]);
      expect(released).toEqual([held, late]);
    }
  });

  test('has its fence remembered when the slot leaves the table', () => {
    const { slotLease, open, store } = owned();
    open().end();
    expect(store.fences.get('s')).toBeUndefined(); // a slot without a lease has none to keep
    slotLease.end();
    expect(store.fences.get('s')).toBe(3n);
  });
});

describe('a refused lease', () => {
  const rows: readonly [what: string, why: { error: unknown } | null | 'superseded', expected: object][] = [
    ['because another process holds it rejects the asker as slotBusy', null, { reason: 'slotBusy' }],
    [
      'because the store threw rejects the asker as leaseUnavailable with that error',
      { error: 'down' },
      { reason: 'leaseUnavailable', error: 'down' },
    ],
    [
      "with 'superseded', though it was not urgent, rejects the asker as leaseUnavailable",
      'superseded',
      { reason: 'leaseUnavailable', error: expect.any(TypeError) },
    ],
  ];
  test.for(rows)('%s', ([, why, expected]) => {
    const { submit, last, effects, changed } = setup();
    const entry = submit();
    last().answer.refused(why);
    expect(effects()).toMatchObject([{ do: 'reject', entry, ...expected }]);
    expect(changed).toHaveBeenCalledTimes(1);
  });

  test('because a replacement elsewhere superseded it rejects the replacement as superseded', () => {
    const { submit, last, effects } = setup();
    const entry = submit('replace');
    last().answer.refused('superseded');
    expect(effects()).toMatchObject([{ do: 'reject', entry, reason: 'superseded', by: null }]);
  });
});

describe('a held lease', () => {
  test('that is lost stops the owner, is reported once, and is released', () => {
    const { slotLease, lost, held, owner, effects, informed, released } = owned();
    lost.abort();
    held.lose();
    expect(effects()).toEqual([{ do: 'stop', owner, by: 'leaseLost', reason: undefined }]);
    expect(informed.mock.calls).toEqual([[held]]);
    expect(released).toEqual([]);
    slotLease.release();
    expect([slotLease.held, released]).toEqual([LOCAL, [held]]);
  });

  test('that is revoked stops the owner for a replacement', () => {
    const { revoked, owner, effects, changed } = owned();
    revoked.abort();
    expect(effects()).toEqual([{ do: 'stop', owner, by: 'replace', reason: undefined }]);
    expect(changed).toHaveBeenCalledTimes(1);
  });

  test('is released once', () => {
    const { slotLease, held, released } = owned();
    slotLease.release();
    slotLease.release();
    expect([slotLease.held, released]).toEqual([LOCAL, [held]]);
  });

  test('that was set aside is released when the bodies that were given up have ended', () => {
    const { slotLease, held, released, listeners } = owned();
    held.bodyGivenUp();
    slotLease.setAside();
    expect([slotLease.held, released, listeners()]).toEqual([LOCAL, [], [0, 0]]);
    held.bodyEnded();
    expect(released).toEqual([held]);
  });

  test('is no longer watched after its release, so a late loss changes nothing (S8)', () => {
    const { slotLease, held, lost, revoked, effects, changed, listeners } = owned();
    slotLease.release();
    lost.abort();
    revoked.abort();
    held.lose();
    expect([effects(), changed.mock.calls.length, listeners()]).toEqual([[], 0, [0, 0]]);
  });
});

describe('a cancel of the request', () => {
  test('aborts the signal of the pending request, and watches for the answer', () => {
    const { slotLease, submit, last, watched } = setup();
    submit();
    const { request, answer } = last();
    expect(watched).toEqual([]);
    slotLease.cancelRequest();
    expect([request.signal.aborted, watched]).toEqual([true, ['acquire']]);
    answer.refused(null);
    expect(watched).toEqual(['acquire', 'acquire answered']);
  });

  test.for<readonly [what: string, answer: (to: RequestListener) => void]>([
    ['granted', (to) => to.granted(leaseOf().held)],
    ['refused', (to) => to.refused(null)],
  ])('does nothing once the request was %s', ([, answer]) => {
    const { slotLease, submit, last, watched } = setup();
    submit();
    const { request, answer: to } = last();
    answer(to);
    slotLease.cancelRequest();
    expect([request.signal.aborted, watched]).toEqual([false, []]);
  });
});
