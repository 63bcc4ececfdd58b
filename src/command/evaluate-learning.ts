import type { Claim } from '../evaluate/claims.ts';
import { type FindingScores, incidentOutcomes } from '../evaluate/outcome.ts';
import { rampCostTable, ramps, rampTable } from '../evaluate/ramp.ts';
import { roc } from '../evaluate/ranking.ts';
import { windowItems } from '../evaluate/source-activity.ts';
import { digits, type Table } from '../evaluate/table.ts';
import { blocksOf, blockTable, type Recorded, swaps, type Takeovers, takeoversForGood } from '../evaluate/takeover.ts';
import type { Traffic } from '../evaluate/traffic.ts';
import type { Model } from '../score/model.ts';
import { Engine, type LabelledStream, pass } from './evaluate-engine.ts';
import { recordedSets } from './evaluate-sets.ts';

const seeds = [1, 2, 3];
/** A live model may lose this much AUROC against one frozen before the attacks. */
const lossMax = 0.02;

export type LearningResult = { readonly tables: readonly Table[]; readonly claims: readonly Claim[] };

/** What attacks teach: identities taken over for good, a twentieth of all taken over, and ramps. */
export function evaluateLearning(model: Model | null): LearningResult {
  const recorded = [...recordedSets['source-activity']!().records()].map((line) => JSON.parse(line) as Recorded);
  const parts = [forGood(recorded, model), frozen(recorded, model), poisoning(model)];
  return { tables: parts.flatMap(({ tables }) => tables), claims: parts.flatMap(({ claims }) => claims) };
}

function forGood(recorded: readonly Recorded[], model: Model | null): LearningResult {
  const { traffic, scores } = run(streamOf(takeoversForGood(recorded)), [engineOf(model)]);
  const takeovers = blocksOf(traffic, scores[0]!);
  const seen = takeovers.filter((blocks) => blocks.at(-1)!.odd || blocks.at(-1)!.open).length;
  const claim = {
    claim: 'learning: identities taken over for good that are still odd, or have a finding open, in calls 401 to 500',
    required: `${takeovers.length} of ${takeovers.length}`,
    measured: `${seen} of ${takeovers.length}`,
    holds: seen === takeovers.length,
  };
  return { tables: [blockTable(takeovers)], claims: [claim] };
}

function frozen(recorded: readonly Recorded[], model: Model | null): LearningResult {
  const rows = seeds.map((seed) => {
    const taken = swaps(recorded, seed);
    const engines = [engineOf(model), engineOf(model, taken.from)];
    const { traffic, scores } = run(streamOf(taken), engines);
    const [live, still] = scores.map((each) => {
      const { surprise, evidence } = windowItems(traffic, each, taken.from);
      return { surprise: roc(surprise).auroc, evidence: roc(evidence).auroc };
    });
    return { seed, live: live!, still: still!, incidents: taken.incidents.length };
  });
  const worst = Math.min(
    ...rows.flatMap(({ live, still }) => [live.surprise - still.surprise, live.evidence - still.evidence]),
  );
  return {
    tables: [
      {
        title:
          'A twentieth of the active identities taken over at once (source-activity): AUROC of windows after that, as Gait learns and frozen before',
        columns: ['seed', 'taken over', 'mean surprise, learning', 'frozen', 'evidence, learning', 'frozen '],
        rows: rows.map(({ seed, incidents, live, still }) => [
          String(seed),
          String(incidents),
          ...[live.surprise, still.surprise, live.evidence, still.evidence].map((each) => digits(each, 4)),
        ]),
      },
    ],
    claims: [
      {
        claim: 'learning: AUROC against a model frozen before 5 % of identities are taken over, worst of three seeds',
        required: `at least ${-lossMax}`,
        measured: digits(worst, 4),
        holds: worst >= -lossMax,
      },
    ],
  };
}

function poisoning(model: Model | null): LearningResult {
  const { events, incidents } = ramps(1);
  const records = () => events.map((event) => JSON.stringify(event));
  const { traffic, scores } = run({ name: 'ramps', format: 'canonical', records, incidents: () => incidents }, [
    engineOf(model),
  ]);
  const outcomes = incidentOutcomes(traffic, scores[0]!);
  return { tables: [rampTable(outcomes), rampCostTable(outcomes)], claims: [] };
}

function streamOf({ events, incidents }: Takeovers): LabelledStream {
  const records = () => events.map((event) => JSON.stringify(event));
  return { name: 'takeovers', format: 'canonical', records, incidents: () => incidents };
}

function engineOf(model: Model | null, learnUntil?: number): Engine {
  const name = learnUntil === undefined ? 'learning' : 'frozen';
  return new Engine({ name, model, findingsPer1000PerDay: 1, ...(learnUntil === undefined ? {} : { learnUntil }) });
}

function run(stream: LabelledStream, engines: readonly Engine[]): { traffic: Traffic; scores: FindingScores[] } {
  const traffic = pass(stream, (event) => {
    for (const engine of engines) engine.accept(event);
  });
  return { traffic, scores: engines.map((engine) => engine.end(traffic)) };
}
