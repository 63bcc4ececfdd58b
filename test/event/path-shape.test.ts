import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRedactor } from '../../src/event/redact.ts';
import { redactPath } from '../../src/event/redact-path.ts';
import { createRouteTemplater, type RouteSource, templatePath } from '../../src/event/route-template.ts';

const source: RouteSource = { route: null, path: null, operation: null, method: 'GET', host: 'h', status: 200 };
const id = '123e4567-e89b-12d3-a456-426614174000';

/** Few words, so that shapes come again, among them all that redaction and templates look for. */
const segment = fc.oneof(
  fc.constantFrom(
    '',
    'orders',
    'v1',
    'reset',
    'token',
    'api-keys',
    'a;b=c',
    'bot12:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw',
  ),
  fc.constantFrom(
    id,
    id.toUpperCase(),
    `${id}x`,
    '3f9a8b7c6d5e4f3a2b1c',
    'eyJhbGciOiJIUzI1NiJ9',
    '2024-05-06',
    'é',
    '%3Dkey',
  ),
  fc.constantFrom('17.pdf', 'password=hunter2', 'u:p@h', '-12', 'cus_Nf31Qz81', '10.0.0.1', '***'),
  fc.integer({ min: 0 }).map(String),
  fc.constantFrom('1'.repeat(15), '1'.repeat(16), '1'.repeat(40)),
);
const name = fc.constantFrom(
  'page',
  'q',
  'access_token',
  '',
  'a b',
  'x'.repeat(30),
  'sk_live_0123456789abcdef',
  'Page',
);
const pair = fc.oneof(
  name,
  fc.tuple(name, fc.constantFrom('', '1', 'hunter2', id, 'a=b', 'é', '?')).map((p) => p.join('=')),
);
const path = fc
  .tuple(
    fc.constantFrom('/', '/', '/', '', 'http://u:p@h/', '//x@y/'),
    fc.array(segment, { maxLength: 4 }),
    fc.constantFrom('', '', '/'),
    fc.option(fc.array(pair, { maxLength: 3 }), { freq: 2 }),
    fc.constantFrom('', '', '#top', '#a?b'),
  )
  .map(([start, segments, end, query, fragment]) => {
    return start + segments.join('/') + end + (query === null ? '' : `?${query.join('&')}`) + fragment;
  });

test('a path that is read by its shape is redacted and templated as one that is read for the first time', () => {
  for (const listedQueryNames of [[], ['page']]) {
    const listed = new Set(listedQueryNames);
    const redactor = createRedactor({ hmacKey: 'a key for tests only', listedQueryNames });
    const { template } = createRouteTemplater({ routesPerHostMax: 1e6 });
    fc.assert(
      fc.property(path, (raw) => {
        const kept = redactor.path(raw);
        assert.equal(kept, redactPath(raw, listed));
        const head = kept.split('?', 1)[0]!;
        const expected = templatePath(head.startsWith('http://') ? head.slice(head.indexOf('/', 7)) : head);
        assert.deepEqual(template({ ...source, path: kept }), expected);
        assert.deepEqual(template({ ...source, path: `${kept}?` }).route, expected.route);
      }),
      { numRuns: 20_000 },
    );
  }
});

test('two redactors that keep different names share shapes and nothing else', () => {
  const open = createRedactor({ hmacKey: 'a key for tests only', listedQueryNames: ['page'] });
  const closed = createRedactor({ hmacKey: 'a key for tests only' });
  const { template } = createRouteTemplater();
  for (const page of ['1', '2', '3']) {
    const raw = `/orders/${page}?page=${page}`;
    assert.equal(closed.path(raw), `/orders/${page}?page`);
    assert.deepEqual(template({ ...source, path: closed.path(raw) }), { route: '/orders/{id}', objects: [page] });
    assert.equal(open.path(raw), raw);
    assert.deepEqual(template({ ...source, path: open.path(raw) }), { route: '/orders/{id}', objects: [page] });
  }
});
