// Reads values from user code, such as thrown ones. A getter or a proxy trap that throws does no
// harm.

import { cut } from './printable.ts';

/**
 * One field of any value, inherited ones included. `undefined` when the value is not an object or
 * reading throws.
 */
export function field(value: unknown, name: string | symbol): unknown {
  try {
    return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
}

const MAX_MESSAGE_LENGTH = 1_000;

/**
 * A short text for any thrown value. Getters that throw, revoked proxies and huge strings are
 * handled too.
 */
export function describe(thrown: unknown): string {
  return cut(textOf(thrown), MAX_MESSAGE_LENGTH);
}

function textOf(thrown: unknown): string {
  try {
    if (typeof thrown === 'string') return thrown;
    if (typeof thrown === 'object' && thrown !== null) {
      const { message } = thrown as { message?: unknown };
      if (typeof message === 'string') return message;
      return Object.prototype.toString.call(thrown);
    }
    if (typeof thrown === 'function') return '[function]';
    return String(thrown);
  } catch {
    return '[a value that cannot be described]';
  }
}

const UNREACHABLE = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
];

/** An error of Node: there is no connection to the server. */
export const isUnreachable = (error: unknown): boolean => UNREACHABLE.includes(field(error, 'code') as string);
