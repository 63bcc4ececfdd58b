import type { Claim } from '../evaluate/claims.ts';
import { type FindingScores, incidentOutcomes } from '../evaluate/outcome.ts';
import { rampCostTable, ramps, rampTable } from '../evaluate/ramp.ts';
import { meanOf, roc } from '../evaluate/ranking.ts';
import { windowItems } from '../evaluate/source-activity.ts';
import { digits, type Table } from '../evaluate/table.ts';
import { blocksOf, blockTable, type Recorded, swaps, type Takeovers, takeoversForGood } from '../evaluate/takeover.ts';
import type { Traffic } from '../evaluate/traffic.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import type { Model } from '../score/model.ts';
import { Engine, type LabelledStream, pass } from './evaluate-engine.ts';
import { recordedSets } from './evaluate-sets.ts';

/** Replays: of two people each, of some forty, one says little. */
const replays = 24;
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
  const taken = takeoversForGood(recorded);
  const since = new Map(taken.incidents.map(({ identities, first_ts }) => [identities[0]!, first_ts]));
  const isOwn = ({ identity, event }: ResolvedEvent): boolean => event.ts < (since.get(identity) ?? Infinity);
  const { traffic, scores } = run(streamOf(taken), [engineOf(model), engineOf(model, isOwn)]);
  const [live, frozen] = scores.map((each) => blocksOf(traffic, each));
  // Who is not odd even to a model that learned nothing of him cannot be relearned.
  const told = live!.filter((_, i) => frozen![i]!.at(-1)!.odd);
  const seen = told.filter((blocks) => blocks.at(-1)!.odd || blocks.at(-1)!.open).length;
  const claim = {
    claim:
      'learning: identities taken over for good that are still odd, or have a finding open, in calls 401 to 500, of those odd to a model that learned nothing of them',
    required: `${told.length} of ${told.length}`,
    measured: `${seen} of ${told.length}`,
    holds: seen === told.length,
  };
  return { tables: [blockTable(live!, frozen!)], claims: [claim] };
}

function frozen(recorded: readonly Recorded[], model: Model | null): LearningResult {
  const runs = Array.from({ length: replays }, (_, i) => {
    const taken = swaps(recorded, i + 1);
    const engines = [engineOf(model), engineOf(model, ({ event }) => event.ts < taken.from)];
    const { traffic, scores } = run(streamOf(taken), engines);
    return { incidents: taken.incidents.length, items: scores.map((each) => windowItems(traffic, each, taken.from)) };
  });
  const aurocs = (of: 'surprise' | 'evidence', some = runs): number[] =>
    [0, 1].map((engine) => roc(some.flatMap(({ items }) => items[engine]![of])).auroc);
  const measured = (['surprise', 'evidence'] as const).map((of) => {
    const [live, frozen] = aurocs(of) as [number, number];
    const losses = runs.map((each) => aurocs(of, [each])).map(([a, b]) => a! - b!);
    return { of, live, frozen, loss: live - frozen, ...meanOf(losses) };
  });
  const loss = Math.min(...measured.map((each) => each.loss));
  return {
    tables: [
      {
        title: `A twentieth of the known identities taken over at once (source-activity; ${replays} replays, ${runs.reduce((sum, { incidents }) => sum + incidents, 0)} people): AUROC of windows after that, as Gait learns and frozen before`,
        columns: ['windows by', 'learning', 'frozen', 'difference', 'per replay', 'standard error of that'],
        rows: measured.map(({ of, ...numbers }) => [
          of === 'surprise' ? 'mean surprise' : 'highest evidence',
          ...[numbers.live, numbers.frozen, numbers.loss, numbers.mean, numbers.error].map((each) => digits(each, 4)),
        ]),
      },
    ],
    claims: [
      {
        claim: 'learning: AUROC against a model frozen before 5 % of identities are taken over, windows of all replays',
        required: `at least ${-lossMax}`,
        measured: digits(loss, 4),
        holds: loss >= -lossMax,
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

function engineOf(model: Model | null, learns?: (event: ResolvedEvent) => boolean): Engine {
  const name = learns === undefined ? 'learning' : 'frozen';
  return new Engine({ name, model, findingsPer1000PerDay: 1, ...(learns === undefined ? {} : { learns }) });
}

function run(stream: LabelledStream, engines: readonly Engine[]): { traffic: Traffic; scores: FindingScores[] } {
  const traffic = pass(stream, (event) => {
    for (const engine of engines) engine.accept(event);
  });
  return { traffic, scores: engines.map((engine) => engine.end(traffic)) };
}
