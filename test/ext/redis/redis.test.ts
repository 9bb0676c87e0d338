// `redisLeases` between two supervisors, over both clients.

import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { Supervisor, type TaskContext } from 'slotvisor';
import { redisClaims, redisLeases } from 'slotvisor/redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freshPrefix } from '../../support/redis.ts';
import { clientOf, overBothClients } from './world.ts';

overBothClients('slots that processes share through Redis', (kind) => {
  async function fleet(count: number): Promise<Supervisor[]> {
    const options = { prefix: freshPrefix(), quarantine: false };
    return Promise.all(
      Array.from({ length: count }, async () => {
        const supervisor = new Supervisor({ leases: redisLeases(await clientOf(kind), options) });
        onTestFinished(async () => void (await supervisor.shutdown()));
        return supervisor;
      }),
    );
  }

  it('have one body at a time, with growing fences, in the order in which the processes began to wait', async () => {
    const supervisors = await fleet(3);
    const order: number[] = [];
    const fences: bigint[] = [];
    let alive = 0;
    const run = (who: number) => async (ctx: TaskContext) => {
      alive += 1;
      expect(alive).toBe(1);
      order.push(who);
      fences.push(ctx.fence);
      await new Promise((resolve) => setImmediate(resolve));
      alive -= 1;
    };
    const rounds = [1, 2, 3, 4, 5];
    const outcomes = rounds.flatMap(() =>
      supervisors.map((supervisor, who) => supervisor.submit({ slot: 's', run: run(who) }).outcome),
    );
    expect(new Set((await Promise.all(outcomes)).map(({ kind }) => kind))).toEqual(new Set(['completed']));
    expect(order.filter((who) => who === 0)).toHaveLength(5);
    expect(fences).toEqual([...fences].sort((a, b) => (a < b ? -1 : 1)));
  });

  it('are handed over by a replacement and by a shutdown', async () => {
    const [a, b] = (await fleet(2)) as [Supervisor, Supervisor];
    const resident = (supervisor: Supervisor, admission: 'queue' | 'replace', started: () => void) =>
      supervisor.submit({
        slot: 's',
        admission,
        restart: 'never',
        run: async (ctx) => {
          started();
          await ctx.sleep(Infinity);
        },
      });
    const start = (supervisor: Supervisor, admission: 'queue' | 'replace') => {
      let started: () => void = () => {};
      const isOn = new Promise<void>((resolve) => {
        started = resolve;
      });
      return { isOn, task: resident(supervisor, admission, started) };
    };
    const first = start(a, 'queue');
    await first.isOn;
    expect((await b.submit({ slot: 's', admission: 'dropIfRunning', run: () => {} }).outcome).kind).toBe('rejected');
    const second = start(b, 'replace');
    await second.isOn;
    expect((await first.task.outcome).kind).toBe('canceled');
    const third = start(a, 'queue');
    await b.shutdown();
    await third.isOn;
    expect((await second.task.outcome).kind).toBe('canceled');
  });
});

describe('a client', () => {
  it('is one of ioredis or redis, for one server', () => {
    const refused = 'client must be a client of ioredis or redis for one server';
    const io = new Redis({ lazyConnect: true });
    const cluster = { call() {}, duplicate() {}, isCluster: true };
    const pool = { sendCommand() {}, duplicate() {} };
    for (const make of [redisLeases, redisClaims]) {
      for (const client of [undefined, null, 7, 'redis://localhost', {}, cluster, pool])
        expect(() => make(client as never)).toThrow(refused);
      make(io);
      make(createClient());
    }
  });

  it('is not called before the first submission', () => {
    const client = new Redis({ lazyConnect: true });
    redisLeases(client);
    redisClaims(client);
    expect(client.status).toBe('wait');
  });
});
