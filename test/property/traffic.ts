import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { parsePolicyFile } from '../../src/config/policy-file.ts';
import { emptyEvent, type TrafficEvent } from '../../src/event/traffic-event.ts';
import type { Finding } from '../../src/finding/finding.ts';
import type { IdentityKey, ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Shard, type ShardOptions, type Verdict } from '../../src/pipeline.ts';
import { createPolicy } from '../../src/policy/decide.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { readFusion } from '../../src/score/fusion-folder.ts';

const shippedFusion = readFusion(join(import.meta.dirname, '../../../models/fusion-v3'));

const policyPath = join(import.meta.dirname, '../../../pipelines/detect/default.yaml');
const policy = parsePolicyFile(readFileSync(policyPath, 'utf8'), policyPath);
/** A Monday. */
export const start = Date.UTC(2026, 5, 1);

/** A shard whose budget is so generous that short traffic opens, raises and closes findings. */
export function shardWith(options: Partial<ShardOptions> = {}): Shard {
  return new Shard({
    shard: 0,
    reorderWindowMs: 250,
    allowedLatenessMs: 300_000,
    identitiesMax: 1000,
    activeMax: 65_536,
    fusion: shippedFusion,
    duplicateWindow: 4096,
    findingsPer1000PerDay: 300,
    model: null,
    policy: createPolicy(policy),
    ...options,
  });
}

export function resolved(id: string, who: string, fields: Partial<TrafficEvent>): ResolvedEvent {
  const event = { ...emptyEvent(), ts: start, method: 'GET', status: 200, ...fields, event_id: id };
  return {
    identity: `user:acme:${who}` as IdentityKey,
    identity_kind: 'user',
    claimed_identity: null,
    event_id: id,
    route: event.route ?? '/',
    object_ids: [],
    event,
    position: null,
  };
}

/** What a call may have that its identity's usual ones have not: each is what one family or another looks at. */
const oddities = [
  ...(['object', 'foreign', 'bulk', 'delete', 'program', 'expired', 'elsewhere', 'right', 'stranger'] as const),
  ...(['renewed', 'language', 'nobody', 'alone'] as const),
] as const;

/** A few calls of one identity: mostly what it always does, now and then something else, at some distance from those before. */
const step = fc.record({
  who: fc.integer({ min: 0, max: 5 }),
  habit: fc.integer({ min: 0, max: 2 }),
  oddRoute: fc.option(fc.integer({ min: 0, max: 40 }), { freq: 12 }),
  oddNetwork: fc.option(fc.integer({ min: 0, max: 250 }), { freq: 15 }),
  odd: fc.option(fc.constantFrom(...oddities), { freq: 5 }),
  detail: fc.integer({ min: 0, max: 30 }),
  /** The habit's call again and again; once, and it comes after the calls of the habits before it. */
  times: fc.oneof({ weight: 12, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 12 })),
  status: fc.oneof({ weight: 12, arbitrary: fc.constant(200) }, fc.constantFrom(401, 403, 404, 503)),
  gapMs: fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom(0, 0, 30, 400, 3000, 9990, 45_000, 600_000, 7_200_000) },
    fc.constant(4 * 86_400_000),
  ),
  bytes: fc.integer({ min: 0, max: 5000 }),
  enforced: fc.oneof({ weight: 40, arbitrary: fc.constant(false) }, fc.constant(true)),
  late: fc.oneof({ weight: 40, arbitrary: fc.constant(0) }, fc.constantFrom(200, 5000, 400_000)),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

export const steps = fc.array(step, { minLength: 60, maxLength: 160, size: 'max' });

/** The part of the call that the families of tokens, objects, rights and places look at. */
function circumstances(s: Step, ts: number): Partial<TrafficEvent> {
  const { odd, detail } = s;
  const seconds = Math.floor(ts / 1000);
  // The third of them is a machine with a key; the others are people whose tokens live for an hour.
  const isMachine = s.who === 2;
  const issued = seconds - (seconds % 3600);
  const token = odd === 'renewed' ? `t${s.who}-${detail}` : `t${s.who}-${issued}`;
  const away = odd === 'elsewhere';
  return {
    actor_kind: isMachine ? 'service' : 'human',
    ...(isMachine
      ? { api_key: 'k2', client_id: 'batch' }
      : { session_id: s.who === 1 ? token : null, token_id: token, client_id: 'app' }),
    token_iat: issued,
    token_exp: odd === 'expired' ? seconds - 600 * detail : issued + 3600,
    auth_time: issued,
    roles: s.who === 4 ? ['admin'] : ['clerk'],
    scopes: odd === 'right' ? ['read', `scope${detail}`] : ['read'],
    user_agent: odd === 'program' ? `program${detail}/1` : `client/${s.who % 2}.0`,
    ja4: odd === 'program' ? `t13d${detail}` : `t13d-${s.who % 2}`,
    tz: odd === 'language' ? '-0800' : '+0100',
    country: away ? ['US', 'JP', 'BR'][detail % 3]! : 'FR',
    latitude: away ? (detail % 3) * 20 : 48.8,
    longitude: away ? 100 - detail : 2.3,
    asn: away ? 64_500 + detail : null,
    method: odd === 'delete' ? 'DELETE' : s.habit === 2 ? 'POST' : 'GET',
    rows: odd === 'bulk' ? detail * 1000 : 1,
    sensitive: odd === 'bulk' ? { email: detail * 100 } : null,
    request_bytes: s.bytes >> 3,
  };
}

