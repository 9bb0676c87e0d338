// The time by the server's clock, and cells that show it. One timer serves all cells, and changes
// their text without a render: a table of 200 rows ticks at no cost.

import type { VNode } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { dateAndTime, seconds, until } from './format.ts';

const TICK_MS = 1_000;

let aheadMs = 0;
let stoppedAt: number | undefined;
let timer: ReturnType<typeof setInterval> | undefined;
const cells = new Set<() => void>();

/** The server's time, or that of its last word while it does not answer. */
export const serverNow = (): number => stoppedAt ?? Date.now() + aheadMs;

/** The server said what time it is. Of times that came late, the least late counts. */
export function hearTime(now: number): void {
  const ahead = now - Date.now();
  aheadMs = Math.abs(ahead - aheadMs) > 2_000 ? ahead : Math.max(ahead, aheadMs);
}

/** The server is there. */
export function goOn(): void {
  stoppedAt = undefined;
}

/** What is shown grows older, and does not pretend to be of now. */
export function stopTime(): void {
  stoppedAt ??= serverNow();
}

function onTick(show: () => void): () => void {
  cells.add(show);
  timer ??= setInterval(() => {
    for (const cell of cells) cell();
  }, TICK_MS);
  return () => {
    cells.delete(show);
    if (cells.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

interface TickingProps {
  /** Epoch ms. */
  readonly at: number;
  readonly text: (at: number) => string;
  readonly class?: string;
}

export function Ticking({ at, text, class: name }: TickingProps): VNode {
  const ref = useRef<HTMLTimeElement>(null);
  const shown = useRef({ at, text });
  shown.current = { at, text };
  const show = useCallback(() => {
    const now = shown.current.text(shown.current.at);
    if (ref.current !== null && ref.current.textContent !== now) ref.current.textContent = now;
  }, []);
  useLayoutEffect(show);
  useEffect(() => onTick(show), [show]);
  return <time ref={ref} class={name ?? 'time'} title={dateAndTime(at)} />;
}

const agoText = (at: number): string => seconds(serverNow() - at);
const untilText = (at: number): string => until(at - serverNow());

/** How long ago: `7 s`. */
export const Ago = ({ at, class: name }: { at: number; class?: string }): VNode => (
  <Ticking at={at} text={agoText} {...(name !== undefined && { class: name })} />
);

/** How long until: `in 7 s`, then `now`. */
export const Until = ({ at }: { at: number }): VNode => <Ticking at={at} text={untilText} />;
