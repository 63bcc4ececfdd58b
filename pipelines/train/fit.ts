import { featureCount, featureHash, featureNames } from '../../src/feature/registry.ts';
import { createModel, type Model, type Reconstruct, trainNetwork } from '../../src/score/model.ts';
import { hashOf, type Manifest, type Reference } from '../../src/score/model-folder.ts';
import { fitDeviation, fitResidual, type Scale, standardise } from '../../src/score/model-scale.ts';
import { fitPca, reconstruct } from '../../src/score/pca.ts';
import { type Collected, DeviationCollector } from './deviations.ts';
import type { ModelRecipe, Recipe } from './recipe.ts';
import { synthesize } from './synthesize.ts';

export type TrainedModel = {
  readonly manifest: Manifest;
  /** Everything that stands in the folder beside the manifest and the card, by file name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
};

const heldOutShare = 0.1;
const referenceCount = 32;
const referenceTolerance = 1e-5;

/** Trains all models of a recipe on the same vectors: of synthesised traffic, unless others are given. `say` gets one line per step. */
export async function fit(
  recipe: Recipe,
  say: (line: string) => void,
  collected = collect(recipe),
): Promise<readonly TrainedModel[]> {
  const { vectors, events } = collected;
  const count = vectors.length / featureCount;
  const split = Math.floor(count * (1 - heldOutShare)) * featureCount;
  say(`${events} events, ${count} ordinary deviation vectors of ${featureCount} features`);
  const rows = { train: vectors.subarray(0, split), heldOut: vectors.subarray(split) };
  const trained: TrainedModel[] = [];
  for (const each of recipe.models) trained.push(await fitOne(recipe, each, { ...rows, events, count, say }));
  return trained;
}

function collect(recipe: Recipe): Collected {
  const { traffic, seed } = recipe;
  const collector = new DeviationCollector({ ...recipe, burnInDays: traffic.burnInDays });
  for (const event of synthesize({ ...traffic, seed })) collector.accept(event);
  return collector.end();
}

type Rows = {
  readonly train: Float32Array;
  readonly heldOut: Float32Array;
  readonly events: number;
  readonly count: number;
  readonly say: (line: string) => void;
};

async function fitOne(recipe: Recipe, of: ModelRecipe, rows: Rows): Promise<TrainedModel> {
  const deviation = fitDeviation(rows.train, featureCount);
  const scaled = new Float32Array(rows.train.length);
  standardise(rows.train, deviation, scaled);
  const { expected, files, metrics } = await fitReconstruct(recipe.seed, of, { scaled, say: rows.say });
  const residual = fitResidual(scaled, inChunks(scaled, expected), featureCount);
  const scaling: Scale = { deviation, residual };
  const backend = of.kind === 'pca' ? 'plain' : 'wasm';
  const model = createModel({ name: of.name, weight: of.weight, backend, scaling }, expected);
  files.set('reference.json', json(referenceOf(model, rows.heldOut)));
  const manifest: Manifest = {
    name: of.name,
    kind: of.kind,
    weight: of.weight,
    features: [...featureNames],
    featureHash,
    scaling: { deviation, residual },
    seed: recipe.seed,
    recipeHash: recipe.hash,
    trainedOn: { events: rows.events, vectors: rows.train.length / featureCount },
    metrics: { ...metrics, ...heldOutMetrics(model, rows.heldOut) },
    sha256: Object.fromEntries([...files].map(([name, bytes]) => [name, hashOf(bytes)])),
  };
  return { manifest, files };
}

type Fitted = { expected: Reconstruct; files: Map<string, Uint8Array>; metrics: Record<string, number> };

async function fitReconstruct(
  seed: number,
  of: ModelRecipe,
  from: { scaled: Float32Array; say: (line: string) => void },
): Promise<Fitted> {
  if (of.kind === 'pca') {
    const pca = fitPca(from.scaled, featureCount, of.components);
    const expected: Reconstruct = (input, count) => reconstruct(pca, input, count);
    from.say(`${of.name}: ${of.components} components`);
    return { expected, files: new Map([['model.json', json(pca)]]), metrics: {} };
  }
  const network = await trainNetwork({ rows: from.scaled, width: featureCount }, { ...of, seed }, (epoch, loss) =>
    from.say(`${of.name}: epoch ${epoch + 1} of ${of.epochs}, loss ${loss.toFixed(4)}`),
  );
  return {
    expected: network.reconstruct,
    files: new Map([
      ['model.json', json(network.modelJson)],
      ['weights.bin', network.weights],
    ]),
    metrics: { trainingLoss: network.losses.at(-1)! },
  };
}

/** A network takes any number of rows, but all at once would hold them all in the backend's memory. */
function inChunks(scaled: Float32Array, expected: Reconstruct): Float32Array {
  const size = 512 * featureCount;
  const output = new Float32Array(scaled.length);
  for (let start = 0; start < scaled.length; start += size) {
    const chunk = scaled.subarray(start, start + size);
    output.set(expected(chunk, chunk.length / featureCount).subarray(0, chunk.length), start);
  }
  return output;
}

function referenceOf(model: Model, heldOut: Float32Array): Reference {
  const vectors = heldOut.slice(0, referenceCount * featureCount);
  const count = vectors.length / featureCount;
  return {
    tolerance: referenceTolerance,
    vectors: Array.from({ length: count }, (_, i) => [...vectors.subarray(i * featureCount, (i + 1) * featureCount)]),
    scores: [...model.score(vectors, count)],
  };
}

function heldOutMetrics(model: Model, heldOut: Float32Array): Record<string, number> {
  const scores = model.score(heldOut, heldOut.length / featureCount).sort();
  return {
    heldOutMean: scores.reduce((a, b) => a + b, 0) / scores.length,
    heldOutMedian: scores[Math.floor(scores.length / 2)]!,
    heldOut99: scores[Math.floor(scores.length * 0.99)]!,
  };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
