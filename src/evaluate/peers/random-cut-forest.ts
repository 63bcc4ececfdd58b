import { type Random, seededRandom } from '../../core/random.ts';
import { CutTree } from './cut-tree.ts';

/**
 * Robust random cut forest (Guha et al., ICML 2016), as its public implementations score: 30 trees over samples of 256 that fade with time; a point
 * is scored, then perhaps kept. It streams: nothing later is known. Features are brought to unit variance as seen so far.
 */
const trees = 30;
const sampleMax = 256;
/** Weight of a point halves within some seven samples' worth of points. */
const fading = 0.1 / sampleMax;
/** Before this many points a tree has nothing to compare with. */
const warmUp = 64;
const seed = 20_161;

export function randomCutForest(points: readonly Float64Array[]): Float64Array {
  const random = seededRandom(seed);
  const forest = Array.from({ length: trees }, () => new SampledTree(random));
  const scale = new Scale(points[0]?.length ?? 0);
  return Float64Array.from(points, (raw, n) => {
    scale.add(raw);
    const point = scale.of(raw);
    let total = 0;
    if (n >= warmUp) for (const tree of forest) total += tree.score(point);
    for (const tree of forest) tree.offer(point, n);
    return total / trees;
  });
}

class Scale {
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;
  #count = 0;

  constructor(features: number) {
    this.#mean = new Float64Array(features);
    this.#squares = new Float64Array(features);
  }

  add(point: Float64Array): void {
    this.#count++;
    for (let f = 0; f < point.length; f++) {
      const before = point[f]! - this.#mean[f]!;
      this.#mean[f]! += before / this.#count;
      this.#squares[f]! += before * (point[f]! - this.#mean[f]!);
    }
  }

  of(point: Float64Array): Float64Array {
    return point.map(
      (value, f) => (value - this.#mean[f]!) / Math.max(0.05, Math.sqrt(this.#squares[f]! / this.#count)),
    );
  }
}

/** A tree and the sample it holds: the points with the smallest of weights that grow the later a point came (Efraimidis and Spirakis 2006). */
class SampledTree {
  readonly #tree: CutTree;
  readonly #random: Random;
  readonly #points: Float64Array[] = [];
  readonly #weights: number[] = [];
  /** The place that the next point would take, once the sample is full. */
  #worst = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#tree = new CutTree(random);
  }

  score(point: Float64Array): number {
    return this.#tree.score(point);
  }

  offer(point: Float64Array, n: number): void {
    const weight = Math.log(-Math.log(Math.max(1e-12, this.#random.next()))) - n * fading;
    const isFull = this.#points.length === sampleMax;
    if (isFull && weight >= this.#weights[this.#worst]!) return;
    if (isFull) this.#tree.remove(this.#points[this.#worst]!);
    const place = isFull ? this.#worst : this.#points.length;
    this.#points[place] = point;
    this.#weights[place] = weight;
    this.#tree.insert(point);
    if (this.#points.length < sampleMax) return;
    this.#worst = 0;
    for (let i = 1; i < sampleMax; i++) if (this.#weights[i]! > this.#weights[this.#worst]!) this.#worst = i;
  }
}
