export type Scored = {
  readonly score: number;
  readonly attack: boolean;
  /** What was attacked, when several scores belong to one incident. */
  readonly incident: string;
};

export const falsePositiveRates = [0.001, 0.01, 0.05] as const;

export type Roc = {
  readonly attacks: number;
  readonly ordinary: number;
  /** Chance that an attack scores higher than something ordinary; ties count half. */
  readonly auroc: number;
  /** Share of the attacks above the lowest threshold that keeps each false-positive rate. */
  readonly hits: readonly number[];
  /** Incidents with at least one hit, at the same thresholds. */
  readonly incidents: readonly number[];
};

export function roc(items: readonly Scored[]): Roc {
  const sorted = [...items].sort((a, b) => b.score - a.score);
  const attacks = items.filter((item) => item.attack).length;
  const ordinary = items.length - attacks;
  const hits = falsePositiveRates.map(() => 0);
  const incidents = falsePositiveRates.map(() => 0);
  const seen = new Set<string>();
  let [truePositives, falsePositives, area] = [0, 0, 0];
  for (let i = 0; i < sorted.length; ) {
    const start = { truePositives, falsePositives };
    const { score } = sorted[i]!;
    for (; i < sorted.length && sorted[i]!.score === score; i++) {
      const { attack, incident } = sorted[i]!;
      if (attack) seen.add(incident);
      if (attack) truePositives++;
      else falsePositives++;
    }
    area += ((falsePositives - start.falsePositives) * (truePositives + start.truePositives)) / 2;
    for (const [k, rate] of falsePositiveRates.entries()) {
      if (falsePositives > rate * ordinary) continue;
      hits[k] = truePositives / attacks;
      incidents[k] = seen.size;
    }
  }
  return { attacks, ordinary, auroc: area / (attacks * ordinary), hits, incidents };
}
