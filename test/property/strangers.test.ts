import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parsePolicyFile } from '../../src/config/policy-file.ts';
import { createDecoder } from '../../src/event/decode/decoder.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { createRouteTemplater } from '../../src/event/route-template.ts';
import { createIngest } from '../../src/identity/ingest.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { createPolicy } from '../../src/policy/decide.ts';
import { callerNamed, DecisionTable } from '../../src/policy/decision-table.ts';
import { eventsOf } from '../scenario/play.ts';
import { Outputs, shardWith } from './traffic.ts';

const calls = 10_000;
const file = join(import.meta.dirname, '../../../pipelines/detect/default.yaml');
/** The shipped rules, in earnest. */
const enforcing = parsePolicyFile(readFileSync(file, 'utf8').replace('\nmode: shadow', '\nmode: enforce'), file);
const ordinary = eventsOf('innocent-ordinary-days');
/** Somebody with a session, who goes on calling after the strangers have come. */
const own = ordinary.filter(({ identity }) => identity === 'user:acme:clerk-05');
const { event: last } = own.at(-40)!;
const startMs = last.ts;

/** Lines of gateways, through ingest as it is. */
function ingested(format: 'envoy' | 'canonical', lines: readonly object[]): readonly ResolvedEvent[] {
  const redactor = createRedactor({ hmacKey: 'a key for tests only' });
  const ingest = createIngest({
    sourceFor: () => ({ decoder: createDecoder({ format, redactor }), tenant: 'acme' }),
    redactor,
    templater: createRouteTemplater(),
  });
  return lines.flatMap((line, offset) => {
    const position = { topic: `strangers-${format}`, partition: 0, offset, index: 0 };
    return ingest.ingest(JSON.stringify(line), position, startMs + 86_400_000).events;
  });
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const address = (i: number): string => `203.0.113.${i % 250}`;

/** Forged, expired and foreign tokens that name the victim, its session and its token, as Envoy logs what it refuses. */
function badTokens(): readonly ResolvedEvent[] {
  const claims = { sub: 'clerk-05', sid: last.session_id, jti: last.token_id, exp: 1 };
  const kinds = [
    { response_code: 401, response_code_details: 'jwt_authn_access_denied{Jwt_verification_fails}' },
    { response_code: 401, response_code_details: 'jwt_authn_access_denied{Jwt_is_expired}' },
    { response_code: 403, response_code_details: 'jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed}' },
  ];
  return ingested(
    'envoy',
    Array.from({ length: calls }, (_, i) => ({
      start_time: new Date(startMs + i * 100).toISOString(),
      request_id: `bad-${i}`,
      method: i % 2 === 0 ? 'DELETE' : 'GET',
      path: `/admin/exports/${i}`,
      authority: last.host ?? 'api.example.com',
      downstream_remote_address: address(i),
      authorization: `Bearer ${part({ alg: 'RS256' })}.${part(claims)}.c2ln`,
      response_flags: '-',
      ...kinds[i % kinds.length],
    })),
  );
}

function failedLogins(): readonly ResolvedEvent[] {
  return ingested(
    'canonical',
    Array.from({ length: calls }, (_, i) => ({
      ts: startMs + i * 100 + 50,
      event_id: `login-${i}`,
      subject: 'clerk-05',
      session_id: last.session_id,
      client_ip: address(i),
      method: 'POST',
      path: '/login',
      status: i % 2 === 0 ? 401 : 200,
      auth_result: 'failure',
    })),
  );
}

function run(events: readonly ResolvedEvent[]): Outputs {
  const shard = shardWith({ findingsPer1000PerDay: 1, policy: createPolicy(enforcing) });
  const outputs = new Outputs();
  for (const event of events) shard.accept(event);
  shard.flush();
  outputs.drain(shard);
  return outputs;
}

test('nobody can be locked out by strangers: bad tokens and failed log-ins in somebody’s name change nothing for him', () => {
  const strangers = [...badTokens(), ...failedLogins()];
  assert.equal(strangers.length, 2 * calls);
  const victim = own[0]!.identity;
  for (const { identity, claimed_identity } of strangers) {
    assert.ok(identity.startsWith('address:'), identity);
    assert.equal(claimed_identity, victim);
  }
  const outputs = run([...ordinary, ...strangers].sort((a, b) => a.event.ts - b.event.ts));
  const quiet = run(ordinary);
  const about = <T extends { readonly identity: string }>(list: Iterable<T>): readonly T[] =>
    [...list].filter(({ identity }) => identity === victim || identity.startsWith('session:'));

  assert.deepEqual(about(outputs.findings.values()), about(quiet.findings.values()));
  assert.deepEqual(about(outputs.decisions), []);
  const numbers = ({ verdicts }: Outputs) =>
    about(verdicts as unknown as readonly { readonly identity: string; readonly risk: number }[]).map(
      ({ risk }) => risk,
    );
  assert.deepEqual(numbers(outputs), numbers(quiet));
  assert.ok(outputs.decisions.length > 0, 'the strangers themselves are dealt with');

  const table = new DecisionTable(100_000);
  for (const decision of outputs.decisions) table.apply(decision, startMs);
  const { session_id: sessionId, token_id: tokenId, client_ip: clientIp } = last;
  const found = table.find(callerNamed({ identity: victim, tenant: 'acme', sessionId, tokenId, clientIp }), startMs);
  assert.equal(found, undefined);
});
