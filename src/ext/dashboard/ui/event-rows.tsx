// Events as rows of a table, and as lines.

import type { VNode } from 'preact';
import { printable } from '../../../model/printable.ts';
import type { EventRow } from '../wire.ts';
import { kept, Pill, SlotLink } from './bits.tsx';
import { clockTime, dateAndTime, when } from './format.ts';
import { saidOf } from './words.ts';

const tone = ({ level }: EventRow): 'bad' | 'warn' | 'off' => (level === 'info' ? 'off' : level);

interface EventProps {
  readonly event: EventRow;
  readonly now: number;
}

/** An event does not change. */
const isSame = (a: EventProps, b: EventProps): boolean => a.event.seq === b.event.seq;

export const EventTableRow = kept<EventProps>(TableRow, isSame);
export const EventLine = kept<EventProps>(Line, isSame);

function TableRow({ event, now }: EventProps): VNode {
  const { at, type, slot, name, id } = event;
  return (
    <tr>
      <td class="at" title={dateAndTime(at)}>
        {when(at, now)}
      </td>
      <td class="type">
        <Pill word={type} tone={tone(event)} />
      </td>
      <td class="name">{slot !== undefined && <SlotLink slot={slot} />}</td>
      <td class="what">
        {printable(saidOf(event))}
        {name !== undefined && (
          <span class="dim">
            {' '}
            · {name === slot ? '' : `${printable(name)} `}
            <code>{id}</code>
          </span>
        )}
      </td>
    </tr>
  );
}

function Line({ event, now }: EventProps): VNode {
  const { at, type, id } = event;
  return (
    <li>
      <span class="dim" title={dateAndTime(at)}>
        {now - at < 86_400_000 ? clockTime(at) : dateAndTime(at)}
      </span>
      <span>
        <Pill word={type} tone={tone(event)} /> {printable(saidOf(event))} {id !== undefined && <code>{id}</code>}
      </span>
    </li>
  );
}
