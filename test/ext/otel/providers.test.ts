// What is registered behind the API, before the call of otel and after it.

import { metrics as api, type MeterProvider, type TracerProvider, trace } from '@opentelemetry/api';
import { type Probe, Supervisor } from 'slotvisor';
import { otel } from 'slotvisor/otel';
import { VirtualClock } from 'slotvisor/testing';
import { afterEach, expect, it, vi } from 'vitest';
import { metrics, traces } from './world.ts';

afterEach(() => {
  trace.disable();
  api.disable();
});

/** Watched with what is registered globally. */
function watched() {
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock });
  const attached: Probe[] = [];
  const instrument = supervisor.instrument.bind(supervisor);
  vi.spyOn(supervisor, 'instrument').mockImplementation((probe) => {
    attached.push(probe);
    return instrument(probe);
  });
  const end = otel(supervisor);
  const attempt = async () => {
    supervisor.submit({ slot: 'a', run: () => {} });
    await clock.settle();
  };
  return { supervisor, attempt, end, probe: attached[0] as Probe };
}

it('without an SDK nothing is made for an attempt', async () => {
  const { probe, attempt } = watched();
  const info = new Proxy({} as never, {
    get: () => {
      throw new Error('it was looked at');
    },
  });
  expect(probe.attempt(info)).toBeUndefined();
  await attempt();
  expect(probe.attempt(info)).toBeUndefined();
});

it('an SDK that is registered later is noticed at the next attempt: spans and metrics', async () => {
  const { attempt } = watched();
  await attempt();
  const [traced, measured] = [traces(), metrics()];
  trace.setGlobalTracerProvider(traced.provider);
  await attempt();
  expect(traced.spans('attempt a')).toHaveLength(1);
  api.setGlobalMeterProvider(measured.provider);
  await attempt();
  expect(traced.spans('attempt a')).toHaveLength(2);
  expect(await measured.counts('slotvisor.attempts')).toMatchObject([{ value: 3 }]);
  expect(await measured.histogram('slotvisor.attempt.duration')).toMatchObject([{ value: { count: 1 } }]);
});

it('an SDK that takes the place of another gets what follows, and the first one is left alone', async () => {
  const first = { traced: traces(), measured: metrics() };
  trace.setGlobalTracerProvider(first.traced.provider);
  api.setGlobalMeterProvider(first.measured.provider);
  const { attempt } = watched();
  await attempt();
  trace.disable();
  api.disable();
  const second = { traced: traces(), measured: metrics() };
  trace.setGlobalTracerProvider(second.traced.provider);
  api.setGlobalMeterProvider(second.measured.provider);
  await attempt();
  expect([first, second].map(({ traced }) => traced.spans('attempt a').length)).toEqual([1, 1]);
  expect(await second.measured.counts('slotvisor.attempts')).toMatchObject([{ value: 2 }]);
  expect(await first.measured.counts('slotvisor.attempts'), 'it is given no counts any more').toEqual([]);
  expect(await first.measured.histogram('slotvisor.attempt.duration')).toMatchObject([{ value: { count: 1 } }]);
});

it('an SDK that is taken away ends spans and metrics, and harms no attempt', async () => {
  const { provider } = traces();
  trace.setGlobalTracerProvider(provider);
  const { supervisor, attempt, probe } = watched();
  await attempt();
  trace.disable();
  await attempt();
  expect(supervisor.stats().totals.completed).toBe(2);
  expect(probe.attempt({} as never)).toBeUndefined();
});

it('given providers are used, whatever is registered globally', async () => {
  const [given, registered] = [traces(), traces()];
  trace.setGlobalTracerProvider(registered.provider);
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock });
  otel(supervisor, { tracerProvider: given.provider });
  supervisor.submit({ slot: 'a', run: () => {} });
  await clock.settle();
  expect([given, registered].map(({ spans }) => spans().length)).toEqual([1, 0]);
});

it('the proxy of the API may be given: what is registered behind it later is used', async () => {
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock });
  otel(supervisor, { tracerProvider: trace.getTracerProvider(), metrics: false });
  const { provider, spans } = traces();
  for (const register of [() => {}, () => trace.setGlobalTracerProvider(provider)]) {
    register();
    supervisor.submit({ slot: 'a', run: () => {} });
    await clock.settle();
  }
  expect(spans()).toHaveLength(1);
});

it('a provider is asked for its tracer and its meter once', async () => {
  const [traced, measured] = [traces(), metrics()];
  const getTracer = vi.spyOn(traced.provider as TracerProvider, 'getTracer');
  const getMeter = vi.spyOn(measured.provider as MeterProvider, 'getMeter');
  trace.setGlobalTracerProvider(traced.provider);
  api.setGlobalMeterProvider(measured.provider);
  const { attempt } = watched();
  for (let n = 0; n < 5; n += 1) await attempt();
  expect([getTracer.mock.calls, getMeter.mock.calls]).toEqual([[['slotvisor', '0.1.0']], [['slotvisor', '0.1.0']]]);
});
