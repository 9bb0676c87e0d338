// The last attempts of a slot, as bars over time and as a list.

import type { VNode } from 'preact';
import { printable } from '../../../model/printable.ts';
import type { AttemptRow } from '../wire.ts';
import { Ago } from './clock.tsx';
import { clockTime, duration } from './format.ts';
import { attemptBars, attemptsSentence, ENDED_AS } from './scale.ts';

const SHOWN = 12;
/** The height of a row, as in the list beside it. */
const ROW = 20;

export function Attempts({ attempts, now }: { attempts: readonly AttemptRow[]; now: number }): VNode {
  const shown = attempts.slice(-SHOWN);
  const { from, bars } = attemptBars(shown, now);
  return (
    <>
      <div class="attempts">
        <ol>
          {shown.map((attempt) => (
            <li key={`${attempt.id} ${attempt.attempt} ${attempt.from}`}>
              <AttemptLine attempt={attempt} />
            </li>
          ))}
        </ol>
        <svg role="img" aria-label={attemptsSentence(attempts, now)} height={shown.length * ROW}>
          {shown.map((attempt, i) => (
            <rect
              key={`${attempt.id} ${attempt.attempt} ${attempt.from}`}
              class={`bar ${toneOfEnd(attempt)}`}
              x={`${bars[i]?.x}%`}
              width={`${bars[i]?.width}%`}
              y={i * ROW + 5}
              height={10}
              rx={2}
            />
          ))}
        </svg>
      </div>
      <p class="axis indented">
        <span>{clockTime(from)}</span>
        <span>now</span>
      </p>
    </>
  );
}

const toneOfEnd = ({ end }: AttemptRow): string => {
  if (end === null) return 'live';
  if (end === 'succeeded') return 'succeeded';
  return end === 'canceled' ? 'canceled' : 'failed';
};

function AttemptLine({ attempt }: { attempt: AttemptRow }): VNode {
  const { end, from, to, message } = attempt;
  return (
    <span title={message === undefined ? undefined : printable(message)}>
      <span class="dim">{attempt.attempt}</span>{' '}
      {end === null ? (
        <>
          runs <Ago at={from} />
        </>
      ) : (
        `${ENDED_AS[end]} ${duration((to ?? from) - from)}`
      )}
    </span>
  );
}
