import { Supervisor, type TaskSpec } from 'slotvisor';
import { type HealthOptions, type HealthReport, health } from 'slotvisor/health';
import { describe, expect, it, test } from 'vitest';
import { probeOf } from '../../../src/ext/health/health.ts';
import { parseHealthOptions, readNamed } from '../../../src/ext/health/options.ts';
import { type Setup, setup } from '../../support/setup.ts';
import { FakeHistogram } from './fake-histogram.ts';

const forever: TaskSpec['run'] = (ctx) => ctx.sleep(Infinity);
const stubborn: TaskSpec['run'] = () => new Promise(() => {});
const failing = { restart: 'never', run: () => Promise.reject(new Error('no answer')) } as const;

function watched(options: HealthOptions = {}, world: Setup = setup()) {
  const histogram = new FakeHistogram();
  const supervisors = readNamed(world.supervisor);
  return { ...world, histogram, probe: probeOf(supervisors, parseHealthOptions(options, supervisors), histogram) };
}

/** A shutdown of 100 ms, because a body does not stop, and so much later. */
const shutDown =
  (laterMs: number) =>
  async ({ supervisor, clock }: ReturnType<typeof watched>): Promise<void> => {
    void supervisor.shutdown({ graceMs: 100 });
    if (laterMs > 0) await clock.advance(laterMs);
  };

const PHASES: readonly (readonly [phase: string, come: (world: ReturnType<typeof watched>) => unknown])[] = [
  ['open', () => {}],
  ['notReady()', ({ probe }) => probe.notReady()],
  ['the first moment of a shutdown', shutDown(0)],
  ['closing', shutDown(50)],
  ['just closed', shutDown(100)],
  ['closed for 30 s', shutDown(30_100)],
  ['closed for longer', shutDown(30_101)],
];

type Row = readonly [live: string, ready: string];

