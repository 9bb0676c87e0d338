// What keeps failing: failures that are the same, how often they came, and where.

import type { VNode } from 'preact';
import { printable } from '../../../model/printable.ts';
import type { ProblemRow, State } from '../wire.ts';
import { Empty, ErrorPill, KeepsFocus, SlotLink } from './bits.tsx';
import { Ago } from './clock.tsx';
import { Failure } from './failure.tsx';
import { count, when } from './format.ts';

export function Failures({ state: { problems, summary } }: { state: State }): VNode {
  return (
    <KeepsFocus label="Failures">
      {problems === undefined && <Empty>Asking the server.</Empty>}
      {problems?.length === 0 && <Empty>Nothing has failed since {when(summary.since, summary.now)}.</Empty>}
      {problems !== undefined && problems.length > 0 && (
        <table class="problems">
          <thead>
            <tr>
              <th>what</th>
              <th class="num">times</th>
              <th class="num">last</th>
              <th class="num">first</th>
              <th>where</th>
            </tr>
          </thead>
          <tbody>
            {problems.map((row) => (
              <Problem
                key={`${row.group} ${row.kind} ${row.name} ${row.code} ${row.text}`}
                row={row}
                now={summary.now}
              />
            ))}
          </tbody>
        </table>
      )}
    </KeepsFocus>
  );
}

function Problem({ row, now }: { row: ProblemRow; now: number }): VNode {
  return (
    <tr>
      <td class="what">
        <details>
          <summary>
            <ErrorPill name={row.code ?? row.name ?? row.kind} /> <span class="dim">{printable(row.group)}</span>{' '}
            <span class="message">{printable(row.text)}</span>
          </summary>
          <Failure failure={row.latest} />
        </details>
      </td>
      <td class="num times">
        {count(row.count)}
        <span class="narrow"> times</span>
      </td>
      <td class="num last">
        <Ago at={row.last} /> ago
      </td>
      <td class="num first">{when(row.first, now)}</td>
      <td class="where">
        {[...row.slots].reverse().map((slot) => (
          <SlotLink key={slot} slot={slot} />
        ))}
      </td>
    </tr>
  );
}
