// A thread whose Worker is replaced by one that the test controls: what the parent does with each
// order of messages, errors and the exit.

import { EventEmitter } from 'node:events';
import { CanceledError } from 'slotvisor';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { CallMessage, Message } from '../../../src/ext/worker/bootstrap.ts';
import { Thread } from '../../../src/ext/worker/thread.ts';
import { fakeContext } from './setup.ts';

const { workers } = vi.hoisted(() => ({ workers: [] as FakeWorker[] }));

class FakeWorker extends EventEmitter {
  call: CallMessage | undefined;
  terminations = 0;

  constructor() {
    super();
    workers.push(this);
  }

  postMessage(call: CallMessage): void {
    this.call = call;
  }

  /** As in Node: resolves with the exit. */
  terminate(): Promise<void> {
    this.terminations += 1;
    return new Promise((resolve) => this.once('exit', () => resolve()));
  }

  report(message: Message): void {
    this.call?.port.postMessage(message);
  }

  exit(code: number): void {
    this.emit('exit', code);
    this.call?.port.close();
  }
}

vi.mock(import('node:worker_threads'), async (original) => {
  const real = await original();
  return {
    ...real,
    Worker: vi.fn(function Worker() {
      return new FakeWorker();
    }) as unknown as typeof real.Worker,
  };
});

beforeEach(() => {
  workers.length = 0;
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setup(): { thread: Thread<unknown>; worker: FakeWorker } {
  const task = {
    module: 'file:///job.mjs',
    export: 'default',
    workerData: undefined,
    resourceLimits: {},
    execArgv: [],
  };
  const thread = new Thread(task, fakeContext(), undefined);
  thread.ended.catch(() => {});
  return { thread, worker: workers[0] as FakeWorker };
}

describe('a crash of the thread', () => {
  const reason = new CanceledError('enough');
  const reports: readonly [what: string, message: Message, end: PromiseSettledResult<unknown>][] = [
    ['a value', { kind: 'value', value: 7 }, { status: 'fulfilled', value: 7 }],
    ['the stop reason', { kind: 'stopped' }, { status: 'rejected', reason }],
    ['an error', { kind: 'thrown', error: { value: 'thrown' } }, { status: 'rejected', reason: 'thrown' }],
  ];

  for (const [what, message, end] of reports)
    for (const [when, between] of [
      ['while the report is unread', async () => {}],
      ['after the report was read', turn],
    ] as const)
      test(`changes nothing after the function has reported ${what}: ${when}`, async () => {
        const { thread, worker } = setup();
        thread.stop(reason);
        worker.report(message);
        await between();
        worker.emit('error', new Error('a crash'));
        worker.exit(1);
        expect(await Promise.allSettled([thread.ended])).toEqual([end]);
      });

  test('is the failure if the function has reported nothing, once the thread has exited', async () => {
    const { thread, worker } = setup();
    let settled = false;
    void thread.ended.catch(() => {
      settled = true;
    });
    worker.emit('error', new Error('a crash'));
    await turn();
    expect(settled).toBe(false);
    worker.exit(1);
    await expect(thread.ended).rejects.toThrow('a crash');
  });
});

describe('a kill', () => {
  test('resolves after the thread has exited and its attempt has settled', async () => {
    const { thread, worker } = setup();
    const order: string[] = [];
    void thread.ended.catch(() => order.push('settled'));
    const killed = thread.kill().then(() => order.push('killed'));
    await turn();
    await turn();
    order.push('exit');
    worker.exit(1);
    await killed;
    expect(order).toEqual(['exit', 'settled', 'killed']);
    expect(worker.terminations).toBe(1);
  });

  test('resolves in the same way when the function has reported before', async () => {
    const { thread, worker } = setup();
    const order: string[] = [];
    void thread.ended.then(() => order.push('settled'));
    worker.report({ kind: 'value', value: 7 });
    await turn();
    const killed = thread.kill().then(() => order.push('killed'));
    await turn();
    order.push('exit');
    worker.exit(0);
    await killed;
    expect(order).toEqual(['exit', 'settled', 'killed']);
  });
});
