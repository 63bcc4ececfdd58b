import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as keras from '@tensorflow/tfjs-layers';
import { describeError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { type ModelFolder, type Reference, readModelFolder, refuse } from './model-folder.ts';
import { residualStatistic, type Scale, standardise } from './model-scale.ts';
import { type Pca, reconstruct } from './pca.ts';

/** What a model is to the engine: a statistic per row of deviations. Higher is less like anything it was trained on; nats. */
export type Model = {
  readonly name: string;
  /** Its share in an event's surprise, 0 to 1: what the evaluation says it earns. */
  readonly weight: number;
  /** What computes it: WebAssembly, the native library, or plain JavaScript. */
  readonly backend: Backend;
  /** `rows` rows of `featureCount` numbers, in the order of the registry. */
  readonly score: (vectors: Float32Array, rows: number) => Float32Array;
};
export type Backend = 'wasm' | 'node' | 'plain';

/** Takes `rows` scaled rows, padded to one of the batch shapes, and gives what the model expects them to be. */
export type Reconstruct = (input: Float32Array, rows: number) => Float32Array;

/** Fixed shapes, so that memory is allocated once; more rows go in chunks of the largest. */
const batchShapes = [32, 512] as const;
const batchMax = batchShapes[1];

/** Installed by hand, if at all: it downloads a library when it is installed. The type keeps the compiler from looking for it. */
const nativePackage: string = '@tensorflow/tfjs-node';

/**
 * Loads models/<name>-v<N>/ and lets it score its reference vectors. `wasm` is one thread of WebAssembly out of our own dependencies;
 * `node` is tfjs-node; `auto` is tfjs-node where it is installed and works, else wasm. For a network of this size native is the slower of
 * the two (docs/evaluation.md), so nothing is missing without it. Fails with MODEL_INVALID; nothing is fetched over the network.
 */
export async function loadModel(of: {
  readonly dir: string;
  readonly backend: 'auto' | 'wasm' | 'node';
}): Promise<Model> {
  const folder = readModelFolder(of.dir);
  const { kind } = folder.manifest;
  const backends: readonly Backend[] =
    kind === 'pca' ? ['plain'] : of.backend === 'auto' ? ['node', 'wasm'] : [of.backend];
  let failure: unknown;
  for (const backend of backends) {
    try {
      const model = createModel({ ...folder.manifest, backend }, await reconstructOf(folder, backend));
      checkReference(model, folder.reference);
      return model;
    } catch (cause) {
      failure = cause;
    }
  }
  throw refuse(of.dir, describeError(failure), failure);
}

/** A model out of what it expects rows to be. */
export function createModel(
  of: { readonly name: string; readonly weight: number; readonly backend: Backend; readonly scaling: Scale },
  expected: Reconstruct,
): Model {
  const width = of.scaling.deviation.length;
  const inputs = batchShapes.map((shape) => new Float32Array(shape * width));
  const score = (vectors: Float32Array, rows: number): Float32Array => {
    const statistics = new Float32Array(rows);
    for (let start = 0; start < rows; start += batchMax) {
      const count = Math.min(batchMax, rows - start);
      const input = inputs[batchShapes.findIndex((shape) => count <= shape)]!;
      standardise(vectors.subarray(start * width, (start + count) * width), of.scaling.deviation, input);
      const output = expected(input, count);
      for (let row = 0; row < count; row++)
        statistics[start + row] = residualStatistic(input, output, { row, scale: of.scaling });
    }
    return statistics;
  };
  return { name: of.name, weight: of.weight, backend: of.backend, score };
}

function checkReference(model: Model, { vectors, scores, tolerance }: Reference): void {
  const actual = model.score(Float32Array.from(vectors.flat()), vectors.length);
  for (const [i, expected] of scores.entries()) {
    if (!(Math.abs(actual[i]! - expected) <= tolerance * Math.max(1, expected))) {
      throw new Error(`reference vector ${i} scores ${actual[i]} on ${model.backend} instead of ${expected}`);
    }
  }
}

async function reconstructOf({ manifest, files }: ModelFolder, backend: Backend): Promise<Reconstruct> {
  const described: unknown = JSON.parse(files.get('model.json')!.toString('utf8'));
  if (manifest.kind === 'pca') return (input, rows) => reconstruct(described as Pca, input, rows);
  await useBackend(backend);
  const weights = files.get('weights.bin');
  if (weights === undefined) throw new Error('manifest.json does not list weights.bin');
  const { modelTopology, weightsManifest } = described as Required<tf.io.ModelJSON>;
  const weightData = new Uint8Array(weights).buffer;
  const handler: tf.io.IOHandler = {
    load: async () => ({ modelTopology, weightSpecs: weightsManifest[0]!.weights, weightData }),
  };
  return reconstructWith(await keras.loadLayersModel(handler));
}

async function useBackend(backend: Backend): Promise<void> {
  if (backend === 'node') await import(nativePackage);
  if (!(await tf.setBackend(backend === 'node' ? 'tensorflow' : 'wasm')))
    throw new Error(`backend ${backend} does not start`);
  await tf.ready();
}

function reconstructWith(network: keras.LayersModel): Reconstruct {
  const width = network.inputs[0]!.shape[1]!;
  return (input) => {
    const x = tf.tensor2d(input, [input.length / width, width]);
    const y = network.predictOnBatch(x) as tf.Tensor;
    const output = y.dataSync<'float32'>();
    x.dispose();
    y.dispose();
    return output;
  };
}

export type NetworkRecipe = {
  readonly seed: number;
  /** Units of the layers between input and output. */
  readonly hidden: readonly number[];
  readonly activation: 'tanh' | 'relu';
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
};

export type TrainedNetwork = {
  /** tfjs layers format. */
  readonly modelJson: tf.io.ModelJSON;
  readonly weights: Uint8Array;
  /** Mean squared error per epoch. */
  readonly losses: readonly number[];
  readonly reconstruct: Reconstruct;
};

/**
 * Trains an autoencoder on scaled rows: always on wasm with one thread, with seeded initial weights and a seeded order, so that the same
 * rows and recipe give the same weights, bit for bit. `onEpoch` is told the mean loss.
 */
export async function trainNetwork(
  of: { readonly rows: Float32Array; readonly width: number },
  recipe: NetworkRecipe,
  onEpoch: (epoch: number, loss: number) => void,
): Promise<TrainedNetwork> {
  await useBackend('wasm');
  const network = buildNetwork(of.width, recipe);
  const optimizer = tf.train.adam(recipe.learningRate);
  network.compile({ optimizer, loss: 'meanSquaredError' });
  const count = of.rows.length / of.width;
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const random = seededRandom(recipe.seed);
  const batch = new Float32Array(recipe.batchSize * of.width);
  const losses: number[] = [];
  for (let epoch = 0; epoch < recipe.epochs; epoch++) {
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(random.next() * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    let sum = 0;
    const batches = Math.floor(count / recipe.batchSize);
    for (let b = 0; b < batches; b++) {
      for (let i = 0; i < recipe.batchSize; i++) {
        const start = order[b * recipe.batchSize + i]! * of.width;
        batch.set(of.rows.subarray(start, start + of.width), i * of.width);
      }
      const x = tf.tensor2d(batch, [recipe.batchSize, of.width]);
      sum += (await network.trainOnBatch(x, x)) as number;
      x.dispose();
    }
    losses.push(sum / batches);
    onEpoch(epoch, sum / batches);
  }
  optimizer.dispose();
  return { ...(await exportNetwork(network)), losses, reconstruct: reconstructWith(network) };
}

/** Names are given, because tfjs would number them per process. */
function buildNetwork(width: number, recipe: NetworkRecipe): keras.Sequential {
  const units = [...recipe.hidden, width];
  const layers = units.map((size, i) =>
    keras.layers.dense({
      name: `dense_${i + 1}`,
      units: size,
      activation: i === units.length - 1 ? 'linear' : recipe.activation,
      kernelInitializer: keras.initializers.glorotUniform({ seed: recipe.seed + i }),
      ...(i === 0 ? { inputShape: [width] } : {}),
    }),
  );
  return keras.sequential({ name: 'autoencoder', layers });
}

async function exportNetwork(network: keras.LayersModel): Promise<Pick<TrainedNetwork, 'modelJson' | 'weights'>> {
  let saved: tf.io.ModelArtifacts | undefined;
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    saved = artifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  });
  await network.save(handler);
  const { modelTopology, weightSpecs, weightData } = saved!;
  return {
    modelJson: {
      format: 'layers-model',
      modelTopology: modelTopology!,
      weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs! }],
    },
    weights: new Uint8Array(weightData as ArrayBuffer),
  };
}
