import { type Random, seededRandom } from '../../core/random.ts';

/**
 * Isolation forest (Liu, Ting, Zhou, ICDM 2008): trees of random cuts, each over 256 of the points; what is cut off early is odd.
 * Score 2^(-E[depth] / c(256)), about 0.5 for the ordinary. It is fitted to all points at once, later ones included, which a live system could not do.
 */
const trees = 100;
const sampleMax = 256;
const seed = 20_081;

type Node =
  | { readonly kind: 'leaf'; readonly extra: number }
  | { readonly kind: 'cut'; readonly feature: number; readonly at: number; readonly low: Node; readonly high: Node };

export function isolationForest(points: readonly Float64Array[]): Float64Array {
  const random = seededRandom(seed);
  const size = Math.min(sampleMax, points.length);
  const depthMax = Math.ceil(Math.log2(Math.max(2, size)));
  const forest = Array.from({ length: trees }, () => grow(sample(points, size, random), depthMax, random));
  const usual = pathLength(size);
  return Float64Array.from(points, (point) => {
    let total = 0;
    for (const tree of forest) total += depthOf(tree, point);
    return 2 ** (-total / trees / usual);
  });
}

/** Without replacement: the first `size` steps of a shuffle. */
function sample<T>(from: readonly T[], size: number, random: Random): T[] {
  const all = from.slice();
  for (let i = 0; i < size; i++) {
    const j = i + Math.floor(random.next() * (all.length - i));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all.slice(0, size);
}

function grow(points: readonly Float64Array[], depthLeft: number, random: Random): Node {
  const leaf: Node = { kind: 'leaf', extra: pathLength(points.length) };
  if (depthLeft === 0 || points.length <= 1) return leaf;
  const lows = points[0]!.map((_, f) => Math.min(...points.map((point) => point[f]!)));
  const highs = points[0]!.map((_, f) => Math.max(...points.map((point) => point[f]!)));
  const varied = [...lows.keys()].filter((f) => highs[f]! > lows[f]!);
  if (varied.length === 0) return leaf;
  const feature = varied[Math.floor(random.next() * varied.length)]!;
  const at = lows[feature]! + random.next() * (highs[feature]! - lows[feature]!);
  const low = grow(
    points.filter((point) => point[feature]! < at),
    depthLeft - 1,
    random,
  );
  const high = grow(
    points.filter((point) => point[feature]! >= at),
    depthLeft - 1,
    random,
  );
  return { kind: 'cut', feature, at, low, high };
}

function depthOf(tree: Node, point: Float64Array): number {
  let node = tree;
  let depth = 0;
  for (; node.kind === 'cut'; depth++) node = point[node.feature]! < node.at ? node.low : node.high;
  return depth + node.extra;
}

/** Mean length of an unsuccessful search in a binary tree of n points: what further cuts would have added. */
function pathLength(n: number): number {
  return n <= 1 ? 0 : n === 2 ? 1 : 2 * (Math.log(n - 1) + 0.577_215_664_9) - (2 * (n - 1)) / n;
}