function objectsOf({ who, odd, detail, bytes }: Step): readonly string[] {
  if (odd === 'object' || odd === 'delete') return [String(1000 + detail), String(1001 + detail)];
  return odd === 'foreign' ? [`doc-${(who + 1) % 6}-${bytes % 4}`] : [`doc-${who}-${bytes % 4}`];
}

/** Who makes the call: a call that was refused is its address's, and one without a name is nobody's. */
function callerOf({ who, odd, detail, status }: Step, address: string): Partial<ResolvedEvent> {
  if (odd !== 'nobody' && odd !== 'stranger' && status !== 401) return {};
  const claimed = odd === 'nobody' ? null : `user:acme:${odd === 'stranger' ? `x${detail}` : `u${who}`}`;
  return {
    identity: `address:acme:${address}` as IdentityKey,
    identity_kind: 'address',
    claimed_identity: claimed as IdentityKey | null,
  };
}

/** The single calls of a step, each a little after the one before: one habit leads to the next, and what is repeated goes on to other objects. */
function callsOf(s: Step): Step[] {
  const count = s.times > 1 ? s.times : s.odd === 'alone' ? 1 : s.habit + 1;
  return Array.from({ length: count }, (_, k) => ({
    ...s,
    gapMs: k === 0 ? s.gapMs : 200,
    habit: s.times > 1 ? s.habit : s.habit + 1 - count + k,
    detail: s.detail + (s.times > 1 ? k : 0),
  }));
}

export function trafficOf(plan: readonly Step[], idOf: (index: number) => string = (i) => `e${i}`): ResolvedEvent[] {
  let ts = start;
  return plan.flatMap(callsOf).map((s, i) => {
    ts += s.gapMs;
    const route = s.oddRoute === null ? `/api/${s.who % 3}/${s.habit}` : `/admin/${s.oddRoute}`;
    const address =
      s.odd === 'stranger' ? '198.51.100.9' : s.oddNetwork === null ? `10.0.${s.who}.7` : `203.${s.oddNetwork}.1.1`;
    const event = resolved(idOf(i), `u${s.who}`, {
      ts: ts - s.late,
      route,
      path: route,
      client_ip: address,
      response_bytes: s.bytes,
      enforced: s.enforced,
      tenant: 'acme',
      ...circumstances(s, ts - s.late),
      status: s.odd === 'stranger' ? 401 : s.status,
    });
    return { ...event, object_ids: objectsOf(s), ...callerOf(s, address) };
  });
}

export type Outcome = {
  readonly verdicts: readonly object[];
  readonly findings: ReadonlyMap<string, Finding>;
  readonly decisions: readonly Decision[];
};

/** What `shard` said so far, gathered over any number of drains. */
export class Outputs {
  readonly verdicts: ReturnType<typeof numbersOf>[] = [];
  readonly findings = new Map<string, Finding>();
  readonly decisions: Decision[] = [];

  drain(shard: Shard): void {
    const output = shard.drain();
    for (const verdict of output.verdicts) this.verdicts.push(numbersOf(verdict));
    for (const finding of output.findings) this.findings.set(finding.finding_id, finding);
    this.decisions.push(...output.decisions);
  }
}

function numbersOf({ resolved: { event_id, identity, event }, ...numbers }: Verdict) {
  return { event_id, identity, ts: event.ts, ...numbers };
}

/** Everything in one go, and what it led to. */
export function runAll(events: readonly ResolvedEvent[], shard = shardWith()): Outputs {
  const outputs = new Outputs();
  for (const event of events) shard.accept(event);
  shard.flush();
  outputs.drain(shard);
  return outputs;
}

/** What must not depend on how the events of different identities were interleaved. */
export function claimsOf({ findings }: Outputs): readonly string[] {
  return [...findings.values()].map(({ finding_id, kind, severity }) => `${finding_id} ${kind} ${severity}`).sort();
}
