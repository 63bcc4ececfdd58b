/**
 * ECOD (Li et al., TKDE 2022): per feature the share of points that are at least as small, and at least as large; -log of it summed over features.
 * The score is the largest of three sums: left tails, right tails, and per feature the tail towards which it is skewed. No parameters.
 * Fitted to all points at once, later ones included.
 */
export function ecod(points: readonly Float64Array[]): Float64Array {
  const count = points.length;
  const left = new Float64Array(count);
  const right = new Float64Array(count);
  const skewed = new Float64Array(count);
  for (let f = 0; f < (points[0]?.length ?? 0); f++) {
    const values = Float64Array.from(points, (point) => point[f]!);
    const order = new Uint32Array(count).map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
    const negative = skewness(values) < 0;
    for (let from = 0; from < count; ) {
      let to = from;
      while (to < count && values[order[to]!] === values[order[from]!]) to++;
      const below = -Math.log(to / count);
      const above = -Math.log((count - from) / count);
      for (; from < to; from++) {
        const point = order[from]!;
        left[point]! += below;
        right[point]! += above;
        skewed[point]! += negative ? below : above;
      }
    }
  }
  return skewed.map((score, i) => Math.max(score, left[i]!, right[i]!));
}

function skewness(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const moment = (power: number): number => values.reduce((sum, value) => sum + (value - mean) ** power, 0);
  const variance = moment(2) / values.length;
  return variance === 0 ? 0 : moment(3) / values.length / variance ** 1.5;
}
