/**
 * Statistics of any scale to p-values that hold on the stream itself.
 *
 * A histogram of the statistic gives the bulk; above its 98 % quantile an exponential tail is fitted by the mean excess (the
 * generalised Pareto tail of Siffer et al., KDD 2017, with shape 0). Until it has seen enough, exp(-statistic) speaks with the weight
 * of a hundred events. Reads see the state of the last `advance`.
 */
const low = -16;
const high = 64;
const binsPerUnit = 4;
const bins = (high - low) * binsPerUnit;
const priorEvents = 100;
const tailShare = 0.02;
const trimmedShare = 0.1;
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

export class TailCalibrator {
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

  /** P(statistic or more), in (0, 1]. */
  pValue(statistic: number): number {
    const prior = statistic > 0 ? Math.max(1e-30, Math.exp(-statistic)) : 1;
    if (this.#total === 0) return prior;
    let seen: number;
    if (statistic > this.#tailFrom) seen = this.#tailShare * Math.exp(-(statistic - this.#tailFrom) / this.#tailMean);
    else {
      const bin = binOf(statistic);
      const above = Math.min(1, Math.max(0, bin + 1 - (statistic - low) * binsPerUnit));
      seen = (this.#upper[bin + 1]! + above * (this.#upper[bin]! - this.#upper[bin + 1]!)) / this.#total;
    }
    return Math.max(1e-30, (priorEvents * prior + this.#total * seen) / (priorEvents + this.#total));
  }

  advance(): void {
    if (this.#changes > 0 && this.#changes >= this.#total * refitShare) this.refit();
  }

  /** Everything that was added counts from now on. */
  refit(): void {
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
    this.#fit();
  }

  #fit(): void {
    const provisional = this.#provisional;
    this.#total = this.#final + (provisional?.reduce((a, b) => a + b, 0) ?? 0);
    let above = 0;
    let from = -1;
    this.#upper[bins] = 0;
    for (let i = bins - 1; i >= 0; i--) {
      above += this.#counts[i]! + (provisional?.[i] ?? 0);
      this.#upper[i] = above;
      if (from < 0 && above >= tailShare * this.#total) from = i;
    }
    const beyond = this.#upper[from + 1]!;
    this.#tailFrom = low + (from + 1) / binsPerUnit;
    this.#tailShare = beyond / this.#total;
    this.#fitTail(from + 1, beyond);
  }

  /**
   * Excesses up to the one that a tenth of the tail exceeds, for what lies beyond may be attacks: a mean that counts the others as exactly there
   * (the censored maximum-likelihood estimate of an exponential tail).
   */
  #fitTail(first: number, beyond: number): void {
    let last = first;
    while (last < bins - 1 && this.#upper[last + 1]! > trimmedShare * beyond) last++;
    let excess = 0;
    for (let i = first; i <= last; i++) excess += (this.#upper[i]! - this.#upper[i + 1]!) * (i - first + 0.5);
    const further = this.#upper[last + 1]!;
    excess += further * (last - first + 1);
    // Half an event one unit above the threshold keeps the tail from being fitted to nothing.
    this.#tailMean = (excess / binsPerUnit + 0.5) / (beyond - further + 0.5);
  }

  snapshot(): CalibratorSnapshot {
    return {
      total: this.#final,
      counts: this.#counts.slice(),
      pending: this.#pending.slice(),
      changes: this.#changes,
      provisional: this.#provisional?.slice() ?? null,
    };
  }

  restore(snapshot: CalibratorSnapshot): void {
    this.#counts.set(snapshot.counts);
    this.#final = snapshot.total;
    this.#provisional = snapshot.provisional?.slice() ?? null;
    this.#pending.set(snapshot.pending);
    this.#changes = snapshot.changes;
    this.#fit();
  }
}

function binOf(statistic: number): number {
  const bin = Math.floor((statistic - low) * binsPerUnit);
  return bin < 0 ? 0 : bin >= bins ? bins - 1 : bin;
}
