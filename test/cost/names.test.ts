// Guards the cost of a slot name that is used again and again: V8 passes every deleted key of the
// same hash at each look, so such a name must keep its key in every map and set. Its deletes are
// counted.

import { Supervisor, type SupervisorOptions, type TaskSpec } from 'slotvisor';
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.restoreAllMocks();
});

/** How often the name `hot` was deleted while it was used 500 times beside other slots. */
async function deletesOf(options: SupervisorOptions, spec: Partial<TaskSpec<unknown>>): Promise<number> {
  const supervisor = new Supervisor(options);
  const use = (slot: string) => supervisor.submit({ ...spec, slot, run: () => 1 } as TaskSpec<unknown>).outcome;
  for (let n = 0; n < 100; n += 1) supervisor.submit({ ...spec, slot: `live:${n}`, run: () => new Promise(() => {}) });
  for (let n = 0; n < 100; n += 1) await use(`old:${n}`);
  const deletes = [vi.spyOn(Map.prototype, 'delete'), vi.spyOn(Set.prototype, 'delete')];
  for (let n = 0; n < 500; n += 1) await use('hot');
  return deletes.flatMap(({ mock }) => mock.calls as unknown[][]).filter(([key]) => key === 'hot').length;
}

const lost = new AbortController().signal;
let fence = 0n;
function lease(isLater: boolean) {
  fence += 1n;
  return { fence, lost, release: () => (isLater ? Promise.resolve() : undefined) };
}

test.for<readonly [string, SupervisorOptions, Partial<TaskSpec<unknown>>]>([
  ['', {}, {}],
  [', with a vital task', {}, { vital: true }],
  [', with a vital task while the dead are kept', { deadFraction: 1 }, { vital: true }],
  [', under a lease store that answers at once', { leases: { acquire: () => lease(false) } }, {}],
  [', under a lease store that answers later', { leases: { acquire: async () => lease(true) } }, {}],
])('a slot name that is used again and again keeps its keys%s', async ([, options, spec]) => {
  expect(await deletesOf(options, spec)).toBe(0);
});

test('tasks one after the other share the page of the ledger that they are in', async () => {
  const supervisor = new Supervisor();
  const use = () => supervisor.submit({ slot: 's', run: () => 1 }).outcome;
  await use();
  const pages = vi.spyOn(Array.prototype, 'fill');
  for (let n = 0; n < 1_280; n += 1) await use();
  expect(pages.mock.calls.length).toBeLessThanOrEqual(11);
});
