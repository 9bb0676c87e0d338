// What happened: live, or at a time that has passed.

import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { printable } from '../../../model/printable.ts';
import { EVENT_KINDS, type EventKind, type EventRow, type EventsPage } from '../wire.ts';
import { getJson } from './api.tsx';
import { Button, Empty, KeepsFocus, SearchBox } from './bits.tsx';
import { serverNow } from './clock.tsx';
import { type EventList, holds, NO_EVENTS, withRemembered } from './event-list.ts';
import { EventTableRow } from './event-rows.tsx';
import { count, dateAndTime, hourAndMinute, lastMinuteAt, when } from './format.ts';
import { hashWith, usePage } from './page.tsx';
import { eventsQuery, type Route } from './route.ts';
import { type Live, MAX_LIVE, type Shown } from './stream.tsx';

const PAGE = 100;

const KIND_WORDS: Readonly<Record<EventKind, string>> = {
  notable: 'What matters',
  rejected: 'Turned away',
  all: 'Everything',
};

interface EventsProps {
  readonly shown: Shown;
  readonly live: Live;
  readonly now: number;
}

export function Events({ shown, live, now }: EventsProps): VNode {
  const { route } = usePage();
  const [held, setHeld] = useState<EventList>();
  const { older, error, loadOlder } = useRemembered(route, shown.connection, live, held, setHeld);
  const isPast = route.from !== 0;
  const list = held ?? (isPast ? NO_EVENTS : shown.events);
  const rows = list.rows.filter((row) => isWanted(row, route));
  const fresh =
    held === undefined || isPast ? 0 : shown.events.rows.filter(({ seq }) => seq > (held.rows[0]?.seq ?? 0)).length;
  const hold = (): void => setHeld(held === undefined ? shown.events : undefined);
  return (
    <>
      <div class="bar filters">
        <SearchBox label="Filter events by slot, task, id, type or text" hint="slot, task, id, type or text" />
        <Kinds route={route} />
        <Minute />
        {!isPast && (
          <Button isPressed={held !== undefined} onPress={hold}>
            {held === undefined ? 'Hold' : `Go on${fresh > 0 ? `, ${count(fresh)} new` : ''}`}
          </Button>
        )}
      </div>
      <Narrowed route={route} now={now} />
      <KeepsFocus label="Events">
        {error !== undefined && <p class="notice bad">{printable(error)}</p>}
        {rows.length === 0 && <NoEvents older={older} now={now} />}
        {rows.length > 0 && <EventTable rows={rows} gapsAfter={list.gapsAfter} now={now} />}
        {older?.more === true && rows.length > 0 && (
          <div class="bar pages">
            <Button onPress={loadOlder}>Older</Button>
          </div>
        )}
        {older?.keptSince !== undefined && older.more === false && rows.length > 0 && (
          <p class="dim foot">Nothing older is remembered: {dateAndTime(older.keptSince)} is the oldest.</p>
        )}
      </KeepsFocus>
    </>
  );
}

/** The stream does not narrow events to a slot or a text. */
const isWanted = (row: EventRow, { slot, q }: Route): boolean => (slot === '' || row.slot === slot) && holds(row, q);

/** Asks for what is remembered, when the stream begins, or when the filter is another. */
function useRemembered(
  route: Route,
  connection: number,
  live: Live,
  held: EventList | undefined,
  setHeld: (list: EventList | undefined) => void,
) {
  const [older, setOlder] = useState<EventsPage>();
  const [error, setError] = useState<string>();
  const query = eventsQuery(route, 0, PAGE);
  const isPast = route.from !== 0;
  useEffect(() => {
    if (connection === 0) return undefined;
    let isOver = false;
    setHeld(undefined);
    getJson<EventsPage>(`events?${query}`).then(
      (page) => {
        if (isOver) return;
        setOlder(page);
        setError(undefined);
        if (isPast) setHeld(withRemembered(NO_EVENTS, page.events, PAGE));
        else live.remember(page.events, MAX_LIVE);
      },
      (reason: Error) => isOver || setError(reason.message),
    );
    return () => {
      isOver = true;
    };
  }, [query, connection, isPast, live, setHeld]);
  const loadOlder = (): void => {
    const list = held ?? NO_EVENTS;
    const before = (held?.rows ?? older?.events ?? []).at(-1)?.seq ?? 0;
    getJson<EventsPage>(`events?${eventsQuery(route, before, PAGE)}`).then(
      (page) => {
        setOlder(page);
        setHeld(
          withRemembered(list, [...(held?.rows ?? older?.events ?? []), ...page.events], Number.POSITIVE_INFINITY),
        );
      },
      (reason: Error) => setError(reason.message),
    );
  };
  return { older, error, loadOlder };
}

/** What happened at 03:12: a pixel of the day's chart is some minutes, so a minute can be typed. */
function Minute(): VNode {
  const { route, go } = usePage();
  const type = ({ value }: HTMLInputElement): void => {
    const from = value === '' ? 0 : lastMinuteAt(value, serverNow());
    go({ from, to: value === '' ? 0 : from + 60_000 });
  };
  return (
    <label class="sort">
      at{' '}
      <input
        type="time"
        aria-label="The events of one minute of the last day"
        value={route.from === 0 ? '' : hourAndMinute(route.from)}
        onChange={({ currentTarget }) => type(currentTarget)}
      />
    </label>
  );
}

function Kinds({ route }: { route: Route }): VNode {
  return (
    <div class="choice">
      {EVENT_KINDS.map((kind) => (
        <a
          key={kind}
          href={hashWith(route, { kind })}
          aria-current={(route.kind || 'notable') === kind ? 'true' : undefined}
        >
          {KIND_WORDS[kind]}
        </a>
      ))}
    </div>
  );
}

/** The time, the slot and the types that the events are narrowed to. */
function Narrowed({ route, now }: { route: Route; now: number }): VNode | null {
  const { from, to, slot, types } = route;
  const filters: [text: string, change: Partial<Route>][] = [];
  if (from !== 0) filters.push([`from ${when(from, now)} to ${when(to || now, now)}`, { from: 0, to: 0 }]);
  if (slot !== '') filters.push([`only ${printable(slot)}`, { slot: '' }]);
  if (types !== '') filters.push([`only ${printable(types.replaceAll(',', ', '))}`, { types: '' }]);
  if (filters.length === 0) return null;
  return (
    <div class="bar found">
      {filters.map(([text, change]) => (
        <a key={text} class="filter" href={hashWith(route, change)}>
          {text}
          <span aria-hidden="true"> ×</span>
          <span class="unseen">, remove this filter</span>
        </a>
      ))}
    </div>
  );
}

function NoEvents({ older, now }: { older: EventsPage | undefined; now: number }): VNode {
  if (older === undefined) return <Empty>Asking the server.</Empty>;
  const { keptSince } = older;
  return (
    <Empty>
      {keptSince === undefined
        ? 'None is remembered.'
        : `None. The oldest that is remembered is of ${when(keptSince, now)}.`}
    </Empty>
  );
}

function EventTable({ rows, gapsAfter, now }: EventList & { now: number }): VNode {
  return (
    <table class="events">
      <thead>
        <tr>
          <th>at</th>
          <th>event</th>
          <th>slot</th>
          <th>what</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((event) => [
          <EventTableRow key={event.seq} event={event} now={now} />,
          gapsAfter.has(event.seq) && (
            <tr key={`gap ${event.seq}`} class="gap">
              <td colSpan={4}>Events are missing here: more happened than is remembered, or than a frame holds.</td>
            </tr>
          ),
        ])}
      </tbody>
    </table>
  );
}
