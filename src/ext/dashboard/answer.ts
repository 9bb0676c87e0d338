// Every answer: its headers, JSON, errors, and the files of the page.

import { createHash } from 'node:crypto';
import type { ErrorAnswer } from './wire.ts';

const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Of every answer, errors too. There is no CORS header: no other site may read an answer. */
const HEADERS = {
  'content-security-policy': CSP,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

export type MoreHeaders = Readonly<Record<string, string>>;

export function answer(
  status: number,
  body: Uint8Array<ArrayBuffer> | ReadableStream | null,
  more: MoreHeaders,
): Response {
  return new Response(body, { status, headers: { ...HEADERS, ...more } });
}

const encoder = new TextEncoder();

function answerText(status: number, type: string, text: string, more: MoreHeaders = {}): Response {
  const body = encoder.encode(text);
  return answer(status, body, { 'content-type': type, 'content-length': `${body.byteLength}`, ...more });
}

export function answerJson(value: unknown, status = 200, more: MoreHeaders = {}): Response {
  return answerText(status, 'application/json; charset=utf-8', JSON.stringify(value), more);
}

/** The reason why a request is not answered with what it asked for. It is thrown. */
export class Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers: MoreHeaders;

  constructor(status: number, code: string, message: string, headers: MoreHeaders = {}) {
    this.status = status;
    this.code = code;
    this.message = message;
    this.headers = headers;
  }
}

export function answerRefusal({ status, code, message, headers }: Refusal): Response {
  const body: ErrorAnswer = { error: { code, message } };
  return answerJson(body, status, headers);
}

/** As the answer, without its body. */
export function withoutBody(response: Response): Response {
  void response.body?.cancel();
  return new Response(null, { status: response.status, headers: response.headers });
}

export interface Asset {
  readonly text: string;
  readonly type: string;
}

const etags = new WeakMap<Asset, string>();

function etagOf(asset: Asset): string {
  let etag = etags.get(asset);
  if (etag === undefined) {
    etag = `"${createHash('sha256').update(asset.text).digest('base64url').slice(0, 22)}"`;
    etags.set(asset, etag);
  }
  return etag;
}

/** A file of the page: the browser keeps it, and asks each time whether it is still the same. */
export function answerAsset(asset: Asset, ifNoneMatch: string | null): Response {
  const etag = etagOf(asset);
  const more = { 'cache-control': 'private, no-cache', etag };
  const known = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(etag) || known.includes('*')) return answer(304, null, more);
  return answerText(200, asset.type, asset.text, more);
}
