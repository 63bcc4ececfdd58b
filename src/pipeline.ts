import type { ColdRows } from './baseline/cold-rows.ts';
import { type ArrayChange, LargeArrays } from './baseline/large-arrays.ts';
import { RecentIds } from './baseline/recent-ids.ts';
import { ReorderBuffer } from './baseline/reorder-buffer.ts';
import { at } from './baseline/row-layout.ts';
import { decodeCommon, decodeStateRecord, encodeState, Pieces } from './baseline/snapshot.ts';
import { SourceMarks } from './baseline/source-marks.ts';
import type { EpochMs } from './core/clock.ts';
import { Baselines } from './feature/baselines.ts';
import { type CaseChange, Detector } from './finding/detect.ts';
import type { Finding } from './finding/finding.ts';
import type { Suppression } from './finding/suppression.ts';
import { actorKindOf } from './identity/peer-group.ts';
import type { ResolvedEvent } from './identity/resolved-event.ts';
import type { Policy } from './policy/decide.ts';
import type { Decision } from './policy/decision.ts';
import type { FindingChange } from './policy/judge.ts';
import type { AnyNotice } from './policy/notice.ts';
import { addSaid, nothingSaid, type Said, takeNotice } from './policy/take-notice.ts';
import { Batch, type Entry } from './score/batch.ts';
import { isAccepted, isDoubted } from './score/doubt.ts';
import { learningWeight } from './score/evidence.ts';
import type { Model } from './score/model.ts';
import { Scorer } from './score/scorer.ts';

/** A frame: the stretch of event time in which what events teach the population and the gates is not yet seen by others. */
const frameMs = 10_000;
const reorderMax = 65_536;
const rowsPerRecord = 1000;
/** Not zero: what is learned with no weight at all has no mean. */
const frozenWeight = 1 / 1024;
const nothingFound = { evidence: 0, changes: [] };

type Changes = { readonly arrays: readonly ArrayChange[]; readonly cases: readonly CaseChange[] };

export type ShardOptions = {
  readonly shard: number;
  readonly reorderWindowMs: number;
  readonly allowedLatenessMs: number;
  readonly identitiesMax: number;
  /** Identities of the second tier: those seen most recently. */
  readonly activeMax: number;
  readonly duplicateWindow: number;
  readonly findingsPer1000PerDay: number;
  /** What each detector's word weighs, in the order of `detectors`. */
  readonly fusion: readonly number[];
  readonly model: Model | null;
  readonly policy: Policy;
  /** Of the configuration. */
  readonly suppressions?: readonly Suppression[];
  /** Evaluation only: next to nothing is learned of events for which this says no, so that a frozen model can be compared with. */
  readonly learns?: (resolved: ResolvedEvent) => boolean;
  /** Where identities beyond `identitiesMax` wait; without it they are forgotten. */
  readonly cold?: ColdRows;
  /** Training only: hears what each identity's finished day came to, in nats by detector. The identity is the hash of its key; the numbers are reused. */
  readonly onDay?: (identity: { readonly high: number; readonly low: number }, day: number, said: Float64Array) => void;
};

export type Verdict = {
  readonly resolved: ResolvedEvent;
  readonly seq: number;
  readonly surprise: number;
  readonly evidence: number;
  readonly risk: number;
  readonly top: readonly string[];
  readonly findings: readonly string[];
};

/** What came out since the last `drain`: verdicts in order, each finding once in its newest state, decisions in order. */
export type ShardOutput = {
  readonly verdicts: readonly Verdict[];
  readonly findings: readonly Finding[];
  readonly decisions: readonly Decision[];
  /** What people said, as it was taken. */
  readonly said: Said;
};

/**
 * The whole flow of one shard, synchronous and without I/O: duplicates out, order restored, then per event
 * features -> deviations -> learn, and per micro-batch model -> surprise -> evidence -> finding -> risk -> decision.
 * Everything follows from the sequence of records alone.
 */
