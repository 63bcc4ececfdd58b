import { type DetectorName, detectors } from '../baseline/row-layout.ts';

/** No word says more than this, nats: one detector's certainty is no better than its calibration. */
const sayMax = 25;
/**
 * Detectors whose statistic is a likelihood ratio told in honest nats: it counts as it is even where many come as high, for a botnet's addresses
 * are many days at once, all of them attacks.
 */
export const isHonest = detectors.map((name) => name === 'source');
/**
 * What comes as high by chance is hardly anything to say, nats: a day in seven for behaviour, which gathers slowly, and one in twenty for each of the
 * many others, of which one or another is a little odd on most days. An honest likelihood ratio has weighed that itself.
 */
const ordinaries = detectors.map((_, d) => (d === 0 ? 2 : isHonest[d] ? 0 : 3));
const atNothing = ordinaries.map((ordinary) => Math.log1p(Math.exp(-ordinary)));
/**
 * Detectors that all count how much there is: a busy day is high on each of them and is one fact, told by the one that says most. So is probing, which
 * counts functions: on days of recorded people their peaks go together (correlations of 0.5 to 0.8, and of 0.4 to 0.6 with probing's).
 */
export const counting: ReadonlySet<string> = new Set([
  'rate',
  'volume',
  'objects',
  'change',
  'probing',
  'egress',
  'rhythm',
] satisfies DetectorName[]);
const isCounting = detectors.map((name) => counting.has(name));

/** ln(1 + e^(nats - ordinary)), less what it is at 0: 0.6 or so at the ordinary, and then about as much as the nats are beyond it. */
export function beyondOrdinary(nats: number, detector: number): number {
  return Math.min(sayMax, Math.log1p(Math.exp(nats - ordinaries[detector]!)) - atNothing[detector]!);
}

/** All words together, of those that count the strongest. */
export function sumOf(words: Float64Array): number {
  let sum = 0;
  let much = 0;
  for (let d = 0; d < detectors.length; d++) {
    if (!isCounting[d]) sum += words[d]!;
    else if (words[d]! > much) much = words[d]!;
  }
  return sum + much;
}
