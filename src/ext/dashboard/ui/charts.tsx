// How busy the process is, and was: what ended in each second or minute, and how late the event
// loop was. A step of the chart leads to its events.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { SeriesView, Summary } from '../wire.ts';
import { clockTime, count, counted, duration, hourAndMinute, megabytes, percent } from './format.ts';
import { hashWith, usePage } from './page.tsx';
import { elsewhere } from './route.ts';
import {
  barsPath,
  type Columns,
  columnsOf,
  delaySentence,
  ENDS,
  endedIn,
  endsSentence,
  HEIGHT,
  linePath,
  marksOf,
  stepText,
  totalOf,
  whole,
} from './scale.ts';

export function Charts({ summary, series: known }: { summary: Summary; series: SeriesView }): VNode {
  const series = whole(known, summary.now);
  const [step, setStep] = useState<number>();
  const [isWide] = useState(() => !matchMedia('(max-width: 600px)').matches);
  return (
    <section aria-labelledby="busy">
      <h2 id="busy" class="unseen">
        How busy it is
      </h2>
      {/* Where there is little room, the slots matter more. */}
      <details class="fold" open={isWide}>
        <summary>How busy it is, and was</summary>
        <div class="charts">
          <Ends series={series} step={step} onStep={setStep} />
          <Delay series={series} summary={summary} step={step} onStep={setStep} />
        </div>
      </details>
    </section>
  );
}

interface ChartProps {
  readonly series: SeriesView;
  /** The step under the pointer, or chosen by the keys. */
  readonly step: number | undefined;
  readonly onStep: (step: number | undefined) => void;
}

function Ends({ series, step, onStep }: ChartProps): VNode {
  const { succeeded, failed, canceled } = series.fields;
  const columns = columnsOf(endedIn(series), 1);
  const stopped = succeeded.map((value, i) => value + (failed[i] ?? 0));
  return (
    <div class="card">
      <div class="bar">
        <h3>Attempts ended</h3>
        <Span />
      </div>
      <Drawing series={series} columns={columns} step={step} onStep={onStep} sentence={endsSentence(series)}>
        <path class="succeeded" d={barsPath(succeeded, [], columns)} />
        <path class="failed" d={barsPath(failed, succeeded, columns)} />
        <path class="canceled" d={barsPath(canceled, stopped, columns)} />
      </Drawing>
      <p class="legend">
        {ENDS.map((end) => (
          <span key={end} class={`key ${end}`}>
            {end} {count(totalOf(series, end))}
          </span>
        ))}
        <Peak columns={columns} text={`${count(columns.peak)} a ${series.step}`} />
      </p>
    </div>
  );
}

function Delay({ series, summary, step, onStep }: ChartProps & { readonly summary: Summary }): VNode {
  const { loopDelayMs } = series.fields;
  const columns = columnsOf(loopDelayMs, 50);
  const { loopDelayMs: now, utilization, cpu, rssBytes, heapBytes } = summary.process;
  const { inside, queued, concurrency, paused } = summary.gate;
  return (
    <div class="card">
      <div class="bar">
        <h3>Event loop delay</h3>
        <b class={now > 200 ? 'warn' : ''}>{duration(now)}</b>
      </div>
      <Drawing series={series} columns={columns} step={step} onStep={onStep} sentence={delaySentence(series)}>
        <path class="delay" d={linePath(loopDelayMs, columns)} />
      </Drawing>
      <p class="legend">
        <span>loop busy {percent(utilization)}</span>
        <span>CPU {percent(cpu)}</span>
        <span title={`heap ${megabytes(heapBytes)}`}>{megabytes(rssBytes)}</span>
        <span class={paused ? 'warn' : ''}>
          {paused && 'gate paused, '}
          {concurrency === null ? counted(inside, 'attempt') : `${count(inside)} of ${count(concurrency)} attempts`}{' '}
          inside the gate
          {queued > 0 && `, ${count(queued)} ${queued === 1 ? 'waits' : 'wait'} there`}
        </span>
        <Peak columns={columns} text={duration(columns.peak)} />
      </p>
    </div>
  );
}

