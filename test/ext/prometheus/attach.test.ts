// What a scrape shows, from outside: over HTTP, read by hand.

import { Counter, Registry } from 'prom-client';
import { OptionError, Supervisor, type TaskEvent } from 'slotvisor';
import { prometheus } from 'slotvisor/prometheus';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { OUTCOME_KINDS, REJECT_REASONS } from '../../../src/model/outcome.ts';
import { TASK_STATUSES } from '../../../src/model/view.ts';
import { nothingEscapes } from '../../support/must-not-escape.ts';
import { EMPTY, serve } from './scrape.ts';

const forever = () => new Promise<never>(() => {});
const zeros = (words: readonly string[]) => Object.fromEntries(words.map((word) => [word, 0]));

const world = (options = {}) => {
  const clock = new VirtualClock();
  return { clock, supervisor: new Supervisor({ clock, ...options }), register: new Registry() };
};

describe('the first scrape', () => {
  test('has every word of every closed set, as 0, and each metric is described once', async () => {
    const { supervisor, register } = world();
    prometheus(supervisor, { register });
    const scrape = await (await serve(register))();
    expect(scrape.values('slotvisor_outcomes_total', 'outcome')).toEqual(zeros(OUTCOME_KINDS));
    expect(scrape.values('slotvisor_rejections_total', 'reason')).toEqual(zeros(REJECT_REASONS));
    expect(scrape.values('slotvisor_attempt_failures_total', 'kind')).toEqual(
      zeros(['thrown', 'timedOut', 'stalled', 'exited']),
    );
    expect(scrape.values('slotvisor_tasks', 'state')).toEqual(
      zeros(TASK_STATUSES.filter((status) => status !== 'ended')),
    );
    for (const name of ['submissions', 'attempts', 'retries', 'overruns', 'events_dropped'])
      expect(scrape.value(`slotvisor_${name}_total`, { supervisor: 'default' })).toBe(0);
    for (const name of ['tasks_abandoned', 'slots'])
      expect(scrape.value(`slotvisor_${name}`, { supervisor: 'default' })).toBe(0);
    expect(scrape.value('slotvisor_open', { supervisor: 'default' })).toBe(1);
    expect(scrape.families.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'slotvisor_submissions_total counter',
      'slotvisor_outcomes_total counter',
      'slotvisor_rejections_total counter',
      'slotvisor_attempts_total counter',
      'slotvisor_attempt_failures_total counter',
      'slotvisor_retries_total counter',
      'slotvisor_overruns_total counter',
      'slotvisor_events_dropped_total counter',
      'slotvisor_tasks gauge',
      'slotvisor_tasks_abandoned gauge',
      'slotvisor_slots gauge',
      'slotvisor_open gauge',
      'slotvisor_attempt_duration_seconds histogram',
      'slotvisor_attempt_wait_seconds histogram',
    ]);
  });

  test('counts from the start of the supervisor, also if it is older than the call', async () => {
    const { clock, supervisor, register } = world();
    supervisor.submit({ slot: 'a', run: () => {} });
    await clock.advance(0);
    prometheus(supervisor, { register });
    const scrape = await (await serve(register))();
    expect(scrape.value('slotvisor_attempts_total', { supervisor: 'default' })).toBe(1);
    expect(scrape.words('group'), 'the histograms begin with the call').toEqual(new Set());
  });
});

