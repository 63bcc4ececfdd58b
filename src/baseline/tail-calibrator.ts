/**
 * Statistics of any scale to p-values that hold on the stream itself.
 *
 * A histogram of the statistic gives the bulk; above its 98 % quantile an exponential tail is fitted by the mean excess (the
 * generalised Pareto tail of Siffer et al., KDD 2017, with shape 0). Until it has seen enough, exp(-statistic) speaks with the weight
 * of a hundred events. Reads see the state of the last `advance`.
 *
 * A robust one takes its tail from the body, without the highest, which may be attacks. A tail fitted on few days is not known to be that steep: a
 * cautious one is what k exceedances predict of the next, (1 + z / k)^-k, which is e^-z for many (the predictive distribution of an exponential whose
 * mean is unknown).
 */
const low = -16;
const high = 64;
const binsPerUnit = 4;
export const bins = (high - low) * binsPerUnit;
const priorEvents = 100;
const tailShare = 0.02;
const trimmedShare = 0.1;
/** Of a robust calibrator's tail the highest part that is not looked at: and never less than two, for one attacker and one victim are not the scale of all. */
const ignoredShare = 0.05;
const ignoredLeast = 2;
/** A cautious tail is never known better than from this many: days of one identity are alike, and next month's are not this one's. */
const exceedancesMax = 50;
const zeroBin = -low * binsPerUnit;
/** The histogram is brought up to date when this share of it has changed: fitting at every frame would cost more than it tells. */
const refitShare = 0.005;
/** Older events fade: everything is halved each time this many have come. */
const memoryEvents = 200_000;

export type CalibratorSnapshot = {
  readonly total: number;
  readonly counts: Float64Array;
  readonly pending: Float64Array;
  readonly changes: number;
  readonly provisional: Float64Array | null;
};

export type CalibratorOptions = {
  /**
   * The tail follows from the body, whatever lies far out, for statistics whose tail is known to be exponential. It begins at this share of what was seen.
   */
  readonly robust?: { readonly share: number; readonly isCautious: boolean };
  /** What speaks before anything was seen: an exponential of this mean, from there on. A day's highest of many calls begins later than 0. */
  readonly prior?: { readonly from: number; readonly mean: number };
  /** Or what was seen of others, who are fitted first. */
  readonly others?: TailCalibrator;
};

const unitPrior = { from: 0, mean: 1 };

export class TailCalibrator {
  readonly #robust: CalibratorOptions['robust'];
  readonly #prior: { readonly from: number; readonly mean: number };
  readonly #others: TailCalibrator | undefined;
  readonly #counts = new Float64Array(bins);
  readonly #pending = new Float64Array(bins);
  readonly #upper = new Float64Array(bins + 1);
  /** Observations that are not final yet: they count until they are forgotten. */
  #provisional: Float64Array | null = null;
  #final = 0;
  #total = 0;
  #changes = 0;
  #tailFrom = Number.POSITIVE_INFINITY;
  #tailMean = 1;
  /** What really lies beyond: less than `tailShare` where one bin holds many equal values. */
  #tailShare = 0;
  /** Exceedances that a robust tail rests on, those of the prior included. */
  #exceedances = 1;

  constructor({ robust, prior = unitPrior, others }: CalibratorOptions = {}) {
    this.#robust = robust;
    this.#prior = prior;
    this.#others = others;
  }

  add(statistic: number, weight = 1): void {
    this.#pending[binOf(statistic)]! += weight;
    this.#changes += weight;
  }

  addProvisional(statistic: number): void {
    this.#provisional ??= new Float64Array(bins);
    this.#provisional[binOf(statistic)]! += 1;
    this.#changes += 1;
  }

