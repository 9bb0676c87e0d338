// The page. From the top: what needs a look, what there is, how busy it is, and the views.

import { options, render, type VNode } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { printable } from '../../../model/printable.ts';
import type { State, View } from '../wire.ts';
import type { Ask } from './asks.ts';
import { Charts } from './charts.tsx';
import { Confirm } from './confirm.tsx';
import { Events } from './events.tsx';
import { Failures } from './failures.tsx';
import { Fleet } from './fleet.tsx';
import { Glance } from './glance.tsx';
import { Header, Notices } from './header.tsx';
import { useKeys } from './keys.tsx';
import { type Page, PageContext, usePage } from './page.tsx';
import { elsewhere, hashOf, type Route, streamQuery } from './route.ts';
import { Schedules } from './schedules.tsx';
import { SlotPanel } from './slot-panel.tsx';
import { Slots } from './slots.tsx';
import { Live, type Shown } from './stream.tsx';
import { Tiles } from './tiles.tsx';
import { Totals } from './totals.tsx';
import { useRoute } from './use-route.tsx';
import { Warnings } from './warnings.tsx';

// At most one render a frame, however many changes come.
options.debounceRendering = requestAnimationFrame;

const VIEW_WORDS: Readonly<Record<View, string>> = {
  slots: 'Slots',
  failures: 'Failures',
  events: 'Events',
  schedules: 'Schedules',
  fleet: 'Fleet',
};

const NO_ACTIONS = [] as const;
const FIRST_VIEWS: readonly View[] = ['slots', 'failures', 'events'];

function App(): VNode {
  const [route, go] = useRoute();
  const [shown, live] = useLive(route);
  const [asked, ask] = useState<Ask>();
  const [done, setDone] = useState('');
  const summary = shown.state?.summary;
  const views = summary?.views ?? FIRST_VIEWS;
  useKeys({ route, go }, views);
  useTitle(summary?.title, summary?.warnings.length ?? 0);
  const actions = summary?.actions ?? NO_ACTIONS;
  useEffect(() => setDone(''), [route]); // what was done elsewhere is no news here
  const page = useMemo<Page>(() => ({ route, go, ask, actions }), [route, go, actions]);
  return (
    <PageContext.Provider value={page}>
      <SkipLink />
      <Header shown={shown} />
      <main tabIndex={-1}>
        <Notices shown={shown} onRead={() => live.forgetRestart()} />
        <p role="status" class={done === '' ? 'unseen' : 'notice ok'}>
          {printable(done)}
        </p>
        {shown.state !== undefined && <Overview state={shown.state} />}
        <Tabs route={route} views={views} />
        <h2 class="unseen">{VIEW_WORDS[route.view]}</h2>
        {shown.state !== undefined && <Body shown={shown} state={shown.state} live={live} />}
      </main>
      {summary !== undefined && <Totals summary={summary} />}
      {asked !== undefined && <Confirm ask={asked} of={route.of} onDone={setDone} onClose={() => ask(undefined)} />}
    </PageContext.Provider>
  );
}

function Overview({ state: { summary, series } }: { state: State }): VNode {
  return (
    <>
      <Warnings summary={summary} />
      <Tiles summary={summary} />
      <Charts summary={summary} series={series} />
    </>
  );
}

function Body({ shown, state, live }: { shown: Shown; state: State; live: Live }): VNode {
  const { route } = usePage();
  const { now } = state.summary;
  const glance = route.view === 'slots' && route.slot === '' ? state.glance : undefined;
  const shape = route.slot !== '' ? 'split' : glance !== undefined ? 'glanced' : '';
  return (
    <div class={`body ${shape}`}>
      <div class="view">
        {route.view === 'slots' && <Slots state={state} />}
        {route.view === 'failures' && <Failures state={state} />}
        {route.view === 'events' && <Events shown={shown} live={live} now={now} />}
        {route.view === 'schedules' && <Schedules state={state} />}
        {route.view === 'fleet' && <Fleet state={state} />}
      </div>
      {glance !== undefined && <Glance glance={glance} now={now} />}
      {route.slot !== '' && (
        <SlotPanel slot={route.slot} detail={state.slot} isAnswered={shown.answered === streamQuery(route)} now={now} />
      )}
    </div>
  );
}

function Tabs({ route, views }: { route: Route; views: readonly View[] }): VNode {
  return (
    <nav class="tabs" aria-label="Views">
      {views.map((view, i) => (
        <a key={view} href={hashOf(elsewhere(route, { view }))} aria-current={route.view === view ? 'page' : undefined}>
          {VIEW_WORDS[view]}
          <span class="key-hint" aria-hidden="true">
            {i + 1}
          </span>
        </a>
      ))}
    </nav>
  );
}

/** A button: the hash of a link would be a route. */
function SkipLink(): VNode {
  const skip = (): void => document.querySelector('main')?.focus();
  return (
    <button type="button" class="btn skip" onClick={skip}>
      To the content
    </button>
  );
}

/** What is shown of this route, live while the tab is seen. */
function useLive(route: Route): readonly [Shown, Live] {
  const [, setShown] = useState<Shown>();
  const live = useMemo(() => new Live(setShown), []);
  const isHidden = useHidden();
  const query = streamQuery(route);
  const list = `${route.of} ${route.view} ${route.kind} ${route.types} ${route.view === 'events' ? route.slot : ''}`;
  const last = useRef(list);
  useEffect(() => {
    if (isHidden) return undefined;
    live.open(query, last.current !== list);
    last.current = list;
    return () => live.close();
  }, [query, list, isHidden, live]);
  return [live.shown, live];
}

function useHidden(): boolean {
  const [isHidden, set] = useState(document.hidden);
  useEffect(() => {
    const follow = (): void => set(document.hidden);
    document.addEventListener('visibilitychange', follow);
    return () => document.removeEventListener('visibilitychange', follow);
  }, []);
  return isHidden;
}

/** How many warnings there are is seen in the row of tabs, too. */
function useTitle(title = 'slotvisor', warnings: number): void {
  const text = `${warnings > 0 ? `(${warnings}) ` : ''}${printable(title)}`;
  useEffect(() => {
    document.title = text;
  }, [text]);
}

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
