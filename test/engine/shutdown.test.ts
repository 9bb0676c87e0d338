// What a shutdown asks of the slots, and when. test/policy/shutdown.test.ts has the decisions, and
// test/behaviour/shutdown/ what users see.

import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { EventPublisher } from '../../src/engine/events.ts';
import { LeaseStore } from '../../src/engine/lease-store.ts';
import { Ledger } from '../../src/engine/ledger.ts';
import { localLeases } from '../../src/engine/local-leases.ts';
import { Probes } from '../../src/engine/probes.ts';
import type { Runtime } from '../../src/engine/runtime.ts';
import { type ClosingSlots, Shutdown } from '../../src/engine/shutdown.ts';
import { Gate } from '../../src/kernel/gate.ts';
import { LaterTurn } from '../../src/kernel/later-turn.ts';
import { LongJobs } from '../../src/kernel/long-jobs.ts';
import { TurnQueue } from '../../src/kernel/turn-queue.ts';
import { createTaskIds } from '../../src/model/id.ts';

/** Slots with one owner in each stage. The test says when one ends. */
function world(...stages: number[]) {
  const clock = new VirtualClock();
  const events = new EventPublisher(clock);
  const ledger = new Ledger(events, createTaskIds(), { emptied: () => shutdown.ledgerEmptied() });
  const turns = new TurnQueue();
  const gate = new Gate({ concurrency: Infinity, rate: undefined }, clock, new LongJobs());
  const runtime: Runtime = {
    clock,
    random: () => 0,
    turns,
    graces: new LaterTurn(() => {}),
    jobs: new LongJobs(),
    gate,
    events,
    ledger,
    probes: new Probes(events, {}),
    aroundAttempt: undefined,
    unwatched: undefined,
  };
  const calls: string[] = [];
  const left = new Set(stages);
  let told = -Infinity;
  let stageOver = () => {};
  const log = (call: string): void => void calls.push(`${clock.now()} ${call}`);
  const slots: ClosingSlots = {
    close(closed, over) {
      log('close');
      stageOver = over;
      closed();
    },
    tell(stage) {
      log(`tell ${stage}`);
      told = stage;
    },
    endFinish: () => log('endFinish'),
    force: () => log('force'),
    abandon: () => log('abandon'),
    whenVisited: (call) => call(),
    stages: (above) => [...left].filter((stage) => stage > above),
    get stageIsOver() {
      return [...left].every((stage) => stage > told);
    },
  };
  ledger.owners = left.size; // keeps the supervisor from being empty
  const shutdown = new Shutdown(runtime, slots, new LeaseStore(localLeases, clock, events), 0);
  const end = async (stage: number): Promise<void> => {
    left.delete(stage);
    stageOver();
    await clock.settle();
  };
  return { clock, shutdown, calls, end, hint: () => stageOver(), turns };
}

const TIMES = { graceMs: 90, finishMs: 40 };

describe('a shutdown', () => {
  test('stops one stage after the other, each after its share, and forces when the grace is over', async () => {
    const { clock, shutdown, calls } = world(-5, 0, 3);
    void shutdown.begin('caller', TIMES);
    await clock.advance(90);
    expect(calls).toEqual(['0 close', '0 tell -5', '30 tell 0', '40 endFinish', '60 tell Infinity', '90 force']);
  });

  test('stops the next stage a turn after the one before is over, and does not wait for its share', async () => {
    const { clock, shutdown, calls, end } = world(0, 1, 2);
    void shutdown.begin('caller', TIMES);
    await clock.advance(10);
    await end(0);
    expect(calls.at(-1)).toBe('10 tell 1');
    await clock.advance(20);
    expect(calls.at(-1)).toBe('10 tell 1'); // its share is half of the 80 ms that were left
    await clock.advance(20);
    expect(calls.slice(-2)).toEqual(['40 endFinish', '50 tell Infinity']);
  });

  test('looks again before it stops the next stage, since the stage may not be over', async () => {
    const { clock, shutdown, calls, hint } = world(0, 1);
    void shutdown.begin('caller', TIMES);
    hint();
    await clock.settle();
    expect(calls).toEqual(['0 close', '0 tell 0']);
  });

  test('stops all stages within a later call without a grace, and forces on a later turn', async () => {
    const { clock, shutdown, calls } = world(0, 1, 2);
    void shutdown.begin('caller', TIMES);
    await clock.advance(10);
    void shutdown.begin('signal', { graceMs: 0, finishMs: 0 });
    expect(calls.slice(2)).toEqual(['10 tell Infinity', '10 endFinish']);
    await clock.advance(0);
    expect(calls.at(-1)).toBe('10 force');
  });

  test('without a limit sets no timer', async () => {
    const { clock, shutdown, calls } = world(0, 1);
    void shutdown.begin('caller', { graceMs: Infinity, finishMs: Infinity });
    await clock.settle();
    expect(clock.timers).toBe(0);
    expect(calls).toEqual(['0 close', '0 tell 0']);
  });

  test('keeps the timer of its patience when a turn of an earlier timer comes late', async () => {
    const { clock, shutdown, calls, turns } = world(0);
    void shutdown.begin('caller', TIMES);
    const late: (() => void)[] = [];
    const push = turns.push.bind(turns);
    turns.push = ({ onTurn }) => void late.push(onTurn);
    await clock.advance(40); // the finish time is over, and its turn is late
    turns.push = push;
    void shutdown.begin('signal', { graceMs: 0, finishMs: 0 });
    await clock.advance(0);
    expect([calls.at(-1), clock.timers]).toEqual(['40 force', 1]);
    for (const onTurn of late) onTurn();
    await clock.advance(4_999);
    expect(calls.filter((call) => call.endsWith('force'))).toHaveLength(1);
    await clock.advance(1);
    expect(calls.at(-1)).toBe('5040 abandon');
  });

  test('tells its listeners once, in their order, before it closes any slot', async () => {
    const { shutdown, calls, end } = world(0);
    for (const name of ['first', 'second']) shutdown.onBegin(() => calls.push(name));
    void shutdown.begin('caller', TIMES);
    expect(calls.slice(0, 4)).toEqual(['first', 'second', '0 close', expect.stringMatching('0 tell')]);
    void shutdown.begin('caller', { graceMs: 0, finishMs: 0 });
    await end(0);
    expect(calls.filter((call) => call === 'first')).toHaveLength(1);
  });
});
