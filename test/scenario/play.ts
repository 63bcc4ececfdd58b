import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { createDecoder } from '../../src/event/decode/decoder.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { createRouteTemplater } from '../../src/event/route-template.ts';
import { type Finding, type FindingKind, type Severity, severities } from '../../src/finding/finding.ts';
import { isOfKind } from '../../src/finding/kinds.ts';
import { createIngest } from '../../src/identity/ingest.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Shard } from '../../src/pipeline.ts';
import { createPolicy } from '../../src/policy/decide.ts';
import { assembleFusion, assembleModel, readPolicy } from '../../src/role/assemble.ts';
import type { Model } from '../../src/score/model.ts';

/** What must be found about an identity. */
export type Expected = {
  /** Its key. With a star at the end: any one of those that begin so, as a botnet's addresses. */
  readonly identity: string;
  readonly kinds: readonly FindingKind[];
  /** Features, or families with their dot, that an analyst would name: one of them must be among the finding's top three reasons. */
  readonly expected: readonly string[];
  readonly severityMin: Severity;
  /** Calls of the identity since `from`, after which it must have been found. */
  readonly withinEvents: number;
};

export type Scenario = {
  /** When it begins, RFC 3339. */
  readonly from: string;
  /** Empty for what is innocent: then nothing of severity high may be found from `from` on. */
  readonly findings: readonly Expected[];
  /** Why it is not met today. The test fails when it is met, so that this goes. */
  readonly knownMiss?: string;
};

/** A finding in one of its states, and how many calls of its identity since the beginning that took. */
export type Stage = { readonly finding: Finding; readonly afterEvents: number };

export const folder = join(import.meta.dirname, '../../../test/scenario');

/** The shipped defaults: model, fusion, policy and limits are what a user gets who configures nothing. */
function shippedConfig(): Config {
  const outcome = parseConfig(undefined, {});
  if (outcome.kind === 'ok') return outcome.config;
  throw new Error(outcome.problems.join('; '));
}

const config = shippedConfig();
const reasonsShown = 3;

export const shippedModel = (): Promise<Model | null> => assembleModel(config);

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
  const isWatched = (identity: string): boolean => scenario.findings.some((each) => isMeant(each, identity));
  const shard = new Shard({
    ...config.detect,
    shard: 0,
    fusion: assembleFusion(config),
    model,
    policy: createPolicy(readPolicy(config)),
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
    if ((each.event.ts >= from && isWatched(each.identity)) || i % 64 === 0) drain();
  });
  shard.flush();
  drain();
  return stages;
}

const atLeast = (severity: Severity, min: Severity): boolean => severities.indexOf(severity) >= severities.indexOf(min);

function isMeant({ identity }: Expected, key: string): boolean {
  return identity.endsWith('*') ? key.startsWith(identity.slice(0, -1)) : key === identity;
}

function isExplained({ reasons }: Finding, expected: readonly string[]): boolean {
  return reasons.slice(0, reasonsShown).some(({ feature }) => expected.some((prefix) => feature.startsWith(prefix)));
}

/** Findings that claim what their first reason does not say. */
export function unfounded(stages: readonly Stage[]): readonly string[] {
  return stages.flatMap(({ finding: { kind, reasons, title } }) =>
    reasons[0] !== undefined && isOfKind(kind, reasons[0].feature) ? [] : [title],
  );
}

/** What is not as expected; empty when all is. */
export function complaints(stages: readonly Stage[], scenario: Scenario): readonly string[] {
  if (scenario.findings.length === 0) {
    return stages
      .filter(({ finding }) => atLeast(finding.severity, 'high'))
      .map(({ finding }) => `${finding.severity} finding about the innocent: ${finding.title}`);
  }
  return scenario.findings.flatMap((of) => {
    const { identity, kinds, expected, severityMin, withinEvents } = of;
    const hits = stages.filter(
      ({ finding }) =>
        isMeant(of, finding.identity) &&
        kinds.includes(finding.kind) &&
        atLeast(finding.severity, severityMin) &&
        isExplained(finding, expected),
    );
    if (hits.some(({ afterEvents }) => afterEvents <= withinEvents)) return [];
    const seen = stages.filter(({ finding }) => isMeant(of, finding.identity));
    const said = seen.map(
      ({ finding, afterEvents }) =>
        `${afterEvents}: ${finding.kind} ${finding.severity} for ${finding.reasons.map(({ feature }) => feature).join(' ')}`,
    );
    return [
      `${identity} not found within ${withinEvents} calls; instead ${[...new Set(said)].slice(0, 6).join(', ') || 'nothing'}`,
    ];
  });
}
