import { AsyncLocalStorage } from 'node:async_hooks';
import { type AdmissionPolicy, Supervisor } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test, vi } from 'vitest';
import { LiveSubmission, peekOutcome, type SubmissionHost, whenOwned } from '../../src/engine/submission.ts';
import { SubmitCall } from '../../src/engine/submit-call.ts';
import type { Work } from '../../src/engine/task-view.ts';
import { thrownFailure } from '../../src/model/failure.ts';
import { createTaskIds } from '../../src/model/id.ts';
import { type Outcome, OutcomeError } from '../../src/model/outcome.ts';
import { DEFAULT_SETTINGS, type TaskSettings } from '../../src/model/settings.ts';
import type { ParsedSpec } from '../../src/model/spec.ts';
import type { Submission } from '../../src/model/submission.ts';
import { WaitingLine } from '../../src/policy/waiting-line.ts';
import { gateBody } from '../support/gate.ts';

const completed: Outcome = { kind: 'completed', value: 7, attempts: 1 };
const failure = thrownFailure(new Error('boom'));

type Given = Partial<Omit<ParsedSpec, 'settings'>> & { readonly settings?: Partial<TaskSettings> };

function setup({ settings, ...given }: Given = {}) {
  const host = {
    ids: createTaskIds('x'),
    now: vi.fn(() => 100),
    queueLimit: vi.fn(() => 9),
    waitingFor: vi.fn(() => 'owner' as const),
    cancel: vi.fn(),
  } satisfies SubmissionHost;
  const meta = { own: true };
  const spec: ParsedSpec = {
    run: () => 1,
    name: undefined,
    slot: 's',
    admission: undefined,
    meta,
    ...given,
    settings: { ...DEFAULT_SETTINGS, ...settings },
  };
  const live = new LiveSubmission(host, new SubmitCall(host.ids, 3, spec, spec.slot, 'queue'));
  return { host, live, meta, handle: live.handle };
}

function setupSettled() {
  const { live, handle } = setup();
  live.settle(completed);
  return handle;
}

const work = (given: Partial<Work> = {}): Work => ({
  status: 'running',
  attempts: 2,
  retries: 1,
  streak: 1,
  failingMs: 20,
  sinceMs: 5,
  ranMs: 7,
  nextAttemptInMs: undefined,
  lastFailure: undefined,
  waitingFor: undefined,
  stopping: undefined,
  restart: () => true,
  ...given,
});

test.for<readonly [what: string, given: Given, slot: string, name: string]>([
  ['with a slot and a name has both', { name: 'n' }, 's', 'n'],
  ['without a name has the name of its slot', {}, 's', 's'],
  ['without a slot has a slot and a name of its own, its id', { slot: undefined }, 'x-3', 'x-3'],
])('a submission %s', ([, given, slot, name]) => {
  expect(setup(given).live).toMatchObject({ slot, name });
});

test('the outcome resolves once it is settled, for promises taken before and after', async () => {
  const { live, handle } = setup();
  const before = handle.outcome;
  live.settle(completed);
  expect(await before).toBe(completed);
  expect(await setupSettled().outcome).toBe(completed);
  expect(handle.outcome).toBe(before);
});

test('value returns the value of a completed task', async () => {
  expect(await setupSettled().value()).toBe(7);
});

test('value throws an OutcomeError that names the task, with the thrown error as its cause', async () => {
  const { live, handle } = setup();
  const outcome: Outcome = { kind: 'failed', failure, attempts: 3, because: 'maxRetries' };
  live.settle(outcome);
  const error = await handle.value().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OutcomeError);
  expect(error).toMatchObject({ message: expect.stringMatching(/^s: failed after 3/), outcome });
  expect((error as Error).cause).toBe((failure as { error: unknown }).error);
});

test('value throws an OutcomeError that shows a long name in 60 characters', async () => {
  const { live, handle } = setup({ name: 'n'.repeat(1_024) });
  live.settle({ kind: 'canceled', by: 'caller', attempts: 0 });
  await expect(handle.value()).rejects.toThrow(/^n{60}…: canceled/);
});

