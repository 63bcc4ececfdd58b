import { Baselines } from '../../src/feature/baselines.ts';
import { featureCount } from '../../src/feature/registry.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { learningWeight } from '../../src/score/evidence.ts';
import { emptyJudgement, Scorer } from '../../src/score/scorer.ts';

/** As in src/pipeline.ts: what events teach the population is seen by others when the frame ends. */
const frameMs = 10_000;

/**
 * Pass 1 of the engine over events in order of time, with the engine's own parts: what service extracts is what training sees.
 * `take` is called with each ordinary event's deviations (reused: copy them).
 */
export function collectDeviations(
  events: Iterable<ResolvedEvent>,
  ordinaryAbove: number,
  take: (vector: Float32Array, ts: number) => void,
): number {
  const baselines = new Baselines({ identitiesMax: 100_000, activeMax: 65_536 });
  const scorer = new Scorer();
  const judgement = emptyJudgement();
  const vector = { out: new Float32Array(featureCount), offset: 0 };
  let frame = -1;
  let count = 0;
  for (const resolved of events) {
    const { ts } = resolved.event;
    count++;
    if (Math.floor(ts / frameMs) !== frame) {
      frame = Math.floor(ts / frameMs);
      baselines.advance(frame * frameMs);
      scorer.advance();
    }
    const moment = baselines.enter(resolved);
    scorer.judge(moment, vector, judgement);
    if (scorer.fuse(judgement, null) > ordinaryAbove) take(vector.out, ts);
    baselines.learn(learningWeight(judgement.behaviourP, false));
  }
  return count;
}
