// The route is what the address says. Links change it by themselves.

import { useCallback, useEffect, useState } from 'preact/hooks';
import { changed, hashOf, parseRoute, type Route } from './route.ts';

export function useRoute(): readonly [Route, (change: Partial<Route>, isTyping?: boolean) => void] {
  const [route, set] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = (): void => set(parseRoute(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const go = useCallback((change: Partial<Route>, isTyping = false) => {
    const next = changed(parseRoute(location.hash), change);
    if (isTyping) history.replaceState(null, '', hashOf(next));
    else history.pushState(null, '', hashOf(next));
    set(next);
  }, []);
  return [route, go];
}
