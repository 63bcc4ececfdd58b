/**
 * Cauchy combination of p-values (Liu and Xie, JASA 2020): holds under any dependence between them, and a single tiny one speaks for all.
 * Two p-values of 0.01 and 0.5: 0.0198.
 */
export function cauchyCombination(pValues: Float64Array, count: number): number {
  if (count === 0) return 1;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const p = Math.min(0.99, pValues[i]!);
    sum += p < 1e-8 ? 1 / (p * Math.PI) : Math.tan((0.5 - p) * Math.PI);
  }
  const mean = sum / count;
  return mean > 1e7 ? 1 / (mean * Math.PI) : Math.max(1e-30, 0.5 - Math.atan(mean) / Math.PI);
}
