import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GaitError } from '../../src/core/errors.ts';
import type { Queries } from '../../src/http/parts.ts';
import { ask, sampleParts, serve } from './client.ts';
import { sampleFinding } from './sample.ts';

type Document = {
  readonly openapi: string;
  readonly paths: Record<
    string,
    Record<
      string,
      { summary?: string; responses?: object; parameters?: object[]; requestBody?: { readonly content: object } }
    >
  >;
};

test('findings and decisions are listed, one finding is told by its id, an unknown one is 404', async (t) => {
  const server = await serve(sampleParts());
  t.after(server.close);
  assert.deepEqual(JSON.parse((await ask(server, '/v1/findings')).text), { findings: [sampleFinding()], next: null });
  assert.equal((await ask(server, `/v1/findings/${sampleFinding().finding_id}`)).status, 200);
  assert.equal((await ask(server, '/v1/findings/fnd_none')).status, 404);
  assert.equal((await ask(server, '/v1/identities/user:acme:zoe')).status, 404);
  assert.match((await ask(server, '/v1/decisions?mode=shadow')).text, /"decision_id":"dec_1"/);
  assert.match((await ask(server, '/v1/decisions/dec_1')).text, /"receipts":\[\]/);
});

test('filters and the cursor of the page before reach the query as they are', async (t) => {
  const asked: unknown[] = [];
  const findings: Queries['findings'] = async (filter) => {
    asked.push({ ...filter });
    return { rows: [], next: filter.cursor === undefined ? '5_fnd_2' : undefined };
  };
  const server = await serve(sampleParts({ queries: { ...sampleParts().queries, findings } }));
  t.after(server.close);
  const first = await ask(
    server,
    '/v1/findings?limit=2&kind=rate_spike&state=open&since=17&identity=user%3Aacme%3Azoe',
  );
  assert.deepEqual(JSON.parse(first.text), { findings: [], next: '5_fnd_2' });
  assert.deepEqual(JSON.parse((await ask(server, '/v1/findings?cursor=5_fnd_2')).text), { findings: [], next: null });
  assert.deepEqual(asked, [
    { limit: 2, kind: 'rate_spike', state: 'open', since: 17, identity: 'user:acme:zoe' },
    { limit: 50, cursor: '5_fnd_2' },
  ]);
});

