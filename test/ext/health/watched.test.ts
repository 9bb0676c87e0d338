import { Supervisor, type TaskSpec } from 'slotvisor';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RULE, type Rules } from '../../../src/ext/health/options.ts';
import { Watched } from '../../../src/ext/health/watched.ts';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { setup } from '../../support/setup.ts';

const forever: TaskSpec['run'] = (ctx) => ctx.sleep(Infinity);
const rules: Rules = new Map([
  ['jobs/a', { ...DEFAULT_RULE, live: true }],
  ['jobs/b', DEFAULT_RULE],
  ['api/c', { ...DEFAULT_RULE, live: true }],
]);

describe('a watched supervisor', () => {
  it('takes the rules that begin with its name, and checks its own slots under that name', () => {
    const supervisor = new Supervisor();
    const watched = new Watched({ prefix: 'jobs/', supervisor }, rules);
    expect([...watched.checks()].map(([name]) => name)).toEqual(['jobs/a', 'jobs/b']);
    expect([...watched.liveChecks()].map(([name]) => name)).toEqual(['jobs/a']);
  });

  it('checks a vital slot once, by its rule if it has one', async () => {
    const { supervisor, clock } = setup();
    const watched = new Watched({ prefix: '', supervisor }, new Map([['a', { ...DEFAULT_RULE, owned: false }]]));
    for (const slot of ['a', 'b'])
      supervisor.submit({ slot, vital: true, restart: 'never', run: () => Promise.reject(new Error('no')) });
    await clock.settle();
    expect([...watched.checks()].map(([name, { status }]) => [name, status])).toEqual([
      ['a', 'pass'],
      ['b', 'fail'],
    ]);
  });

  it('knows from its beginning on which slots are dead, and without a rule asks no slot for live()', async () => {
    const { supervisor, clock } = setup();
    const watched = new Watched({ prefix: '', supervisor }, new Map());
    supervisor.submit({ slot: 'a', vital: true, restart: 'never', run: () => Promise.reject(new Error('no')) });
    await clock.settle();
    expect([...watched.checks()]).toMatchObject([['a', { status: 'fail' }]]);
    expect([...watched.liveChecks()]).toEqual([]);
  });

  it('finds what has waited longest, also behind a replacement and one that joined late', async () => {
    const { supervisor, clock } = setup();
    const watched = new Watched({ prefix: '', supervisor }, new Map([['s', { ...DEFAULT_RULE, waitingMs: 100 }]]));
    const found = () => [...watched.checks()].map(([, check]) => check);
    const join = { slot: 's', admission: 'join', run: forever } as const;
    supervisor.slot('s').pause();
    const leader = supervisor.submit(join);
    supervisor.submit({ slot: 's', run: forever });
    await clock.advance(80);
    supervisor.submit(join);
    void leader.cancel();
    supervisor.submit({ slot: 's', admission: 'replace', run: forever });
    await clock.advance(19);
    expect(
      supervisor
        .slot('s')
        .view()
        .queued.map(({ sinceMs }) => sinceMs),
    ).toEqual([19, 19, 99]);
    expect(found()).toEqual([{ status: 'pass' }]);
    await clock.advance(1);
    expect(found()).toMatchObject([{ why: 'a task has waited for 100 ms (slotPaused)' }]);
  });

  it('counts the wait of an owner that has lost its lease', async () => {
    const leases = new FakeLeaseStore();
    const { supervisor, clock } = setup({ leases });
    const watched = new Watched({ prefix: '', supervisor }, new Map([['s', { ...DEFAULT_RULE, waitingMs: 100 }]]));
    const found = () => [...watched.checks()].map(([, check]) => check);
    supervisor.submit({ slot: 's', run: forever });
    await clock.settle();
    leases.ask.grant();
    await clock.advance(500);
    leases.lease.lose();
    await clock.advance(99);
    expect(found()).toEqual([{ status: 'pass' }]);
    await clock.advance(1);
    expect(found()).toMatchObject([{ why: 'a task has waited for 100 ms (lease)' }]);
    leases.ask.grant();
    await clock.settle();
    expect(found()).toEqual([{ status: 'pass' }]);
  });

  it('counts the time since the end of the shutdown', async () => {
    const { supervisor, clock } = setup();
    const watched = new Watched({ prefix: '', supervisor }, new Map());
    supervisor.submit({ slot: 'a', run: forever });
    await clock.advance(1_000);
    expect([watched.phase, watched.closedForMs]).toEqual(['open', undefined]);
    await supervisor.shutdown();
    await clock.advance(70);
    expect([watched.phase, watched.closedForMs]).toEqual(['closed', 70]);
  });
});
