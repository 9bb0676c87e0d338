// The table of slots, what narrows it, and its pages.

import type { VNode } from 'preact';
import { printable } from '../../../model/printable.ts';
import { type GroupRow, MAX_DEPTH, type SlotRow, type SlotsPage, SORTS, type Sort, type State } from '../wire.ts';
import { Announced, Button, Empty, KeepsFocus, kept, Pill, SearchBox, SlotLink } from './bits.tsx';
import { Ago, Until } from './clock.tsx';
import { count } from './format.ts';
import { hashWith, usePage } from './page.tsx';
import { filtersOf, PAGE_SIZES, streamQuery } from './route.ts';
import { isSameAt } from './same.ts';
import { reasonOf, spaced, statesOf } from './words.ts';

const SORT_WORDS: Readonly<Record<Sort, string>> = {
  attention: 'what needs a look first',
  since: 'longest in its state',
  waiting: 'longest line',
  retries: 'most retries',
  name: 'name',
};

export function Slots({ state: { summary, page } }: { state: State }): VNode {
  const { route, go } = usePage();
  return (
    <>
      <div class="bar filters">
        <SearchBox label="Filter slots by slot, task, id or failure" hint="slot, task, id or failure" />
        <label class="sort">
          sorted by{' '}
          <select
            value={route.sort || 'attention'}
            onChange={({ currentTarget }) => go({ sort: currentTarget.value as Sort })}
          >
            {SORTS.map((sort) => (
              <option key={sort} value={sort}>
                {SORT_WORDS[sort]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {summary.groups.length > 1 && <Groups groups={summary.groups} groupCount={summary.groupCount} />}
      <KeepsFocus label="Slots">
        {page === undefined ? <Empty>Asking the server.</Empty> : <Table page={page} />}
      </KeepsFocus>
    </>
  );
}

const GROUPS_SHOWN = 12;

function Groups({ groups, groupCount }: { groups: readonly GroupRow[]; groupCount: number }): VNode {
  const { route } = usePage();
  const [few, rest] = [groups.slice(0, GROUPS_SHOWN), groups.slice(GROUPS_SHOWN)];
  return (
    <nav class="groups" aria-label="Groups of slots">
      {few.map((row) => (
        <Group key={row.group} row={row} />
      ))}
      {rest.length > 0 && (
        <details open={rest.some(({ group }) => group === route.group)}>
          <summary>{count(groupCount - few.length)} more groups</summary>
          {rest.map((row) => (
            <Group key={row.group} row={row} />
          ))}
        </details>
      )}
    </nav>
  );
}

function Group({ row: { group, slots, trouble } }: { row: GroupRow }): VNode {
  const { route } = usePage();
  const isOn = route.group === group;
  return (
    <a class="chip" href={hashWith(route, { group: isOn ? '' : group })} aria-current={isOn ? 'true' : undefined}>
      {printable(group)} <span class="dim">{count(slots)}</span>
      {trouble > 0 && <em>{count(trouble)} in trouble</em>}
    </a>
  );
}

function Table({ page }: { page: SlotsPage }): VNode {
  return (
    <>
      <Found page={page} />
      {page.rows.length > 0 && (
        <table class="slots">
          <thead>
            <tr>
              <th>slot</th>
              <th>state</th>
              <th class="num">for</th>
              <th class="num">next try</th>
              <th class="num">waiting</th>
              <th class="num attempt">attempt</th>
              <th>why</th>
            </tr>
          </thead>
          <tbody>
            {page.rows.map((row) => (
              <Row key={row.slot} row={row} now={page.at} />
            ))}
          </tbody>
        </table>
      )}
      <Pages page={page} />
    </>
  );
}

interface RowProps {
  readonly row: SlotRow;
  /** When the row was read. */
  readonly now: number;
}

const Row = kept<RowProps>(SlotTableRow, (a, b) => isSameAt(a.row, a.now, b.row, b.now));

function SlotTableRow({ row, now }: RowProps): VNode {
  const { route } = usePage();
  const { owner, waiting, firstWaitsMs } = row;
  const reason = reasonOf(row);
  const sinceMs = owner?.sinceMs ?? firstWaitsMs;
  return (
    <tr class={route.slot === row.slot ? 'open' : ''}>
      <td class="name">
        <SlotLink slot={row.slot} />
        {owner !== undefined && owner.name !== row.slot && <span class="dim"> {printable(owner.name)}</span>}
      </td>
      <td class="state">
        {statesOf(row).map((word) => (
          <Pill key={word} word={word} />
        ))}
      </td>
      <td class="num for">{sinceMs !== undefined && <Ago at={now - sinceMs} />}</td>
      <td class="num next">{owner?.nextAttemptInMs !== undefined && <Until at={now + owner.nextAttemptInMs} />}</td>
      <td class="num line" title={firstWaitsMs === undefined ? undefined : 'submissions in line'}>
        {waiting > 0 && count(waiting)}
      </td>
      <td class="num attempt">{owner !== undefined && owner.attempt > 0 && count(owner.attempt)}</td>
      <td class={`why ${reason?.tone ?? ''}`}>
        {reason !== undefined && (
          <span title={printable(reason.text)}>
            {printable(reason.text)}
            {reason.agoMs !== undefined && (
              <>
                {', '}
                <Ago at={now - reason.agoMs} /> ago
              </>
            )}
          </span>
        )}
      </td>
    </tr>
  );
}

/** How many match, and what narrows them. */
function Found({ page: { total, of, offset, rows } }: { page: SlotsPage }): VNode {
  const { route } = usePage();
  const filters = filtersOf(route);
  const text =
    total === 0
      ? `No slot ${filters.length > 0 ? 'matches' : 'has work'}`
      : rows.length === 0
        ? `No more than ${count(total)}`
        : `${count(offset + 1)} to ${count(offset + rows.length)} of ${count(total)}`;
  return (
    <div class="bar found">
      <p>
        {text}
        {filters.length > 0 && <span class="dim"> · {count(of)} in all</span>}
      </p>
      <Announced text={text} about={streamQuery({ ...route, slot: '' })} />
      {filters.map(([name, value]) => (
        <a key={name} class="filter" href={hashWith(route, { [name]: '' })}>
          {name === 'q' ? 'text' : name} {printable(name === 'status' ? spaced(value) : value)}
          <span aria-hidden="true"> ×</span>
          <span class="unseen">, remove this filter</span>
        </a>
      ))}
    </div>
  );
}

function Pages({ page: { total, offset, rows } }: { page: SlotsPage }): VNode | null {
  const { route, go } = usePage();
  const limit = route.limit || PAGE_SIZES[0];
  const next = offset + limit;
  const isTooDeep = next + limit > MAX_DEPTH;
  if (total <= PAGE_SIZES[0]) return null;
  return (
    <div class="bar pages">
      <Button isOff={offset === 0} onPress={() => go({ offset: Math.max(0, offset - limit) })}>
        Back
      </Button>
      <Button isOff={offset + rows.length >= total || isTooDeep} onPress={() => go({ offset: next })}>
        On
      </Button>
      {isTooDeep && offset + rows.length < total && <span class="dim">Narrow the filter to see more.</span>}
      <span class="choice">
        {PAGE_SIZES.map((size) => (
          <a key={size} href={hashWith(route, { limit: size })} aria-current={limit === size ? 'true' : undefined}>
            {size}
            <span class="unseen"> rows</span>
          </a>
        ))}
      </span>
    </div>
  );
}
