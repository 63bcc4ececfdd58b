import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parsePolicyFile } from '../../src/config/policy-file.ts';
import { createDecoder } from '../../src/event/decode/decoder.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { createRouteTemplater } from '../../src/event/route-template.ts';
import { type Finding, type FindingKind, type Severity, severities } from '../../src/finding/finding.ts';
import { createIngest } from '../../src/identity/ingest.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Shard } from '../../src/pipeline.ts';
import { createPolicy } from '../../src/policy/decide.ts';
import { readFusion } from '../../src/score/fusion-folder.ts';
import { loadModel, type Model } from '../../src/score/model.ts';

const shippedFusion = readFusion(join(import.meta.dirname, '../../../models/fusion-v1'));

/** What must be found about an identity. `reasons`: one of these features stands among the finding's reasons. */
export type Expected = {
  readonly identity: string;
  readonly kinds: readonly FindingKind[];
  readonly reasons: readonly string[];
  readonly severityMin: Severity;
  /** Calls of the identity since `from`, after which it must have been found. */
  readonly withinEvents: number;
};

export type Scenario = {
  /** When it begins, RFC 3339. */
  readonly from: string;
  /** Empty for what is innocent: then nothing of severity high may be found from `from` on. */
  readonly findings: readonly Expected[];
  /** Not met today. The test fails when it is met, so that this flag goes. */
  readonly knownMiss?: boolean;
};

/** A finding in one of its states, and how many calls of its identity since the beginning that took. */
export type Stage = { readonly finding: Finding; readonly afterEvents: number };

const repository = join(import.meta.dirname, '../../..');
const policyPath = join(repository, 'pipelines/detect/default.yaml');
const modelPath = join(repository, 'models/deviation-v1');
export const folder = join(repository, 'test/scenario');

export async function shippedModel(): Promise<Model | null> {
  return existsSync(modelPath) ? loadModel({ dir: modelPath, backend: 'wasm' }) : null;
}

/** Lines through ingest, as the sources of a topic would come. */
function ingested(text: string, topic: string): readonly ResolvedEvent[] {
  const redactor = createRedactor({ hmacKey: 'a key for tests only' });
  const ingest = createIngest({
    sourceFor: () => ({ decoder: createDecoder({ format: 'canonical', redactor }), tenant: 'acme' }),
    redactor,
    templater: createRouteTemplater(),
  });
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.flatMap((line, offset) => {
    const { events, deadLetters } = ingest.ingest(
      line,
      { topic, partition: 0, offset, index: 0 },
      Date.UTC(2026, 11, 1),
    );
    if (deadLetters.length > 0) throw new Error(`${topic}, line ${offset}: ${deadLetters[0]!.reason}`);
    return events;
  });
}

let company: readonly ResolvedEvent[] | undefined;

/** The company's days and what happens in the scenario beside them, in order of time. */
export function eventsOf(name: string): readonly ResolvedEvent[] {
  company ??= ingested(gunzipSync(readFileSync(join(folder, 'company.ndjson.gz'))).toString('utf8'), 'company');
  const own = ingested(readFileSync(join(folder, name, 'events.ndjson'), 'utf8'), name);
  return [...company, ...own].sort((a, b) => a.event.ts - b.event.ts);
}

/** Through one shard, with the defaults that are shipped: every state of the findings that were touched from `from` on. */
export function play(events: readonly ResolvedEvent[], scenario: Scenario, model: Model | null): readonly Stage[] {
  const from = Date.parse(scenario.from);
  const watched = new Set(scenario.findings.map(({ identity }) => identity));
  const shard = new Shard({
    shard: 0,
    reorderWindowMs: 250,
    allowedLatenessMs: 300_000,
    identitiesMax: 100_000,
    activeMax: 65_536,
    fusion: shippedFusion,
    duplicateWindow: 262_144,
    findingsPer1000PerDay: 1,
    model,
    policy: createPolicy(parsePolicyFile(readFileSync(policyPath, 'utf8'), policyPath)),
  });
  const stages: Stage[] = [];
  const calls = new Map<string, number>();
  const drain = (): void => {
    const { verdicts, findings } = shard.drain();
    for (const { resolved } of verdicts) {
      if (resolved.event.ts >= from) calls.set(resolved.identity, (calls.get(resolved.identity) ?? 0) + 1);
    }
    for (const finding of findings) {
      if (finding.last_seen >= from) stages.push({ finding, afterEvents: calls.get(finding.identity) ?? 0 });
    }
  };
  events.forEach((each, i) => {
    shard.accept(each);
    // Only those who must be found are looked at call by call.
    if ((each.event.ts >= from && watched.has(each.identity)) || i % 64 === 0) drain();
  });
  shard.flush();
  drain();
  return stages;
}

const atLeast = (severity: Severity, min: Severity): boolean => severities.indexOf(severity) >= severities.indexOf(min);

/** What is not as expected; empty when all is. */
export function complaints(stages: readonly Stage[], scenario: Scenario): readonly string[] {
  if (scenario.findings.length === 0) {
    return stages
      .filter(({ finding }) => atLeast(finding.severity, 'high'))
      .map(({ finding }) => `${finding.severity} finding about the innocent: ${finding.title}`);
  }
  return scenario.findings.flatMap(({ identity, kinds, reasons, severityMin, withinEvents }) => {
    const hits = stages.filter(
      ({ finding }) =>
        finding.identity === identity &&
        kinds.includes(finding.kind) &&
        atLeast(finding.severity, severityMin) &&
        finding.reasons.some(({ feature }) => reasons.includes(feature)),
    );
    if (hits.some(({ afterEvents }) => afterEvents <= withinEvents)) return [];
    const seen = stages.filter(({ finding }) => finding.identity === identity);
    const said = seen.map(({ finding, afterEvents }) => `${afterEvents}: ${finding.kind} ${finding.severity}`);
    return [
      `${identity} not found within ${withinEvents} calls; instead ${[...new Set(said)].slice(0, 6).join(', ') || 'nothing'}`,
    ];
  });
}
