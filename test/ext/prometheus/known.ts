// The names that a real scrape has: samples, their labels, and the words of each label.

import { Registry } from 'prom-client';
import { Supervisor } from 'slotvisor';
import { prometheus } from 'slotvisor/prometheus';
import { VirtualClock } from 'slotvisor/testing';
import type { Known } from './promql.ts';
import { Scrape } from './scrape.ts';

/** Of a supervisor with a watched slot and one attempt. */
export async function knownNames(): Promise<Known> {
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock });
  const register = new Registry();
  prometheus(supervisor, { register, slots: ['a'] });
  supervisor.submit({ slot: 'a', run: () => {} });
  await clock.advance(0);
  const known = new Map<string, Map<string, Set<string>>>();
  for (const { samples } of new Scrape(await register.metrics()).families)
    for (const { name, labels } of samples) {
      const its = known.get(name) ?? new Map<string, Set<string>>();
      known.set(name, its);
      for (const [label, word] of Object.entries(labels)) its.set(label, (its.get(label) ?? new Set()).add(word));
    }
  return known;
}
