import { describe, expect, test } from 'vitest';
import { EventPublisher } from '../../src/engine/events.ts';
import { Ledger } from '../../src/engine/ledger.ts';
import type { Runtime } from '../../src/engine/runtime.ts';
import { statsOf } from '../../src/engine/stats.ts';
import { RUNNING } from '../../src/engine/status-counts.ts';
import { Gate } from '../../src/kernel/gate.ts';
import { LongJobs } from '../../src/kernel/long-jobs.ts';
import { createTaskIds } from '../../src/model/id.ts';
import { REJECT_REASONS } from '../../src/model/outcome.ts';
import { TASK_STATUSES } from '../../src/model/view.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

function setup(concurrency = Infinity) {
  const clock = new VirtualClock();
  const events = new EventPublisher(clock);
  const ledger = new Ledger(events, createTaskIds('x'), { emptied: () => {} });
  const gate = new Gate({ concurrency, rate: undefined }, clock, new LongJobs());
  const runtime = { clock, events, ledger, gate } as unknown as Runtime;
  return { clock, ledger, gate, stats: () => statsOf(runtime, 7, 'open') };
}

describe('the counts of a supervisor', () => {
  test('have every status but ended, every reason and every kind of failure, from the start', () => {
    const { tasks, rejections, failures } = setup().stats();
    expect(Object.keys(tasks).sort()).toEqual(TASK_STATUSES.filter((status) => status !== 'ended').sort());
    expect(Object.keys(rejections)).toEqual(REJECT_REASONS);
    expect(failures).toEqual({ thrown: 0, timedOut: 0, stalled: 0, exited: 0 });
  });

  test('take the joined ones from what is live, and neither queued nor an owner', () => {
    const { ledger, stats } = setup();
    ledger.queued = 2;
    ledger.toBegin = 3;
    ledger.statuses.add(RUNNING, 1);
    Object.defineProperty(ledger, 'size', { value: 6 });
    expect(stats()).toMatchObject({ queued: 2, joined: 3, tasks: { queued: 2, running: 1 }, slotCount: 7, pending: 5 });
  });

  test('count as bodies only what has begun at the gate', async () => {
    const { clock, gate, stats } = setup(2);
    const places = [1, 2, 3].map(() => gate.enter(0, () => {}));
    await clock.settle();
    gate.begin(places[0]);
    expect(stats()).toMatchObject({ bodies: 1, gate: { paused: false, concurrency: 2, inside: 2, queued: 1 } });
    gate.pause();
    gate.leave(places[0]);
    expect(stats()).toMatchObject({ bodies: 0, gate: { paused: true, inside: 1, queued: 1 } });
  });

  test('are copies', () => {
    const { ledger, stats } = setup();
    const before = stats();
    ledger.totals.submitted += 1;
    ledger.rejections.slotBusy += 1;
    ledger.failures.thrown += 1;
    expect([before.totals.submitted, before.rejections.slotBusy, before.failures.thrown]).toEqual([0, 0, 0]);
  });
});