const Peak = ({ columns: { peak, top }, text }: { columns: Columns; text: string }): VNode => (
  <span class="peak">
    peak {text}
    {peak > top && ', cut off'}
  </span>
);

function Span(): VNode {
  const { route } = usePage();
  const isDay = route.step === 'minute';
  return (
    <div class="choice">
      <a href={hashWith(route, { step: '' })} aria-current={isDay ? undefined : 'true'}>
        2 min
      </a>
      <a href={hashWith(route, { step: 'minute' })} aria-current={isDay ? 'true' : undefined}>
        24 h
      </a>
    </div>
  );
}

type DrawingProps = ChartProps & {
  readonly columns: Columns;
  readonly sentence: string;
  readonly children: VNode | VNode[];
};

function Drawing({ series, columns, step, onStep, sentence, children }: DrawingProps): VNode {
  const count = series.fields.succeeded.length;
  const { steps, unknown } = columns;
  const clock = series.step === 'minute' ? hourAndMinute : clockTime;
  const chosen = step === undefined ? undefined : Math.min(step, count - 1);
  return (
    <div class="drawing">
      <svg viewBox={`0 0 ${steps} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={sentence}>
        {unknown > 0 && <rect class="unknown" width={unknown} height={HEIGHT} />}
        {chosen !== undefined && <rect class="chosen" x={unknown + chosen} width="1" height={HEIGHT} />}
        {children}
      </svg>
      <Steps series={series} columns={columns} step={chosen} onStep={onStep} />
      <p class="axis">
        {chosen === undefined ? (
          <>
            <span>{unknown > 0 ? `nothing is known before ${clock(series.from)}` : clock(series.from)}</span>
            {marksOf(series, columns).map(({ at, left }) => (
              <span key={at} class="mark" style={{ left: `${left}%` }}>
                {hourAndMinute(at)}
              </span>
            ))}
            <span>now</span>
          </>
        ) : (
          <span class="chosen">{stepText(series, chosen, clock)}</span>
        )}
      </p>
    </div>
  );
}

/** Lies over the drawing. The pointer or the arrow keys choose a step, click or Enter opens it. */
function Steps({ series, columns, step, onStep }: Omit<DrawingProps, 'sentence' | 'children'>): VNode {
  const { route, go } = usePage();
  const last = series.fields.succeeded.length - 1;
  const clock = series.step === 'minute' ? hourAndMinute : clockTime;
  const open = (): void => {
    if (step === undefined) return;
    const from = series.from + step * series.stepMs;
    go(elsewhere(route, { view: 'events', from, to: from + series.stepMs }));
  };
  const move = ({ clientX, currentTarget }: { clientX: number; currentTarget: HTMLElement }): void => {
    const { left, width } = currentTarget.getBoundingClientRect();
    onStep(Math.max(0, Math.floor(((clientX - left) / width) * columns.steps) - columns.unknown));
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' || event.key === ' ') open();
    else {
      const next = stepAfter(event.key, step ?? last, last);
      if (next === undefined) return;
      onStep(next);
    }
    event.preventDefault();
  };
  return (
    <div
      class="steps"
      role="slider"
      tabIndex={0}
      aria-label={`A ${series.step} of the chart. Enter opens its events.`}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={step ?? last}
      aria-valuetext={stepText(series, step ?? last, clock)}
      onPointerMove={move}
      onPointerLeave={() => onStep(undefined)}
      onFocus={() => onStep(step ?? last)}
      onBlur={() => onStep(undefined)}
      onClick={open}
      onKeyDown={press}
    />
  );
}

/** Where a key leads to, as in any slider. Undefined: the key is none of its keys. */
function stepAfter(key: string, step: number, last: number): number | undefined {
  const moves: Record<string, number> = {
    ArrowLeft: step - 1,
    ArrowDown: step - 1,
    ArrowRight: step + 1,
    ArrowUp: step + 1,
    PageDown: step - 10,
    PageUp: step + 10,
    Home: 0,
    End: last,
  };
  const next = moves[key];
  return next === undefined ? undefined : Math.max(0, Math.min(last, next));
}
