// One slot: why it is as it is, who owns it, who waits behind the owner, and what came before.

import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { printable } from '../../../model/printable.ts';
import type { ActionKind, SlotDetail, TaskRow } from '../wire.ts';
import { askCancelAll, askCancelOwner, askCancelWaiting, askPause, askRestart, askResume, canRestart } from './asks.ts';
import { Attempts } from './attempts.tsx';
import { Button, Empty, Pill } from './bits.tsx';
import { Ago, Until } from './clock.tsx';
import { EventLine } from './event-rows.tsx';
import { Failure } from './failure.tsx';
import { count } from './format.ts';
import { hashWith, usePage } from './page.tsx';
import { elsewhere, hashOf } from './route.ts';
import { attemptText, statesOf, stoppedBy, waitText, withoutName } from './words.ts';

interface PanelProps {
  readonly slot: string;
  /** Undefined: nothing is in the slot, or remembered of it, if it was asked for. */
  readonly detail: SlotDetail | undefined;
  readonly isAnswered: boolean;
  readonly now: number;
}

export function SlotPanel({ slot, detail, isAnswered, now }: PanelProps): VNode {
  const { route } = usePage();
  const ref = useRef<HTMLElement>(null);
  useEffect(() => {
    // Where it covers the table, it begins at its top.
    if (ref.current !== null && ref.current.getBoundingClientRect().top < 0) ref.current.scrollIntoView();
  }, [slot]);
  return (
    <aside ref={ref} class="card panel" aria-labelledby="slot">
      <div class="bar">
        <h2 id="slot">{printable(slot)}</h2>
        <a class="btn" href={hashWith(route, { slot: '' })}>
          Close
          <span class="key-hint" aria-hidden="true">
            Esc
          </span>
        </a>
      </div>
      {detail?.slot === slot ? (
        <Detail detail={detail} now={now} />
      ) : (
        <Empty>{isAnswered ? 'Nothing is in this slot, or remembered of it.' : 'Asking the server.'}</Empty>
      )}
    </aside>
  );
}

function Detail({ detail, now }: { detail: SlotDetail; now: number }): VNode {
  const { row, line, attempts, lastFailure, events, slot } = detail;
  const { route } = usePage();
  return (
    <>
      {row !== null && (
        <p class="pills">
          {statesOf(row).map((word) => (
            <Pill key={word} word={word} />
          ))}
        </p>
      )}
      <p class="explain">{printable(withoutName(detail.explain))}</p>
      {row?.owner !== undefined && <Owner owner={row.owner} now={now} />}
      <Actions detail={detail} />
      <Line detail={detail} now={now} />
      <h3>Attempts</h3>
      {attempts.length > 0 ? <Attempts attempts={attempts} now={now} /> : <Empty>None is remembered.</Empty>}
      {lastFailure !== undefined && (
        <>
          <h3>Last failure</h3>
          <Failure failure={lastFailure} />
        </>
      )}
      <h3>What happened</h3>
      {events.length === 0 && <Empty>Nothing that matters is remembered.</Empty>}
      <ul class="happened">
        {events.map((event) => (
          <EventLine key={event.seq} event={event} now={now} />
        ))}
      </ul>
      <p>
        <a href={hashOf({ ...elsewhere(route, { view: 'events', slot }), kind: 'all' })}>All its events</a>
      </p>
      {line.length === 0 && row === null && <Empty>An idle slot leaves the table.</Empty>}
    </>
  );
}

function Owner({ owner, now }: { owner: TaskRow; now: number }): VNode {
  const waits = waitText(owner);
  return (
    <dl>
      <dt>owner</dt>
      <dd>
        {printable(owner.name)} <code>{owner.id}</code>
      </dd>
      <dt>{owner.status}</dt>
      <dd>
        for <Ago at={now - owner.sinceMs} />
        {waits !== undefined && `, ${waits}`}
      </dd>
      {owner.nextAttemptInMs !== undefined && (
        <>
          <dt>next try</dt>
          <dd>
            <Until at={now + owner.nextAttemptInMs} />
          </dd>
        </>
      )}
      {owner.stop !== undefined && (
        <>
          <dt>asked to stop</dt>
          <dd>
            by {stoppedBy(owner.stop.by)}, <Ago at={now - owner.stop.sinceMs} /> ago
          </dd>
        </>
      )}
      <dt>attempt</dt>
      <dd>{attemptText(owner)}</dd>
      <dt>submitted</dt>
      <dd>
        <Ago at={now - owner.ageMs} /> ago, policy {owner.policy}
        {owner.joined !== undefined && `, shared by ${count(owner.joined + 1)}`}
      </dd>
      {owner.meta !== undefined && (
        <>
          <dt>meta</dt>
          <dd>
            <code>{printable(JSON.stringify(owner.meta))}</code>
          </dd>
        </>
      )}
    </dl>
  );
}

function Actions({ detail }: { detail: SlotDetail }): VNode | null {
  const { ask, actions } = usePage();
  const { row } = detail;
  if (row === null || actions.length === 0) return null;
  const { owner, paused } = row;
  const may = (kind: ActionKind): boolean => actions.includes(kind);
  return (
    <div class="bar actions">
      {may('restart') && owner !== undefined && (
        <Button isOff={!canRestart(owner)} onPress={() => ask(askRestart(detail, owner))}>
          Restart…
        </Button>
      )}
      {!paused && may('pause') && <Button onPress={() => ask(askPause(row))}>Pause…</Button>}
      {paused && may('resume') && <Button onPress={() => ask(askResume(detail))}>Resume…</Button>}
      {may('cancel') && owner !== undefined && (
        <Button class="danger" onPress={() => ask(askCancelOwner(detail, owner))}>
          Cancel the owner…
        </Button>
      )}
      {may('cancel') && row.waiting > 0 && (
        <Button class="danger" onPress={() => ask(askCancelAll(detail))}>
          Cancel all…
        </Button>
      )}
    </div>
  );
}

function Line({ detail, now }: { detail: SlotDetail; now: number }): VNode {
  const { ask, actions } = usePage();
  const { line, row } = detail;
  const hidden = (row?.waiting ?? 0) - line.length;
  return (
    <>
      <h3>In line {row !== null && row.waiting > 0 && <span class="dim">{count(row.waiting)}, in this order</span>}</h3>
      {line.length === 0 && <Empty>No submission waits.</Empty>}
      <ol class="line">
        {line.map((task, i) => (
          <li key={task.id}>
            <span class="dim num">{i + 1}</span>
            <span>
              {printable(task.name)} <code>{task.id}</code>{' '}
              <span class="dim">
                {task.policy}, <Ago at={now - task.ageMs} />
                {task.joined !== undefined && `, with ${count(task.joined)} joined`}
              </span>
            </span>
            {actions.includes('cancel') && (
              <Button class="quiet" onPress={() => ask(askCancelWaiting(detail, task, i + 1))}>
                Cancel…<span class="unseen"> number {i + 1} in line</span>
              </Button>
            )}
          </li>
        ))}
      </ol>
      {hidden > 0 && <p class="dim">and {count(hidden)} more</p>}
    </>
  );
}
