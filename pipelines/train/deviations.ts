import { seededRandom } from '../../src/core/random.ts';
import { Baselines } from '../../src/feature/baselines.ts';
import { featureCount } from '../../src/feature/registry.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { learningWeight } from '../../src/score/evidence.ts';
import { emptyJudgement, Scorer } from '../../src/score/scorer.ts';

/** As in src/pipeline.ts: what events teach the population is seen by others when the frame ends. */
const frameMs = 10_000;
const dayMs = 86_400_000;

export type Collected = {
  /** Rows of `featureCount`, in seeded order. */
  readonly vectors: Float32Array;
  readonly events: number;
};

/**
 * Pass 1 of the engine over events in order of time, with the engine's own parts: what service extracts is what training sees.
 * Of the ordinary events' deviations a seeded sample of bounded size is kept.
 */
export class DeviationCollector {
  readonly #of: {
    readonly seed: number;
    readonly ordinaryAbove: number;
    readonly vectorsMax: number;
    readonly burnInDays: number;
  };
  readonly #baselines = new Baselines({ identitiesMax: 100_000, activeMax: 65_536 });
  readonly #scorer = new Scorer();
  readonly #judgement = emptyJudgement();
  readonly #vector = { out: new Float32Array(featureCount), offset: 0 };
  readonly #kept: Float32Array[] = [];
  readonly #random;
  #from = Number.NaN;
  #frame = -1;
  #events = 0;
  #ordinary = 0;

  constructor(of: { seed: number; ordinaryAbove: number; vectorsMax: number; burnInDays: number }) {
    this.#of = of;
    this.#random = seededRandom(of.seed);
  }

  accept(resolved: ResolvedEvent): void {
    const { ts, enforced } = resolved.event;
    if (enforced) return;
    if (Number.isNaN(this.#from)) this.#from = ts + this.#of.burnInDays * dayMs;
    this.#events++;
    const frame = Math.floor(ts / frameMs);
    if (frame !== this.#frame) {
      this.#frame = frame;
      this.#baselines.advance(frame * frameMs);
      this.#scorer.advance();
    }
    const moment = this.#baselines.enter(resolved);
    this.#scorer.judge(moment, this.#vector, this.#judgement);
    const isOrdinary = this.#scorer.fuse(this.#judgement, null) > this.#of.ordinaryAbove;
    if (isOrdinary && ts >= this.#from) this.#keep(this.#vector.out);
    this.#baselines.learn(learningWeight(this.#judgement.behaviourP, false));
  }

  /** Each ordinary event has the same chance to be among those that are kept (Vitter's algorithm R). */
  #keep(vector: Float32Array): void {
    const place = Math.floor(this.#random.next() * ++this.#ordinary);
    if (this.#kept.length < this.#of.vectorsMax) this.#kept.push(vector.slice());
    else if (place < this.#of.vectorsMax) this.#kept[place]!.set(vector);
  }

  end(): Collected {
    const all = this.#kept;
    for (let i = all.length - 1; i > 0; i--) {
      const j = Math.floor(this.#random.next() * (i + 1));
      [all[i], all[j]] = [all[j]!, all[i]!];
    }
    const vectors = new Float32Array(all.length * featureCount);
    for (const [i, vector] of all.entries()) vectors.set(vector, i * featureCount);
    return { vectors, events: this.#events };
  }
}
