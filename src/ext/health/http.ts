// The answers over HTTP. It reads the method and the URL of a request, and nothing of its body.

import type { HealthReport } from './report.ts';

/** What is read of a request: of `node:http`, `node:http2` and Express, and of `raw` of Fastify. */
export interface HealthRequest {
  /** Its method. Default `GET`. */
  readonly method?: string | undefined;
  /** Its path and query. */
  readonly url?: string | undefined;
  /** Express keeps the whole URL here, and leaves what follows the path of a mount in `url`. */
  readonly originalUrl?: string | undefined;
}

/** What is called of a response. `end` is declared twice, since `node:http2` takes no undefined. */
export interface HealthResponse {
  /** Sends the status and the headers. */
  writeHead(status: number, headers: Record<string, string | number>): unknown;
  /** Ends the response, without a body. */
  end(): unknown;
  /** Ends the response with this body. */
  end(body: string): unknown;
}

/** The last part of the path, and the query. What is in front may be the prefix of a mount. */
const ROUTE = /^[^?#]*\/(livez|readyz)(?:\?([^#]*))?(?:#|$)/;

const TEXT = 'text/plain; charset=utf-8';
const REPORT = 'application/health+json; charset=utf-8';

/** Answers a request for one of the reports. Returns false for any other. */
export function answer(
  { method = 'GET', url = '', originalUrl = '' }: HealthRequest,
  response: HealthResponse,
  reports: { readonly livez: () => HealthReport; readonly readyz: () => HealthReport },
): boolean {
  const [, route, query = ''] = ROUTE.exec(url) ?? ROUTE.exec(originalUrl) ?? [];
  if (route !== 'livez' && route !== 'readyz') return false;
  const send = (status: number, type: string, body: string, more?: Record<string, string>): true => {
    const length = Buffer.byteLength(body);
    response.writeHead(status, {
      'content-type': type,
      'content-length': length,
      'cache-control': 'no-store',
      ...more,
    });
    if (method === 'HEAD') response.end();
    else response.end(body);
    return true;
  };
  if (method !== 'GET' && method !== 'HEAD') return send(405, TEXT, 'method not allowed', { allow: 'GET, HEAD' });
  const report = reports[route]();
  const status = report.status === 'fail' ? 503 : 200;
  if (new URLSearchParams(query).has('verbose')) return send(status, REPORT, JSON.stringify(report));
  return send(status, TEXT, report.status === 'fail' ? 'not ok' : 'ok');
}
