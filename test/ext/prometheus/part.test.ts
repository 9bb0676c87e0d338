// How supervisors share the metrics of a registry, and what the user may do with the registry
// meanwhile.

import { Counter, Gauge, type OpenMetricsContentType, Registry } from 'prom-client';
import { OptionError, Supervisor } from 'slotvisor';
import { type PrometheusOptions, prometheus } from 'slotvisor/prometheus';
import { VirtualClock } from 'slotvisor/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { EMPTY, Scrape, serve } from './scrape.ts';

let clock: VirtualClock;
let register: Registry;
beforeEach(() => {
  clock = new VirtualClock();
  register = new Registry();
});

/** A supervisor that has run `count` tasks in the group `sync` since it was attached. */
async function attached(count: number, options: PrometheusOptions): Promise<() => void> {
  const supervisor = new Supervisor({ clock });
  const end = prometheus(supervisor, { register, ...options });
  for (let n = 0; n < count; n += 1) supervisor.submit({ slot: `sync:${n}`, run: () => {} });
  await clock.advance(0);
  return end;
}

const attempts = 'slotvisor_attempts_total';
const waits = 'slotvisor_attempt_wait_seconds_count';

describe('two supervisors in one registry', () => {
  test('share each metric, and are told apart by their names', async () => {
    await attached(2, { name: 'one', slots: ['sync:1'] });
    await attached(3, { name: 'two' });
    const page = await (await serve(register))();
    for (const [supervisor, count] of [
      ['one', 2],
      ['two', 3],
    ] as const) {
      expect(page.value(attempts, { supervisor })).toBe(count);
      expect(page.value(waits, { supervisor, group: 'sync' })).toBe(count);
      expect(page.values('slotvisor_outcomes_total', 'outcome', supervisor)).toMatchObject({ completed: count });
    }
    expect(page.values('slotvisor_slot_waiting', 'slot', 'one')).toEqual({ 'sync:1': 0 });
    expect(page.values('slotvisor_slot_waiting', 'slot', 'two')).toEqual({});
  });

  test('end one by one: the first takes its series, the last takes the metrics', async () => {
    const endOne = await attached(2, { name: 'one', slots: ['a'] });
    const endTwo = await attached(3, { name: 'two' });
    const scrape = await serve(register);
    await scrape();
    endOne();
    const page = await scrape();
    expect(page.words('supervisor')).toEqual(new Set(['two']));
    expect(page.value(attempts, { supervisor: 'two' })).toBe(3);
    expect(page.families.map(({ name }) => name)).not.toContain('slotvisor_slot_waiting');
    endTwo();
    expect((await scrape()).text).toBe(EMPTY);
  });

  test('may not have the same name, and the refusal leaves the first one as it was', async () => {
    await attached(2, {});
    const before = await register.metrics();
    await expect(attached(1, { slots: ['a'] })).rejects.toThrow(
      new OptionError('name', 'must be unique in the registry, where a supervisor has this name', 'default'),
    );
    expect(await register.metrics()).toBe(before);
    expect((await (await serve(register))()).value(attempts, { supervisor: 'default' })).toBe(2);
  });

  test('may not differ in their buckets', async () => {
    await attached(1, { name: 'one', buckets: [1, 2] });
    await expect(attached(1, { name: 'two', buckets: [1, 3] })).rejects.toThrow(
      'buckets must be those of the other supervisors in the registry (1, 2), got an array',
    );
    await attached(1, { name: 'two', buckets: [1, 2] });
  });

  test('may have the same name and other buckets under another prefix', async () => {
    await attached(2, {});
    await attached(3, { prefix: 'jobs_', buckets: [1] });
    const page = await (await serve(register))();
    expect(page.value(attempts, { supervisor: 'default' })).toBe(2);
    expect(page.value('jobs_attempts_total', { supervisor: 'default' })).toBe(3);
    expect(page.value('jobs_attempt_wait_seconds_count', { supervisor: 'default', group: 'sync' })).toBe(3);
  });
});

describe('one supervisor', () => {
  test('may be in two registries, and twice in one under two names', async () => {
    const supervisor = new Supervisor({ clock });
    const second = new Registry();
    prometheus(supervisor, { register });
    prometheus(supervisor, { register, name: 'again' });
    prometheus(supervisor, { register: second });
    supervisor.submit({ slot: 'sync:1', run: () => {} });
    await clock.advance(0);
    const page = await (await serve(register))();
    for (const name of ['default', 'again']) {
      expect(page.value(attempts, { supervisor: name })).toBe(1);
      expect(page.value(waits, { supervisor: name, group: 'sync' })).toBe(1);
    }
    expect((await (await serve(second))()).value(attempts, { supervisor: 'default' })).toBe(1);
  });
});

