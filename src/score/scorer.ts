import { historyClass, historyClasses } from '../baseline/population.ts';
import { behaviourFamilies, families as familyNames } from '../baseline/row-layout.ts';
import { type CalibratorSnapshot, TailCalibrator } from '../baseline/tail-calibrator.ts';
import { voice } from '../feature/errors.ts';
import type { Moment } from '../feature/family.ts';
import { countingNats } from '../feature/objects.ts';
import { families, featureOffsets } from '../feature/registry.ts';
import { cauchyCombination } from './fuse.ts';

const errors = familyNames.indexOf('errors');
const volume = familyNames.indexOf('volume');
const behaviour = behaviourFamilies.map((name) => familyNames.indexOf(name));

export type Judgement = {
  /** Each family's statistic, nats. */
  readonly statistics: Float64Array;
  /** That the identity goes through objects by their numbers, as a likelihood ratio, nats. */
  counting: number;
  /** P-value of behaviour: how improbable it is that this call is the identity's. */
  behaviourP: number;
  /** P-values of behaviour, volume and errors, for the event's surprise. */
  readonly members: Float64Array;
  memberCount: number;
  historyClass: number;
  /** What the event counts in the calibration. */
  weight: number;
};

export function emptyJudgement(): Judgement {
  return {
    statistics: new Float64Array(familyNames.length),
    counting: 0,
    behaviourP: 1,
    members: new Float64Array(4),
    memberCount: 0,
    historyClass: 0,
    weight: 1,
  };
}

/**
 * From deviations to p-values, calibrated on the shard's own stream. The rate family is not part of an event's surprise: it says
 * something of a window, and each of the window's calls would say it again.
 */
export class Scorer {
  readonly #behaviour = Array.from({ length: historyClasses }, () => new TailCalibrator());
  readonly #fused = Array.from({ length: historyClasses }, () => new TailCalibrator());
  readonly #errors = new TailCalibrator();
  readonly #volume = new TailCalibrator();
  readonly #model = new TailCalibrator();
  readonly #pair = new Float64Array(2);

  /** Before learning: fills the deviation vector at `offset` and the judgement. */
  judge(moment: Moment, vector: { readonly out: Float32Array; readonly offset: number }, into: Judgement): void {
    for (let i = 0; i < families.length; i++) {
      into.statistics[i] = families[i]!.extract(moment, vector.out, vector.offset + featureOffsets[i]!);
    }
    into.counting = countingNats(moment);
    const at = historyClass(moment.history);
    into.historyClass = at;
    const weight = voice(moment);
    into.weight = weight;
    let ratio = 0;
    for (const family of behaviour) ratio += into.statistics[family]!;
    this.#behaviour[at]!.add(ratio, weight);
    into.members[0] = this.#behaviour[at]!.pValue(ratio);
    into.memberCount = 1;
    into.behaviourP = into.members[0]!;
    if (moment.observation.responseBytes >= 0 || moment.observation.requestBytes >= 0) {
      this.#volume.add(into.statistics[volume]!, weight);
      if (into.statistics[volume]! > 0)
        into.members[into.memberCount++] = this.#volume.pValue(into.statistics[volume]!);
    }
    this.#errors.add(into.statistics[errors]!, weight);
    if (into.statistics[errors]! > 0) {
      into.members[into.memberCount++] = this.#errors.pValue(into.statistics[errors]!);
    }
  }

  /** P-value that behaviour of this much would have; nothing is counted. */
  behaviourP(ratio: number, historyClass: number): number {
    return this.#behaviour[historyClass]!.pValue(ratio);
  }

  /** P-value of the model's statistic. */
  modelP(statistic: number, weight: number): number {
    this.#model.add(statistic, weight);
    return this.#model.pValue(statistic);
  }

  /** The event's own p-value: all members and the model's opinion, combined and calibrated once more. */
  fuse(judgement: Judgement, model: { readonly p: number; readonly weight: number } | null): number {
    let p = cauchyCombination(judgement.members, judgement.memberCount);
    if (model !== null && model.weight > 0) {
      this.#pair[0] = p;
      this.#pair[1] = model.p;
      p = (1 - model.weight) * p + model.weight * cauchyCombination(this.#pair, 2);
    }
    const statistic = -Math.log(p);
    const calibrator = this.#fused[judgement.historyClass]!;
    calibrator.add(statistic, judgement.weight);
    return calibrator.pValue(statistic);
  }

  advance(): void {
    for (const calibrator of this.#all()) calibrator.advance();
  }

  snapshot(): readonly CalibratorSnapshot[] {
    return this.#all().map((calibrator) => calibrator.snapshot());
  }

  restore(snapshot: readonly CalibratorSnapshot[]): void {
    this.#all().forEach((calibrator, i) => {
      calibrator.restore(snapshot[i]!);
    });
  }

  #all(): readonly TailCalibrator[] {
    return [...this.#behaviour, ...this.#fused, this.#errors, this.#volume, this.#model];
  }
}
