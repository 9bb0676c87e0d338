import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CanceledError } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { workerTask } from 'slotvisor/worker';
import { describe, expect, test } from 'vitest';
import { cleanupAndKill } from '../../support/around-run.ts';
import { fakeContext, JOBS, job, type Rest, real, shared, until } from './setup.ts';

const GATED = new URL('./gated.mjs', import.meta.url);

describe('a stop request', () => {
  const stopping = ['stopsOnAbort', 'stopsByPlatform', 'pollsCanceled'];
  for (const name of stopping)
    test(`a function that obeys the request ends as canceled, without a failure (${name})`, async () => {
      const { supervisor, recorded } = real();
      const data = { shared: shared() };
      const submission = job(supervisor, name, { workerData: data });
      await until(() => data.shared[0] === 1);
      expect(await submission.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 1 });
      expect(recorded.types()).not.toContain('overrun');
    });

  test('the signal’s reason in the worker has the cause of the stop and the caller’s reason', async () => {
    const data = { shared: shared() };
    const submission = job(real().supervisor, 'returnsReason', { workerData: data });
    await until(() => data.shared[0] === 1);
    const seen = {
      name: 'CanceledError',
      code: 'SLOTVISOR_CANCELED',
      isCanceled: true,
      by: 'caller',
      reason: { why: ['enough'] },
    };
    expect(await submission.cancel(seen.reason)).toMatchObject({
      kind: 'canceled',
      reason: seen.reason,
      failure: { kind: 'thrown', message: 'on my way out', error: { seen } },
    });
  });

  test('a reason that cannot be cloned is left out, and the stop request is still sent', async () => {
    const data = { shared: shared() };
    const submission = job(real().supervisor, 'returnsReason', { workerData: data });
    await until(() => data.shared[0] === 1);
    const reason = (): void => {};
    const outcome = await submission.cancel(reason);
    expect(outcome).toMatchObject({
      kind: 'canceled',
      failure: { error: { seen: { by: 'caller', reason: undefined } } },
    });
    expect(outcome).toHaveProperty('reason', reason);
  });

  test('a function may return a value after a stop request, and the outcome is canceled', async () => {
    const { supervisor, recorded } = real();
    const data = { shared: shared() };
    const submission = job(supervisor, 'cleansUp', { workerData: data });
    await until(() => data.shared[0] === 1);
    expect(await submission.cancel()).toMatchObject({ kind: 'canceled' });
    expect(recorded.types(submission.id)).toContain('attemptSucceeded');
  });

  test('a function is not called if the stop request comes before the call', async () => {
    const { supervisor, recorded } = real();
    const data = { shared: shared() };
    const submission = supervisor.submit({ restart: 'never', run: workerTask(GATED, { workerData: data }) });
    await recorded.until(({ type }) => type === 'attemptStarted');
    const outcome = submission.cancel();
    await recorded.until(({ type }) => type === 'stopRequested');
    await new Promise(setImmediate); // the stop request is sent on a later turn
    Atomics.store(data.shared, 1, 1);
    Atomics.notify(data.shared, 1);
    expect(await outcome).toMatchObject({ kind: 'canceled' });
    expect(data.shared[0]).toBe(0);
  });

  test('a worker that was killed before it began does not start', async () => {
    const data = { shared: shared() };
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let began: Promise<void> | undefined;
    const { supervisor, recorded } = real({
      defaults: { graceMs: 0 },
      aroundAttempt: async (_, next) => {
        await held;
        began = next();
        await began;
      },
    });
    const counts = `import { workerData } from 'node:worker_threads';
      Atomics.add(workerData.shared, 0, 1); // counts that it was loaded
      export default () => {};`;
    const module = new URL(`data:text/javascript,${encodeURIComponent(counts)}`);
    const submission = supervisor.submit({ restart: 'never', run: workerTask(module, { workerData: data }) });
    await recorded.until(({ type }) => type === 'attemptStarted');
    expect(await submission.cancel()).toMatchObject({ kind: 'killed' });
    release();
    await until(() => began !== undefined);
    await expect(began).rejects.toBeInstanceOf(CanceledError);
    expect(data.shared[0]).toBe(0);
  });
});

