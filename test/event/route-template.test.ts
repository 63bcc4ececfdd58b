import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRouteTemplater, type RouteSource, templatePath } from '../../src/event/route-template.ts';

const source = (fields: Partial<RouteSource>): RouteSource => ({
  route: null,
  path: null,
  operation: null,
  method: 'GET',
  host: 'h',
  status: 200,
  ...fields,
});

test('values become parameters and objects', () => {
  const cases: [string, string, readonly string[]][] = [
    ['/orders/42', '/orders/{id}', ['42']],
    ['/orders/-1/items/7/', '/orders/{id}/items/{id}', ['-1', '7']],
    ['/u/123e4567-e89b-12d3-a456-426614174000', '/u/{uuid}', ['123e4567-e89b-12d3-a456-426614174000']],
    ['/f/5f4dcc3b5aa765d61d8327deb882cf99.pdf', '/f/{hash}.pdf', ['5f4dcc3b5aa765d61d8327deb882cf99.pdf']],
    ['/o/507f1f77bcf86cd799439011', '/o/{hash}', ['507f1f77bcf86cd799439011']],
    ['/v/dQw4w9WgXcQ8a7B6c5D4', '/v/{hash}', ['dQw4w9WgXcQ8a7B6c5D4']],
    ['/report/2026-01-15', '/report/{date}', ['2026-01-15']],
    ['/users/alice@example.com/x', '/users/{email}/x', ['alice@example.com']],
    ['/users/alice%40example.com', '/users/{email}', ['alice%40example.com']],
    ['/hosts/203.0.113.7', '/hosts/{ip}', ['203.0.113.7']],
    ['/hosts/2001:db8::1', '/hosts/{ip}', ['2001:db8::1']],
    ['/c/cus_Nf31Qz81', '/c/{id}', ['cus_Nf31Qz81']],
    ['/i/i-0dbc91f429e48eeed', '/i/{id}', ['i-0dbc91f429e48eeed']],
    ['/reset/***', '/reset/{secret}', ['***']],
    ['//a///b', '/a/b', []],
    ['/', '/', []],
  ];
  for (const [path, route, objects] of cases) assert.deepEqual(templatePath(path), { route, objects }, path);
});

test('names are not merged: words, versions, slugs, years in a name, file names', () => {
  for (const path of [
    '/api/v2/users/me',
    '/posts/my-first-post',
    '/reports/fy-2024',
    '/oauth2/token',
    '/s3/list',
    '/.well-known/openid-configuration',
    '/app.js',
    '/10-ways-to-2x-sales',
    '/internationalization/settings',
    '/utf8-x64',
  ]) {
    assert.equal(templatePath(path).route, path);
  }
});

test("the gateway's template goes first and gives the objects, prefix or no prefix", () => {
  const { template } = createRouteTemplater();
  assert.deepEqual(template(source({ route: '/orders/{id}', path: '/prod/orders/alice?x' })), {
    route: '/orders/{id}',
    objects: ['alice'],
  });
  assert.deepEqual(template(source({ route: 'orders', path: '/orders/42' })), { route: 'orders', objects: ['42'] });
});

test('without a path the operation is the route', () => {
  assert.equal(createRouteTemplater().template(source({ operation: 's3:GetObject' })).route, 's3:GetObject');
  assert.equal(createRouteTemplater().template(source({})).route, '-');
});

test('an OpenAPI document goes before shapes: literals before parameters, behind the server prefix, for its host only', () => {
  const openApi = [
    {
      servers: [{ url: 'https://api.example.com/v1' }],
      paths: { '/users/{name}': {}, '/users/me': {}, '/users/{name}/posts/{post}': {}, '/files/{name}.json': {} },
    },
  ];
  const { template } = createRouteTemplater({ openApi });
  const at = (path: string, host = 'api.example.com'): unknown => template(source({ path, host }));
  assert.deepEqual(at('/v1/users/alice?x'), { route: '/users/{name}', objects: ['alice'] });
  assert.deepEqual(at('/users/me'), { route: '/users/me', objects: [] });
  assert.deepEqual(at('/v1/users/bob/posts/first'), { route: '/users/{name}/posts/{post}', objects: ['bob', 'first'] });
  assert.deepEqual(at('/v1/users/me/posts/x'), { route: '/users/{name}/posts/{post}', objects: ['me', 'x'] });
  assert.deepEqual(at('/v1/orders/42'), { route: '/v1/orders/{id}', objects: ['42'] });
  assert.deepEqual(at('/users/alice', 'other.example.com'), { route: '/users/alice', objects: [] });
});

test('beyond the limit a route is {other} and counted; known routes stay', () => {
  const { template, overflowed } = createRouteTemplater({ routesPerHostMax: 3 });
  for (const name of ['a', 'b', 'c']) assert.equal(template(source({ path: `/${name}` })).route, `/${name}`);
  assert.equal(template(source({ path: '/d' })).route, '{other}');
  assert.equal(template(source({ path: '/a' })).route, '/a');
  assert.equal(template(source({ path: '/d', host: 'other' })).route, '/d');
  assert.equal(template(source({ route: '/e/{id}', path: '/e/1' })).route, '{other}');
  assert.equal(overflowed(), 2);
});

test("a scanner's guesses (404) take at most half of the places, and a route that answers takes its own", () => {
  const { template } = createRouteTemplater({ routesPerHostMax: 10 });
  const guesses = 'abcdefghijklmnopqrstuvwxyz'
    .split('')
    .map((name) => template(source({ path: `/guess-${name}`, status: 404 })).route);
  assert.equal(guesses.filter((route) => route !== '{other}').length, 5);
  assert.equal(template(source({ path: '/real' })).route, '/real');
  assert.equal(template(source({ path: '/guess-a' })).route, '/guess-a');
  assert.equal(template(source({ path: '/guess-z', status: 404 })).route, '/guess-z');
});

test('hosts beyond the limit share one set of routes, so that a Host header cannot fill memory', () => {
  const { template } = createRouteTemplater({ hostsMax: 2, routesPerHostMax: 1 });
  for (const host of ['a', 'b', 'c']) template(source({ host, path: '/x' }));
  assert.equal(template(source({ host: 'd', path: '/y' })).route, '{other}');
});

test('long and deep paths stay bounded', () => {
  assert.equal(templatePath('/a'.repeat(1000)).route, `${'/a'.repeat(24)}/{rest}`);
  assert.ok(templatePath(`/${'x'.repeat(5000)}`).route.length <= 512);
});
