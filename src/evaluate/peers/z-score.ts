import type { Window } from './window.ts';

/**
 * Per identity and feature mean and variance (Welford), backed by those of everyone with the weight of 20 windows; the score is the highest z.
 * Only upwards: every feature means more of something. A window is scored before it is learned.
 */
const backing = 20;
/** Of a feature that never varied; the features are logarithms and shares. */
const deviationMin = 0.05;

class Moments {
  count = 0;
  readonly mean: Float64Array;
  readonly squares: Float64Array;

  constructor(features: number) {
    this.mean = new Float64Array(features);
    this.squares = new Float64Array(features);
  }

  add(point: Float64Array): void {
    this.count++;
    for (let f = 0; f < point.length; f++) {
      const before = point[f]! - this.mean[f]!;
      this.mean[f]! += before / this.count;
      this.squares[f]! += before * (point[f]! - this.mean[f]!);
    }
  }
}

export function zScore(windows: readonly Window[]): Float64Array {
  const features = windows[0]?.features.length ?? 0;
  const everyone = new Moments(features);
  const own = new Map<string, Moments>();
  return Float64Array.from(windows, ({ identity, features: point }) => {
    let moments = own.get(identity);
    if (moments === undefined) {
      moments = new Moments(features);
      own.set(identity, moments);
    }
    let highest = 0;
    for (let f = 0; f < features && everyone.count >= backing; f++) highest = Math.max(highest, z(f, point[f]!));
    moments.add(point);
    everyone.add(point);
    return highest;

    function z(f: number, value: number): number {
      const { count, mean, squares } = moments!;
      const shared = everyone.mean[f]!;
      const expected = (count * mean[f]! + backing * shared) / (count + backing);
      // The variance of the two taken together, the distance between their means included.
      const between = (count * (mean[f]! - expected) ** 2 + backing * (shared - expected) ** 2) / (count + backing);
      const within = (squares[f]! + (backing * everyone.squares[f]!) / everyone.count) / (count + backing);
      return (value - expected) / Math.max(deviationMin, Math.sqrt(within + between));
    }
  });
}
