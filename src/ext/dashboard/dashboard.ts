// `dashboard`: a handler of web-standard requests that shows supervisors, and can act on them.

import { type Clock, ClosedError, OptionError, type Supervisor } from '../../index.ts';
import { fromCaller, SystemClock } from '../../kit.ts';
import { act, readTarget } from './actions.ts';
import { type Asset, answer, answerAsset, answerJson, answerRefusal, Refusal, withoutBody } from './answer.ts';
import { css, html, js } from './assets.ts';
import { readJson } from './body.ts';
import { ENDPOINT_ANSWERS, type Sources } from './endpoints.ts';
import { checkAction, checkHost, checkLeave } from './guards.ts';
import { loopbackNamesOf } from './hosts.ts';
import { type DashboardServer, type Listener, listenerOf, serveAt } from './listen.ts';
import {
  type DashboardOptions,
  type DashboardSettings,
  type NamedSupervisor,
  parseDashboardOptions,
  parseServeOptions,
  readNamed,
  type ServeOptions,
} from './options.ts';
import { type AssetName, allowedFor, type Route, routeAtRoot, routeOf } from './router.ts';
import { Streams } from './stream.ts';
import { Troubles } from './troubles.ts';
import { AllWatched } from './watched.ts';
import type { ActionKind } from './wire.ts';

/** What `dashboard` returns. Each function can be passed on alone. */
export interface Dashboard {
  /**
   * Answers a request: for frameworks with web-standard requests. The page is at every path that
   * ends with a slash, so it can be mounted anywhere, and all its URLs are relative.
   */
  readonly fetch: (request: Request) => Promise<Response>;
  /**
   * The same for a server of Node: pass it to `createServer` or to `app.use('/path', ...)` of
   * Express, or call it with `raw` of Fastify. It answers everything that it gets. It needs the
   * package `@remix-run/node-fetch-server`, and answers 500 without it.
   */
  readonly listener: Listener;
  /**
   * Starts a server of its own, on loopback, with the page at its root. It holds the process until
   * it is closed. The promise rejects with an OptionError for an invalid option, and for another
   * host than of loopback without the option `authorize`; with Node's error if it cannot listen;
   * with an Error if the package `@remix-run/node-fetch-server` is not installed; and with a
   * ClosedError after `close()`.
   */
  readonly serve: (options?: ServeOptions) => Promise<DashboardServer>;
  /**
   * Ends the watching, the streams, and the servers that `serve` has started. From then on every
   * request is answered with 503. It can be called again.
   */
  readonly close: () => void;
}

/**
 * Shows supervisors as a page: what needs a look, what runs, what waits, what keeps failing, and
 * what happened when. It remembers events from this call on.
 *
 * Without options it only shows. It shows names, ids and the texts and stacks of errors to
 * everybody who reaches it: mount it behind the authentication of your application, or give
 * `authorize`. With `actions` and `authorize` it can cancel, restart, pause, resume and trigger.
 *
 * Promised: what is remembered is bounded, and holds no object of yours. However many pages are
 * open, looking through the slots takes at most a fifth of a core, in slices of a few ms. What your
 * functions throw is not shown: it is a warning of the process, once for each option.
 *
 * Not promised: the words, the look, and the JSON of the page: they can change with any version.
 *
 * It keeps no process alive, also without `close()`; a server of `serve` does.
 *
 * @param supervisor one, or several by name.
 * @throws OptionError for an invalid argument or option, and for `actions` without `authorize`.
 */
export function dashboard(
  supervisor: Supervisor | Readonly<Record<string, Supervisor>>,
  options: DashboardOptions = {},
): Dashboard {
  return fromCaller(dashboard, () =>
    dashboardOf(readNamed(supervisor), parseDashboardOptions(options), new SystemClock(false)),
  );
}

