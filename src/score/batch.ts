import { activeAt } from '../baseline/active-layout.ts';
import { at, detectors, families as familyNames } from '../baseline/row-layout.ts';
import type { RowSlab } from '../baseline/row-slab.ts';
import type { Moment } from '../feature/family.ts';
import { families, featureCount, featureNames, featureOffsets } from '../feature/registry.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import type { Contribution } from './contribution.ts';
import { raiseDoubt } from './doubt.ts';
import { accumulate, faded } from './evidence.ts';
import { leaveOutContext } from './explained.ts';
import { familyOf, natsOf } from './feature-nats.ts';
import type { Model } from './model.ts';
import { emptyJudgement, type Judgement, type Scorer } from './scorer.ts';
import { type Excuse, type Spared, spare } from './spare.ts';

/** Events that the model scores at once: 0.8 µs each at this size, 70 µs alone. */
export const batchMax = 512;
/** Below this p-value an event's deviations are put into words while the baseline is still what it was before the event. */
const wordsBelow = 0.05;
/** Above this many nats what another detector says is put into words too. */
const wordsAbove = 5;
const contributionsMax = 3;
/** Nats from which a feature stands out. */
const wordsLeast = 0.7;
/** The family that each detector reads; behaviour, the first, gathers several. */
const detectorFamilies = detectors.map((name) => (name === 'behaviour' ? -1 : familyNames.indexOf(name)));

/** An event between the two passes; reused, so nothing may keep it. */
export type Entry = {
  resolved: ResolvedEvent;
  row: number;
  /** Events in the row, this one included, and identities held, both as of this event: pass 1 is ahead of pass 2. */
  events: number;
  identities: number;
  seq: number;
  /** False for events that are only passed on: our own refusals. */
  judged: boolean;
  /** What is left of the evidence that was there before. */
  left: number;
  /** Too late to be acted on. */
  late: boolean;
  readonly judgement: Judgement;
  contributions: readonly Contribution[];
  /** What is left of it when what people expect is left out; null when nothing is. */
  spared: Spared | null;
  /** -log10 p. */
  surprise: number;
  /** Behaviour's accumulated evidence, the rate's and the errors' statistic, nats. */
  readonly detectors: Float64Array;
  top: readonly string[];
};

const none: readonly never[] = [];
const nothing = undefined as unknown as ResolvedEvent;

