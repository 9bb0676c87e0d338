import { VirtualClock } from 'slotvisor/testing';
import { expect, test } from 'vitest';
import { type ProcessMeter, ProcessWatch, type Reading } from '../../../src/ext/dashboard/process-watch.ts';

const MEMORY = { rssBytes: 100, heapBytes: 50 };

function watched() {
  const clock = new VirtualClock();
  const samples: number[] = [];
  const meter = {
    next: { upMs: 7, loopDelayMs: 12, utilization: 0.5, cpuMs: 250, ...MEMORY } as Reading,
    reads: 0,
    stopped: false,
    read: (): Reading => {
      meter.reads += 1;
      return meter.next;
    },
    stop: () => {
      meter.stopped = true;
    },
  } satisfies ProcessMeter & Record<string, unknown>;
  const sampled = [
    { sample: (ms: number) => void samples.push(ms) },
    { sample: (ms: number) => void samples.push(-ms) },
  ];
  return { clock, samples, meter, watch: new ProcessWatch(sampled, clock, meter) };
}

test('before the first full second it has the memory, and 0 for the rest', () => {
  expect(watched().watch.row()).toEqual({ upMs: 7, loopDelayMs: 0, utilization: 0, cpu: 0, ...MEMORY });
});

test('once a second it looks, and gives all that it samples for the delay', async () => {
  const { clock, meter, samples, watch } = watched();
  await clock.advance(999);
  expect(samples).toEqual([]);
  await clock.advance(1);
  expect(watch.row()).toEqual({ upMs: 7, loopDelayMs: 12, utilization: 0.5, cpu: 0.25, ...MEMORY });
  expect(samples).toEqual([12, -12]);
  meter.next = { ...meter.next, loopDelayMs: 3 };
  await clock.advance(2_000);
  expect(samples).toEqual([12, -12, 3, -3, 3, -3]);
});

test('the share of a core is of the time that has passed, also where the loop was blocked', async () => {
  const { clock, meter, watch } = watched();
  meter.next = { ...meter.next, cpuMs: 4_000 };
  clock.block(4_000);
  await clock.advance(0);
  expect(watch.row().cpu).toBe(1);
});

test('once it is closed it looks no more, and leaves no timer', async () => {
  const { clock, meter, samples, watch } = watched();
  watch.close();
  await clock.advance(5_000);
  expect([samples, meter.stopped, meter.reads, clock.timers]).toEqual([[], true, 1, 0]);
});

test('a real process has all figures, and its watch holds no process', () => {
  const watch = new ProcessWatch([]);
  const { upMs, rssBytes, heapBytes } = watch.row();
  expect(upMs).toBeGreaterThan(0);
  expect(heapBytes).toBeGreaterThan(1_000_000);
  expect(rssBytes).toBeGreaterThan(heapBytes);
  watch.close();
});
