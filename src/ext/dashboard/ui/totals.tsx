// What has been counted since the supervisor was made.

import type { VNode } from 'preact';
import type { Summary } from '../wire.ts';
import { count, when } from './format.ts';
import { spaced } from './words.ts';

export function Totals({ summary }: { summary: Summary }): VNode {
  const { totals, rejections, failures, eventsDropped, since, now } = summary;
  return (
    <footer>
      <Counts of="submissions" counts={totals} />
      <Counts of="turned away" counts={rejections} />
      <Counts of="failures" counts={failures} />
      <p>
        <b>remembered</b> since {when(since, now)}
        {eventsDropped > 0 && `, ${count(eventsDropped)} events lost`}
      </p>
    </footer>
  );
}

function Counts({ of, counts }: { of: string; counts: Readonly<Record<string, number>> }): VNode {
  const shown = Object.entries(counts).filter(([, value]) => value > 0);
  return (
    <p>
      <b>{of}</b>{' '}
      {shown.length === 0 ? 'none' : shown.map(([name, value]) => `${count(value)} ${spaced(name)}`).join(' · ')}
    </p>
  );
}
