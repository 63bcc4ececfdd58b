import { clearOdd } from '../baseline/peaks.ts';
import { at, detectors } from '../baseline/row-layout.ts';
import type { RowSlab } from '../baseline/row-slab.ts';
import { hash64 } from '../core/hash.ts';
import { roleCircle } from '../identity/peer-group.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import type { Entry } from '../score/batch.ts';
import { addToCase, openCase } from './case-file.ts';
import { Claims, type FindingEvent, isAnyOpen, newsDecades, oddDecades } from './claim.ts';
import { descentFeature, descentFinding, descentKind, hasDescent } from './descent.ts';
import { type BudgetOptions, EvidenceBudget, emptyEvidence } from './evidence-budget.ts';
import { Feedback, type IdentityCase, openOf, suppressed } from './feedback.ts';
import { type Finding, type Severity, severities } from './finding.ts';
import { type Child, keyOf, Lineage, type LineageSnapshot } from './lineage.ts';
import { type LogIn, LogIns } from './log-ins.ts';
import type { Suppression } from './suppression.ts';

/** Events less surprising than this do not go into a case: one in ten of an identity's own does. */
const oddSurprise = 1;
/** A case is dropped when behaviour's evidence has faded to this many nats, the day comes to no more either, and nothing is open: what counts is told. */
const calmNats = 0.5;
/** A finding closes after this much event time without an odd call. */
const quietMs = 3 * 86_400_000;
/** And what was told of it is forgotten after this much. */
const forgetMs = 30 * 86_400_000;
const casesMax = 50_000;
const lookEveryMs = 600_000;

/** A claim of descent that is made, raised, kept silent, or over. */
export type Inherited = {
  readonly finding: Finding;
  readonly change: 'opened' | 'escalated' | 'suppressed' | 'closed';
  /** The child's first, as far as policy asks about it. */
  readonly call: Child['call'];
};

export type DetectResult = { readonly evidence: number; readonly changes: readonly FindingEvent[] };

/** An identity's case as it is now; null when there is none any more. */
export type CaseChange = readonly [identity: string, now: IdentityCase | null];

export type DetectorSnapshot = {
  readonly budget: ReturnType<EvidenceBudget['snapshot']>;
  readonly period: number;
  readonly day: number;
  readonly gates: readonly Gate[];
  readonly suppressions?: readonly Suppression[];
  readonly logIns?: readonly LogIn[];
  readonly lineage?: LineageSnapshot;
};

/** By identity, because a row may have gone to another one when the frame ends. `until` in seconds since 1970. */
type Gate = { readonly identity: IdentityKey; readonly until: number };

const none: readonly never[] = [];
/** Whose claims descent is one of. */
const source = detectors.indexOf('source');

function newCase(ts: number): IdentityCase {
  return { file: openCase(ts), open: detectors.map(() => null), told: 0, hearing: null };
}

/** Turns evidence into findings: one open per identity and detector. Deterministic in the order of its calls. */
export class Detector {
  readonly #slab: RowSlab;
  readonly #budget: EvidenceBudget;
  readonly #cases = new Map<string, IdentityCase>();
  /** Identities whose cases changed since the last checkpoint, and those whose case went, even if there is a new one. */
  readonly #touched = new Set<string>();
  readonly #gone = new Set<string>();
  /** Until when identities' learning is held back: applied when the frame ends. */
  readonly #gates: Gate[] = [];
  #checkedPeriod = 0;
  #day = 0;
  readonly #evidence = emptyEvidence();
  readonly #claims: Claims;
  readonly #shard: number;
  readonly #lineage = new Lineage();
  /** Who may have something open, by the hash that lineage knows: put together anew after a start. */
  #suspects: Map<number, string> | undefined;
  readonly feedback: Feedback;
  readonly logIns = new LogIns();

  constructor(
    slab: RowSlab,
    options: BudgetOptions & { readonly shard: number; readonly suppressions?: readonly Suppression[] },
  ) {
    this.#slab = slab;
    this.#budget = new EvidenceBudget(options);
    this.#shard = options.shard;
    this.#claims = new Claims(this.#budget.threshold, options.shard);
    this.feedback = new Feedback({
      slab,
      cases: this.#cases,
      budget: this.#budget,
      claims: this.#claims,
      touched: (identity) => {
        this.#touched.add(identity);
        this.#suspects?.set(keyOf(identity), identity);
      },
      suppressions: options.suppressions ?? [],
    });
  }

  observe(seen: Entry): DetectResult {
    const { event, identity } = seen.resolved;
    const { threshold } = this.#budget;
    this.#lineage.see(seen);
    const evidence = this.#evidence;
    const circle = this.#budget.circleOf(roleCircle(seen.resolved));
    const { counting } = seen.judgement;
    this.#budget.update({ slab: this.#slab, row: seen.row, ts: event.ts, circle, counting }, seen.detectors, evidence);
    const { together, nats } = evidence;
    const odd = seen.surprise >= oddSurprise || evidence.loudest >= oddDecades;
    const found = this.#caseOf(seen, odd && together >= threshold);
    if (found === undefined) return { evidence: nats, changes: none };
    if (odd) this.#touched.add(identity);
    const shares = (family: number): number => this.#slab.f32[seen.row + at.evidenceShares + family]!;
    this.feedback.listen(found, seen);
    const changes = odd ? this.#claims.make(found, { seen, contributions: seen.contributions, evidence, shares }) : [];
    if (changes.length > 0) this.#suspects?.set(keyOf(identity), identity);
    if (changes.length > 0 && together >= threshold - newsDecades)
      this.#gates.push({ identity, until: Math.floor((event.ts + quietMs) / 1000) });
    return { evidence: nats, changes: this.feedback.tell(found, seen, { changes, odd }) };
  }

