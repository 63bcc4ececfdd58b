import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parsePolicyFile } from '../../src/config/policy-file.ts';
import type { Finding } from '../../src/finding/finding.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Shard, type ShardOptions, type ShardOutput } from '../../src/pipeline.ts';
import { createPolicy } from '../../src/policy/decide.ts';
import type { Model } from '../../src/score/model.ts';
import type { Roc } from './roc.ts';

/** One verdict, reduced to what is measured. */
export type Seen = {
  readonly eventId: string;
  readonly ts: number;
  readonly surprise: number;
  readonly evidence: number;
};

export type Run = {
  /** In the order of the shard. */
  readonly seen: readonly Seen[];
  /** Each in its final state, with the time of the event that named it first. */
  readonly findings: readonly { readonly finding: Finding; readonly raisedAt: number }[];
};

export type EvaluationSet = {
  readonly name: string;
  readonly events: () => Iterable<ResolvedEvent>;
  readonly measure: (run: Run) => Measured;
};

export type Measured = {
  readonly meanSurprise: Roc;
  readonly evidence: Roc;
  /** What is counted as an incident, and what became of the findings; null where a set cannot say. */
  readonly incidents: number;
  readonly findings: {
    readonly raised: number;
    readonly total: number;
    readonly false: number;
    /** Per 1,000 active identities per 30 days. */
    readonly falseRate: number;
  } | null;
};

const policyFile = fileURLToPath(new URL('../../../pipelines/detect/default.yaml', import.meta.url));
/** As `gait replay` without a configuration. */
const options: Omit<ShardOptions, 'model' | 'policy'> = {
  shard: 0,
  reorderWindowMs: 250,
  allowedLatenessMs: 300_000,
  identitiesMax: 1_000_000,
  activeMax: 65_536,
  duplicateWindow: 262_144,
  findingsPer1000PerDay: 1,
};

/** All of a set through one shard, as `gait replay` would. */
export function runShard(events: Iterable<ResolvedEvent>, model: Model | null): Run {
  const policy = createPolicy(parsePolicyFile(readFileSync(policyFile, 'utf8'), policyFile));
  const shard = new Shard({ ...options, model, policy });
  const seen: Seen[] = [];
  const findings = new Map<string, Finding>();
  const raisedAt = new Map<string, number>();
  const take = (output: ShardOutput): void => {
    for (const { resolved, surprise, evidence, findings: named } of output.verdicts) {
      const { ts } = resolved.event;
      seen.push({ eventId: resolved.event_id, ts, surprise, evidence });
      for (const id of named) if (!raisedAt.has(id)) raisedAt.set(id, ts);
    }
    for (const finding of output.findings) findings.set(finding.finding_id, finding);
  };
  let count = 0;
  for (const event of events) {
    shard.accept(event);
    if (++count % 500 === 0) take(shard.drain());
  }
  shard.flush();
  take(shard.drain());
  return {
    seen,
    findings: [...findings.values()].map((finding) => ({
      finding,
      raisedAt: raisedAt.get(finding.finding_id) ?? finding.first_seen,
    })),
  };
}

/** A file of one of the bundled sets. */
export function readSet(path: string): Buffer {
  return readFileSync(new URL(`../../../pipelines/evaluate/sets/${path}`, import.meta.url));
}