describe('a metric of other code', () => {
  test('is refused under a name that prometheus needs, and nothing is registered', async () => {
    for (const name of ['slotvisor_open', 'slotvisor_submissions_total', 'slotvisor_slot_retries']) {
      register.clear();
      new Counter({ name, help: 'Mine.', registers: [register] });
      await expect(attached(1, { slots: ['a'] })).rejects.toThrow(
        `prefix must give free names, and other code has registered ${name}, got "slotvisor_"`,
      );
      expect(register.getMetricsAsArray().map((metric) => metric.name)).toEqual([name]);
    }
  });
});

describe('the user', () => {
  test('may ask for one metric: each has its values by itself', async () => {
    await attached(2, { slots: ['sync:1'] });
    for (const { name } of register.getMetricsAsArray()) {
      register = new Registry();
      await attached(2, { slots: ['sync:1'] });
      const alone = await register.getSingleMetricAsString(name);
      expect(await register.metrics()).toContain(alone);
      expect(alone).toContain('supervisor="default"');
    }
    expect(await register.getSingleMetricAsString(attempts)).toContain(`${attempts}{supervisor="default"} 2`);
  });

  test('may reset the metrics: counters start again, and gauges and words stay', async () => {
    const supervisor = new Supervisor({ clock });
    prometheus(supervisor, { register });
    const run = async () => {
      supervisor.submit({ slot: 'sync:1', run: () => {} });
      await clock.advance(0);
    };
    await run();
    const scrape = await serve(register);
    await scrape();
    register.resetMetrics();
    const after = await scrape();
    expect(after.value(attempts, { supervisor: 'default' })).toBe(0);
    expect(after.values('slotvisor_outcomes_total', 'outcome')).toMatchObject({ completed: 0, failed: 0 });
    expect(after.value('slotvisor_open', { supervisor: 'default' })).toBe(1);
    await run();
    const later = await scrape();
    expect(later.value(attempts, { supervisor: 'default' })).toBe(1);
    expect(later.value(waits, { supervisor: 'default', group: 'sync' })).toBe(1);
  });

  test('may clear the registry and attach again: the old end takes nothing of the new', async () => {
    const endOld = await attached(2, { name: 'one' });
    register.clear();
    expect(await register.metrics()).toBe(EMPTY);
    await attached(3, { name: 'one' });
    endOld();
    const page = await (await serve(register))();
    expect(page.value(attempts, { supervisor: 'one' })).toBe(3);
    expect(page.value(waits, { supervisor: 'one', group: 'sync' })).toBe(3);
  });

  test('may have labels on all metrics, read them as JSON, and merge registries', async () => {
    register.setDefaultLabels({ app: 'mine' });
    const end = await attached(2, {});
    expect((await (await serve(register))()).value(attempts, { supervisor: 'default', app: 'mine' })).toBe(2);
    const merged = await (await serve(Registry.merge([register, new Registry()])))();
    expect(merged.value(attempts, { supervisor: 'default' })).toBe(2);
    const [json] = await register.getMetricsAsJSON();
    expect(json).toMatchObject({ values: [{ value: 2, labels: { supervisor: 'default', app: 'mine' } }] });
    end();
    expect(await register.metrics()).toBe(EMPTY);
  });

  test('may collect other metrics slowly: those of the supervisor are all of the moment of the call', async () => {
    let finish = () => {};
    const collect = () => new Promise<void>((resolve) => (finish = resolve));
    new Gauge({ name: 'mine', help: 'Mine.', registers: [register], collect });
    await attached(2, { name: 'one' });
    const page = register.metrics();
    await attached(3, { name: 'two' });
    finish();
    const scrape = new Scrape(await page);
    expect(scrape.words('supervisor')).toEqual(new Set(['one']));
    expect(scrape.value(attempts, { supervisor: 'one' })).toBe(2);
    expect(scrape.value('mine')).toBe(0);
  });

  test('may use the format of OpenMetrics, where the end empties the registry, too', async () => {
    const open = new Registry<OpenMetricsContentType>();
    open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const end = await attached(2, { register: open });
    expect(await open.metrics()).toMatch(
      /^# TYPE slotvisor_attempts counter\nslotvisor_attempts_total\{supervisor="default"\} 2$/m,
    );
    const endTwo = await attached(3, { register: open, name: 'two' });
    expect(await open.metrics()).toContain('slotvisor_attempts_total{supervisor="two"} 3\n');
    end();
    expect(await open.metrics()).not.toContain('supervisor="default"');
    endTwo();
    expect(await open.metrics()).toBe('\n# EOF\n');
  });
});
