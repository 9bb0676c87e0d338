// Whose page it is, whether it is live, and the other supervisors of the process.

import type { VNode } from 'preact';
import { printable } from '../../../model/printable.ts';
import type { Summary, SupervisorRow } from '../wire.ts';
import { Ago, serverNow } from './clock.tsx';
import { clockTime, count, counted } from './format.ts';
import { usePage } from './page.tsx';
import { elsewhere, hashOf } from './route.ts';
import type { Shown } from './stream.tsx';
import { LEVEL_WORDS } from './words.ts';

const LINKS = { connecting: 'connecting', live: 'live', lost: 'no connection', refused: 'refused' } as const;

export function Header({ shown }: { shown: Shown }): VNode {
  const { state, link } = shown;
  const summary = state?.summary;
  return (
    <header>
      <div class="title">
        <h1>{printable(summary?.title ?? 'slotvisor')}</h1>
        <p class={`link ${link}`} role="status">
          {LINKS[link]}
        </p>
        {summary !== undefined && <Facts summary={summary} />}
      </div>
      {summary !== undefined && summary.supervisors.length > 1 && <Supervisors summary={summary} />}
    </header>
  );
}

function Facts({ summary }: { summary: Summary }): VNode {
  return (
    <p class="facts">
      {summary.phase !== 'open' && <span class="warn">{summary.phase}</span>}
      <span>{counted(summary.slotCount, 'slot')}</span>
      <span>
        up <Ago at={summary.now - summary.process.upMs} />
      </span>
      <span>{summary.actions.length === 0 ? 'read-only' : 'actions allowed'}</span>
    </p>
  );
}

function Supervisors({ summary }: { summary: Summary }): VNode {
  const { route } = usePage();
  return (
    <nav class="supervisors" aria-label="Supervisors">
      {summary.supervisors.map((row) => (
        <a
          key={row.name}
          href={hashOf(elsewhere({ ...route, of: row.name }, { view: route.view }))}
          aria-current={row.name === summary.of ? 'true' : undefined}
        >
          {printable(row.name)} <SupervisorState row={row} />
        </a>
      ))}
    </nav>
  );
}

function SupervisorState({ row: { phase, warnings, level, slotCount } }: { row: SupervisorRow }): VNode {
  if (phase !== 'open') return <span class="pill warn">{phase}</span>;
  if (warnings > 0) return <span class={`pill ${level}`}>{`${count(warnings)} · ${LEVEL_WORDS[level]}`}</span>;
  return <span class="dim">{count(slotCount)}</span>;
}

/** What is not as it should be between the page and the server. */
export function Notices({ shown, onRead }: { shown: Shown; onRead: () => void }): VNode {
  const { link, message, state, restartedAt } = shown;
  return (
    <>
      {link === 'lost' && state !== undefined && (
        <p class="notice bad">
          The server does not answer. What is shown is as it was at {clockTime(serverNow())}. The page tries again by
          itself.
        </p>
      )}
      {link === 'lost' && state === undefined && <p class="notice bad">The server does not answer. Trying again.</p>}
      {link === 'refused' && <p class="notice bad">{printable(message ?? '')}</p>}
      {restartedAt !== undefined && (
        <p class="notice warn">
          The process was restarted: it answers again since {clockTime(restartedAt)}. What it remembers begins there.
          <button type="button" class="btn" onClick={onRead}>
            All right
          </button>
        </p>
      )}
    </>
  );
}
