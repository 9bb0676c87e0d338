// How busy the process is. It looks once a second, and shows the last full second.

import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Clock } from '../../index.ts';
import { after, SystemClock } from '../../kit.ts';
import type { ProcessRow } from './wire.ts';

/** How often Node looks at the delay, in ms. Each measured delay includes it. */
const RESOLUTION_MS = 20;
const SAMPLE_MS = 1_000;

/** What a window of time was like. The window ends with the reading. */
export interface Reading extends Omit<ProcessRow, 'cpu'> {
  /** The CPU time of the window. */
  readonly cpuMs: number;
}

/** Reads the process. Each `read` begins another window. */
export interface ProcessMeter {
  read(): Reading;
  stop(): void;
}

/** What gets a sample each second, such as a `Recorder`. */
export interface Sampled {
  sample(loopDelayMs: number): void;
}

export class ProcessWatch {
  readonly #sampled: Iterable<Sampled>;
  readonly #clock: Clock;
  readonly #meter: ProcessMeter;
  #begunMs: number;
  #row: ProcessRow;
  #cancel: () => void = () => {};

  /** Its timer holds no process. */
  constructor(sampled: Iterable<Sampled>, clock: Clock = new SystemClock(false), meter: ProcessMeter = systemMeter()) {
    this.#sampled = sampled;
    this.#clock = clock;
    this.#meter = meter;
    this.#begunMs = clock.now();
    const { cpuMs: _, ...row } = meter.read();
    this.#row = { ...row, loopDelayMs: 0, utilization: 0, cpu: 0 };
    this.#wait();
  }

  row(): ProcessRow {
    return this.#row;
  }

  close(): void {
    this.#cancel();
    this.#meter.stop();
  }

  #wait(): void {
    this.#cancel = after(this.#clock, SAMPLE_MS, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    const { cpuMs, ...row } = this.#meter.read();
    this.#row = { ...row, cpu: cpuMs / (now - this.#begunMs) };
    this.#begunMs = now;
    for (const one of this.#sampled) one.sample(row.loopDelayMs);
    this.#wait();
  }
}

function systemMeter(): ProcessMeter {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let loop = performance.eventLoopUtilization();
  let cpu = process.cpuUsage();
  return {
    read() {
      const { utilization } = performance.eventLoopUtilization(loop);
      const { user, system } = process.cpuUsage(cpu);
      const loopDelayMs = delay.count === 0 ? 0 : Math.max(0, delay.max / 1e6 - RESOLUTION_MS);
      const { rss, heapUsed } = process.memoryUsage();
      loop = performance.eventLoopUtilization();
      cpu = process.cpuUsage();
      delay.reset();
      return {
        upMs: process.uptime() * 1_000,
        loopDelayMs,
        utilization,
        cpuMs: (user + system) / 1_000,
        rssBytes: rss,
        heapBytes: heapUsed,
      };
    },
    stop: () => delay.disable(),
  };
}
