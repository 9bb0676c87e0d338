// Asks before something is done. The harmless button has the focus.

import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { printable } from '../../../model/printable.ts';
import { act } from './api.tsx';
import type { Ask } from './asks.ts';
import { Button } from './bits.tsx';

export interface ConfirmProps {
  readonly ask: Ask;
  readonly of: string;
  readonly onDone: (text: string) => void;
  readonly onClose: () => void;
}

export function Confirm({ ask, of, onDone, onClose }: ConfirmProps): VNode {
  const ref = useRef<HTMLDialogElement>(null);
  const [isAsked, setAsked] = useState(false);
  const [error, setError] = useState('');
  useLayoutEffect(() => ref.current?.showModal(), []);
  const yes = (): void => {
    setAsked(true);
    act(ask, of).then(
      ({ text }) => {
        onDone(text);
        ref.current?.close();
      },
      (reason: Error) => {
        setError(reason.message);
        setAsked(false);
      },
    );
  };
  return (
    <dialog ref={ref} onClose={onClose} aria-labelledby="ask" aria-describedby="what">
      <h2 id="ask">{printable(ask.title)}</h2>
      <ul id="what">
        {ask.lines.map((line) => (
          <li key={line}>{printable(line)}</li>
        ))}
      </ul>
      <p role="alert" class="bad">
        {printable(error)}
      </p>
      <div class="bar">
        {/* First in the dialog, so it has the focus. */}
        <Button onPress={() => ref.current?.close()}>{ask.no}</Button>
        <Button class={ask.isDanger ? 'danger full' : 'full'} isOff={isAsked} onPress={yes}>
          {isAsked ? 'Asking…' : ask.yes}
        </Button>
      </div>
    </dialog>
  );
}