/** The micro-batch: pass 1 adds events in order, pass 2 lets the model see them all at once and concludes in the same order. */
export class Batch {
  readonly #scorer: Scorer;
  readonly #model: Model | null;
  readonly #vectors = new Float32Array(batchMax * featureCount);
  readonly #entries: readonly Entry[] = Array.from({ length: batchMax }, newEntry);
  /** One place more than there are contributions: what falls off the end goes there. */
  readonly #best = {
    features: new Int32Array(contributionsMax + 1),
    nats: new Float64Array(contributionsMax + 1),
  };
  #size = 0;

  constructor(scorer: Scorer, model: Model | null) {
    this.#scorer = scorer;
    this.#model = model;
  }

  get full(): boolean {
    return this.#size === batchMax;
  }

  /** Scores without the model; returns the p-value that decides how much is learned. */
  add(of: {
    moment: Moment;
    resolved: ResolvedEvent;
    seq: number;
    late: boolean;
    /** Its session began with a log-in that the identity provider told of. */
    isExplained?: boolean;
    excuse?: Excuse | undefined;
  }): number {
    const offset = this.#size * featureCount;
    const entry = this.#next(of.resolved, of.seq);
    const { moment } = of;
    entry.row = moment.row;
    entry.events = moment.history + 1;
    entry.identities = moment.slab.size;
    entry.judged = true;
    entry.left = faded(moment.gapMs);
    entry.late = of.late;
    const { judgement } = entry;
    const vector = { out: this.#vectors, offset };
    this.#scorer.judge(moment, vector, judgement);
    if (of.isExplained) leaveOutContext(judgement, vector, this.#pOf(judgement));
    raiseDoubt(moment, judgement.behaviourP);
    const worthWords = this.#raises(moment, judgement) || judgement.behaviourP <= wordsBelow;
    entry.contributions = worthWords ? this.#describe(moment, { ...of, offset, judgement }) : none;
    if (of.excuse !== undefined) entry.spared = this.#spare(moment, of.excuse, entry);
    let least = 1;
    for (let i = 0; i < judgement.memberCount; i++) least = Math.min(least, judgement.members[i]!);
    return least;
  }

  #spare(moment: Moment, excuse: Excuse, { judgement, contributions }: Entry): Spared | null {
    const vector = { values: this.#vectors, offset: (this.#size - 1) * featureCount };
    return spare({ moment, vector, judgement, contributions, excuse, pOf: this.#pOf(judgement) });
  }

  #pOf({ historyClass }: Judgement): (ratio: number) => number {
    return (ratio) => this.#scorer.behaviourP(ratio, historyClass);
  }

  /** Whether a detector has something to say, and more than it said of the identity's earlier events today: a busy day says the same with each of its calls. */
  #raises(moment: Moment, { statistics }: Judgement): boolean {
    const { f32, u8 } = moment.active;
    const start = moment.activeRow + activeAt.worded;
    const day = Math.floor(moment.observation.ts / 86_400_000);
    let raises = false;
    for (let d = 1; d < detectors.length; d++) {
      const statistic = statistics[detectorFamilies[d]!]!;
      if (statistic <= wordsAbove) continue;
      if (f32[start] !== day) {
        f32[start] = day;
        u8.fill(0, (start + 1) * 4, (start + 1) * 4 + detectors.length);
      }
      // On a logarithmic scale: from 60 on each step is four more.
      const said = Math.min(255, Math.floor(16 * Math.log1p(statistic)));
      if (said <= u8[(start + 1) * 4 + d]!) continue;
      u8[(start + 1) * 4 + d] = said;
      raises = true;
    }
    return raises;
  }

  /** An event that is neither scored nor learned, kept in its place. */
  pass(resolved: ResolvedEvent, seq: number): void {
    this.#next(resolved, seq).judged = false;
  }

  /** Pass 2: the entries in order, each handed on as soon as it is concluded. */
  settle(slab: RowSlab, conclude: (entry: Entry) => void): void {
    if (this.#size === 0) return;
    const statistics = this.#model?.score(this.#vectors, this.#size);
    const size = this.#size;
    this.#size = 0;
    for (let i = 0; i < size; i++) {
      const entry = this.#entries[i]!;
      entry.surprise = 0;
      entry.top = none;
      if (entry.judged) this.#conclude(entry, { i, statistic: statistics?.[i], slab });
      conclude(entry);
      entry.resolved = nothing;
    }
  }

  #conclude(entry: Entry, of: { i: number; statistic: number | undefined; slab: RowSlab }): void {
    const { judgement, row } = entry;
    const rowState = of.slab.f32;
    const model =
      of.statistic === undefined
        ? null
        : { p: this.#scorer.modelP(of.statistic, judgement.weight), weight: this.#model!.weight };
    entry.surprise = -Math.log10(this.#scorer.fuse(judgement, model));
    if (entry.surprise >= 1) entry.top = this.#top(of.i * featureCount);
    if (entry.late) return;
    for (let k = 0; k < 3; k++) {
      const share = row + at.evidenceShares + k;
      rowState[share] = rowState[share]! * entry.left + Math.max(0, judgement.statistics[k + 1]!);
    }
    rowState[row + at.evidence] = accumulate(
      rowState[row + at.evidence]! * entry.left,
      judgement.behaviourP,
      entry.events - 1,
    );
    entry.detectors[0] = rowState[row + at.evidence]!;
    for (let d = 1; d < detectors.length; d++) entry.detectors[d] = judgement.statistics[detectorFamilies[d]!]!;
  }

  #next(resolved: ResolvedEvent, seq: number): Entry {
    const entry = this.#entries[this.#size++]!;
    entry.resolved = resolved;
    entry.seq = seq;
    entry.late = false;
    entry.contributions = none;
    entry.spared = null;
    return entry;
  }

  /** The features that said most, of those that can be put into words: their indices to `#best`, how many there are is returned. */
  #strongest(offset: number): number {
    const best = this.#best;
    let size = 0;
    for (let f = 0; f < featureCount; f++) {
      // Most are nothing, and a feature that says enough is above this on every scale.
      if (this.#vectors[offset + f]! < wordsLeast) continue;
      const said = natsOf(this.#vectors[offset + f]!, f);
      if (said < wordsLeast) continue;
      let place = size;
      for (; place > 0 && best.nats[place - 1]! < said; place--) {
        best.nats[place] = best.nats[place - 1]!;
        best.features[place] = best.features[place - 1]!;
      }
      best.nats[place] = said;
      best.features[place] = f;
      if (size < contributionsMax) size++;
    }
    return size;
  }

  #top(offset: number): readonly string[] {
    const size = this.#strongest(offset);
    return Array.from(this.#best.features.subarray(0, size), (f) => featureNames[f]!);
  }

  /** In words: the features that said most, and the strongest of each detector that has something to say, for a claim of its own needs a reason of its own. */
  #describe(
    moment: Moment,
    of: { readonly resolved: ResolvedEvent; readonly offset: number; readonly judgement: Judgement },
  ): Contribution[] {
    const size = this.#strongest(of.offset);
    const said = Array.from(this.#best.features.subarray(0, size));
    for (const family of detectorFamilies) {
      if (family < 0 || of.judgement.statistics[family]! <= wordsAbove) continue;
      const strongest = this.#strongestOf(family, of.offset);
      if (strongest >= 0 && !said.includes(strongest)) said.push(strongest);
    }
    const peers = moment.population.groupName(moment.group);
    return said.map((f) => {
      const family = familyOf[f]!;
      const observed = families[family]!.describe(moment, f - featureOffsets[family]!, of.resolved);
      return { feature: featureNames[f]!, nats: natsOf(this.#vectors[of.offset + f]!, f), observed, peers };
    });
  }

  /** The family's feature that said most, or -1 when none stands out. */
  #strongestOf(family: number, offset: number): number {
    let best = -1;
    let most = wordsLeast;
    const end = featureOffsets[family + 1] ?? featureCount;
    for (let f = featureOffsets[family]!; f < end; f++) {
      const said = natsOf(this.#vectors[offset + f]!, f);
      if (said < most) continue;
      most = said;
      best = f;
    }
    return best;
  }
}

function newEntry(): Entry {
  return {
    resolved: nothing,
    row: 0,
    events: 0,
    identities: 0,
    seq: 0,
    judged: false,
    left: 1,
    late: false,
    judgement: emptyJudgement(),
    contributions: none,
    spared: null,
    surprise: 0,
    detectors: new Float64Array(detectors.length),
    top: none,
  };
}
