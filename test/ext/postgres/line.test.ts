import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { Line } from '../../../src/ext/postgres/line.ts';
import { FakePool, gate } from './fake-pool.ts';

const never = () => new Promise<never>(() => {});
const one = { text: 'select 1' };

function world() {
  const clock = new VirtualClock();
  const pool = new FakePool();
  const line = new Line(pool, clock);
  const heard: string[] = [];
  const listener = { hear: (payload: string) => heard.push(payload), broken: () => heard.push('broken') };
  return { clock, pool, line, heard, listen: (channel = 'sv_1') => line.listen(channel, listener, 1_000) };
}

describe('the connection of the beats', () => {
  test('is taken for the first statement, serves the next ones, and keeps no process alive', async () => {
    const { pool, line, clock } = world();
    expect(await line.run(one, 1_000)).toEqual([{ one: 1 }]);
    await line.run(one, 1_000);
    expect([pool.clients.length, pool.client(0).isReferenced, pool.client(0).released, clock.timers]).toEqual([
      1,
      false,
      [],
      0,
    ]);
  });

  test('runs one statement at a time', async () => {
    const { pool, line } = world();
    await Promise.all(Array.from({ length: 5 }, () => line.run(one, 1_000)));
    expect([pool.client(0).most, pool.client(0).asked.length]).toEqual([1, 5]);
  });

  test('gives a statement its whole limit, from its turn on', async () => {
    const { pool, line, clock } = world();
    const { pass, open } = gate();
    pool.answer = () => pass().then(() => ({ rows: [] }));
    const both = [line.run(one, 1_000), line.run(one, 1_000)];
    await clock.advance(900);
    open();
    await clock.advance(900);
    expect(await Promise.all(both)).toEqual([[], []]);
  });

  test('is given up after an error, and the next statement takes another one', async () => {
    const { pool, line } = world();
    pool.answer = () => Promise.reject(new Error('canceled'));
    await expect(line.run(one, 1_000)).rejects.toThrow('canceled');
    pool.answer = async () => ({ rows: [] });
    await line.run(one, 1_000);
    expect(pool.clients.map(({ released }) => released)).toEqual([['destroyed'], []]);
  });

  test('is given up when an answer is late', async () => {
    const { pool, line, clock } = world();
    pool.answer = never;
    const late = expect(line.run(one, 1_000)).rejects.toThrow('has not answered within 1000 ms');
    await clock.advance(1_000);
    await late;
    expect([pool.client(0).released, clock.timers]).toEqual([['destroyed'], 0]);
  });

  test('that comes too late goes back to the pool', async () => {
    const { pool, line, clock } = world();
    const { pass, open } = gate();
    pool.dial = pass;
    const late = expect(line.run(one, 1_000)).rejects.toThrow('has not answered');
    await clock.advance(1_000);
    await late;
    open();
    await clock.advance(0);
    expect(pool.client(0).released).toEqual(['whole']);
  });

  test.each(['error', 'end'])('that reports `%s` is given up at once, and once', async (event) => {
    const { pool, line, listen, heard } = world();
    await listen();
    pool.client(0).emit(event, new Error('terminated'));
    pool.client(0).emit('end');
    expect([pool.client(0).released, heard]).toEqual([['destroyed'], ['broken']]);
    await line.run(one, 1_000);
    expect(pool.clients.length).toBe(2);
  });

  test('that breaks while it is set up is given up once', async () => {
    const { pool, line, listen, clock } = world();
    await listen();
    line.hangUp();
    pool.answer = never;
    const beat = line.run(one, 1_000);
    beat.catch(() => {});
    await clock.advance(0);
    pool.client(1).emit('end');
    await clock.advance(1_000);
    await expect(beat).rejects.toThrow();
    expect(pool.client(1).released).toEqual(['destroyed']);
  });
});

describe('news', () => {
  test('of a channel reach its listener, and no other ones do', async () => {
    const { pool, listen, heard } = world();
    await listen();
    pool.client(0).emit('notification', { channel: 'sv_1', payload: 'a' });
    pool.client(0).emit('notification', { channel: 'sv_2', payload: 'b' });
    expect([heard, pool.client(0).asked]).toEqual([['a'], ['listen sv_1;', 'listen sv_1']]);
  });

  test('are listened to on the next connection, before its first statement', async () => {
    const { pool, line, listen, heard } = world();
    await listen();
    pool.client(0).emit('end');
    await line.run(one, 1_000);
    expect([pool.client(1).asked, heard]).toEqual([['listen sv_1;', 'select 1'], ['broken']]);
  });

  test('are not heard any more once they are ignored', async () => {
    const { pool, line, listen, heard } = world();
    await listen();
    line.ignore('sv_1');
    pool.client(0).emit('notification', { channel: 'sv_1', payload: 'a' });
    line.hangUp();
    await line.run(one, 1_000);
    expect([heard, pool.client(1).asked]).toEqual([[], ['select 1']]);
  });

  test('that cannot be listened to are an error, and are not listened to later', async () => {
    const { pool, line, listen } = world();
    pool.answer = () => Promise.reject(new Error('a pooler'));
    await expect(listen()).rejects.toThrow('a pooler');
    pool.answer = async () => ({ rows: [] });
    await line.run(one, 1_000);
    expect(pool.client(1).asked).toEqual(['select 1']);
  });
});

describe('the end', () => {
  test('of the line ends its connection, and it takes no other one', async () => {
    const { pool, line } = world();
    await line.run(one, 1_000);
    line.close();
    await expect(line.run(one, 1_000)).rejects.toThrow('the lease store is closed');
    expect(pool.clients.map(({ released }) => released)).toEqual([['destroyed'], ['destroyed']]);
  });

  test('of the line while it takes a connection ends that one', async () => {
    const { pool, line, clock } = world();
    const { pass, open } = gate();
    pool.dial = pass;
    const beat = expect(line.run(one, 1_000)).rejects.toThrow('the lease store is closed');
    await clock.advance(0);
    line.close();
    open();
    await beat;
    expect(pool.client(0).released).toEqual(['destroyed']);
  });
});
