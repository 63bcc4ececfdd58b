import type { DetectorName } from '../baseline/row-layout.ts';
import { derivedId } from '../core/hash.ts';
import type { Contribution } from '../score/contribution.ts';
import { addToCase, type CaseFile, causeOf, reasonsOf } from './case-file.ts';
import { titleOf } from './claim.ts';
import type { Finding, Severity } from './finding.ts';
import { kinds } from './kinds.ts';
import type { Child } from './lineage.ts';

export const descentFeature = 'source.maker';
export const descentKind = 'suspect_origin';

export type DescentOf = {
  readonly child: Child;
  /** What is claimed of its maker. */
  readonly because: Finding;
  readonly severity: Severity;
  /** The child's case; what is said here is added to it. */
  readonly file: CaseFile;
  /** What a claim needs, nats: its maker's had at least that. */
  readonly nats: number;
  /** The child's newest call. */
  readonly lastSeen: number;
  readonly shard: number;
  readonly seq: number;
};

/** Detectors that say that it is somebody else, or not allowed: a busy day says nothing of those who were made on it. */
const ofSomebodyElse: ReadonlySet<string> = new Set(['behaviour', 'token', 'reach', 'patterns', 'source']);

/** Whether what is claimed of an identity says something of those it made: not what a child is told for itself, or its children's children would be told of. */
export function hasDescent({ kind, severity }: Finding, detector: DetectorName): boolean {
  return kind !== descentKind && severity !== 'low' && ofSomebodyElse.has(detector);
}

/**
 * The claim that an identity was made by one about which something is claimed: of the same incident, as sure as that one, and a step less severe, for by
 * itself it has done nothing.
 */
export function descentFinding({ child, because, severity, file, nats, lastSeen, shard, seq }: DescentOf): Finding {
  const { event_id, ts } = child;
  const { route, clientIp } = child.call;
  const contributions = [sayDescent(child, because, nats)];
  addToCase(file, { event_id, ts, route, clientIp, surprise: 0, success: true, contributions, keepsOpen: true });
  const reasons = reasonsOf(file, (feature) => feature === descentFeature);
  return {
    finding_id: derivedId('fnd', [child.identity, descentKind, ts]),
    kind: descentKind,
    identity: child.identity,
    identity_kind: child.kind,
    tenant: child.tenant,
    incident_id: because.incident_id,
    state: 'open',
    suppressed_by: '',
    severity,
    confidence: because.confidence,
    first_seen: ts,
    last_seen: Math.max(ts, lastSeen),
    count: file.count,
    surprise: file.surprise,
    risk: 0,
    title: titleOf({ identity: child.identity, identity_kind: child.kind }, descentKind, reasons),
    reasons,
    cause: causeOf(file, (family) => !descentFeature.startsWith(`${family}.`)),
    event_ids: file.examples.map((example) => example.event_id),
    owasp: kinds[descentKind].owasp,
    attack: kinds[descentKind].attack,
    shard,
    version: seq,
  };
}

function sayDescent({ peers }: Child, { identity, identity_kind, kind }: Finding, nats: number): Contribution {
  const name = `${identity_kind} ${identity.split(':').slice(2).join(':')}`;
  return {
    ...{ feature: descentFeature, nats, peers },
    observed: {
      ...{ observed: identity, expected: 'nobody about whom something is claimed', low: null, high: null },
      ...{ level: 'everyone', sampleSize: 1 },
      text: `${name}, which ${kinds[kind].claim}, made or changed it before its first call`,
    },
  };
}
