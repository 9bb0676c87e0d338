// A failure with its stack, and with what caused it.

import type { VNode } from 'preact';
import { printable } from '../../../model/printable.ts';
import type { ErrorRow, SlotFailure } from '../wire.ts';
import { ErrorPill } from './bits.tsx';
import { Ago } from './clock.tsx';
import { count } from './format.ts';
import { spaced } from './words.ts';

export function Failure({ failure }: { failure: SlotFailure }): VNode {
  const { kind, error, message, name, attempt, at } = failure;
  return (
    <div class="failure">
      <p>
        <ErrorPill name={error?.code ?? error?.name ?? spaced(kind)} />{' '}
        <span class="dim">
          attempt {count(attempt)} of {printable(name)}, <Ago at={at} /> ago
        </span>
      </p>
      <pre>{error === undefined ? printable(message) : stackOf(error)}</pre>
    </div>
  );
}

/** Line by line: what is no line break is shown, not obeyed. */
function stackOf({ name, message, stack, cause }: ErrorRow): string {
  const text = stack ?? `${name}: ${message}`;
  const own = text.split('\n').map(printable).join('\n');
  return cause === undefined ? own : `${own}\n\ncaused by ${stackOf(cause)}`;
}
