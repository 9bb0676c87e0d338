// Small things that all views use. Text of the user is shown by `Text` alone, as text.

import { Component, type ComponentChildren, type FunctionComponent, type VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { printable } from '../../../model/printable.ts';
import { MAX_QUERY } from '../wire.ts';
import { hashWith, usePage } from './page.tsx';
import { spaced, type Tone, toneOf } from './words.ts';

export const Pill = ({ word, tone = toneOf(word) }: { word: string; tone?: Tone }): VNode => (
  <span class={`pill ${tone}`}>{printable(spaced(word))}</span>
);

/** A code or a name of an error: as it is. */
export const ErrorPill = ({ name }: { name: string }): VNode => <span class="pill bad">{printable(name)}</span>;

/** Opens a slot beside what is shown. */
export function SlotLink({ slot }: { slot: string }): VNode {
  const { route } = usePage();
  const isOpen = route.slot === slot;
  return (
    <a class="slot" href={hashWith(route, { slot })} {...(isOpen && { 'aria-current': 'true' as const })}>
      {printable(slot)}
    </a>
  );
}

export interface ButtonProps {
  readonly onPress: () => void;
  readonly children: ComponentChildren;
  readonly class?: string;
  readonly isOff?: boolean;
  readonly isPressed?: boolean;
}

export const Button = ({ onPress, children, class: name = '', isOff = false, isPressed }: ButtonProps): VNode => (
  <button
    type="button"
    class={`btn ${name}`}
    disabled={isOff}
    onClick={onPress}
    {...(isPressed !== undefined && { 'aria-pressed': isPressed })}
  >
    {children}
  </button>
);

/** It follows the address, and changes it when the typing pauses. */
export function SearchBox({ label, hint }: { label: string; hint: string }): VNode {
  const { route, go } = usePage();
  const ref = useRef<HTMLInputElement>(null);
  const pause = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    if (ref.current !== null && pause.current === undefined) ref.current.value = route.q;
  }, [route.q]);
  useEffect(() => () => clearTimeout(pause.current), []);
  const type = ({ value }: HTMLInputElement): void => {
    clearTimeout(pause.current);
    pause.current = setTimeout(() => {
      pause.current = undefined;
      go({ q: value }, true);
    }, 200);
  };
  return (
    <label class="search">
      <span class="unseen">{label}</span>
      <input
        ref={ref}
        type="search"
        placeholder={hint}
        maxLength={MAX_QUERY}
        spellcheck={false}
        onInput={({ currentTarget }) => type(currentTarget)}
      />
      <span class="key-hint" aria-hidden="true">
        /
      </span>
    </label>
  );
}

/**
 * Live rows come and go. If the row that has the focus goes, the place where it was has it, so that
 * Tab goes on from there.
 */
export function KeepsFocus({ children, label }: { children: ComponentChildren; label: string }): VNode {
  const ref = useRef<HTMLElement>(null);
  // Before the rows change: a render comes before the changes that it makes.
  const had = ref.current?.contains(document.activeElement) === true;
  useLayoutEffect(() => {
    if (had && document.activeElement === document.body) ref.current?.focus({ preventScroll: true });
  });
  return (
    <section ref={ref} class="card" tabIndex={-1} aria-label={label}>
      {children}
    </section>
  );
}

/** Read out some time after `about` changes. What changes with every frame is not read out. */
export function Announced({ text, about }: { text: string; about: string }): VNode {
  const [said, setSaid] = useState('');
  const latest = useRef(text);
  latest.current = text;
  useEffect(() => {
    const pause = setTimeout(() => setSaid(latest.current), 1_000);
    return () => clearTimeout(pause);
  }, [about]);
  return (
    <p role="status" class="unseen">
      {said}
    </p>
  );
}

/** The view, which is not rendered again while its properties are the same. */
export function kept<Props extends object>(View: FunctionComponent<Props>, isSame: (a: Props, b: Props) => boolean) {
  return class extends Component<Props> {
    override shouldComponentUpdate(next: Props): boolean {
      return !isSame(this.props, next);
    }
    override render(props: Props) {
      return <View {...props} />;
    }
  };
}

/** What a view says that has nothing to show. */
export const Empty = ({ children }: { children: ComponentChildren }): VNode => <p class="empty">{children}</p>;
