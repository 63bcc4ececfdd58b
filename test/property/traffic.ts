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

/** One call: mostly what the identity always does, now and then something else, at some distance from the call before. */
const step = fc.record({
  who: fc.integer({ min: 0, max: 5 }),
  habit: fc.integer({ min: 0, max: 2 }),
  oddRoute: fc.option(fc.integer({ min: 0, max: 40 }), { freq: 12 }),
  oddNetwork: fc.option(fc.integer({ min: 0, max: 250 }), { freq: 15 }),
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

export const steps = fc.array(step, { minLength: 60, maxLength: 300, size: 'max' });

export function trafficOf(plan: readonly Step[], idOf: (index: number) => string = (i) => `e${i}`): ResolvedEvent[] {
  let ts = start;
  return plan.map((s, i) => {
    ts += s.gapMs;
    const route = s.oddRoute === null ? `/api/${s.who % 3}/${s.habit}` : `/admin/${s.oddRoute}`;
    return resolved(idOf(i), `u${s.who}`, {
      ts: ts - s.late,
      route,
      path: route,
      method: s.habit === 2 ? 'POST' : 'GET',
      status: s.status,
      client_ip: s.oddNetwork === null ? `10.0.${s.who}.7` : `203.${s.oddNetwork}.1.1`,
      user_agent: `client/${s.who % 2}.0`,
      response_bytes: s.bytes,
      enforced: s.enforced,
      tenant: 'acme',
    });
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
