// How many slots are in each state. Each tile shows its slots, and no more when pressed again.

import type { VNode } from 'preact';
import type { Summary } from '../wire.ts';
import { count } from './format.ts';
import { usePage } from './page.tsx';
import { elsewhere, hashOf } from './route.ts';
import { TILES, toneOf } from './words.ts';

export function Tiles({ summary: { states, queued } }: { summary: Summary }): VNode {
  const { route } = usePage();
  const shown = TILES.filter(({ state, isAlways }) => isAlways || states[state] > 0 || route.status === state);
  return (
    <nav class="tiles" aria-label="Slots by state">
      {shown.map(({ state, text }) => {
        const isOn = route.view === 'slots' && route.status === state;
        const value = states[state];
        const tone = toneOf(state);
        return (
          <a
            key={state}
            class={value > 0 && (tone === 'bad' || tone === 'warn') ? tone : ''}
            href={hashOf(elsewhere(route, isOn ? {} : { status: state }))}
            aria-current={isOn ? 'true' : undefined}
          >
            <b>{count(value)}</b>
            <span>{text}</span>
            {state === 'waiting' && queued > 0 && <small>{count(queued)} waiting</small>}
          </a>
        );
      })}
    </nav>
  );
}
