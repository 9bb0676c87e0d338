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

export const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** Whether only this machine can reach a server that listens at this address. */
export function isLoopback(host: string): boolean {
  const name = hostNameOf(host, 'without a port');
  return name !== undefined && (LOOPBACK_NAMES.includes(name) || /^127\.\d+\.\d+\.\d+$/.test(name));
}