/** What is wrong, and what the probe says of it in each phase, as `live ready`. */
const TABLE: Readonly<Record<string, readonly [options: HealthOptions, ...rows: Row[]]>> = {
  nothing: [
    {},
    ['pass', 'pass'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['fail', 'fail'],
  ],
  'a dead vital slot': [
    {},
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['fail', 'fail'],
  ],
  'a dead slot with live: true': [
    { rules: { dead: { live: true } } },
    ['fail', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['fail', 'fail'],
  ],
  'a slow loop': [
    {},
    ['fail', 'pass'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['pass', 'fail'],
    ['fail', 'fail'],
  ],
};

describe('what a probe says, by what is wrong and by the phase', () => {
  for (const [wrong, [options, ...rows]] of Object.entries(TABLE))
    for (const [i, [phase, come]] of PHASES.entries())
      test(`${wrong}, ${phase}: ${rows[i]?.join(' ')}`, async () => {
        const world = watched(options);
        world.supervisor.submit({ slot: 'stubborn', run: stubborn });
        if (wrong.startsWith('a dead')) world.supervisor.submit({ slot: 'dead', vital: true, ...failing });
        await world.clock.settle();
        for (let n = 0; wrong === 'a slow loop' && n < 3; n += 1) {
          world.histogram.delays(1_500);
          if (n < 2) world.probe.live();
        }
        await come(world);
        expect([world.probe.live().status, world.probe.ready().status]).toEqual(rows[i]);
      });
});

describe('by default', () => {
  it('each vital slot is checked, and no other', async () => {
    const { supervisor, clock, probe } = watched();
    supervisor.submit({ slot: 'a', vital: true, run: forever });
    supervisor.submit({ slot: 'b', vital: true, ...failing });
    supervisor.submit({ slot: 'c', ...failing });
    await clock.settle();
    expect(probe.ready()).toEqual({
      status: 'fail',
      why: ['slot "b": it is dead: its owner ended failed'],
      phase: 'open',
      checks: { a: { status: 'pass' }, b: { status: 'fail', why: 'it is dead: its owner ended failed' } },
      loop: { p99Ms: 0, maxMs: 0, slowWindows: 0 },
    });
    supervisor.submit({ slot: 'b', run: forever });
    expect(probe.ready().status).toBe('pass');
  });

  it('a vital slot passes while it waits for its lease, and after its owner has completed', async () => {
    const { supervisor, clock, probe } = watched({}, setup({ leases: { acquire: () => new Promise(() => {}) } }));
    supervisor.submit({ slot: 'standby', vital: true, run: forever });
    await clock.advance(60_000);
    expect(probe.ready()).toMatchObject({ status: 'pass', checks: { standby: { status: 'pass' } } });
    const other = watched();
    other.supervisor.submit({ slot: 'migration', vital: true, run: () => 1 });
    await other.clock.settle();
    expect(other.probe.ready()).toMatchObject({ status: 'pass', checks: {} });
  });

  it('an upstream that fails makes the probe warn, and never live()', async () => {
    const { supervisor, clock, probe } = watched();
    const backoff = { firstMs: 1_000, factor: 1, jitter: 'none' } as const;
    supervisor.submit({ slot: 'sync', vital: true, backoff, run: failing.run });
    await clock.advance(4_500);
    expect(probe.ready()).toMatchObject({
      status: 'warn',
      why: ['slot "sync": it is in backoff after 5 failures in a row: no answer'],
    });
    expect(probe.live()).toMatchObject({ status: 'pass', why: [], checks: {} });
  });
});

describe('a rule', () => {
  it('replaces the default rule of a vital slot, and adds a slot that is not vital', () => {
    const { supervisor, probe } = watched({ rules: { standby: { owned: false }, orders: {} } });
    supervisor.submit({ slot: 'sync', vital: true, run: forever });
    expect(probe.ready().checks).toEqual({
      standby: { status: 'pass' },
      orders: { status: 'fail', why: 'nothing owns it' },
      sync: { status: 'pass' },
    });
  });

  it('with live counts for live() too, and without it does not', async () => {
    const { supervisor, clock, probe } = watched({ rules: { orders: { live: true }, sync: {} } });
    expect(probe.live()).toMatchObject({
      status: 'fail',
      why: ['slot "orders": nothing owns it'],
      checks: { orders: { status: 'fail' } },
    });
    supervisor.submit({ slot: 'orders', run: forever });
    await clock.settle();
    expect(probe.live().status).toBe('pass');
  });

  it('is read for a slot of any name', () => {
    const { probe } = watched({ rules: { ['__proto__']: {}, 'a\u2028b': {} } });
    const report: HealthReport = JSON.parse(JSON.stringify(probe.ready()));
    expect(Object.keys(report.checks)).toEqual(['__proto__', 'a\u2028b']);
    expect(report.why).toEqual(['slot "__proto__": nothing owns it', 'slot "a\\u2028b": nothing owns it']);
  });
});

describe('the loop', () => {
  it('is seen by live() in windows from call to call, and shown by ready() without ending one', () => {
    const { histogram, probe } = watched({ maxDelayMs: 100 });
    const statuses = [200, 200, 50, 200, 200, 200].map((delay) => {
      histogram.delays(delay);
      expect(probe.ready().loop.p99Ms).toBe(delay);
      return probe.live().status;
    });
    expect(statuses).toEqual(['warn', 'warn', 'pass', 'warn', 'warn', 'fail']);
  });

  it('is measured until close(), and the probe still answers', () => {
    const { histogram, probe } = watched();
    probe.close();
    probe.close();
    expect(histogram.isDisabled).toBe(true);
    expect([probe.live().status, probe.ready().status]).toEqual(['pass', 'pass']);
  });

  it('that was slow when close() was called fails no later live()', () => {
    const { histogram, probe } = watched();
    for (let n = 0; n < 3; n += 1) {
      histogram.delays(1_500);
      probe.live();
    }
    histogram.delays(1_500);
    probe.close();
    expect(probe.live()).toMatchObject({ status: 'pass', loop: { p99Ms: 0, maxMs: 0, slowWindows: 0 } });
  });

  it('is that of the platform, in ms', async () => {
    const { live, close } = health(new Supervisor());
    while (live().loop.maxMs === 0) await new Promise((resolve) => setImmediate(resolve));
    close();
  });
});

describe('several supervisors', () => {
  function two() {
    const api = setup();
    const jobs = setup();
    const supervisors = readNamed({ api: api.supervisor, jobs: jobs.supervisor });
    const options = parseHealthOptions({ rules: { 'jobs/a/b': { live: true } } }, supervisors);
    return { api, jobs, probe: probeOf(supervisors, options, new FakeHistogram()) };
  }

  it('have their checks under their name', () => {
    const { api, jobs, probe } = two();
    api.supervisor.submit({ slot: 's', vital: true, run: forever });
    jobs.supervisor.submit({ slot: 's', vital: true, run: forever });
    jobs.supervisor.submit({ slot: 'a/b', run: forever });
    expect(Object.keys(probe.ready().checks)).toEqual(['api/s', 'jobs/a/b', 'jobs/s']);
    expect(Object.keys(probe.live().checks)).toEqual(['jobs/a/b']);
  });

  it('are ready together, and closed together', async () => {
    const { api, jobs, probe } = two();
    jobs.supervisor.submit({ slot: 'a/b', run: stubborn });
    const seen = () => [probe.live().status, probe.ready().status, probe.ready().phase];
    await jobs.clock.settle();
    expect(seen()).toEqual(['pass', 'pass', 'open']);
    await api.supervisor.shutdown();
    await api.clock.advance(30_001);
    expect(seen()).toEqual(['fail', 'fail', 'closing']);
    expect(probe.live().why).toEqual(['supervisor api has been closed for 30001 ms']);
    expect(probe.ready().why).toEqual(['supervisor api is closed']);
    void jobs.supervisor.shutdown({ graceMs: 100 });
    expect(seen(), 'what ends must not be killed').toEqual(['pass', 'fail', 'closing']);
    await jobs.clock.advance(100);
    expect(seen()).toEqual(['fail', 'fail', 'closed']);
  });
});

it('a probe of a supervisor that is closed already is not ready, and live for closedMs', async () => {
  const world = setup();
  await world.supervisor.shutdown();
  const { clock, probe } = watched({ closedMs: 1_000 }, world);
  await clock.settle();
  expect([probe.live().status, probe.ready().status]).toEqual(['pass', 'fail']);
  await clock.advance(1_001);
  expect(probe.live().status).toBe('fail');
});

it('two probes of one supervisor are apart', () => {
  const { supervisor, probe } = watched();
  const other = health(supervisor);
  probe.notReady();
  expect([probe.ready().status, other.ready().status]).toEqual(['fail', 'pass']);
  other.close();
});

it('looking changes nothing, and waits for nothing: no timer, no event, no subscriber', async () => {
  const { supervisor, clock, recorded, probe } = watched({ rules: { s: { live: true } } });
  for (let n = 0; n < 10; n += 1) {
    probe.live();
    probe.ready();
  }
  await clock.settle();
  expect([clock.timers, recorded.events, supervisor.stats().slotCount]).toEqual([0, [], 0]);
});
