// Keys for the whole page: `/` searches, 1 to 5 open the views, Esc closes the slot. None of them
// works with a modifier, in a field, or in a dialog.

import { useEffect } from 'preact/hooks';
import type { View } from '../wire.ts';
import type { Page } from './page.tsx';
import { elsewhere } from './route.ts';

export function useKeys({ route, go }: Pick<Page, 'route' | 'go'>, views: readonly View[]): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (isElsewhere(event)) return;
      const view = views[Number(event.key) - 1];
      if (event.key === '/') {
        event.preventDefault();
        document.querySelector<HTMLInputElement>('input[type=search]')?.focus();
      } else if (event.key === 'Escape' && route.slot !== '') go({ slot: '' });
      else if (view !== undefined && view !== route.view) go(elsewhere(route, { view }));
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [route, go, views]);
}

/** The key is meant for the browser, for a dialog or for a field, which Esc leaves. */
function isElsewhere({ key, ctrlKey, metaKey, altKey, target }: KeyboardEvent): boolean {
  if (ctrlKey || metaKey || altKey || document.querySelector('dialog[open]') !== null) return true;
  const field = target instanceof HTMLElement && target.matches('input, select, textarea') ? target : undefined;
  if (key === 'Escape') field?.blur();
  return field !== undefined;
}