describe('the histograms', () => {
  test('have how long each attempt ran and waited, in seconds, by group and end', async () => {
    const { clock, supervisor, register } = world();
    prometheus(supervisor, { register, buckets: [1, 5] });
    supervisor.submit({ slot: 'sync:1', run: (ctx) => ctx.sleep(2_000) });
    const second = supervisor.submit({ slot: 'sync:1', restart: 'never', run: () => Promise.reject(new Error('no')) });
    await clock.advance(2_000);
    expect((await second.outcome).kind).toBe('failed');
    const scrape = await (await serve(register))();
    const succeeded = { supervisor: 'default', group: 'sync', outcome: 'succeeded' };
    const duration = 'slotvisor_attempt_duration_seconds';
    expect([1, 5, '+Inf'].map((le) => scrape.value(`${duration}_bucket`, { ...succeeded, le: `${le}` }))).toEqual([
      0, 1, 1,
    ]);
    expect(scrape.value(`${duration}_sum`, succeeded)).toBe(2);
    expect(scrape.value(`${duration}_count`, { ...succeeded, outcome: 'failed' })).toBe(1);
    const sync = { supervisor: 'default', group: 'sync' };
    expect(scrape.value('slotvisor_attempt_wait_seconds_count', sync)).toBe(2);
    expect(scrape.value('slotvisor_attempt_wait_seconds_sum', sync)).toBe(2);
  });

  test('have the attempts that were killed and given up, too', async () => {
    const { clock, supervisor, register } = world();
    prometheus(supervisor, { register });
    const stuck = { slot: 'a', timeoutMs: 10, graceMs: 10, restart: 'never' } as const;
    supervisor.submit({ ...stuck, run: { run: forever, kill: () => {} } });
    supervisor.submit({ ...stuck, slot: 'b', onOverrun: 'abandon', run: forever });
    await clock.advance(1_000);
    const scrape = await (await serve(register))();
    expect(scrape.words('outcome')).toEqual(new Set([...OUTCOME_KINDS, 'killed', 'abandoned']));
    for (const [group, outcome] of [
      ['a', 'killed'],
      ['b', 'abandoned'],
    ])
      expect(
        scrape.value('slotvisor_attempt_duration_seconds_count', { supervisor: 'default', group, outcome } as never),
      ).toBe(1);
    expect(scrape.value('slotvisor_tasks_abandoned', { supervisor: 'default' })).toBe(1);
  });

  test('tell 100 groups apart of 1,000, and count the rest as other', async () => {
    const { clock, supervisor, register } = world();
    prometheus(supervisor, { register });
    for (let n = 0; n < 1_000; n += 1) supervisor.submit({ slot: `group-${n}:x`, run: () => {} });
    await clock.advance(0);
    const scrape = await (await serve(register))();
    expect(scrape.words('group').size).toBe(101);
    const waits = scrape.families.find(({ name }) => name === 'slotvisor_attempt_wait_seconds')?.samples ?? [];
    const counts = waits.filter(({ name }) => name.endsWith('_count')).map(({ value }) => value);
    expect(counts.reduce((sum, count) => sum + count)).toBe(1_000);
    expect(scrape.value('slotvisor_attempt_wait_seconds_count', { supervisor: 'default', group: 'other' })).toBe(900);
  });

  test('have the groups that `group` returns, at most `maxGroups` of them', async () => {
    const { clock, supervisor, register } = world();
    prometheus(supervisor, { register, group: (slot) => slot.slice(0, 1), maxGroups: 2 });
    for (const slot of ['ax', 'ay', 'bx', 'cx']) supervisor.submit({ slot, run: () => {} });
    await clock.advance(0);
    expect((await (await serve(register))()).words('group')).toEqual(new Set(['a', 'b', 'other']));
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no group');
      },
      'no group',
    ],
    ['returns no text', () => 5, 'must return a string'],
    ['returns a promise that rejects', () => Promise.reject(new Error('no group')), 'must return a string'],
  ])('lack an attempt whose `group` %s, which is published and harms no task', async (_, group, message) => {
    const { clock, supervisor, register } = world();
    const events: TaskEvent[] = [];
    supervisor.subscribe((event) => void events.push(event), { types: ['subscriberFailed'] });
    prometheus(supervisor, { register, group: group as never });
    const { outcome } = supervisor.submit({ slot: 'a', run: () => 'done' });
    await nothingEscapes(() => clock.advance(0));
    expect(await outcome).toMatchObject({ kind: 'completed', value: 'done' });
    expect(events).toMatchObject([{ type: 'subscriberFailed', subscriber: 'prometheus' }]);
    expect(String((events[0] as { error?: unknown }).error)).toContain(message);
    const scrape = await (await serve(register))();
    expect(scrape.words('group')).toEqual(new Set());
    expect(scrape.value('slotvisor_attempts_total', { supervisor: 'default' })).toBe(1);
  });
});

describe('names of slots, groups and tasks', () => {
  const HOSTILE = [
    'a"} 1\nslotvisor_open{supervisor="default"} 0',
    'b\\',
    'c\r\n# TYPE slotvisor_open counter',
    'd\0',
    'e\u2028\u202e',
    'f\ud800',
    'f\ud801',
    '__proto__',
    'g,outcome:failed,supervisor:default',
    '',
  ];

  test('cannot break the format as groups, and stay apart', async () => {
    const { clock, supervisor, register } = world();
    let next = 0;
    prometheus(supervisor, { register, group: () => HOSTILE[next++] ?? 'none' });
    for (const slot of HOSTILE) supervisor.submit({ slot: `slot ${slot}`, run: () => {} });
    await clock.advance(0);
    const scrape = await (await serve(register))();
    expect(scrape.words('group').size).toBe(HOSTILE.length);
    expect(scrape.families.length).toBe(14);
    expect(scrape.text, 'no control or direction mark').not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}|\p{Cs}/u);
  });

  test('are nowhere in a scrape, but for the slots that `slots` names', async () => {
    const { clock, supervisor, register } = world();
    prometheus(supervisor, { register, slots: ['secret-slot:1', 'idle'] });
    const { id } = supervisor.submit({ slot: 'secret-slot:1', name: 'secret-task', meta: 'secret-meta', run: forever });
    supervisor.submit({
      slot: 'secret-slot:2',
      run: () => Promise.reject(new Error('secret-error')),
      restart: 'never',
    });
    await clock.advance(0);
    const scrape = await (await serve(register))();
    expect(scrape.words('slot')).toEqual(new Set(['secret-slot:1', 'idle']));
    for (const secret of ['secret-slot:2', 'secret-task', 'secret-meta', 'secret-error', id])
      expect(scrape.text).not.toContain(secret);
  });

  test('are shown in one line where `slots` names them', async () => {
    const { supervisor, register } = world();
    const slots = HOSTILE.filter((name) => name !== '');
    prometheus(supervisor, { register, name: 'x"\n\\', slots });
    const scrape = await (await serve(register))();
    expect(scrape.words('slot').size).toBe(slots.length);
    expect(scrape.words('supervisor')).toEqual(new Set(['x"\\u000a\\']));
  });
});

