import { describe, expect, test } from 'vitest';
import { hostNameOf, loopbackNamesOf } from '../../../src/ext/dashboard/hosts.ts';

describe('the name in a Host', () => {
  const rows: readonly [header: string, name: string | undefined][] = [
    ['a.example', 'a.example'],
    ['a.example:80', 'a.example'],
    ['a.example:', 'a.example'],
    ['A.Example:8080', 'a.example'],
    ['a.example.', 'a.example'],
    ['a.example.:443', 'a.example'],
    ['127.0.0.1:3000', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[::1]:3000', '[::1]'],
    ['[0:0::1]', '[::1]'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['', undefined],
    ['.', undefined],
    ['a b', undefined],
    ['a/b', undefined],
    ['evil@localhost', undefined],
    ['localhost#', undefined],
    ['localhost?', undefined],
    ['localhost\\x', undefined],
    ['a.example:99999', undefined],
    ['[::1', undefined],
    ['a,b', 'a,b'],
  ];
  for (const [header, name] of rows)
    test(`${JSON.stringify(header)} is ${name}`, () => expect(hostNameOf(header, 'with or without a port')).toBe(name));
});

describe('an option that names a host', () => {
  const rows: readonly [text: string, name: string | undefined][] = [
    ['a.example', 'a.example'],
    ['A.example.', 'a.example'],
    ['::1', '[::1]'],
    ['[::1]', '[::1]'],
    ['a.example:80', undefined],
    ['[::1]:80', undefined],
    ['http://a.example', undefined],
    ['a.example/x', undefined],
  ];
  for (const [text, name] of rows)
    test(`${text} is ${name}`, () => expect(hostNameOf(text, 'without a port')).toBe(name));
});

describe('an address', () => {
  for (const host of ['127.0.0.1', '127.8.0.1', 'localhost', 'LOCALHOST', '::1', '[::1]', '127.1'])
    test(`${host} is of loopback`, () => expect(loopbackNamesOf(host)).toContain('localhost'));
  for (const host of [
    '0.0.0.0',
    '::',
    '192.168.0.1',
    'a.example',
    'localhost.example',
    '127.0.0.1.example',
    '',
    '128.0.0.1',
  ])
    test(`${host} is not`, () => expect(loopbackNamesOf(host)).toBeUndefined());
});