test('a filter or cursor that does not exist is refused instead of answered with everything', async (t) => {
  const server = await serve(sampleParts());
  t.after(server.close);
  for (const query of [
    'sevrity=high',
    'severity=huge',
    'limit=0',
    'limit=501',
    'limit=x',
    'cursor=!!',
    'cursor=bm9uc2Vuc2U',
    'since=1e20',
  ]) {
    const answer = await ask(server, `/v1/findings?${query}`);
    assert.equal(answer.status, 400, query);
    assert.match(answer.text, /^\{"error":\{"code":"invalid-/);
    if (query === 'sevrity=high') assert.match(answer.text, /additional properties: sevrity"/);
    if (query === 'severity=huge') assert.match(answer.text, /allowed values: low, medium, high, critical"/);
  }
});

test('readiness names each part, and is 503 when one is away', async (t) => {
  const parts = { log: { ok: true, detail: 'kafka' }, store: { ok: false, detail: 'unreachable' } };
  const server = await serve(sampleParts({ readiness: async () => ({ ready: false, parts }) }));
  t.after(server.close);
  const answer = await ask(server, '/readyz');
  assert.equal(answer.status, 503);
  assert.deepEqual(JSON.parse(answer.text), { ready: false, parts });
  assert.equal((await ask(server, '/healthz')).status, 200);
});

test('a failure inside is told to the log in full and to the caller as a code', async (t) => {
  const failing = (error: Error) => async () => Promise.reject(error);
  const queries = {
    ...sampleParts().queries,
    findings: failing(new GaitError('STORE_UNAVAILABLE', 'http://gait:pw@clickhouse:8123 refused')),
    decisions: failing(new TypeError('undefined is not a table')),
  };
  const server = await serve(sampleParts({ queries }));
  t.after(server.close);
  const away = await ask(server, '/v1/findings');
  assert.equal(away.status, 503);
  assert.equal(away.headers['retry-after'], '5');
  const broken = await ask(server, '/v1/decisions');
  assert.equal(broken.status, 500);
  assert.doesNotMatch(away.text + broken.text, /clickhouse|table|stack|\.ts/);
  assert.match(server.logged.join(''), /undefined is not a table/);
});

test('every answer with a body, errors included, forbids scripts, framing, sniffing and storing', async (t) => {
  const server = await serve(sampleParts());
  t.after(server.close);
  for (const path of ['/v1/findings', '/nowhere', '/%', '/metrics', '/openapi.json']) {
    const { headers } = await ask(server, path);
    assert.match(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/, path);
    assert.doesNotMatch(String(headers['content-security-policy']), /unsafe|script-src/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['access-control-allow-origin'], undefined);
  }
});

test('what is not there is 404 and a broken address is 400, as JSON', async (t) => {
  const server = await serve(sampleParts());
  t.after(server.close);
  assert.deepEqual(JSON.parse((await ask(server, '/wp-login.php')).text).error.code, 'not-found');
  assert.equal((await ask(server, '/v1/events')).status, 404);
  assert.equal((await ask(server, '/v1/findings/%E0%A4%A')).status, 400);
});

test('who has shown no key sends no large body, wherever to', async (t) => {
  const ssf = { transmitter: undefined, receive: async () => ({ kind: 'accepted' }) as const };
  const server = await serve(sampleParts({ ssf }), { bodyBytesMax: 8 * 1024 * 1024 });
  t.after(server.close);
  const headers = { 'content-type': 'application/secevent+jwt' };
  const body = 'x'.repeat(65 * 1024);
  for (const path of ['/nothing', '/clickhouse/ping', '/ssf/receive'])
    assert.equal((await ask(server, path, { method: 'POST', headers, body })).status, 413, path);
});

test('the OpenAPI document describes every route with its parameters, body and answers', async (t) => {
  const server = await serve(sampleParts());
  t.after(server.close);
  const document = JSON.parse((await ask(server, '/openapi.json')).text) as Document;
  assert.match(document.openapi, /^3\.1/);
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  const ofCalls = routes.filter((route) => route.endsWith(' /authz'));
  assert.equal(ofCalls.length, 7, 'a call is asked about with its own method');
  assert.deepEqual(routes.filter((route) => !ofCalls.includes(route)).sort(), [
    'delete /v1/session',
    'delete /v1/suppressions/{id}',
    'delete /v1/verdicts/{id}',
    'get /clickhouse',
    'get /clickhouse/',
    'get /clickhouse/ping',
    'get /healthz',
    'get /metrics',
    'get /openapi.json',
    'get /readyz',
    'get /v1/audit',
    'get /v1/decisions',
    'get /v1/decisions/stream',
    'get /v1/decisions/{id}',
    'get /v1/detections',
    'get /v1/findings',
    'get /v1/findings/{id}',
    'get /v1/findings/{id}/context',
    'get /v1/identities',
    'get /v1/identities/{id}',
    'get /v1/identities/{id}/explain-decision',
    'get /v1/identities/{id}/profile',
    'get /v1/incidents',
    'get /v1/incidents/{id}',
    'get /v1/incidents/{id}/report',
    'get /v1/ingest',
    'get /v1/noise',
    'get /v1/opa/bundle.tar.gz',
    'get /v1/overview',
    'get /v1/session',
    'get /v1/settings',
    'get /v1/stream',
    'get /v1/suppressions',
    'get /v1/verdicts',
    'post /clickhouse',
    'post /clickhouse/',
    'post /v1/decisions',
    'post /v1/decisions/{id}/restore',
    'post /v1/events',
    'post /v1/findings/{id}/verdict',
    'post /v1/incidents/{id}',
    'post /v1/session',
    'post /v1/suppressions',
    'post /v1/suppressions/preview',
  ]);
  for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    assert.ok(operation.summary);
    assert.ok(Object.keys(operation.responses ?? {}).length > 0);
  }
  const events = document.paths['/v1/events']?.post;
  assert.deepEqual(Object.keys(events?.requestBody?.content ?? {}), [
    'application/json',
    'application/x-ndjson',
    'application/jsonl',
  ]);
  assert.deepEqual(Object.keys(events?.responses ?? {}), ['202', '400', '401', '403', '413', '415', '429', '503']);
  assert.equal(document.paths['/v1/findings']?.get?.parameters?.length, 7);
});

test('metrics are exposed under their names, labels and sums', async (t) => {
  const parts = sampleParts();
  const server = await serve(parts);
  t.after(server.close);
  parts.metrics.eventsIn('api-traffic', 500);
  parts.metrics.deadLettered('invalid-json', 2);
  parts.metrics.lag('gait.events', 3, 17);
  parts.metrics.verdictLatency(0.26);
  parts.metrics.identitiesHeld(0, 10);
  parts.metrics.identitiesHeld(1, 5);
  parts.metrics.activeHeld(1, 4);
  parts.metrics.activeEvicted(3);
  parts.metrics.findings('rate_spike', 'high');
  parts.metrics.signals('step-up', 'shadow');
  parts.metrics.inserted('findings', 40);
  parts.metrics.delivered('edge', 'delivered');
  const { text, headers } = await ask(server, '/metrics');
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
  for (const line of [
    'gait_events_in_total{source="api-traffic"} 500',
    'gait_dead_lettered_total{reason="invalid-json"} 2',
    'gait_lag_records{topic="gait.events",partition="3"} 17',
    'gait_verdict_latency_seconds_bucket{le="0.3"} 1',
    'gait_identities_held{shard="1"} 5',
    'gait_active_identities_held{shard="1"} 4',
    'gait_active_identities_evicted_total 3',
    'gait_findings_total{kind="rate_spike",severity="high"} 1',
    'gait_signals_total{action="step-up",mode="shadow"} 1',
    'gait_insert_batches_total{table="findings"} 1',
    'gait_insert_rows_total{table="findings"} 40',
    'gait_deliveries_total{target="edge",state="delivered"} 1',
    'gait_duplicates_total 0',
    'gait_late_total 0',
  ]) {
    assert.ok(text.includes(`\n${line}\n`), line);
  }
  for (const name of text.matchAll(/^# TYPE (\S+)/gm)) assert.match(name[1]!, /^gait_/);
});

test('an address that is taken is one clear error', async (t) => {
  const server = await serve(sampleParts());
  t.after(server.close);
  const port = Number(new URL(server.address).port);
  await assert.rejects(serve(sampleParts(), { port }), {
    code: 'CONFIG_INVALID',
    message: `cannot listen on 127.0.0.1:${port}: another program does; http.port or GAIT_HTTP_PORT takes another`,
  });
});
