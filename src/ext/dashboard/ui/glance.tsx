// Beside the table of slots: what keeps failing, what was turned away or stopped and by whom, and
// what begins next. The other views have all of it.

import type { ComponentChildren, VNode } from 'preact';
import { printable } from '../../../model/printable.ts';
import type { EventRow, Glance as GlanceData, NextRow } from '../wire.ts';
import { Empty, ErrorPill } from './bits.tsx';
import { Ago, Until } from './clock.tsx';
import { count, when } from './format.ts';
import { hashWith, usePage } from './page.tsx';
import { elsewhere, hashOf, type Route } from './route.ts';
import { saidOf } from './words.ts';

export function Glance({ glance: { problems, stopped, next }, now }: { glance: GlanceData; now: number }): VNode {
  return (
    <section class="card glance" aria-label="At a glance">
      <Part title="Keeps failing" to={{ view: 'failures' }} none="Nothing has failed." isEmpty={problems.length === 0}>
        {problems.map(({ group, kind, name, code, text, count: times, last }) => (
          <li key={`${group} ${kind} ${name} ${code} ${text}`}>
            <ErrorPill name={code ?? name ?? kind} /> <span class="dim">{printable(group)}</span> {printable(text)}
            <span class="dim">
              {' '}
              · {count(times)} times, the last <Ago at={last} /> ago
            </span>
          </li>
        ))}
      </Part>
      <Part
        title="Turned away or stopped"
        to={{ view: 'events', kind: 'rejected' }}
        none="None."
        isEmpty={stopped.length === 0}
      >
        {stopped.map((event) => (
          <Stopped key={event.seq} event={event} now={now} />
        ))}
      </Part>
      <Part title="Begins next" none="No try and no date is set." isEmpty={next.length === 0}>
        {next.map((row) => (
          <Next key={`${row.kind} ${row.slot} ${row.name}`} row={row} />
        ))}
      </Part>
    </section>
  );
}

interface PartProps {
  readonly title: string;
  /** Where all of it is. */
  readonly to?: Partial<Route>;
  readonly none: string;
  readonly isEmpty: boolean;
  readonly children: ComponentChildren;
}

function Part({ title, to, none, isEmpty, children }: PartProps): VNode {
  const { route } = usePage();
  return (
    <section>
      <h3>
        {title}
        {to !== undefined && (
          <a href={hashOf({ ...elsewhere(route, {}), ...to })}>
            all<span class="unseen"> of: {title}</span>
          </a>
        )}
      </h3>
      {isEmpty ? <Empty>{none}</Empty> : <ul>{children}</ul>}
    </section>
  );
}

/** The whole line leads to its slot. */
function Line({ slot, children }: { slot: string; children: ComponentChildren }): VNode {
  const { route } = usePage();
  return (
    <li>
      <a href={hashWith(route, { slot })}>{children}</a>
    </li>
  );
}

function Stopped({ event, now }: { event: EventRow; now: number }): VNode {
  const { at, slot = '' } = event;
  return (
    <Line slot={slot}>
      <span class="dim">{when(at, now)}</span> {printable(slot)} <span class="dim">{printable(saidOf(event))}</span>
    </Line>
  );
}

const Next = ({ row: { kind, at, slot, name } }: { row: NextRow }): VNode => (
  <Line slot={slot}>
    <b>
      <Until at={at} />
    </b>{' '}
    {printable(slot)} <span class="dim">{kind === 'try' ? 'next try' : `schedule ${printable(name)}`}</span>
  </Line>
);
