// Guards the cost of a scrape of slotvisor/prometheus: what it reads is counted, not timed. It must
// not grow with the number of slots and submissions, and nothing may be read between two scrapes.

import { Registry } from 'prom-client';
import { type Slot, Supervisor } from 'slotvisor';
import { prometheus } from 'slotvisor/prometheus';
import { expect, test } from 'vitest';

/** Counts what is read of it. */
class Watched extends Supervisor {
  reads: Record<string, number> = {};

  #count(what: string): void {
    this.reads[what] = (this.reads[what] ?? 0) + 1;
  }
  override stats() {
    this.#count('stats');
    return super.stats();
  }
  override slots(options?: Parameters<Supervisor['slots']>[0]) {
    this.#count('slots');
    return super.slots(options);
  }
  override snapshot() {
    this.#count('snapshot');
    return super.snapshot();
  }
  override tasks() {
    this.#count('tasks');
    return super.tasks();
  }
  override slot(name: string): Slot {
    const slot = super.slot(name);
    const view: Slot['view'] = (options) => {
      const shown = slot.view(options);
      this.#count('views');
      this.reads.queued = (this.reads.queued ?? 0) + shown.queued.length;
      return shown;
    };
    return { ...slot, name, view } as Slot;
  }
}

const never = (): Promise<never> => new Promise(() => {});

async function scrapeOf(slots: number, waiting: number): Promise<{ reads: object; lines: number }> {
  const supervisor = new Watched({ slotDefaults: { queueLimit: Infinity } });
  const register = new Registry();
  prometheus(supervisor, { register, slots: ['sync:0', 'sync:1'] });
  for (let n = 0; n < slots; n += 1) supervisor.submit({ slot: `sync:${n}`, run: never });
  for (let n = 0; n < waiting; n += 1) supervisor.submit({ slot: `sync:${n % 10}`, run: never });
  await new Promise((resolve) => setImmediate(resolve));
  expect(supervisor.reads, 'nothing is read before the first scrape').toEqual({});
  const page = await register.metrics();
  const { reads } = supervisor;
  await new Promise((resolve) => setImmediate(resolve));
  expect(supervisor.reads, 'nothing is read after a scrape').toEqual(reads);
  return { reads, lines: page.split('\n').length };
}

test('a scrape reads stats() once a metric and a view of each watched slot without its queue, however much there is', async () => {
  const few = await scrapeOf(10, 0);
  expect(few.reads).toEqual({ stats: 12, views: 6, queued: 0 });
  expect(await scrapeOf(10_000, 100_000)).toEqual(few);
});