export class Shard {
  readonly counters = { accepted: 0, duplicates: 0, late: 0, enforced: 0 };
  readonly #options: ShardOptions;
  readonly #baselines: Baselines;
  readonly #scorer = new Scorer();
  readonly #detector: Detector;
  readonly #batch: Batch;
  readonly #recent: RecentIds;
  readonly #buffer: ReorderBuffer<ResolvedEvent>;
  readonly #marks = new SourceMarks();
  readonly #concludeEntry = (entry: Entry): void => this.#conclude(entry);
  readonly #settleNow = (): void => this.#settle();
  #seq = 0;
  #frame = -1;
  #newest = 0;
  #verdicts: Verdict[] = [];
  #findings = new Map<string, Finding>();
  /** Findings that saw one more event and are otherwise as they were told: told again when the frame ends, not with every event. */
  #updated = new Map<string, Finding>();
  #decisions: Decision[] = [];
  #said = nothingSaid();
  readonly #arrays = new LargeArrays();
  readonly #commonPieces = new Pieces();
  readonly #changePieces = new Pieces();
  /** The newest that was read back. */
  #savedCommon: Buffer | undefined;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.#baselines = new Baselines(options);
    const { slab } = this.#baselines;
    const { onDay } = options;
    const hear =
      onDay &&
      ((row: number, day: number, said: Float64Array): void =>
        onDay({ high: slab.u32[row + at.keyHigh]!, low: slab.u32[row + at.keyLow]! }, day, said));
    this.#detector = new Detector(slab, { ...options, onDay: hear });
    this.#batch = new Batch(this.#scorer, options.model);
    this.#recent = new RecentIds(options.duplicateWindow);
    this.#buffer = new ReorderBuffer(options.reorderWindowMs, reorderMax);
  }

  get identities(): number {
    return this.#baselines.slab.size;
  }

  /** Identities moved out at the limits of the two tiers, and those in the second. */
  get held(): { readonly evicted: number; readonly active: number; readonly activeEvicted: number } {
    const { slab, active } = this.#baselines;
    return { evicted: slab.evicted, active: active.size, activeEvicted: active.evicted };
  }

  get bytes(): number {
    return Object.values(this.memory).reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Bytes held, by what they hold. */
  get memory() {
    return {
      rows: this.#baselines.slab.bytes,
      active: this.#baselines.active.bytes,
      population: this.#baselines.population.bytes,
      shared: this.#baselines.shared.bytes,
      recent: this.#recent.bytes,
      written: this.#arrays.bytes,
    };
  }

  /**
   * When the first record that the shard ever reads was written, ms. Its running numbers start there, times a thousand: a shard that
   * lost its state and begins again numbers higher than before, and the same log gives the same numbers.
   */
  begin(timestamp: number): void {
    if (this.#seq === 0) this.#seq = timestamp * 1000;
  }

  accept(resolved: ResolvedEvent): void {
    if (this.#repeated(resolved)) {
      this.counters.duplicates++;
      return;
    }
    this.counters.accepted++;
    this.#buffer.push(resolved);
    for (let next = this.#buffer.take(); next !== undefined; next = this.#buffer.take()) this.#release(next);
  }

  /** The log says that nothing older than `ts` is expected. */
  tick(ts: number): void {
    this.#buffer.advance(ts);
    for (let next = this.#buffer.take(); next !== undefined; next = this.#buffer.take()) this.#release(next);
    this.#settle();
    this.#tellUpdates();
  }

  /** People and other systems have their say at this place in the log, whatever events still wait for their turn. */
  notice(notice: AnyNotice): void {
    this.#settle();
    const { policy } = this.#options;
    const parts = { policy, detector: this.#detector, baselines: this.#baselines };
    const said = takeNotice(notice, { ...parts, seq: this.#seq + 1 });
    if (said.findings.length > 0) this.#seq++;
    for (const finding of said.findings) this.#tell(finding);
    this.#decisions.push(...said.decisions);
    addSaid(this.#said, said);
  }

  #tell(finding: Finding): void {
    this.#findings.set(finding.finding_id, finding);
    this.#updated.delete(finding.finding_id);
  }

  /** The newest event time seen, while events wait for their turn; undefined when none does. */
  get newestWaiting(): EpochMs | undefined {
    return this.#buffer.size === 0 ? undefined : this.#buffer.newest;
  }

  /** Releases everything that still waits for its turn: the end of a file. */
  flush(): void {
    for (let next = this.#buffer.flush(); next !== undefined; next = this.#buffer.flush()) this.#release(next);
    this.#settle();
    this.#tellUpdates();
  }

  drain(): ShardOutput {
    this.#settle();
    const verdicts = this.takeVerdicts();
    const findings = [...this.#findings.values()];
    const output = { verdicts, findings, decisions: this.#decisions, said: this.#said };
    this.#findings = new Map();
    this.#decisions = [];
    this.#said = nothingSaid();
    return output;
  }

  /** What `drain` would give of verdicts, as far as they stand: whoever takes them early lets go of their events while they are young. */
  takeVerdicts(): readonly Verdict[] {
    const verdicts = this.#verdicts;
    if (verdicts.length > 0) this.#verdicts = [];
    return verdicts;
  }

  /** Pass 1. */
  #release(resolved: ResolvedEvent): void {
    if (this.#batch.full) this.#settle();
    const { event } = resolved;
    this.#seq++;
    const late = event.ts < this.#newest - this.#options.allowedLatenessMs;
    if (event.ts > this.#newest) this.#newest = event.ts;
    this.#enterFrame(Math.floor(this.#newest / frameMs));
    if (event.enforced) {
      this.counters.enforced++;
      this.#batch.pass(resolved, this.#seq);
      return;
    }
    if (late) this.counters.late++;
    const moment = this.#baselines.enter(resolved, this.#settleNow);
    const excuse = this.#detector.feedback.excuseOf(moment);
    const isExplained = this.#detector.logIns.explains(resolved);
    const p = this.#batch.add({ moment, resolved, seq: this.#seq, late, isExplained, excuse });
    const open = event.ts < moment.slab.u32[moment.row + at.gatedUntil]! * 1000;
    const gated = (open || isDoubted(moment)) && !isAccepted(moment);
    const frozen = this.#options.learns?.(resolved) === false;
    this.#baselines.learn(frozen ? frozenWeight : learningWeight(p, gated));
  }

  /** Pass 2, for all that pass 1 has left. */
  #settle(): void {
    this.#batch.settle(this.#baselines.slab, this.#concludeEntry);
  }

  #conclude(entry: Entry): void {
    const { resolved, seq, surprise } = entry;
    const { identity, event } = resolved;
    const result = entry.judged && !entry.late ? this.#detector.observe(entry) : nothingFound;
    for (const { finding, change } of result.changes) {
      if (change === 'counted' || change === 'suppressed') {
        (this.#findings.has(finding.finding_id) ? this.#findings : this.#updated).set(finding.finding_id, finding);
        continue;
      }
      const actorKind = actorKindOf(event, resolved.identity_kind) === 'service' ? 'service' : 'human';
      this.#judge({
        ...{ finding, change, at: event.ts, sessionId: event.session_id, tokenId: event.token_id, actorKind },
        ...{ clientIp: event.client_ip, route: resolved.route, host: event.host, activeIdentities: entry.identities },
      });
    }
    const risk = this.#options.policy.riskOf(identity, event.ts);
    const findings = this.#detector.openIds(identity);
    this.#verdicts.push({ resolved, seq, surprise, evidence: result.evidence, risk, top: entry.top, findings });
  }

  /** What policy makes of a finding; both are told. */
  #judge(found: FindingChange): void {
    const { finding, change } = found;
    const { risk, decisions } = this.#options.policy.onFinding(found);
    const rated = { ...finding, risk, ...(found.at > finding.last_seen && { told_at: found.at }) };
    this.#detector.keep(rated);
    const later = change === 'updated' && !this.#findings.has(finding.finding_id);
    if (later) this.#updated.set(finding.finding_id, rated);
    else this.#tell(rated);
    this.#decisions.push(...decisions);
  }

  #tellUpdates(): void {
    for (const [id, finding] of this.#updated) this.#findings.set(id, finding);
    this.#updated.clear();
  }

  #enterFrame(frame: number): void {
    if (frame === this.#frame) return;
    this.#settle();
    this.#tellUpdates();
    const ts = frame * frameMs;
    this.#baselines.advance(ts);
    this.#scorer.advance();
    for (const { finding, change, call } of this.#detector.inherit(ts, this.#seq))
      if (change === 'closed' || change === 'suppressed') this.#tell(finding);
      else this.#judge({ finding, change, at: ts, ...call, activeIdentities: this.identities });
    // Before days end: whether a day had a finding is known whatever frame comes next.
    this.#detector.holdBack();
    this.#detector.advance(ts);
    for (const finding of this.#detector.closeQuiet(ts, this.#seq)) this.#tell(finding);
    for (const finding of this.#detector.feedback.expire({ at: ts, seq: this.#seq })) this.#tell(finding);
    this.#decisions.push(...this.#options.policy.advance(ts));
    this.#frame = frame;
  }

  /** Sent again by a restarted ingest (position), or by the gateway itself (id). */
  #repeated({ position, event_id }: ResolvedEvent): boolean {
    return (position !== null && this.#marks.seen(position)) || this.#recent.seen(event_id);
  }

  /** State records for a checkpoint: what changed since the last, or everything. Call after `drain`, and nothing else before the last step. */
  checkpoint(full: boolean): Generator<readonly Buffer[]> {
    const which = full ? 'all' : 'dirty';
    const { slab, active } = this.#baselines;
    let common: unknown;
    return encodeState({
      full: full ? { rows: slab.size, active: active.size } : null,
      cold: () => slab.takeCold(which, rowsPerRecord),
      rows: () => slab.take(which, rowsPerRecord),
      active: () => active.take(which, rowsPerRecord),
      ids: () => this.#recent.take(full),
      changes: () => {
        if (full) this.#arrays.clear();
        const { changes: arrays, rest } = this.#arrays.take(this.common());
        common = rest;
        return { arrays, cases: this.#detector.takeCases(full ? 'all' : 'changed') };
      },
      common: () => common as object,
    });
  }

  /** State records in the order in which they were written; `restored` follows the last. */
  restore(records: readonly Buffer[]): void {
    const { slab, active } = this.#baselines;
    for (const record of records) {
      const part = decodeStateRecord(record);
      if (part.kind === 'reset') this.#reset(part);
      else if (part.kind === 'common') this.#savedCommon = this.#commonPieces.add(part) ?? this.#savedCommon;
      else if (part.kind === 'changes') this.#putChanges(this.#changePieces.add(part));
      else if (part.kind === 'ids') this.#recent.put(part.bytes);
      else if (part.kind === 'cold') slab.putCold(part.bytes);
      else (part.kind === 'rows' ? slab : active).put(part.bytes);
    }
  }

  #reset(of: { readonly rows: number; readonly active: number }): void {
    this.#baselines.slab.clear(of.rows);
    this.#baselines.active.clear(of.active);
    this.#recent.clear();
    this.#arrays.clear();
    this.#detector.clearCases();
  }

  #putChanges(complete: Buffer | undefined): void {
    if (complete === undefined) return;
    const { arrays, cases } = decodeCommon(complete) as Changes;
    this.#arrays.put(arrays);
    this.#detector.putCases(cases);
  }

  restored(): void {
    if (this.#savedCommon === undefined) return;
    const saved = this.#arrays.fill(decodeCommon(this.#savedCommon)) as ReturnType<typeof this.common>;
    this.#savedCommon = undefined;
    this.#seq = saved.seq;
    this.#frame = saved.frame;
    this.#newest = saved.newest;
    for (const waiting of saved.waiting) this.#buffer.push(waiting);
    this.#buffer.newest = saved.released;
    this.#marks.restore(saved.marks);
    this.#baselines.restore(saved.baselines);
    Object.assign(this.counters, saved.counters);
    this.#updated = new Map(saved.updated);
    this.#scorer.restore(saved.scorer);
    this.#detector.restore(saved.detector);
    this.#options.policy.restore(saved.policy);
  }

  /** Everything but rows, ids and cases. */
  private common() {
    return {
      seq: this.#seq,
      frame: this.#frame,
      newest: this.#newest,
      released: this.#buffer.newest,
      waiting: this.#buffer.waiting(),
      marks: this.#marks.snapshot(),
      baselines: this.#baselines.snapshot(),
      counters: { ...this.counters },
      updated: [...this.#updated],
      scorer: this.#scorer.snapshot(),
      detector: this.#detector.snapshot(),
      policy: this.#options.policy.snapshot(),
    };
  }
}