/** With any clock, so that tests need not wait. */
export function dashboardOf(
  named: readonly NamedSupervisor[],
  settings: DashboardSettings,
  clock: Clock,
): Dashboard & { readonly streams: Streams } {
  const desk = new Desk(named, settings, clock);
  const servers = new Set<DashboardServer>();
  const fetchAt = (place: Place) => (request: Request) => desk.answer(request, place);
  const fetch = fetchAt({ hosts: settings.hosts, routeOf });
  const serve = async (options: ServeOptions = {}): Promise<DashboardServer> => {
    const at = fromCaller(serve, () => parseServeOptions(options, settings));
    const place = { hosts: settings.hosts ?? loopbackNamesOf(at.host), routeOf: routeAtRoot };
    const server = await serveAt(at, fetchAt(place), () => servers.delete(server));
    servers.add(server);
    if (!desk.isClosed) return server;
    await server.close();
    throw new ClosedError('the dashboard is closed');
  };
  return {
    fetch,
    listener: listenerOf(fetch),
    serve,
    close: () => {
      desk.close();
      for (const server of servers) void server.close();
    },
    streams: desk.streams,
  };
}

const ASSETS: Readonly<Record<AssetName, Asset>> = {
  '': { text: html, type: 'text/html; charset=utf-8' },
  'app.js': { text: js, type: 'text/javascript; charset=utf-8' },
  'app.css': { text: css, type: 'text/css; charset=utf-8' },
};

/** Where requests come in. */
interface Place {
  readonly hosts: readonly string[] | undefined;
  readonly routeOf: (pathname: string) => Route;
}

/** Answers requests. */
class Desk implements Sources {
  readonly everything: AllWatched;
  readonly streams: Streams;
  readonly #settings: DashboardSettings;
  readonly #clock: Clock;
  readonly #troubles = new Troubles();
  isClosed = false;

  constructor(named: readonly NamedSupervisor[], settings: DashboardSettings, clock: Clock) {
    this.everything = new AllWatched(named, settings, clock, this.#troubles);
    this.streams = new Streams(settings, clock, this.#troubles);
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Never rejects. */
  async answer(request: Request, place: Place): Promise<Response> {
    const response = await this.#answer(request, place).catch((error) => this.#answerError(error));
    return request.method === 'HEAD' ? withoutBody(response) : response;
  }

  async #answer(request: Request, { hosts, routeOf }: Place): Promise<Response> {
    checkHost(request, hosts);
    const { pathname, search, searchParams } = new URL(request.url);
    const route = routeOf(pathname);
    const of = searchParams.get('of');
    if (route.kind === 'action' && request.method === 'POST') return this.#act(request, of, route.name);
    await this.checkView(request, of ?? this.everything.first.name);
    this.#checkOpen();
    if (route.kind === 'unknown') throw new Refusal(404, 'notFound', 'nothing is at this path');
    checkMethod(request.method, route);
    switch (route.kind) {
      case 'redirect':
        return answer(308, null, { location: `${route.to}${search}` });
      case 'asset':
        return answerAsset(ASSETS[route.name], request.headers.get('if-none-match'));
      default: {
        const watched = this.everything.of(of);
        return ENDPOINT_ANSWERS[route.name]({ request, params: searchParams, watched }, this);
      }
    }
  }

  checkView(request: Request, of: string): Promise<void> {
    return checkLeave(request, { kind: 'view', of }, this.#settings, this.#clock, this.#troubles);
  }

  async #act(request: Request, of: string | null, kind: ActionKind): Promise<Response> {
    checkAction(request, this.#settings);
    const target = readTarget(kind, await readJson(request));
    const action = { kind, of: of ?? this.everything.first.name, ...target };
    await checkLeave(request, action, this.#settings, this.#clock, this.#troubles);
    this.#checkOpen();
    const done = await act(this.everything.of(of), kind, target);
    return answerJson(done, done.done ? 200 : 202);
  }

  #checkOpen(): void {
    if (this.isClosed) throw new Refusal(503, 'closed', 'this dashboard was closed');
  }

  #answerError(error: unknown): Response {
    if (error instanceof Refusal) return answerRefusal(error);
    if (error instanceof OptionError) return answerRefusal(new Refusal(400, 'parameter', error.message));
    if (this.isClosed) return answerRefusal(new Refusal(503, 'closed', 'this dashboard was closed'));
    this.#troubles.report('request', error);
    return answerRefusal(new Refusal(500, 'internal', 'the answer could not be made (the process has a warning)'));
  }

  close(): void {
    this.isClosed = true;
    this.streams.close();
    this.everything.close();
  }
}

function checkMethod(method: string, route: Route): asserts route is Exclude<Route, { kind: 'action' }> {
  const allow = allowedFor(route);
  if (!allow.split(', ').includes(method))
    throw new Refusal(405, 'method', `the method must be ${allow.replace(', ', ' or ')} here`, { allow });
}
