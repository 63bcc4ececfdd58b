import { Population } from '../../src/baseline/population.ts';
import { at } from '../../src/baseline/row-layout.ts';
import { RowSlab } from '../../src/baseline/row-slab.ts';
import { hash64 } from '../../src/core/hash.ts';
import type { Moment } from '../../src/feature/family.ts';
import { emptyObservation, observe } from '../../src/feature/observation.ts';
import { families, featureCount } from '../../src/feature/registry.ts';
import { peerGroup } from '../../src/identity/peer-group.ts';
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
  const moment: Moment = {
    slab: new RowSlab(100_000),
    population: new Population(),
    row: 0,
    group: 0,
    observation: emptyObservation(),
    history: 0,
    gapMs: 0,
  };
  const { slab, population } = moment;
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
      population.advance(frame * frameMs);
      scorer.advance();
    }
    const { high, low } = hash64(resolved.identity);
    const known = slab.find(high, low);
    moment.row = known < 0 ? slab.create(high, low) : known;
    const last = slab.f64[(moment.row + at.lastTs) / 2]!;
    moment.group = population.group(peerGroup(resolved.event, resolved.identity_kind));
    moment.history = slab.f32[moment.row + at.events]!;
    moment.gapMs = last === 0 ? 0 : Math.max(0, ts - last);
    observe(resolved, moment.observation);
    scorer.judge(moment, vector, judgement);
    if (scorer.fuse(judgement, null) > ordinaryAbove) take(vector.out, ts);
    const weight = learningWeight(judgement.behaviourP, false);
    for (const family of families) family.learn(moment, weight);
    slab.f32[moment.row + at.events] = moment.history + 1;
    slab.f64[(moment.row + at.lastTs) / 2] = Math.max(last, ts);
  }
  return count;
}
