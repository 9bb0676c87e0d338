import { describe, expect, it } from 'vitest';
import { checkLoop, LoopWatch } from '../../../src/ext/health/loop-delay.ts';
import { FakeHistogram } from './fake-histogram.ts';

describe('the watch of the event loop', () => {
  it('leaves the resolution of the measurement out of each delay', () => {
    const histogram = new FakeHistogram();
    const watch = new LoopWatch(histogram, 1_000);
    histogram.delays(0, 0, 30);
    expect(watch.now).toEqual({ p99Ms: 30, maxMs: 30, slowWindows: 0 });
  });

  it('shows the window so far without ending it, and each window once', () => {
    const histogram = new FakeHistogram();
    const watch = new LoopWatch(histogram, 1_000);
    histogram.delays(5);
    expect(watch.now.maxMs).toBe(5);
    histogram.delays(7);
    expect(watch.endWindow().maxMs).toBe(7);
    expect(watch.endWindow()).toEqual({ p99Ms: 0, maxMs: 0, slowWindows: 0 });
  });

  it('counts slow windows in a row: those whose p99 is more than maxDelayMs', () => {
    const histogram = new FakeHistogram();
    const watch = new LoopWatch(histogram, 1_000);
    const slow = [1_001, 1_001, 1_000, 2_000, 2_000, 2_000, 2_000].map((delay) => {
      histogram.delays(delay);
      return watch.endWindow().slowWindows;
    });
    expect(slow).toEqual([1, 2, 0, 1, 2, 3, 4]);
  });

  it('does not count one long block among many short delays', () => {
    const histogram = new FakeHistogram();
    const watch = new LoopWatch(histogram, 1_000);
    histogram.delays(...Array.from({ length: 400 }, () => 1), 9_000);
    expect(watch.endWindow()).toEqual({ p99Ms: 1, maxMs: 9_000, slowWindows: 0 });
  });

  it('goes on with a window that has no measurement', () => {
    const histogram = new FakeHistogram();
    const watch = new LoopWatch(histogram, 1_000);
    histogram.delays(2_000);
    watch.endWindow();
    expect(watch.endWindow().slowWindows).toBe(1);
    histogram.delays(2_000);
    expect(watch.endWindow().slowWindows).toBe(2);
  });

  it('knows of no delay once it has forgotten what it measured', () => {
    const histogram = new FakeHistogram();
    const watch = new LoopWatch(histogram, 1_000);
    histogram.delays(2_000);
    watch.endWindow();
    histogram.delays(2_000);
    watch.forget();
    expect(watch.endWindow()).toEqual({ p99Ms: 0, maxMs: 0, slowWindows: 0 });
  });

  it('warns of one and two slow windows, and fails with the third', () => {
    const statuses = [0, 1, 2, 3, 4].map(
      (slowWindows) => checkLoop({ p99Ms: 1_500, maxMs: 1_500, slowWindows }).status,
    );
    expect(statuses).toEqual(['pass', 'warn', 'warn', 'fail', 'fail']);
  });
});
