import { Supervisor, slotGroup, type TaskSpec } from 'slotvisor';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MAX_GROUP, OTHER_GROUP, safeGroup, slotRow, taskRow } from '../../../src/ext/dashboard/rows.ts';
import { setup } from '../../support/setup.ts';

const forever: TaskSpec['run'] = (ctx) => ctx.sleep(Infinity);
const fail = (message: string) => () => Promise.reject(new Error(message));

describe('the row of a slot', () => {
  it('shows its owner and its line in whole ms, as JSON', async () => {
    const { supervisor, clock } = setup();
    supervisor.submit({ slot: 's', name: 'first', vital: true, admission: 'join', run: forever });
    supervisor.submit({ slot: 's', admission: 'join', run: forever });
    await clock.advance(10.4);
    supervisor.submit({ slot: 's', run: forever });
    await clock.advance(5.4);
    const row = slotRow(supervisor.slot('s').view());
    expect(row).toEqual({
      slot: 's',
      phase: 'running',
      paused: false,
      waiting: 1,
      firstWaitsMs: 5,
      vital: 'alive',
      owner: {
        id: expect.stringMatching(/-1$/),
        name: 'first',
        policy: 'join',
        status: 'running',
        attempt: 1,
        retries: 0,
        streak: 0,
        sinceMs: 16,
        ageMs: 16,
        joined: 1,
      },
    });
    expect(JSON.parse(JSON.stringify(row))).toEqual(row);
  });

  it('of a task in backoff says when the next try is, and cuts the text of the failure', async () => {
    const { supervisor, clock } = setup();
    const backoff = { firstMs: 1_000, jitter: 'none' } as const;
    supervisor.submit({ slot: 's', backoff, run: fail('x'.repeat(1_000)) });
    await clock.advance(400);
    const { owner } = slotRow(supervisor.slot('s').view());
    expect(owner).toMatchObject({ status: 'backoff', waitingFor: 'backoff', nextAttemptInMs: 600, streak: 1 });
    expect(owner?.failure).toEqual({ kind: 'thrown', message: `${'x'.repeat(299)}…` });
  });

  it('counts failures in a row, and not all retries', async () => {
    const { supervisor, clock } = setup();
    let attempt = 0;
    const run = (): void => {
      attempt += 1;
      if (attempt !== 3) throw new Error('no');
    };
    const backoff = { firstMs: 100, maxMs: 100, jitter: 'none' } as const;
    supervisor.submit({ slot: 's', restart: 'always', intervalMs: 100, backoff, run });
    await clock.advance(350);
    expect(slotRow(supervisor.slot('s').view()).owner).toMatchObject({ attempt: 4, retries: 3, streak: 1 });
  });

  it('of a task that was asked to stop says by whom', async () => {
    const { supervisor, clock } = setup();
    const run = (): Promise<void> => new Promise(() => {});
    void supervisor.submit({ slot: 's', graceMs: 1_000, run }).cancel();
    await clock.settle();
    void supervisor.slot('s').cancel();
    supervisor.submit({ slot: 't', run });
    await clock.settle();
    void supervisor.slot('t').cancel();
    await clock.advance(10.2);
    expect(slotRow(supervisor.slot('t').view()).owner?.stop).toEqual({ by: 'slot', sinceMs: 10 });
  });
});

describe('the option meta', () => {
  const { supervisor } = setup();
  supervisor.submit({ slot: 's', meta: { tenant: 'acme', token: 'secret' }, run: forever });
  const shown = (meta: (meta: unknown) => unknown): unknown =>
    taskRow(supervisor.slot('s').view().owner as never, meta).meta;

  it('shows nothing if it is left out', () => {
    expect(taskRow(supervisor.slot('s').view().owner as never)).not.toHaveProperty('meta');
  });

  it('shows nothing of a task for which it returns undefined, such as one without meta', () => {
    const task = supervisor.slot('s').view().owner as never;
    expect(taskRow(task, () => undefined)).not.toHaveProperty('meta');
  });

  it('shows what it returns, as JSON', () => {
    expect(shown((meta) => (meta as { tenant: string }).tenant)).toBe('acme');
    expect(shown(() => ({ at: 5n }))).toEqual({ at: '5' });
  });

  it('shows why there is nothing, where it throws or returns what is too long', () => {
    const refuse = (): never => {
      throw new Error('no tenant');
    };
    expect(shown(refuse)).toBe('[not shown: no tenant]');
    expect(shown(() => 'x'.repeat(2_000))).toBe('[not shown: 2002 characters]');
    expect(shown(() => () => {})).toMatch(/^\[not JSON/);
  });

  it('may return a promise that rejects: that is no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', listen);
    onTestFinished(() => void process.off('unhandledRejection', listen));
    shown(() => Promise.reject(new Error('async')));
    safeGroup(() => Promise.reject(new Error('async')))('a');
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });
});

describe('the option group', () => {
  it('gives the group of a slot', () => {
    expect(safeGroup((slot) => slot.slice(0, 1))('abc')).toBe('a');
    expect(safeGroup(() => '')('abc')).toBe('');
    expect(safeGroup((slot) => slot.repeat(1_000))('abc')).toHaveLength(MAX_GROUP); // as a link can name it
  });

  it('is the name up to the first colon by default, as slotGroup says', () => {
    const group = safeGroup(slotGroup);
    for (const name of ['a', 'a:b', 'a:b:c', ':a', 'a:', '\ud800:x']) expect(group(name)).toBe(slotGroup(name));
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['returns no string', () => 5],
    ['returns nothing', () => undefined],
    ['returns a promise', () => Promise.resolve('a')],
  ])('counts a slot for which it %s to the group other', (_, group) => {
    expect(safeGroup(group)('abc')).toBe(OTHER_GROUP);
  });
});

describe('hostile texts', () => {
  it.each([
    ['long', 'x'.repeat(1_024)],
    ['control characters', 'a\u0000\u001b[31m\u202e\n'],
    ['a lone surrogate', '\ud800:\udc00'],
    ['a name of Object.prototype', '__proto__'],
    ['markup', '<img src=x onerror=alert(1)>'],
  ])('pass as data: %s', (_, name) => {
    const supervisor = new Supervisor();
    supervisor.submit({ slot: name, name, run: forever });
    const row = slotRow(supervisor.slot(name).view());
    expect(JSON.parse(JSON.stringify(row))).toMatchObject({ slot: name, owner: { name } });
    void supervisor.shutdown();
  });
});