describe('a watched slot', () => {
  test('shows its owner, its queue and its retries', async () => {
    const { clock, supervisor, register } = world();
    prometheus(supervisor, { register, slots: ['a'] });
    const scrape = await serve(register);
    const shown = async () => {
      const page = await scrape();
      return ['owner_seconds', 'waiting', 'retries'].map((id) =>
        page.value(`slotvisor_slot_${id}`, { supervisor: 'default', slot: 'a' }),
      );
    };
    expect(await shown()).toEqual([0, 0, 0]);
    supervisor.submit({
      slot: 'a',
      backoff: { firstMs: 1_000, jitter: 'none' },
      run: () => Promise.reject(new Error('no')),
    });
    supervisor.submit({ slot: 'a', run: forever });
    await clock.advance(1_500);
    expect(await shown()).toEqual([0.5, 1, 2]);
    await supervisor.slot('a').cancel();
    expect(await shown()).toEqual([0, 0, 0]);
  });
});

describe('after the end', () => {
  test('the registry is empty, and prometheus can be called again', async () => {
    const { clock, supervisor, register } = world();
    const scrape = await serve(register);
    for (let round = 1; round <= 2; round += 1) {
      const end = prometheus(supervisor, { register, slots: ['a'] });
      supervisor.submit({ slot: 'a', run: () => {} });
      await clock.advance(0);
      const page = await scrape();
      expect(page.value('slotvisor_attempts_total', { supervisor: 'default' }), 'it never goes down').toBe(round);
      expect(page.value('slotvisor_attempt_wait_seconds_count', { supervisor: 'default', group: 'a' })).toBe(1);
      end();
      expect((await scrape()).text).toBe(EMPTY);
    }
  });

  test('an attempt that began before it brings no series back', async () => {
    const { clock, supervisor, register } = world();
    const other = new Supervisor({ clock });
    const end = prometheus(supervisor, { register });
    prometheus(other, { register, name: 'other' });
    supervisor.submit({ slot: 'a', run: (ctx) => ctx.sleep(10) });
    await clock.advance(5);
    end();
    await clock.advance(10);
    expect((await (await serve(register))()).words('supervisor')).toEqual(new Set(['other']));
  });

  test('a second call of the end does nothing, also if the name is in use again', async () => {
    const { supervisor, register } = world();
    const end = prometheus(supervisor, { register });
    end();
    prometheus(supervisor, { register });
    end();
    expect((await (await serve(register))()).words('supervisor')).toEqual(new Set(['default']));
  });

  test('what else is in the registry stays', async () => {
    const { supervisor, register } = world();
    new Counter({ name: 'mine_total', help: 'Mine.', registers: [register] });
    prometheus(supervisor, { register })();
    expect((await (await serve(register))()).families.map(({ name }) => name)).toEqual(['mine_total']);
  });
});

describe('a shutdown', () => {
  test('shows as open 0 from its beginning on, and the counters stay', async () => {
    const { clock, supervisor, register } = world();
    prometheus(supervisor, { register });
    supervisor.submit({ slot: 'a', run: (ctx) => ctx.sleep(Infinity) });
    await clock.advance(0);
    const scrape = await serve(register);
    const closed = supervisor.shutdown();
    expect((await scrape()).value('slotvisor_open', { supervisor: 'default' })).toBe(0);
    await closed;
    const page = await scrape();
    expect(page.value('slotvisor_open', { supervisor: 'default' })).toBe(0);
    expect(page.values('slotvisor_outcomes_total', 'outcome')).toMatchObject({ canceled: 1 });
  });

  test('that has ended is shown nowhere: nothing is registered', async () => {
    const { supervisor, register } = world();
    await supervisor.shutdown();
    const end = prometheus(supervisor, { register });
    expect(register.getMetricsAsArray()).toEqual([]);
    end();
    expect(() => prometheus(supervisor, { register, name: '' })).toThrow(OptionError);
  });
});
