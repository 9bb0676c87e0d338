// Names of hosts: as an option, as the `Host` of a request, and as the address of a server.

import { isIPv6 } from 'node:net';

const PORT = /:\d*$/;

/**
 * The name in one spelling: lower case, without a dot at its end, an IPv6 address in brackets.
 * Undefined if it is none. A port is left out, or makes it none.
 */
export function hostNameOf(text: string, port: 'without a port' | 'with or without a port'): string | undefined {
  const host = isIPv6(text) ? `[${text}]` : text;
  if (port === 'without a port' && !host.endsWith(']') && PORT.test(host)) return undefined;
  if (/[/\\?#@\s]/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname.replace(/\.$/, '') || undefined;
}

const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/**
 * The names of a server that listens at this address, where only this machine can reach it; else
 * undefined.
 */
export function loopbackNamesOf(host: string): readonly string[] | undefined {
  const name = hostNameOf(host, 'without a port');
  if (name === undefined) return undefined;
  if (LOOPBACK_NAMES.includes(name)) return LOOPBACK_NAMES;
  return /^127\.\d+\.\d+\.\d+$/.test(name) ? [name, ...LOOPBACK_NAMES] : undefined;
}
