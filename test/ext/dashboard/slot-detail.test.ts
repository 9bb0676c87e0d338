import { type Supervisor, slotGroup, type TaskSpec } from 'slotvisor';
import { describe, expect, it } from 'vitest';
import { Recorder } from '../../../src/ext/dashboard/recorder.ts';
import { type SlotMemory, slotDetail } from '../../../src/ext/dashboard/slot-detail.ts';
import type { SlotDetail } from '../../../src/ext/dashboard/wire.ts';
import { setup } from '../../support/setup.ts';

const forever: TaskSpec['run'] = (ctx) => ctx.sleep(Infinity);
const NOTHING: SlotMemory = { attemptsOf: () => [], lastFailureOf: () => undefined, eventsOf: () => [] };
const detail = (supervisor: Supervisor, name: string, memory = NOTHING): SlotDetail | undefined =>
  slotDetail(supervisor, memory, name, {});

function remembering() {
  const made = setup();
  const history = { events: 100, notable: 100, problems: 10, slots: 10, attempts: 10, minutes: 10 };
  return { ...made, recorder: new Recorder(made.supervisor, { history, groupOf: slotGroup }, made.clock) };
}

describe('one slot in full', () => {
  it('is undefined where the slot is idle and nothing is remembered', () => {
    expect(detail(setup().supervisor, 's')).toBeUndefined();
  });

  it('refuses a name that no slot can have', () => {
    expect(() => detail(setup().supervisor, '')).toThrow('slot must not be empty');
    expect(() => detail(setup().supervisor, 'x'.repeat(10_000))).toThrow('slot must be at most 1024 characters');
  });

  it('has no row where the slot is idle, and shows what is remembered', async () => {
    const { supervisor, clock, recorder } = remembering();
    supervisor.submit({ slot: 's', restart: 'never', run: () => Promise.reject(new Error('no')) });
    await clock.settle();
    expect(detail(supervisor, 's', recorder)).toMatchObject({
      slot: 's',
      row: null,
      explain: 'Slot "s": it is idle: nothing runs in it, and nothing waits.',
      line: [],
      attempts: [{ attempt: 1, end: 'failed' }],
      lastFailure: { message: 'no', error: { name: 'Error', message: 'no' } },
    });
    expect(detail(supervisor, 't', recorder)).toBeUndefined();
  });

  it('has a row for a paused slot, and for a vital slot that is dead', async () => {
    const { supervisor, clock } = setup();
    supervisor.vitalSlots();
    supervisor.slot('a').pause();
    supervisor.submit({ slot: 'b', vital: true, restart: 'never', run: () => Promise.reject(new Error('no')) });
    await clock.settle();
    expect(detail(supervisor, 'a')?.row).toEqual({ slot: 'a', phase: 'idle', paused: true, waiting: 0 });
    expect(detail(supervisor, 'b')?.row).toMatchObject({ phase: 'idle', vital: 'dead' });
  });

  it('shows the first 50 of the line, and counts all of it', async () => {
    const { supervisor, clock } = setup({ slotDefaults: { queueLimit: Infinity } });
    for (let i = 0; i < 20_001; i += 1) supervisor.submit({ slot: 's', name: `task ${i}`, run: forever });
    await clock.settle();
    const shown = detail(supervisor, 's');
    expect(shown?.row?.waiting).toBe(20_000);
    expect(shown?.line.map(({ name }) => name)).toEqual(Array.from({ length: 50 }, (_, i) => `task ${i + 1}`));
    expect(shown?.explain).toContain('20000 wait behind it');
  });

  it('asks for no more of a line than it shows', () => {
    const { supervisor } = setup();
    const asked: unknown[] = [];
    const slot: Supervisor['slot'] = (name) => {
      const handle = supervisor.slot(name);
      return Object.assign(Object.create(handle), {
        view: (options: unknown) => {
          asked.push(options);
          return handle.view();
        },
        explain: () => '',
      });
    };
    slotDetail({ slot, clock: supervisor.clock }, NOTHING, 's', {});
    expect(asked).toEqual([{ queued: 50 }]);
  });

  it('shows how many share a place', async () => {
    const { supervisor, clock } = setup();
    for (let i = 0; i < 3; i += 1) supervisor.submit({ slot: 's', admission: 'join', run: forever });
    await clock.settle();
    expect(detail(supervisor, 's')?.row?.owner?.joined).toBe(2);
  });

  it('asks for 20 events', () => {
    const asked: unknown[] = [];
    const eventsOf: SlotMemory['eventsOf'] = (...given) => {
      asked.push(given);
      return [];
    };
    detail(setup().supervisor, 's', { ...NOTHING, eventsOf });
    expect(asked).toEqual([['s', 20]]);
  });

  it('shows why a task is in backoff also where its failure is not remembered', async () => {
    const { supervisor, clock } = setup();
    const error = new Error('x'.repeat(5_000), { cause: new Error('refused') });
    error.stack = 'Error: at sync.ts:7\n'.repeat(10_000);
    const backoff = { firstMs: 1_000, jitter: 'none' } as const;
    const { id } = supervisor.submit({ slot: 's', name: 'sync', backoff, run: () => Promise.reject(error) });
    await clock.advance(400);
    const failure = detail(supervisor, 's')?.lastFailure;
    expect(failure).toMatchObject({ at: clock.wallNow() - 400, id, name: 'sync', attempt: 1, kind: 'thrown' });
    expect(failure?.error).toMatchObject({ name: 'Error', cause: { message: 'refused' } });
    expect(failure?.error?.stack).toContain('sync.ts:7');
    expect(JSON.stringify(failure).length).toBeLessThan(10_000);
  });

  it('shows a failure whatever was thrown', async () => {
    const { supervisor, clock } = setup();
    const thrown = new Proxy(new Error('no'), {
      get: () => {
        throw new Error('hostile');
      },
    });
    supervisor.submit({ slot: 's', run: () => Promise.reject(thrown) });
    supervisor.submit({ slot: 't', run: () => Promise.reject(5) });
    await clock.settle();
    for (const slot of ['s', 't']) expect(JSON.stringify(detail(supervisor, slot)?.lastFailure)).toContain('thrown');
  });
});
