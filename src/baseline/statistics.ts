/** Kullback-Leibler divergence between two coins, nats. KL(0.5 || 0.1) = 0.511. */
export function coinDivergence(observed: number, expected: number): number {
  const q = Math.min(1 - 1e-9, Math.max(1e-9, expected));
  const head = observed <= 0 ? 0 : observed * Math.log(observed / q);
  const tail = observed >= 1 ? 0 : (1 - observed) * Math.log((1 - observed) / (1 - q));
  return head + tail;
}

/**
 * Chernoff's bound: -ln P(at least `successes` of `trials` | `rate`) >= trials * KL. Zero when there are no more than expected.
 * 8 of 10 at a rate of 0.1: 10 * KL(0.8 || 0.1) = 13.6 nats.
 */
export function excessSurprise(successes: number, trials: number, rate: number): number {
  const share = successes / trials;
  return share <= rate ? 0 : trials * Math.max(0, coinDivergence(share, rate));
}

/** -ln P(T > t) for the upper tail, by the bound n/2 * ln(1 + t²/n): Student's tail up to a factor that calibration takes out. */
export function studentSurprise(t: number, freedom: number): number {
  return t <= 0 ? 0 : ((freedom + 1) / 2) * Math.log1p((t * t) / freedom);
}

/**
 * What speaks for numbers half a deviation above the usual, nats, after one more of them, `z` deviations above it: z / 2 - 1/8 are added (Page's CUSUM, 1954), and no number
 * counts for more than three deviations. What is usual may be known in part only (`known`, 0 to 1), and says as much less: a guess that is a little off would add up as well.
 */
export function gather(sum: number, z: number, known: number): number {
  return Math.max(0, sum + known * (Math.max(-3, Math.min(3, z)) / 2 - 1 / 8));
}

/** Takes a number into the mean, variance and weight that stand at `start`; no more than `memory` observations are remembered. */
export function learnNormal(
  words: Float32Array,
  start: number,
  of: { readonly number: number; readonly weight: number; readonly memory: number },
): void {
  const total = Math.min(of.memory, words[start + 2]! + of.weight);
  const step = of.weight / Math.max(total, of.weight);
  const apart = of.number - words[start]!;
  words[start] = words[start]! + step * apart;
  words[start + 1] = (1 - step) * (words[start + 1]! + step * apart * apart);
  words[start + 2] = total;
}

/** How much of what is predicted is the own past of this weight, where something wider counts as `strength` observations. */
export function knownShare(weight: number, strength: number): number {
  return weight / (weight + strength);
}

export type Normal = { mean: number; variance: number; weight: number };

/**
 * Normal-inverse-gamma predictive: own mean and variance shrunk towards a prior that counts as its weight of observations.
 * Own mean 4 of weight 10, prior mean 2 of weight 10: predicted mean 3, and the variance is widened by the disagreement.
 */
export function shrink(own: Normal, prior: Normal, into: Normal = { mean: 0, variance: 0, weight: 0 }): Normal {
  const strength = prior.weight;
  const weight = own.weight + strength;
  const mean = (own.weight * own.mean + strength * prior.mean) / weight;
  const apart = own.mean - prior.mean;
  const pooled =
    (own.weight * own.variance + strength * prior.variance + (own.weight * strength * apart * apart) / weight) / weight;
  into.mean = mean;
  into.variance = pooled * (1 + 1 / weight);
  into.weight = weight;
  return into;
}

/**
 * Likelihood ratio, nats, of a count under its own mean against under the usual one, where means vary from place to place (negative binomial
 * with this shape). 0 when there are no more than usual. 20 where 1 is usual, shape 2: 59.9 - 22 * ln(22 / 3) = 16.1.
 */
export function burstSurprise(count: number, usual: number, shape: number): number {
  if (count <= usual) return 0;
  return count * Math.log(count / usual) - (count + shape) * Math.log((count + shape) / (usual + shape));
}

/** ln Γ(x) for x > 0, by Stirling's series from 8 on: off by less than 1e-9. */
function logGamma(x: number): number {
  let shift = 1;
  let at = x;
  for (; at < 8; at++) shift *= at;
  const inverse = 1 / at;
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)));
  return (at - 0.5) * Math.log(at) - at + 0.9189385332046727 + series - Math.log(shift);
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/**
 * Bayes factor, nats, of `successes` in `trials` under a share that may be anything, against one that is distributed as Beta(a, b): 0 when it is not
 * above the expected share a / (a + b). The chance that it ever reaches x where the latter holds is at most e^-x, however often one looks
 * (Ville's inequality). 25 of 25 where shares are about 0.1 (a = 2, b = 18): 24.7 - ln(26) = 21.5 nats.
 */
export function shareSurprise(successes: number, trials: number, { a, b }: { a: number; b: number }): number {
  if (successes * (a + b) <= trials * a) return 0;
  const anything = logBeta(successes + 1, trials - successes + 1);
  const expected = logBeta(successes + a, trials - successes + b) - logBeta(a, b);
  return Math.max(0, anything - expected);
}