  /** What was provisional is over: before it is counted anew, or for good. */
  forgetProvisional(): void {
    if (this.#provisional !== null) this.#changes += 1;
    this.#provisional = null;
  }

  /** Makes what was counted so far weigh less; counted from the next refit on. */
  fade(factor: number): void {
    for (let i = 0; i < bins; i++) this.#counts[i]! *= factor;
    this.#final *= factor;
  }

  /** P(statistic or more), in (0, 1]. */
  pValue(statistic: number): number {
    const prior = this.#others?.pValue(statistic) ?? this.#assumed(statistic);
    if (this.#total === 0) return prior;
    let seen: number;
    if (statistic > this.#tailFrom)
      seen = this.#tailShare * this.#beyond((statistic - this.#tailFrom) / this.#tailMean);
    else {
      const bin = binOf(statistic);
      const above = Math.min(1, Math.max(0, bin + 1 - (statistic - low) * binsPerUnit));
      seen = (this.#upper[bin + 1]! + above * (this.#upper[bin]! - this.#upper[bin + 1]!)) / this.#total;
    }
    return Math.max(1e-30, (priorEvents * prior + this.#total * seen) / (priorEvents + this.#total));
  }

  #assumed(statistic: number): number {
    const { from, mean } = this.#prior;
    return statistic > from ? Math.max(1e-30, Math.exp((from - statistic) / mean)) : 1;
  }

  /** P(more than z tail means beyond where the tail begins). */
  #beyond(z: number): number {
    return this.#robust?.isCautious ? (1 + z / this.#exceedances) ** -this.#exceedances : Math.exp(-z);
  }

  advance(): void {
    if (this.#changes > 0 && this.#changes >= this.#total * refitShare) this.refit();
  }

  /** Everything that was added counts from now on. */
  refit(): void {
    this.join();
    this.fit();
  }

  /** What was added joins the rest: to be fitted next. */
  join(): void {
    let total = 0;
    for (let i = 0; i < bins; i++) {
      const count = this.#counts[i]! + this.#pending[i]!;
      this.#counts[i] = count;
      total += count;
    }
    this.#pending.fill(0);
    this.#changes = 0;
    if (total > memoryEvents) {
      for (let i = 0; i < bins; i++) this.#counts[i]! /= 2;
      total /= 2;
    }
    this.#final = total;
  }

  /** What these hold together, what is provisional included, and nothing else. */
  become(parts: readonly TailCalibrator[]): void {
    this.#counts.fill(0);
    for (const part of parts)
      for (let i = 0; i < bins; i++) this.#counts[i]! += part.#counts[i]! + (part.#provisional?.[i] ?? 0);
    this.#final = this.#counts.reduce((a, b) => a + b, 0);
    this.fit();
  }

  fit(): void {
    const provisional = this.#provisional;
    this.#total = this.#final + (provisional?.reduce((a, b) => a + b, 0) ?? 0);
    let above = 0;
    this.#upper[bins] = 0;
    for (let i = bins - 1; i >= 0; i--) {
      above += this.#counts[i]! + (provisional?.[i] ?? 0);
      this.#upper[i] = above;
    }
    const share =
      this.#robust !== undefined
        ? Math.min(this.#robust.share, this.#upper[zeroBin + 1]! / this.#total / 2)
        : tailShare;
    const first = this.#binAbove(share * this.#total);
    const beyond = this.#upper[first]!;
    this.#tailFrom = low + first / binsPerUnit;
    this.#tailShare = beyond / this.#total;
    this.#exceedances = Math.min(exceedancesMax, Math.max(1, beyond + priorEvents * this.#tailShare));
    const ignored = this.#robust !== undefined ? Math.max(ignoredLeast, ignoredShare * beyond) : trimmedShare * beyond;
    const last = this.#binAbove(ignored);
    this.#tailMean = this.#robust !== undefined ? this.#truncatedMean(first, last) : this.#censoredMean(first, last);
  }

  /** The first bin with no more than this much in it and above it. */
  #binAbove(mass: number): number {
    let bin = bins;
    while (bin > 0 && this.#upper[bin - 1]! <= mass) bin--;
    return bin;
  }

  /** Sum of excesses over the first bin, up to the last, in bins. */
  #excess(first: number, last: number): number {
    let excess = 0;
    for (let i = first; i < last; i++) excess += (this.#upper[i]! - this.#upper[i + 1]!) * (i - first + 0.5);
    return excess;
  }

  /** Excesses beyond the last bin count as if they ended there: a few huge ones must not make the tail. Half an event one unit up keeps it from being nothing. */
  #censoredMean(first: number, last: number): number {
    const further = this.#upper[last]!;
    const excess = this.#excess(first, last) + further * (last - first);
    return (excess / binsPerUnit + 0.5) / (this.#upper[first]! - further + 0.5);
  }

  /**
   * What lies beyond the last bin does not count at all: it may be attacks. The mean of an exponential of which only the part below c is seen is
   * m = µ - c / (e^(c/µ) - 1), solved for µ (maximum likelihood of the truncated exponential).
   */
  #truncatedMean(first: number, last: number): number {
    const seen = this.#upper[first]! - this.#upper[last]!;
    const c = (last - first) / binsPerUnit;
    if (c <= 0 || seen <= 0) return 1;
    // A unit exponential, or others', as much of it as the prior has beyond the same share: a handful of days does not make a scale.
    const prior = Math.max(0.5, priorEvents * this.#tailShare);
    const mean = this.#others === undefined ? 1 : this.#others.#tailMean;
    const m = (this.#excess(first, last) / binsPerUnit + prior * (mean - c / Math.expm1(c / mean))) / (seen + prior);
    let [least, most] = [0.05, 8 * Math.max(c, 1)];
    for (let i = 0; i < 40; i++) {
      const middle = (least + most) / 2;
      if (middle - c / Math.expm1(c / middle) < m) least = middle;
      else most = middle;
    }
    return least;
  }

  snapshot(): CalibratorSnapshot {
    return {
      total: this.#final,
      counts: upToLast(this.#counts),
      pending: upToLast(this.#pending),
      changes: this.#changes,
      provisional: this.#provisional === null ? null : upToLast(this.#provisional),
    };
  }

  restore(snapshot: CalibratorSnapshot): void {
    this.#counts.set(snapshot.counts);
    this.#final = snapshot.total;
    this.#provisional = snapshot.provisional === null ? null : new Float64Array(bins);
    this.#provisional?.set(snapshot.provisional!);
    this.#pending.set(snapshot.pending);
    this.#changes = snapshot.changes;
    this.fit();
  }
}

/** As saved: what lies beyond the last bin with anything in it is nothing. */
function upToLast(counts: Float64Array): Float64Array {
  let end = counts.length;
  while (end > 0 && counts[end - 1] === 0) end--;
  return counts.slice(0, end);
}

function binOf(statistic: number): number {
  const bin = Math.floor((statistic - low) * binsPerUnit);
  return bin < 0 ? 0 : bin >= bins ? bins - 1 : bin;
}