test('value throws an OutcomeError that names the limit of the queue, if that was full', async () => {
  const { host, live, handle } = setup();
  live.settle({ kind: 'rejected', reason: 'queueFull' });
  await expect(handle.value()).rejects.toThrow(/^s: rejected: queueFull \(queueLimit is 9: set it in slots,/);
  expect(host.queueLimit).toHaveBeenCalledExactlyOnceWith('s');
});

test('value throws an OutcomeError without a cause when no body threw', async () => {
  const { live, handle } = setup();
  live.settle({ kind: 'rejected', reason: 'slotBusy' });
  const error = await handle.value().catch((thrown: unknown) => thrown);
  expect(Object.hasOwn(error as Error, 'cause')).toBe(false);
});

test('the status is queued, then that of its work, then ended', () => {
  const { live, handle } = setup();
  const seen = [handle.status];
  live.work = work({ status: 'backoff' });
  seen.push(handle.status);
  live.settle(completed);
  seen.push(handle.status);
  expect(seen).toEqual(['queued', 'backoff', 'ended']);
});

test("cancel passes its reason to the host as the caller's, and resolves with the outcome", async () => {
  const { live, host, handle } = setup();
  const reason = new Error('enough');
  const canceled = handle.cancel(reason);
  expect(host.cancel).toHaveBeenCalledExactlyOnceWith(live, 'caller', reason);
  live.settle({ kind: 'canceled', by: 'caller', reason, attempts: 1 });
  expect(await canceled).toMatchObject({ kind: 'canceled', reason });
});

test('restart is passed to its work, and is false without work', () => {
  const { live, handle } = setup();
  expect(handle.restart()).toBe(false);
  const restart = vi.fn(() => true);
  live.work = work({ restart });
  expect(handle.restart()).toBe(true);
  live.settle(completed);
  expect(handle.restart()).toBe(false);
  expect(restart).toHaveBeenCalledTimes(1);
});

test('settling ends the watch and drops the work, so a kept handle keeps no body alive', () => {
  const { live } = setup();
  const end = vi.fn();
  live.watch = { firstAttemptBegins: () => {}, end };
  live.work = work();
  live.settle(completed);
  expect(end).toHaveBeenCalledTimes(1);
  expect([live.watch, live.work, live.ended]).toEqual([null, null, true]);
});

test("isSignalAborted follows the caller's signal, and is false without one", () => {
  const controller = new AbortController();
  const { live } = setup({ settings: { signal: controller.signal } });
  expect([setup().live.isSignalAborted, live.isSignalAborted]).toEqual([false, false]);
  controller.abort();
  expect(live.isSignalAborted).toBe(true);
});

test('begin keeps the time and the async context of the submitter', () => {
  const { live } = setup();
  const storage = new AsyncLocalStorage<string>();
  storage.run('submitter', () => live.begin(40));
  expect(live.submittedMs).toBe(40);
  expect(live.context?.runInAsyncScope(() => storage.getStore())).toBe('submitter');
});

test('the view of a waiting submission shows how long it has waited', () => {
  const { live, meta } = setup({ name: 'n' });
  live.begin(40);
  const view = {
    id: 'x-3',
    name: 'n',
    slot: 's',
    policy: 'queue',
    status: 'queued',
    attempt: 0,
    retries: 0,
    streak: 0,
    meta,
  };
  expect(live.view()).toStrictEqual({ ...view, sinceMs: 60, ageMs: 60 });
});

test('the view of a submission that is queued shows what its slot makes it wait for', () => {
  const { live, host } = setup();
  live.place = new WaitingLine();
  expect(live.view()).toMatchObject({ status: 'queued', waitingFor: 'owner' });
  expect(host.waitingFor).toHaveBeenCalledExactlyOnceWith('s');
});

test('the view of a submission with work shows that work, and only the fields that it has', () => {
  const { live, meta } = setup();
  live.work = work();
  live.begin(40);
  const ages = { sinceMs: 5, ageMs: 60 };
  const view = {
    id: 'x-3',
    name: 's',
    slot: 's',
    policy: 'queue',
    status: 'running',
    attempt: 2,
    retries: 1,
    streak: 1,
    failingMs: 20,
    ...ages,
    meta,
  };
  expect(live.view()).toStrictEqual(view);
  live.work = work({ waitingFor: 'rate', stopping: { by: 'slot', sinceMs: 4 } });
  expect(live.view()).toStrictEqual({ ...view, waitingFor: 'rate', stop: { by: 'slot', sinceMs: 4 } });
  live.work = work({ status: 'backoff', nextAttemptInMs: 9, lastFailure: failure });
  expect(live.view()).toStrictEqual({ ...view, status: 'backoff', nextAttemptInMs: 9, lastFailure: failure });
});

test('a handle that its caller has frozen shows later changes of the submission', () => {
  const { live, handle } = setup();
  Object.freeze(handle);
  live.admission = 'started';
  live.settle(completed);
  expect([handle.admission, handle.status]).toEqual(['started', 'ended']);
});

test('a write to a handle does not reach the submission', () => {
  const { live, handle } = setup();
  expect(() => Object.assign(handle, { id: 'y-1' })).toThrow(TypeError);
  Object.defineProperty(handle, 'outcome', { value: 'mine' });
  expect([live.id, live.handle.outcome]).toEqual(['x-3', live.outcome]);
});

test.for<[string, (handle: Submission) => unknown]>([
  ['outcome', (handle) => handle.outcome],
  ['value()', (handle) => handle.value()],
  ['cancel()', (handle) => handle.cancel()],
])('%s asks for the outcome, for the user', ([, ask]) => {
  const { live, handle } = setup();
  void [handle.id, handle.slot, handle.name, handle.admission, handle.status, handle.restart(), live.view()];
  expect(live.isOutcomeAsked).toBe(false);
  void ask(handle);
  expect(live.isOutcomeAsked).toBe(true);
});

test('peekOutcome gives the outcome and does not ask for it, also where the handle is of another copy', async () => {
  const { live, handle } = setup();
  const peeked = peekOutcome(handle);
  live.settle(completed);
  expect([await peeked, live.isOutcomeAsked, live.settledTo]).toEqual([completed, false, completed]);
  const other = { outcome: Promise.resolve(completed) } as Submission;
  expect(await peekOutcome(other)).toBe(completed);
});

describe('the listener of an ownership', () => {
  test('is called once, when the submission gets its work, and not before', () => {
    const { live, handle } = setup();
    const onOwned = vi.fn();
    whenOwned(handle, onOwned);
    expect(onOwned).not.toHaveBeenCalled();
    live.ownedBy(work());
    expect(onOwned).toHaveBeenCalledTimes(1);
    live.settle(completed);
    expect(onOwned).toHaveBeenCalledTimes(1);
  });

  test('is called at once if the submission has its work already', () => {
    const { live, handle } = setup();
    live.ownedBy(work());
    const onOwned = vi.fn();
    whenOwned(handle, onOwned);
    expect(onOwned).toHaveBeenCalledTimes(1);
  });

  test('is never called for the handle of another copy of the library', () => {
    const { live } = setup();
    const onOwned = vi.fn();
    whenOwned({ outcome: Promise.resolve(completed), status: 'running' } as Submission, onOwned);
    live.ownedBy(work());
    expect(onOwned).not.toHaveBeenCalled();
  });

  type Row = readonly [what: string, admission: AdmissionPolicy, owned: readonly string[], ended: readonly string[]];
  const rows: readonly Row[] = [
    ['an owner at once, and a queued one when the owner has ended', 'queue', ['first'], ['first', 'second']],
    ['a joined one at once: it shares the body of the owner', 'join', ['first', 'second'], ['first', 'second']],
    ['a rejected one never', 'dropIfRunning', ['first'], ['first']],
    ['a replacement of the owner', 'replace', ['first'], ['first', 'second']],
  ];
  for (const [what, admission, owned, ended] of rows)
    test(`hears of ${what}`, async () => {
      const clock = new VirtualClock();
      const supervisor = new Supervisor({ clock });
      const seen: string[] = [];
      const body = gateBody();
      const submit = (name: string) =>
        whenOwned(supervisor.submit({ slot: 's', name, admission, run: body.body }), () => seen.push(name));
      submit('first');
      expect(seen).toEqual(['first']);
      await clock.settle();
      submit('second');
      expect(seen).toEqual(owned);
      await clock.settle();
      expect(seen).toEqual(owned);
      body.open('done');
      await clock.settle();
      expect(seen).toEqual(ended);
    });

  test('hears nothing if the submission is superseded, or canceled, while it waits', async () => {
    const clock = new VirtualClock();
    const supervisor = new Supervisor({ clock });
    const onOwned = vi.fn();
    const body = gateBody();
    const spec = { slot: 's', admission: 'keepLatest', run: body.body } as const;
    supervisor.submit(spec);
    whenOwned(supervisor.submit(spec), onOwned);
    const last = supervisor.submit(spec);
    whenOwned(last, onOwned);
    void last.cancel();
    body.open('done');
    await clock.settle();
    expect(onOwned).not.toHaveBeenCalled();
  });
});