describe('kill and proof of end', () => {
  test('after the grace, a loop that never yields is killed and counts no further', async () => {
    const { supervisor, recorded } = real({ defaults: { graceMs: 50 } });
    const data = { shared: shared() };
    const submission = job(supervisor, 'counting', { workerData: data });
    await until(() => Number(data.shared[0]) > 0);
    expect(await submission.cancel()).toEqual({ kind: 'killed', by: 'caller', attempts: 1 });
    const counted = data.shared[0];
    expect(recorded.of('overrun')).toMatchObject([{ action: 'kill' }]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(data.shared[0]).toBe(counted);
  });

  test('a replacement starts only after the thread that it replaces has ended (S1)', async () => {
    const { supervisor } = real({ defaults: { graceMs: 20 } });
    const data = { shared: shared() };
    const old = job(supervisor, 'counting', { workerData: data }, { slot: 'one' });
    await until(() => Number(data.shared[0]) > 0);
    const next = supervisor.submit({
      slot: 'one',
      admission: 'replace',
      restart: 'never',
      run: async () => {
        const counted = data.shared[0];
        await new Promise((resolve) => setTimeout(resolve, 30));
        return Number(data.shared[0]) - Number(counted);
      },
    });
    expect(await next.value()).toBe(0);
    expect(await old.outcome).toMatchObject({ kind: 'killed', by: 'replace' });
  });

  test('a shutdown kills the worker after its grace and abandons nothing', async () => {
    const { supervisor } = real();
    const data = { shared: shared() };
    const submission = job(supervisor, 'counting', { workerData: data }, { name: 'spins' });
    await until(() => Number(data.shared[0]) > 0);
    const report = await supervisor.shutdown({ graceMs: 20 });
    expect(report).toMatchObject({ killed: [{ name: 'spins' }], abandoned: [] });
    expect(await submission.outcome).toMatchObject({ kind: 'killed', by: 'shutdown' });
  });

  test('past its timeout a spinning worker is killed, and the next attempt is a fresh one', async () => {
    const clock = new VirtualClock();
    const { supervisor, recorded } = real({ clock, defaults: { graceMs: 0 } });
    const data = { shared: shared() };
    const rest: Rest = { restart: 'onFailure', timeoutMs: 300, maxRetries: 1, backoff: { firstMs: 0 } };
    const { outcome } = job(supervisor, 'counting', { workerData: data }, rest);
    for (const attempt of [1, 2]) {
      await until(() => Number(data.shared[0]) > 0);
      await clock.advance(300);
      await until(() => recorded.of('attemptTimedOut').length === attempt);
      data.shared[0] = 0; // its thread is dead
      await clock.advance(0); // the backoff
    }
    expect(await outcome).toMatchObject({
      kind: 'failed',
      failure: { kind: 'timedOut' },
      attempts: 2,
    });
    expect(recorded.of('overrun')).toHaveLength(2);
  });

  test('a kill of a thread inside native code resolves only when that code has returned', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slotvisor-native-'));
    const data = { shared: shared(), gate: join(folder, 'gate') };
    const task = workerTask(JOBS, { export: 'inNativeCode', workerData: data });
    const ctx = fakeContext();
    const run = Promise.resolve(task.run(ctx)).catch(() => {});
    await until(() => data.shared[0] === 1);
    let returned = false;
    const killed = Promise.resolve(task.kill(ctx)).then(() => returned);
    await new Promise(setImmediate);
    returned = true;
    writeFileSync(data.gate, '');
    expect(await killed).toBe(true);
    await run;
    rmSync(folder, { recursive: true });
  });

  test('the code around a killed worker has gone on when its kill resolves', async () => {
    const data = { shared: shared() };
    const task = workerTask(JOBS, { export: 'counting', workerData: data });
    const order = await cleanupAndKill(task, fakeContext(), () => until(() => Number(data.shared[0]) > 0));
    expect(order).toEqual(['cleaned up', 'killed']);
  });

  test('a kill finds its thread by submission id and attempt, not by the context object', async () => {
    const task = workerTask(JOBS, { export: 'counting', workerData: { shared: shared() } });
    const ctx = fakeContext();
    const run = Promise.resolve(task.run(ctx));
    run.catch(() => {});
    await task.kill(Object.create(ctx));
    await expect(run).rejects.toBe(undefined); // no stop was requested, so there is no reason
  });
});

describe('heartbeats of a worker', () => {
  test('a worker that spins without a heartbeat stalls after `stallMs`', async () => {
    const { supervisor } = real({ defaults: { graceMs: 0 } });
    const submission = job(supervisor, 'counting', { workerData: { shared: shared() } }, { stallMs: 200 });
    expect(await submission.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'stalled', silentMs: 200 } });
  });

  test('heartbeats from a loop that never yields arrive during the loop', async () => {
    const data = { shared: shared() };
    let received = 0;
    const heartbeat = (): void => {
      received += 1;
      if (received === 3) Atomics.store(data.shared, 1, 1); // ends the loop of the worker
    };
    await workerTask(JOBS, { export: 'heartbeatsUntilReceived', workerData: data }).run(fakeContext({ heartbeat }));
    expect(received).toBeGreaterThanOrEqual(3);
  });

  test('at most one heartbeat message is on its way, even after 100,000 calls', async () => {
    const data = { shared: shared() };
    let received = 0;
    const ctx = fakeContext({ heartbeat: () => (received += 1) });
    const run = workerTask(JOBS, { export: 'manyHeartbeats', workerData: data }).run(ctx);
    Atomics.wait(data.shared, 1, 0); // blocks this side: it receives no message meanwhile
    await run;
    expect(received).toBe(1);
  });
});