  /** The frame is over, and `ts` is where the next begins: what is claimed of an identity is told of those it made, and no longer than it is claimed. */
  inherit(ts: number, seq: number): Inherited[] {
    this.#suspects ??= this.#whoIsClaimed();
    const descents = this.#lineage.advance(ts, (maker) => this.#claimedOf(this.#suspects?.get(maker)));
    return descents.flatMap(({ child, because, severity }) => {
      this.#lineage.told(child, severity);
      if (severity === null) return this.#disown(child, seq);
      return this.#own(child, { because: because!, severity, ts, seq });
    });
  }

  #claimedOf(identity: string | undefined): readonly Finding[] {
    if (identity === undefined) return none;
    const open = openOf(this.#cases.get(identity)).flatMap((finding, d) =>
      finding?.state === 'open' && hasDescent(finding, detectors[d]!) ? [finding] : [],
    );
    return open.sort((a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity));
  }

  #whoIsClaimed(): Map<number, string> {
    const claimed = new Map<number, string>();
    for (const [identity, found] of this.#cases) if (isAnyOpen(openOf(found))) claimed.set(keyOf(identity), identity);
    return claimed;
  }

  #own(child: Child, of: { because: Finding; severity: Severity; ts: number; seq: number }): Inherited[] {
    const { identity, peers, call } = child;
    const { because, severity, ts, seq } = of;
    const row = this.#rowOf(identity);
    const found = this.#caseFor(identity, child.ts);
    const open = openOf(found) as (Finding | null)[];
    const before = open[source] ?? null;
    if (before !== null && (before.kind !== descentKind || before.state !== 'open')) return [];
    if (before !== null) {
      open[source] = { ...before, severity, version: seq };
      return [{ finding: open[source], change: 'escalated', call }];
    }
    const finding = descentFinding({
      ...{ child, because, severity, file: (found.hearing ?? found).file, shard: this.#shard, seq },
      nats: this.#budget.threshold * Math.LN10,
      lastSeen: row < 0 ? 0 : this.#slab.f64[(row + at.lastTs) / 2]!,
    });
    const excuse = this.feedback.suppressions.excuseFor({ identity, peers, calls: [call], at: ts });
    const isExpected = (excuse?.allowed(descentFeature, () => because.identity) ?? 0) > 0;
    open[source] = isExpected ? suppressed(finding, excuse!.by) : finding;
    if (!isExpected) this.#gates.push({ identity, until: Math.floor((ts + quietMs) / 1000) });
    return [{ finding: open[source], change: isExpected ? 'suppressed' : 'opened', call }];
  }

  #disown({ identity, call }: Child, seq: number): Inherited[] {
    const open = openOf(this.#cases.get(identity)) as (Finding | null)[];
    const finding = open[source];
    if (finding?.kind !== descentKind) return [];
    this.#touched.add(identity);
    open[source] = null;
    if (finding.state !== 'open') return [];
    return [{ finding: { ...finding, state: 'closed', version: seq }, change: 'closed', call }];
  }

  /** The open finding as it has become outside, so that its next update and its end tell the same. */
  keep(finding: Finding): void {
    const found = this.#cases.get(finding.identity);
    const open = (found?.hearing ?? found)?.open;
    const index = open?.findIndex((each) => each?.finding_id === finding.finding_id) ?? -1;
    if (open === undefined || index < 0) return;
    open[index] = finding;
    this.#touched.add(finding.identity);
  }

  /**
   * Findings that have been quiet for long enough, closed; looked for every ten minutes of event time, and asked of the full ten minutes: which event
   * came to ask must not matter, for it may be one that is only passed on.
   */
  closeQuiet(ts: number, seq: number): Finding[] {
    const period = Math.floor(ts / lookEveryMs);
    if (period === this.#checkedPeriod) return [];
    this.#checkedPeriod = period;
    const now = period * lookEveryMs;
    const closed: Finding[] = [];
    this.#suspects = undefined;
    for (const [identity, found] of this.#cases) {
      const { open, file, told } = found;
      const isOpen = isAnyOpen(open);
      const quiet = now - file.lastSeen;
      const isOver = quiet >= (told > 0 && !isOpen ? forgetMs : quietMs);
      if (isOver || (found.hearing !== null && now - found.hearing.file.lastSeen >= quietMs))
        closed.push(...this.feedback.close(identity, found, seq));
      if (!isOver) continue;
      this.#touched.add(identity);
      if (told > 0 && isOpen && quiet < quietMs + forgetMs)
        this.#cases.set(identity, { ...newCase(file.lastSeen + quietMs), told });
      else this.#drop(identity);
    }
    return closed;
  }

  /** Its owner was there: what was claimed is closed, and what had gathered is forgotten; what comes now is a story of its own. */
  acquit(identity: string, seq: number): Finding[] {
    const row = this.#rowOf(identity);
    if (row >= 0) clearOdd(this.#slab, row);
    const found = this.#cases.get(identity);
    const closed = found === undefined ? [] : this.feedback.close(identity, found, seq);
    this.#drop(identity);
    return closed;
  }

  /** The frame is over: from now on hardly anything is learned of those about whom something was claimed in it. */
  holdBack(): void {
    for (const { identity, until } of this.#gates.splice(0)) {
      const row = this.#rowOf(identity);
      if (row < 0) continue;
      this.#slab.u32[row + at.gatedUntil] = until;
      this.#slab.markDirty(row);
    }
  }

  #rowOf(identity: string): number {
    const { high, low } = hash64(identity);
    return this.#slab.recall(high, low);
  }

  openIds(identity: string): readonly string[] {
    const found = this.#cases.get(identity);
    if (found === undefined || !isAnyOpen(openOf(found))) return none;
    return openOf(found).flatMap((finding) => (finding?.state === 'open' ? [finding.finding_id] : []));
  }

  /** A frame is over, and with it perhaps a day. */
  advance(ts: number): void {
    const day = Math.floor(ts / 86_400_000);
    if (day !== this.#day) this.#budget.endDays(this.#slab);
    this.#day = day;
    this.#budget.advance(this.#slab, ts);
  }

  /**
   * Cases that changed since the last call, or all. First those that have gone, then the others in their order: whoever puts them back has
   * them in the same order, and forgets the same one first.
   */
  takeCases(which: 'changed' | 'all'): CaseChange[] {
    const changes: CaseChange[] = [];
    if (which === 'changed') for (const identity of this.#gone) changes.push([identity, null]);
    for (const [identity, value] of this.#cases)
      if (which === 'all' || this.#touched.has(identity)) changes.push([identity, value]);
    this.#touched.clear();
    this.#gone.clear();
    return changes;
  }

  putCases(changes: readonly CaseChange[]): void {
    for (const [identity, now] of changes)
      if (now === null) this.#cases.delete(identity);
      // As written before there was feedback.
      else this.#cases.set(identity, { ...now, hearing: now.hearing ?? null });
  }

  clearCases(): void {
    this.#cases.clear();
  }

  /** All but the cases. */
  snapshot(): DetectorSnapshot {
    return {
      budget: this.#budget.snapshot(),
      period: this.#checkedPeriod,
      day: this.#day,
      gates: [...this.#gates],
      suppressions: this.feedback.save(),
      logIns: this.logIns.save(),
      lineage: this.#lineage.snapshot(),
    };
  }

  restore(saved: DetectorSnapshot): void {
    this.#budget.restore(saved.budget);
    this.#checkedPeriod = saved.period;
    this.#day = saved.day;
    this.#gates.push(...saved.gates);
    this.feedback.load(saved.suppressions ?? []);
    this.logIns.load(saved.logIns ?? []);
    if (saved.lineage !== undefined) this.#lineage.restore(saved.lineage);
    this.#suspects = undefined;
  }

  /** The identity's case with this event in it; undefined when the event is ordinary and nothing is open. */
  #caseOf(seen: Entry, fires: boolean): IdentityCase | undefined {
    const { identity, event } = seen.resolved;
    let found = this.#cases.get(identity);
    if (seen.surprise < oddSurprise && !fires && seen.contributions.length === 0) {
      const calm =
        found !== undefined &&
        seen.detectors[0]! < calmNats &&
        this.#evidence.nats < calmNats &&
        !isAnyOpen(found.open);
      if (calm) this.#drop(identity);
      return calm ? undefined : found;
    }
    found = this.#caseFor(identity, event.ts);
    const success = event.status === null || event.status < 400;
    const { event_id, route } = seen.resolved;
    addToCase(found.file, {
      event_id,
      ts: event.ts,
      route,
      clientIp: event.client_ip,
      surprise: seen.surprise,
      success,
      contributions: seen.contributions,
      keepsOpen: this.#evidence.together >= this.#budget.threshold - newsDecades || !isAnyOpen(found.open),
    });
    return found;
  }

  /** The identity's case, to be changed. */
  #caseFor(identity: string, ts: number): IdentityCase {
    let found = this.#cases.get(identity);
    if (found === undefined) {
      if (this.#cases.size >= casesMax) this.#forgetOne();
      found = newCase(ts);
      this.#cases.set(identity, found);
    }
    this.#touched.add(identity);
    return found;
  }

  #forgetOne(): void {
    for (const [identity, { open }] of this.#cases) {
      if (open.some((finding) => finding !== null)) continue;
      this.#drop(identity);
      return;
    }
    const oldest = this.#cases.keys().next().value;
    if (oldest !== undefined) this.#drop(oldest);
  }

  #drop(identity: string): void {
    this.#cases.delete(identity);
    this.#gone.add(identity);
  }
}
