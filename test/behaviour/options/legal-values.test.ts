// Names and extreme values that are legal.

import { backoffDelayMs, CanceledError, type Outcome, type SlotOptions, Supervisor, type TaskSpec } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test, vi } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { invalid } from '../../support/invalid-options.ts';
import { setup } from '../../support/setup.ts';

describe('legal names', () => {
  const NAMES = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    ' ',
    '\0',
    '👩‍👩‍👧‍👦',
    '\uD800',
    '\uDC00',
    'é',
    'e\u0301', // looks like the entry before it, but is another string
    'n'.repeat(1_024),
    `${'n'.repeat(1_023)}m`,
    '\u001b[31mred\n',
  ];

  test('every string of 1 to 1,024 code units is a legal slot name, and different names are different slots', async () => {
    const { supervisor, clock } = setup();
    const gates = NAMES.map((slot) => ({ slot, gate: gateBody() }));
    for (const { slot, gate } of gates) {
      const owner = supervisor.submit({ slot, run: gate.body });
      expect([owner.admission, owner.slot, owner.name]).toEqual(['started', slot, slot]);
      expect(supervisor.submit({ slot, admission: 'dropIfRunning', run: gate.body }).admission).toBe('rejected');
    }
    await clock.settle();
    expect(gates.map(({ gate }) => gate.alive)).toEqual(NAMES.map(() => 1));
    expect(supervisor.snapshot().slots.map(({ name }) => name)).toEqual(NAMES);
    for (const { slot } of gates) expect(supervisor.slot(slot).view().owner?.slot).toBe(slot);
  });

  test('every legal name may be a key of `slots`, including an own key __proto__', () => {
    const slots = JSON.parse('{"__proto__":{"queueLimit":0},"constructor":{"queueLimit":0}}') as Record<
      string,
      SlotOptions
    >;
    const { supervisor } = setup({ slots });
    const admissions = (slot: string) => [1, 2].map(() => supervisor.submit({ slot, run: gateBody().body }).admission);
    expect(admissions('__proto__')).toEqual(['started', 'rejected']);
    expect(admissions('constructor')).toEqual(['started', 'rejected']);
    expect(admissions('toString')).toEqual(['started', 'queued']);
    expect(({} as Record<string, unknown>).queueLimit).toBeUndefined();
  });

  test('get(), cancel() and restart() find no submission for a malformed id', async () => {
    const { supervisor } = setup();
    const { id } = supervisor.submit({ run: gateBody().body });
    for (const wrong of ['', 'x', '__proto__', `${id}0`, ` ${id}`, id.replace(/-1$/, '-01'), 5, null, undefined, {}]) {
      expect(supervisor.get(invalid(wrong))).toBeUndefined();
      expect(await supervisor.cancel(invalid(wrong))).toBeUndefined();
      expect(supervisor.restart(invalid(wrong))).toBe(false);
    }
    expect(supervisor.get(id)?.id).toBe(id);
  });
});

describe('legal extreme values', () => {
  test('-0 counts as 0', async () => {
    const { supervisor, clock } = setup({ limits: { slots: Infinity, pending: Infinity } });
    const failing = supervisor.submit({ maxRetries: -0, run: () => Promise.reject(new Error('once')) });
    expect(await failing.outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 1 });
    expect(Object.is(backoffDelayMs({ firstMs: -0, maxMs: -0, floorMs: -0 }, 3), 0)).toBe(true);
    supervisor.slot('s').configure({ queueLimit: -0 });
    const stubborn = supervisor.submit({ slot: 's', graceMs: -0, onOverrun: 'abandon', run: gateBody().body });
    expect(supervisor.submit({ slot: 's', run: () => 1 }).admission).toBe('rejected');
    await clock.settle();
    const ended = stubborn.cancel();
    await clock.advance(0);
    expect(await ended).toEqual({ kind: 'abandoned', by: 'caller', attempts: 1 });
  });

  test('a delay of 2^31 ms is exact to the ms', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({ restart: 'never', timeoutMs: 2 ** 31, run: (ctx) => ctx.sleep(Infinity) });
    await clock.advance(2 ** 31 - 1);
    expect(submission.status).toBe('running');
    await clock.advance(1);
    expect(await submission.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'timedOut', afterMs: 2 ** 31 } });
    expect(clock.timers).toBe(0);
  });

  test('the platform clock splits a delay longer than a platform timer allows, and never fires early', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const supervisor = new Supervisor();
      const submission = supervisor.submit({ restart: 'never', timeoutMs: 2 ** 32, run: (ctx) => ctx.sleep(Infinity) });
      await new VirtualClock().settle();
      await vi.advanceTimersByTimeAsync(2 ** 32 - 1);
      expect(submission.status).toBe('running');
      await vi.advanceTimersByTimeAsync(2);
      expect(submission.status).toBe('ended');
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test('Infinity means no limit, sets no timer and overrides an inherited default', async () => {
    const { supervisor, clock } = setup({
      defaults: { timeoutMs: 10, stallMs: 10, deadlineMs: 10, queueTimeoutMs: 10, graceMs: 10, maxRetries: 1 },
    });
    const none = Infinity;
    const settings = { timeoutMs: none, stallMs: none, deadlineMs: none, queueTimeoutMs: none, graceMs: none };
    const gate = gateBody();
    const owner = supervisor.submit({ slot: 's', ...settings, maxRetries: none, run: gate.body });
    const queued = supervisor.submit({ slot: 's', ...settings, run: gate.body });
    await clock.advance(1_000);
    expect([owner.status, queued.status, clock.timers]).toEqual(['running', 'queued', 0]);
    let outcome: Outcome | undefined;
    void owner.cancel().then((ended) => {
      outcome = ended;
    });
    await clock.advance(1_000);
    expect([owner.status, clock.timers, outcome]).toEqual(['stopping', 0, undefined]);
    gate.fail(new CanceledError('enough'));
    await clock.settle();
    expect(outcome).toMatchObject({ kind: 'canceled', by: 'caller' });
  });

  test('a frozen, sealed or null-prototype spec is legal', async () => {
    const { supervisor } = setup();
    const spec: TaskSpec<number> = { slot: 's', run: () => 1, backoff: Object.freeze({ firstMs: 1 }) };
    const bare: TaskSpec<number> = Object.assign(Object.create(null) as object, spec);
    for (const one of [Object.freeze({ ...spec }), Object.seal({ ...spec }), bare])
      expect(await supervisor.submit(one).value()).toBe(1);
  });
});
