import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parseConfig } from '../../src/config/config.ts';
import { parsePolicyFile } from '../../src/config/policy-file.ts';
import { createDecoder } from '../../src/event/decode/decoder.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { createRouteTemplater } from '../../src/event/route-template.ts';
import { createIngest } from '../../src/identity/ingest.ts';
import { Shard } from '../../src/pipeline.ts';
import { createPolicy } from '../../src/policy/decide.ts';
import { assembleFusion } from '../../src/role/assemble.ts';
import { startNginx } from './enforce-nginx.ts';
import { bearer, freePort, hmacKey, missing, startApi, startGait, walk } from './enforcement.ts';

const skip = missing('nginx', '-v');

test('nginx with the shipped configuration: allow, challenge, clear, throttle, revoke, expire', { skip }, async (t) => {
  const gait = await startGait(t);
  const { call } = await startNginx(t, gait, await startApi(t));
  await walk(gait, call);
});

test('the log names who called and which decision refused, and a caller can put neither there', { skip }, async (t) => {
  const gait = await startGait(t);
  const api = await startApi(t);
  const { call, logged } = await startNginx(t, gait, api);
  const alice = await bearer(gait, 60, { sid: 's1', jti: 't1', azp: 'web' });
  const faked = { ...alice, 'x-gait-decision': 'dec_ffffffffffffffffffffffff', 'x-gait-subject': 'bob' };
  await call(faked);
  const { decision_id } = await gait.publish({ action: 'step-up' });
  await call(faked);
  const [allowed, refused] = await logged(2);
  assert.deepEqual(
    [allowed?.jwt_sub, allowed?.jwt_sid, allowed?.jwt_jti, allowed?.jwt_client_id],
    ['alice', 's1', 't1', 'web'],
  );
  assert.equal(allowed?.upstream_status, '200');
  assert.deepEqual(
    [refused?.jwt_sub, refused?.status, refused?.decision_id, refused?.upstream_status],
    ['alice', '401', decision_id, ''],
  );
});

test('with Gait away nginx lets calls through', { skip }, async (t) => {
  const { call } = await startNginx(t, { port: await freePort() }, await startApi(t));
  assert.equal((await call({})).status, 200);
});

const policy = `version: 1
mode: enforce
guardrails: { activeShareMax: 1 }
rules:
  - { name: any, when: { severityMin: medium }, action: revoke-identity, ttl: 10m, why: It moves as it never did. }
`;

/** A shard that has seen the company's ten days, which end an hour ago. */
function trainedShard(now: number) {
  const outcome = parseConfig(undefined, {});
  assert.ok(outcome.kind === 'ok');
  const { config } = outcome;
  const redactor = createRedactor({ hmacKey });
  const ingest = createIngest({
    sourceFor: () => ({ decoder: createDecoder({ format: 'auto', redactor }), tenant: 'acme' }),
    redactor,
    templater: createRouteTemplater(),
  });
  const fusion = assembleFusion(config);
  const options = { ...config.detect, shard: 0, fusion, model: null, reorderWindowMs: 0 };
  const shard = new Shard({ ...options, policy: createPolicy(parsePolicyFile(policy, 'policy.yaml')) });
  let offset = 0;
  const feed = (topic: string, line: string) => {
    const { events, deadLetters } = ingest.ingest(
      line,
      { topic, partition: 0, offset: offset++, index: 0 },
      now + 86_400_000,
    );
    assert.deepEqual(deadLetters, []);
    for (const event of events) shard.accept(event);
  };
  const folder = join(import.meta.dirname, '../../../test/scenario');
  const lines = gunzipSync(readFileSync(join(folder, 'company.ndjson.gz')))
    .toString('utf8')
    .trim()
    .split('\n');
  const ts = (line: string): number => (JSON.parse(line) as { ts: number }).ts;
  const shift = now - 3_600_000 - ts(lines.at(-1)!);
  for (const line of lines) feed('company', JSON.stringify({ ...(JSON.parse(line) as object), ts: ts(line) + shift }));
  shard.drain();
  /** What came of the next lines of nginx's log: decisions, findings that were touched, calls that counted as ours. */
  const read = (records: readonly Record<string, unknown>[]) => {
    const before = shard.counters.enforced;
    for (const record of records) feed('nginx', JSON.stringify(record));
    shard.flush();
    const { decisions, findings, verdicts } = shard.drain();
    return {
      decisions,
      findings,
      scored: verdicts.filter(({ surprise }) => surprise > 0).length,
      enforced: shard.counters.enforced - before,
    };
  };
  return { read };
}

test('the loop: an attack is refused by nginx, its refused calls are neither scored nor found, and after the end all is as before', {
  skip,
}, async (t) => {
  const gait = await startGait(t, ', tenant: acme');
  const { call, logged } = await startNginx(t, gait, await startApi(t));
  const { read } = trainedShard(Date.now());
  const service = await bearer(gait, 60, { sub: undefined, azp: 'service-3' });
  const flood = async (count: number): Promise<Map<number, number>> => {
    const statuses = new Map<number, number>();
    for (let i = 0; i < count; i++) {
      const { status } = await call({ ...service, 'user-agent': 'acme-worker/2.4' }, `/inventory/${1000 + i}`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    return statuses;
  };
  assert.deepEqual([...(await flood(400))], [[200, 400]]);
  const attack = read(await logged(400));
  assert.equal(attack.enforced, 0);
  const decision = attack.decisions.find(({ identity }) => identity === 'client:acme:service-3');
  assert.ok(decision?.action === 'revoke-identity' && decision.mode === 'enforce', JSON.stringify(attack.decisions));
  await gait.publish(decision);

  assert.deepEqual([...(await flood(300))], [[403, 300]]);
  const refused = read((await logged(700)).slice(400));
  assert.deepEqual([refused.enforced, refused.findings, refused.decisions, refused.scored], [300, [], [], 0]);

  gait.clock.aheadMs += 600_000;
  assert.deepEqual([...(await flood(3))], [[200, 3]]);
  const after = read((await logged(703)).slice(700));
  assert.deepEqual([after.enforced, after.decisions], [0, []]);
});
