// What needs a look, the worst first. Each leads to what it is about.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { printable } from '../../../model/printable.ts';
import type { Summary, Warning } from '../wire.ts';
import { Button } from './bits.tsx';
import { count, when } from './format.ts';
import { usePage } from './page.tsx';
import { elsewhere, hashOf } from './route.ts';
import { LEVEL_WORDS } from './words.ts';

const SHOWN_AT_FIRST = 6;

export function Warnings({ summary }: { summary: Summary }): VNode {
  const [isAll, setAll] = useState(false);
  const { warnings, now } = summary;
  const shown = isAll ? warnings : warnings.slice(0, SHOWN_AT_FIRST);
  const hidden = warnings.length - shown.length;
  return (
    <section class={`look ${warnings[0]?.level ?? ''}`} aria-labelledby="look">
      <h2 id="look">
        {warnings.length === 0 ? 'Nothing needs a look' : 'What needs a look'}
        {warnings.length > 0 && <span class="dim"> {count(warnings.length)}</span>}
      </h2>
      {shown.length > 0 && (
        <ul>
          {shown.map((warning) => (
            <WarningLine key={`${warning.kind} ${JSON.stringify(warning.link)}`} warning={warning} now={now} />
          ))}
        </ul>
      )}
      {(hidden > 0 || isAll) && (
        <Button class="quiet" onPress={() => setAll(!isAll)}>
          {isAll ? 'Show fewer' : `Show ${count(hidden)} more`}
        </Button>
      )}
    </section>
  );
}

function WarningLine({ warning, now }: { warning: Warning; now: number }): VNode {
  const { route } = usePage();
  const { level, text, since, link } = warning;
  return (
    <li>
      <span class={`pill ${level}`}>{LEVEL_WORDS[level]}</span>
      <a href={hashOf(elsewhere(route, link))}>{printable(text)}</a>
      {since !== undefined && <span class="dim since">since {when(since, now)}</span>}
    </li>
  );
}
