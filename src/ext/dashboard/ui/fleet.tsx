// Who in the fleet holds what, and who waits for it.

import type { VNode } from 'preact';
import { printable } from '../../../model/printable.ts';
import type { FleetPage, State } from '../wire.ts';
import { Empty, KeepsFocus, Pill, SearchBox, SlotLink } from './bits.tsx';
import { Ago, Until } from './clock.tsx';
import { count } from './format.ts';

export function Fleet({ state: { fleet } }: { state: State }): VNode {
  return (
    <>
      <div class="bar filters">
        <SearchBox label="Filter slots of the fleet by name" hint="slot" />
      </div>
      {fleet?.error !== undefined && (
        <p class="notice bad">
          The store could not be read: {printable(fleet.error)}. What is shown is <Ago at={fleet.at} /> old.
        </p>
      )}
      <KeepsFocus label="Fleet">
        {fleet === undefined ? <Empty>Asking the server.</Empty> : <Lists fleet={fleet} />}
      </KeepsFocus>
    </>
  );
}

function Lists({ fleet: { processes, slots, more, at } }: { fleet: FleetPage }): VNode {
  return (
    <>
      <h3>Processes</h3>
      <table class="processes">
        <thead>
          <tr>
            <th>process</th>
            <th class="num">holds</th>
            <th class="num">waits for</th>
            <th class="num">taken for dead</th>
          </tr>
        </thead>
        <tbody>
          {processes.map((row) => (
            <tr key={row.name}>
              <td class="name">
                {printable(row.name)} {row.isSelf && <Pill word="this one" tone="info" />}
              </td>
              <td class="num">{count(row.held)}</td>
              <td class="num">{count(row.waiting)}</td>
              <td class="num">
                <Until at={at + row.expiresInMs} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <h3>Slots</h3>
      {slots.length === 0 && <Empty>No slot is held or waited for.</Empty>}
      {slots.length > 0 && <FleetSlots slots={slots} />}
      {more && <p class="dim foot">There are more. Narrow the filter to see them.</p>}
    </>
  );
}

function FleetSlots({ slots }: { slots: FleetPage['slots'] }): VNode {
  return (
    <table class="fleet">
      <thead>
        <tr>
          <th>slot</th>
          <th>held by</th>
          <th class="num">fence</th>
          <th>in line, in this order</th>
        </tr>
      </thead>
      <tbody>
        {slots.map((row) => (
          <tr key={row.slot}>
            <td class="name">
              <SlotLink slot={row.slot} />
            </td>
            <td class="holder">
              {row.holder === undefined ? <Pill word="its session is gone" tone="warn" /> : printable(row.holder)}{' '}
              {row.isOurs && <Pill word="this one" tone="info" />}
            </td>
            <td class="num fence">{row.fence}</td>
            <td class="in-line">
              {row.line.map(printable).join(', ')}
              {row.waiting > row.line.length && ` and ${count(row.waiting - row.line.length)} more`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
