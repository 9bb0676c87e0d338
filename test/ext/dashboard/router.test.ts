import { describe, expect, it, test } from 'vitest';
import { ASSETS, allowedFor, ENDPOINTS, routeAtRoot, routeOf } from '../../../src/ext/dashboard/router.ts';
import { ACTIONS } from '../../../src/ext/dashboard/wire.ts';

const MOUNTS = ['/', '/a/', '/a/b/', '/api/', '/api/actions/x/', '/app.js/', '/%E2%82%AC/', '//', '/a.b/'];

describe('only the tail of a path counts', () => {
  for (const mount of MOUNTS)
    test(`under ${mount}`, () => {
      for (const name of ASSETS) expect(routeOf(mount + name)).toEqual({ kind: 'asset', name });
      for (const name of ENDPOINTS) expect(routeOf(`${mount}api/${name}`)).toEqual({ kind: 'endpoint', name });
      for (const name of ACTIONS) expect(routeOf(`${mount}api/actions/${name}`)).toEqual({ kind: 'action', name });
    });
});

describe('a server of its own', () => {
  test('has the routes at its root', () => {
    for (const path of ['/', '/app.js', '/app.css', '/api/slots', '/api/actions/pause'])
      expect([path, routeAtRoot(path)]).toEqual([path, routeOf(path)]);
  });

  test('has nothing at any other path', () => {
    for (const path of ['/nope', '/nope/', '/a/app.js', '/a/api/slots', '/api', '/api/', '/api/nope', '//'])
      expect([path, routeAtRoot(path)]).toEqual([path, { kind: 'unknown' }]);
  });
});

describe('a name without a slash at its end leads to the page', () => {
  const rows = [
    ['/slots', './slots/'],
    ['/admin/slots', './slots/'],
    ['/a/API', './API/'],
    ['/api', './api/'],
    ['/api/x/slots', './slots/'],
    ['/%2e%2e%2fx', undefined], // a URL keeps it, as one name with dots
  ] as const;
  for (const [path, to] of rows)
    test(`${path} to ${to}`, () => {
      const { pathname } = new URL(path, 'http://a');
      expect(routeOf(pathname)).toEqual(to === undefined ? expect.anything() : { kind: 'redirect', to });
    });

  it('and never to another host, whatever the name looks like', () => {
    for (const name of ['https:evil', 'javascript:alert(1)', '//evil', '/\\evil', '%2f%2fevil', '@evil', '?', 'a:b']) {
      const { pathname } = new URL(`http://own.example/x/${name}`);
      const route = routeOf(pathname);
      if (route.kind === 'redirect')
        expect(new URL(route.to, `http://own.example${pathname}`).host, name).toBe('own.example');
    }
    expect(routeOf('/x/https:evil')).toEqual({ kind: 'redirect', to: './https:evil/' });
  });
});

describe('nothing is', () => {
  const paths = ['/api/x', '/api/actions/drain', '/x/api/Summary', '/favicon.ico', '/app.JS', '/a/app.js.map'];
  for (const path of [...paths, '/api/toString', '/api/__proto__', '/api/actions/constructor', '/api/summary%20'])
    test(`at ${path}`, () => expect(routeOf(path)).toEqual({ kind: 'unknown' }));
});

it('every path that ends with a slash is the page', () => {
  for (const path of ['/x/', '/api/', '/api/actions/', '/api/slots/', '/a.b/'])
    expect(routeOf(path)).toEqual({ kind: 'asset', name: '' });
});

it('only actions are asked for by POST', () => {
  expect(allowedFor(routeOf('/api/actions/pause'))).toBe('POST');
  for (const path of ['/', '/app.js', '/slots', '/api/slots']) expect(allowedFor(routeOf(path))).toBe('GET, HEAD');
});
