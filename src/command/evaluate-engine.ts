import { type Config, parseConfig } from '../config/config.ts';
import { Secret } from '../config/secret.ts';
import { systemClock } from '../core/clock.ts';
import { GaitError } from '../core/errors.ts';
import type { FindingScores } from '../evaluate/outcome.ts';
import { type Incident, Traffic } from '../evaluate/traffic.ts';
import type { Finding } from '../finding/finding.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import { Shard, type ShardOutput } from '../pipeline.ts';
import { createPolicy } from '../policy/decide.ts';
import type { AnyNotice } from '../policy/notice.ts';
import { assembleFusion, assembleIngest, readPolicy } from '../role/assemble.ts';
import { openEnrichment } from '../role/enrichment.ts';
import type { Model } from '../score/model.ts';
import { simulatedHmacKey } from '../simulate/personas.ts';

/** As `gait replay` has it: a file costs nothing to wait for. */
const reorderWindowMs = 2000;
const eventsPerDrain = 512;

/** Labelled records as they would come out of a file. */
export type LabelledStream = {
  readonly name: string;
  readonly format: 'canonical' | 'cloudtrail';
  /** Asked for once per pass; JSON texts in order of time. */
  readonly records: () => Iterable<string>;
  /** Asked for when a pass is over: simulated traffic knows its incidents when it has been made. */
  readonly incidents: () => readonly Incident[];
};

/** The shipped defaults, whatever the environment and the working directory say. */
export function defaultConfig(): Config {
  const outcome = parseConfig(undefined, {});
  if (outcome.kind === 'ok') return outcome.config;
  throw new GaitError('CONFIG_INVALID', outcome.problems.join('; '));
}

/** One pass over a stream: each event is resolved once, as `gait replay` does it, and handed to all who score it. */
export function pass(stream: LabelledStream, accept: (event: ResolvedEvent, index: number) => void): Traffic {
  const traffic = new Traffic();
  // As the simulator's: its labels name API keys by their hashes. No real secret passes here.
  const key = new Secret(simulatedHmacKey);
  const config = defaultConfig();
  const { enrich } = openEnrichment(config);
  const ingest = assembleIngest({ config, key, enrich }, () => ({ format: stream.format }));
  const now = systemClock.now();
  let offset = 0;
  for (const record of stream.records()) {
    const position = { topic: stream.name, partition: 0, offset: offset++, index: 0 };
    const { events, deadLetters } = ingest.ingest(record, position, now);
    if (deadLetters.length > 0)
      throw new GaitError('INPUT_UNREADABLE', `${stream.name}, record ${offset}: ${deadLetters[0]!.reason}`);
    for (const event of events) accept(event, traffic.add(event));
  }
  traffic.label(stream.incidents());
  return traffic;
}

export type EngineOptions = {
  readonly name: string;
  readonly model: Model | null;
  readonly findingsPer1000PerDay: number;
  /** Events for which this says no are scored and not learned. */
  readonly learns?: (event: ResolvedEvent) => boolean;
  /** What people said of an earlier pass: heard before the first event. */
  readonly notices?: readonly AnyNotice[];
};

/** Gait itself, as one of those who score a stream. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #shard: Shard;
  /** Of each verdict, in the order of its coming; in columns, for there are millions. */
  readonly #ids: string[] = [];
  readonly #seqs: number[] = [];
  readonly #surprise: number[] = [];
  readonly #evidence: number[] = [];
  /** Findings, and which verdict named them first. */
  readonly #firstNamed = new Map<string, number>();
  readonly #findings = new Map<string, Finding>();
  /** Their versions when they were told first. */
  readonly #versions = new Map<string, number>();
  #accepted = 0;

  constructor(options: EngineOptions) {
    const config = defaultConfig();
    this.#options = options;
    const { model, findingsPer1000PerDay, learns, notices = [] } = options;
    const own = {
      shard: 0,
      fusion: assembleFusion(config),
      reorderWindowMs,
      policy: createPolicy(readPolicy(config)),
      model,
      findingsPer1000PerDay,
    };
    this.#shard = new Shard({ ...config.detect, ...own, ...(learns === undefined ? {} : { learns }) });
    for (const notice of notices) this.#shard.notice(notice);
  }

  accept(event: ResolvedEvent): void {
    this.#shard.accept(event);
    if (++this.#accepted % eventsPerDrain === 0) this.#take(this.#shard.drain());
  }

  end(traffic: Traffic): FindingScores {
    this.#shard.flush();
    this.#take(this.#shard.drain());
    const event = new Float64Array(traffic.size);
    const state = new Float64Array(traffic.size);
    const { name, findingsPer1000PerDay: budget } = this.#options;
    this.#ids.forEach((id, verdict) => {
      const index = traffic.indexOf(id)!;
      event[index] = this.#surprise[verdict]!;
      state[index] = this.#evidence[verdict]!;
    });
    const indexOf = (verdict: number): number => traffic.indexOf(this.#ids[verdict]!)!;
    const told = [...this.#findings.values()].filter(({ state }) => state !== 'suppressed');
    const raised = told.map((finding) => {
      const version = this.#versions.get(finding.finding_id)!;
      // A claim of descent is made when a frame ends, by the event that ends it, and perhaps after the identity's last call.
      const ended = (): number => {
        const verdict = this.#seqs.findIndex((seq) => seq >= version);
        return verdict < 0 ? this.#ids.length - 1 : verdict;
      };
      return { finding, at: indexOf(this.#firstNamed.get(finding.finding_id) ?? ended()) };
    });
    return { name, budget, event, state, raised };
  }

  #take({ verdicts, findings }: ShardOutput): void {
    for (const { resolved, seq, surprise, evidence, findings: named } of verdicts) {
      for (const finding of named) if (!this.#firstNamed.has(finding)) this.#firstNamed.set(finding, this.#ids.length);
      this.#ids.push(resolved.event_id);
      this.#seqs.push(seq);
      this.#surprise.push(surprise);
      this.#evidence.push(evidence);
    }
    for (const finding of findings) {
      this.#findings.set(finding.finding_id, finding);
      if (!this.#versions.has(finding.finding_id)) this.#versions.set(finding.finding_id, finding.version);
    }
  }
}
