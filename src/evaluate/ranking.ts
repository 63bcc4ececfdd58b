/**
 * How well scores rank attacks above the ordinary. AUROC is the chance that an attack scores higher than something ordinary, ties counted
 * half; average precision is the mean of the precision at each attack, which unlike AUROC tells what share of the top of the list is true.
 */
export type Ranking = {
  readonly attacks: number;
  readonly ordinary: number;
  readonly auroc: number;
  readonly averagePrecision: number;
};

class Tally {
  attacks = 0;
  readonly #ordinary: number;
  #found = 0;
  #area = 0;
  #precision = 0;

  constructor(ordinary: number) {
    this.#ordinary = ordinary;
  }

  /** A run of equal scores; `falseBefore` ordinary ones scored higher. */
  add(found: number, ordinary: number, falseBefore: number): void {
    this.#area += ordinary * (this.#found + found / 2);
    this.#found += found;
    if (found > 0) this.#precision += (found * this.#found) / (this.#found + falseBefore + ordinary);
  }

  result(): Ranking {
    const { attacks } = this;
    const ordinary = this.#ordinary;
    return { attacks, ordinary, auroc: this.#area / (attacks * ordinary), averagePrecision: this.#precision / attacks };
  }
}

/**
 * Classes against the ordinary in one pass. `classOf`: -1 is left out, 0 is ordinary, k from 1 to `classes` an attack of that class.
 * The first result is of all attacks together, the k-th of class k.
 */
export function rankByClass(scores: Float64Array, classOf: Int32Array, classes: number): Ranking[] {
  const order = new Uint32Array(scores.length).map((_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  const ordinaryCount = classOf.reduce((count, each) => count + Number(each === 0), 0);
  const tallies = Array.from({ length: classes + 1 }, () => new Tally(ordinaryCount));
  for (const each of classOf) if (each > 0) for (const k of [0, each]) tallies[k]!.attacks++;
  const found = new Int32Array(classes + 1);
  let falseBefore = 0;
  for (let i = 0; i < order.length; ) {
    const score = scores[order[i]!]!;
    let ordinary = 0;
    found.fill(0);
    for (; i < order.length && scores[order[i]!] === score; i++) {
      const each = classOf[order[i]!]!;
      if (each === 0) ordinary++;
      else if (each > 0) for (const k of [0, each]) found[k]!++;
    }
    for (let k = 0; k <= classes; k++) tallies[k]!.add(found[k]!, ordinary, falseBefore);
    falseBefore += ordinary;
  }
  return tallies.map((tally) => tally.result());
}

/** One score of something larger than an event: a window, a session. */
export type Item = {
  readonly score: number;
  readonly attack: boolean;
  /** What was attacked, when several scores belong to one incident. */
  readonly incident: string;
};

const falsePositiveRates = [0.001, 0.01, 0.05] as const;

export type Roc = Ranking & {
  /** Share of the attacks above the lowest threshold that keeps each false-positive rate. */
  readonly hits: readonly number[];
  /** Incidents with at least one hit, at the same thresholds. */
  readonly incidents: readonly number[];
};

export function roc(items: readonly Item[]): Roc {
  const classOf = Int32Array.from(items, ({ attack }) => (attack ? 1 : 0));
  const ranking = rankByClass(
    Float64Array.from(items, ({ score }) => score),
    classOf,
    1,
  )[0]!;
  const ordinary = items.flatMap(({ attack, score }) => (attack ? [] : [score])).sort((a, b) => b - a);
  const attacks = items.filter(({ attack }) => attack);
  const caught = falsePositiveRates.map((rate) => {
    // With at most `allowed` ordinary ones above it, the threshold is the next ordinary score, which itself is not above.
    const threshold = ordinary[Math.floor(rate * ordinary.length)] ?? Number.NEGATIVE_INFINITY;
    return attacks.filter(({ score }) => score > threshold);
  });
  return {
    ...ranking,
    hits: caught.map((each) => each.length / attacks.length),
    incidents: caught.map((each) => new Set(each.map(({ incident }) => incident)).size),
  };
}

/** NaN of none; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** With the standard error of the mean; NaN of fewer than two. */
export function meanOf(values: readonly number[]): { readonly mean: number; readonly error: number } {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}
