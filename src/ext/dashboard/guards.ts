// The locks: under which host name a request must come, what an action must carry, and whether
// `authorize` lets a request through.

import type { Clock } from '../../index.ts';
import { after } from '../../kit.ts';
import { Refusal } from './answer.ts';
import { hostNameOf } from './hosts.ts';
import type { DashboardAction, DashboardSettings } from './options.ts';
import type { Troubles } from './troubles.ts';

/** What the client calls this server: the header, or else the URL that the framework has built. */
const hostHeader = (request: Request): string => request.headers.get('host') ?? new URL(request.url).host;

/** @throws Refusal for a host name that is not among `hosts`. */
export function checkHost(request: Request, hosts: readonly string[] | undefined): void {
  if (hosts === undefined) return;
  const name = hostNameOf(hostHeader(request), 'with or without a port');
  if (name === undefined || !hosts.includes(name))
    throw new Refusal(421, 'host', 'this host name is not served here (see the option hosts)');
}

/**
 * What an action must carry, so that no page of another site can send it: neither the header nor
 * this content type can be sent across sites without a permission, which is never given.
 *
 * @throws Refusal
 */
export function checkAction(request: Request, { actions }: DashboardSettings): void {
  const header = (name: string): string | null => request.headers.get(name);
  if (!actions) throw new Refusal(403, 'readOnly', 'this dashboard only shows (see the option actions)');
  if (header('x-slotvisor') !== '1') throw new Refusal(403, 'header', 'the header x-slotvisor must be 1');
  const site = header('sec-fetch-site');
  const origin = header('origin');
  if ((site !== null && site !== 'same-origin') || (origin !== null && !isOwnOrigin(origin, hostHeader(request))))
    throw new Refusal(403, 'origin', 'an action must come from the page of this host (a proxy must pass on Host)');
  if (header('content-type')?.split(';')[0]?.trim().toLowerCase() !== 'application/json')
    throw new Refusal(415, 'contentType', 'the content-type must be application/json');
}

function isOwnOrigin(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false; // 'null'
  const { protocol, host: sender } = new URL(origin);
  const own = `${protocol}//${host}`; // parsed as well: both without the default port
  return sender !== '' && URL.canParse(own) && new URL(own).host === sender;
}

/** How long `authorize` may take. */
const AUTHORIZE_MS = 5_000;

/** @throws Refusal unless `authorize` says true. */
export async function checkLeave(
  request: Request,
  action: DashboardAction,
  { authorize }: DashboardSettings,
  clock: Clock,
  troubles: Troubles,
): Promise<void> {
  if (authorize === undefined) return;
  const asked = (async () => (await authorize(request, action)) === true)();
  const isAllowed = await withinMs(AUTHORIZE_MS, clock, asked).catch((error) => {
    troubles.report('authorize', error);
    return false;
  });
  if (isAllowed) return;
  if (action.kind === 'view') throw new Refusal(401, 'unauthorized', 'authorize does not let this request look');
  throw new Refusal(403, 'forbidden', `authorize does not let this request ${action.kind}`);
}

/** Rejects if `promise` has not settled within `ms`. It may settle later, in any way. */
export function withinMs<T>(ms: number, clock: Clock, promise: PromiseLike<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = after(clock, ms, () => reject(new Error(`no answer within ${ms} ms`)));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error) => {
        cancel();
        reject(error);
      },
    );
  });
}
