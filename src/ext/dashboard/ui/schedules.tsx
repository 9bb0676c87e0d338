// What runs next, and what became of the last runs.

import type { VNode } from 'preact';
import { printable } from '../../../model/printable.ts';
import type { ScheduleRow, ScheduleRunRow, State } from '../wire.ts';
import { askSchedule } from './asks.ts';
import { Button, Empty, KeepsFocus, Pill, SlotLink } from './bits.tsx';
import { Until } from './clock.tsx';
import { count, dateAndTime, when } from './format.ts';
import { usePage } from './page.tsx';
import { spaced } from './words.ts';

const RUNS_SHOWN = 5;

export function Schedules({ state: { schedules, summary } }: { state: State }): VNode {
  const { actions } = usePage();
  return (
    <KeepsFocus label="Schedules">
      {schedules === undefined && <Empty>Asking the server.</Empty>}
      {schedules?.length === 0 && <Empty>There is no schedule.</Empty>}
      {schedules !== undefined && schedules.length > 0 && (
        <table class="schedules">
          <thead>
            <tr>
              <th>schedule</th>
              <th>state</th>
              <th>next</th>
              <th>last runs, the newest first</th>
              <th>so far</th>
              {actions.length > 0 && (
                <th>
                  <span class="unseen">actions</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {schedules.map((row) => (
              <Schedule key={row.name} row={row} now={summary.now} />
            ))}
          </tbody>
        </table>
      )}
    </KeepsFocus>
  );
}

function Schedule({ row, now }: { row: ScheduleRow; now: number }): VNode {
  const { actions } = usePage();
  const [next, ...later] = row.next;
  return (
    <tr>
      <td class="name">
        <b>{printable(row.name)}</b>
        <span class="dim">{printable(row.when)}</span>
        {row.slot !== row.name && <SlotLink slot={row.slot} />}
      </td>
      <td class="state">
        <Pill word={row.status} />
      </td>
      <td class="next">
        {row.error !== undefined && <span class="bad">{printable(row.error)}</span>}
        {next !== undefined && row.status === 'active' && (
          <>
            <b>
              <Until at={next} />
            </b>
            <span class="dim">{when(next, now)}</span>
          </>
        )}
        {next !== undefined && row.status !== 'active' && <span class="dim">without the pause: {when(next, now)}</span>}
        {later.length > 0 && <span class="dim later">then {later.map((at) => when(at, now)).join(', ')}</span>}
      </td>
      <td class="runs">
        {row.runs
          .slice(-RUNS_SHOWN)
          .reverse()
          .map((run) => (
            <Run key={`${run.at} ${run.due} ${run.kind}`} run={run} now={now} />
          ))}
      </td>
      <td class="totals">
        {Object.entries(row.totals)
          .filter(([, value]) => value > 0)
          .map(([name, value]) => `${count(value)} ${spaced(name)}`)
          .join(' · ')}
      </td>
      {actions.length > 0 && (
        <td class="actions">
          <ScheduleActions row={row} />
        </td>
      )}
    </tr>
  );
}

function Run({ run, now }: { run: ScheduleRunRow; now: number }): VNode {
  const { kind, at, due, outcome, reason, text, count: many, cause } = run;
  const word = kind === 'submitted' ? (outcome ?? 'running') : kind;
  const said = [reason === undefined ? undefined : spaced(reason), text, cause === 'trigger' ? 'triggered' : undefined];
  return (
    <span class="run" title={dateAndTime(due ?? at)}>
      <span class="dim">{when(due ?? at, now)}</span> <Pill word={word} />
      {many !== undefined && many > 1 && ` ${count(many)} times`}
      <span class="dim"> {printable(said.filter((each) => each !== undefined).join(', '))}</span>
    </span>
  );
}

function ScheduleActions({ row }: { row: ScheduleRow }): VNode | null {
  const { ask, actions } = usePage();
  const other = row.status === 'paused' ? 'resume' : 'pause';
  if (row.status === 'ended') return null;
  return (
    <>
      {actions.includes('trigger') && (
        <Button onPress={() => ask(askSchedule('trigger', row))}>
          Run now…<span class="unseen"> {printable(row.name)}</span>
        </Button>
      )}
      {actions.includes(other) && (
        <Button onPress={() => ask(askSchedule(other, row))}>
          {other === 'pause' ? 'Pause…' : 'Resume…'}
          <span class="unseen"> {printable(row.name)}</span>
        </Button>
      )}
    </>
  );
}
