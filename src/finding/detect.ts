import { clearOdd } from '../baseline/peaks.ts';
import { at, behaviourFamilies, detectors } from '../baseline/row-layout.ts';
import type { RowSlab } from '../baseline/row-slab.ts';
import { derivedId } from '../core/hash.ts';
import type { IdentityKey, ResolvedEvent } from '../identity/resolved-event.ts';
import type { Entry } from '../score/batch.ts';
import { addToCase, type CaseFile, openCase, reasonsOf, strongestOf } from './case-file.ts';
import { type BudgetOptions, type Evidence, EvidenceBudget } from './evidence-budget.ts';
import type { Finding, FindingKind, Severity } from './finding.ts';
import { behaviourKind, kindOf, kinds, speaksFor } from './kinds.ts';

/** Events less surprising than this do not go into a case: one in ten of an identity's own does. */
const oddSurprise = 1;
/** Nor do those of which no detector has as much as this to say, in decades of identity-days. */
const oddDecades = 1;
/** A case is dropped when behaviour's evidence has faded to this many nats, the day comes to no more either, and nothing is open: what counts is told. */
const calmNats = 0.5;
/** A finding closes after this much event time without an odd call. */
const quietMs = 3 * 86_400_000;
/** And what was told of it is forgotten after this much. */
const forgetMs = 30 * 86_400_000;
const casesMax = 50_000;
const lookEveryMs = 600_000;
/** While something is claimed of an identity already, another claim must be ten times as rare; so must one that was told before. */
const newsDecades = 1;

export type FindingEvent = {
  readonly finding: Finding;
  readonly change: 'opened' | 'escalated' | 'updated' | 'counted';
};

export type DetectResult = { readonly evidence: number; readonly changes: readonly FindingEvent[] };

/** An identity's case as it is now; null when there is none any more. */
export type CaseChange = readonly [identity: string, now: IdentityCase | null];

export type DetectorSnapshot = {
  readonly budget: ReturnType<EvidenceBudget['snapshot']>;
  readonly period: number;
  readonly day: number;
  readonly gates: readonly Gate[];
};

/** By identity, because a row may have gone to another one when the frame ends. `until` in seconds since 1970. */
type Gate = { readonly identity: IdentityKey; readonly until: number };

const none: readonly never[] = [];
/** Detectors that say that it is somebody else, or not allowed; the others that much is new, that there is much, or that much goes wrong. */
const suspicious: ReadonlySet<string> = new Set(['behaviour', 'token', 'reach', 'source']);

type IdentityCase = {
  file: CaseFile;
  open: (Finding | null)[];
  /** Decades of behaviour's evidence that a finding has told already: until it has calmed down, only much more is news. */
  told: number;
};

function newCase(ts: number): IdentityCase {
  return { file: openCase(ts), open: detectors.map(() => null), told: 0 };
}

/** Turns evidence into findings: one open per identity and detector. Deterministic in the order of its calls. */
export class Detector {
  readonly #slab: RowSlab;
  readonly #budget: EvidenceBudget;
  readonly #shard: number;
  readonly #cases = new Map<string, IdentityCase>();
  /** Identities whose cases changed since the last checkpoint, and those whose case went, even if there is a new one. */
  readonly #touched = new Set<string>();
  readonly #gone = new Set<string>();
  /** Until when identities' learning is held back: applied when the frame ends. */
  readonly gates: Gate[] = [];
  #checkedPeriod = 0;
  #day = 0;
  readonly #evidence: Evidence = {
    alone: new Float64Array(detectors.length),
    loudest: 0,
    together: 0,
    strongest: 0,
    nats: 0,
  };

  constructor(slab: RowSlab, options: BudgetOptions & { readonly shard: number }) {
    this.#slab = slab;
    this.#budget = new EvidenceBudget(options);
    this.#shard = options.shard;
  }

  observe(seen: Entry): DetectResult {
    const { event } = seen.resolved;
    const { threshold } = this.#budget;
    const evidence = this.#evidence;
    this.#budget.update({ slab: this.#slab, row: seen.row, ts: event.ts }, seen.detectors, evidence);
    const { together } = evidence;
    const odd = seen.surprise >= oddSurprise || evidence.loudest >= oddDecades;
    const file = this.#caseOf(seen, odd && together >= threshold);
    if (file === undefined) return { evidence: evidence.nats, changes: none };
    if (odd) this.#touched.add(seen.resolved.identity);
    const changes: FindingEvent[] = [];
    if (odd)
      for (let turn = 0; turn < detectors.length; turn++) {
        const d = this.#inTurn(turn);
        const open = file.open[d]!;
        const decades = d === evidence.strongest ? together : evidence.alone[d]!;
        if (open === null && decades < this.#needed(file, d)) continue;
        if (d === 0) file.told = Math.max(file.told, together);
        const excess = decades - threshold;
        if (
          open !== null &&
          !isTold(file.file.count) &&
          atLeast(open.severity, this.#severity(file, { row: seen.row, excess })) === open.severity
        ) {
          const { count, surprise } = file.file;
          const finding = {
            ...open,
            count,
            surprise,
            last_seen: Math.max(open.last_seen, event.ts),
            version: seen.seq,
          };
          file.open[d] = finding;
          changes.push({ finding, change: 'counted' });
          continue;
        }
        const next = this.#claim(file, { seen, detector: d, excess, before: open });
        file.open[d] = next;
        const change = open === null ? 'opened' : next.severity === open.severity ? 'updated' : 'escalated';
        changes.push({ finding: next, change });
      }
    if (changes.length > 0 && together >= threshold - newsDecades)
      this.gates.push({ identity: seen.resolved.identity, until: Math.floor((event.ts + quietMs) / 1000) });
    return { evidence: evidence.nats, changes };
  }

  #severity({ file, open }: IdentityCase, of: { row: number; excess: number; agreeing?: number }): Severity {
    const isUncorroborated = this.#isUncorroborated(of.row);
    return severityOf({ agreeing: agreeingOf({ open }), ...of, file, isUncorroborated });
  }

  /** Whether it may all be a new device or a journey, or all be a busy day: each by itself is innocent often enough; both at once are not. */
  #isUncorroborated(row: number): boolean {
    const spoke = detectors.filter((_, d) => this.#evidence.alone[d]! >= oddDecades);
    const isAway = this.#behaviourKind(row) === 'new_context';
    const elsewhere = spoke.filter((name) => name === 'patterns' || (name === 'behaviour' && isAway));
    if (spoke.some((name) => suspicious.has(name) && !elsewhere.includes(name))) return false;
    return elsewhere.length === 0 || elsewhere.length === spoke.length;
  }

  /** The detector whose turn it is: the one that has most to say is first, so that it makes the first claim, and the others follow in their order. */
  #inTurn(turn: number): number {
    const { strongest } = this.#evidence;
    return turn === 0 ? strongest : turn <= strongest ? turn - 1 : turn;
  }

  /** Decades from which the detector opens a finding of its own. The first claim is the strongest's; another needs more, all by itself. */
  #needed({ open, told }: IdentityCase, detector: number): number {
    const { threshold } = this.#budget;
    if (isAnyOpen(open)) return threshold + newsDecades;
    if (detector !== this.#evidence.strongest) return Number.POSITIVE_INFINITY;
    return detector === 0 && told > 0 ? told + newsDecades : threshold;
  }

  /** The open finding as it has become outside, so that its next update and its end tell the same. */
  keep(finding: Finding): void {
    const open = this.#cases.get(finding.identity)?.open;
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
    for (const [identity, { open, file, told }] of this.#cases) {
      const isOpen = isAnyOpen(open);
      const quiet = now - file.lastSeen;
      if (quiet < (told > 0 && !isOpen ? forgetMs : quietMs)) continue;
      this.#touched.add(identity);
      for (const finding of open) if (finding !== null) closed.push({ ...finding, state: 'closed', version: seq });
      if (told > 0 && isOpen && quiet < quietMs + forgetMs)
        this.#cases.set(identity, { ...newCase(file.lastSeen + quietMs), told });
      else this.#drop(identity);
    }
    return closed;
  }

  /** Its owner was there: what was claimed is closed, and what had gathered is forgotten; what comes now is a story of its own. */
  acquit(identity: string, { row, seq }: { readonly row: number; readonly seq: number }): Finding[] {
    if (row >= 0) clearOdd(this.#slab, row);
    const open = this.#cases.get(identity)?.open ?? none;
    this.#drop(identity);
    return open.flatMap((finding) =>
      finding === null ? [] : [{ ...finding, state: 'closed' as const, version: seq }],
    );
  }

  openIds(identity: string): readonly string[] {
    const found = this.#cases.get(identity);
    if (found === undefined || !isAnyOpen(found.open)) return none;
    return found.open.flatMap((finding) => (finding === null ? [] : [finding.finding_id]));
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
      else this.#cases.set(identity, now);
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
      gates: [...this.gates],
    };
  }

  restore(saved: DetectorSnapshot): void {
    this.#budget.restore(saved.budget);
    this.#checkedPeriod = saved.period;
    this.#day = saved.day;
    this.gates.push(...saved.gates);
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
    if (found === undefined) {
      if (this.#cases.size >= casesMax) this.#forgetOne();
      found = newCase(event.ts);
      this.#cases.set(identity, found);
    }
    this.#touched.add(identity);
    const success = event.status === null || event.status < 400;
    const { event_id } = seen.resolved;
    addToCase(found.file, {
      event_id,
      ts: event.ts,
      surprise: seen.surprise,
      success,
      contributions: seen.contributions,
      keepsOpen: this.#evidence.together >= this.#budget.threshold - newsDecades || !isAnyOpen(found.open),
    });
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

  #claim(found: IdentityCase, why: { seen: Entry; detector: number; excess: number; before: Finding | null }): Finding {
    const { seen, detector, excess, before } = why;
    const { file } = found;
    const { resolved } = seen;
    const kind = before?.kind ?? this.#kind(detector, seen.row, file);
    const reasons = reasonsOf(file, (feature) => speaksFor(detectors[detector]!, kind, feature));
    const first_seen = before?.first_seen ?? file.firstSeen;
    const agreeing = agreeingOf(found) + (before === null ? 1 : 0);
    const severity = atLeast(before?.severity, this.#severity(found, { row: seen.row, excess, agreeing }));
    const { events } = seen;
    const confidence =
      0.3 + 0.3 * (events / (events + 50)) + 0.2 * Math.min(1, Math.max(0, excess)) + 0.1 * Math.min(2, agreeing - 1);
    return {
      finding_id: before?.finding_id ?? derivedId('fnd', [resolved.identity, kind, first_seen]),
      kind,
      identity: resolved.identity,
      identity_kind: resolved.identity_kind,
      tenant: resolved.event.tenant ?? '-',
      incident_id: before?.incident_id ?? derivedId('inc', [resolved.identity, file.firstSeen]),
      state: 'open',
      severity,
      confidence: Math.max(before?.confidence ?? 0, Math.round(confidence * 100) / 100),
      first_seen,
      last_seen: Math.max(before?.last_seen ?? 0, resolved.event.ts),
      count: file.count,
      surprise: file.surprise,
      risk: before?.risk ?? 0,
      title: titleOf(resolved, kind, reasons),
      reasons,
      event_ids: file.examples.map((example) => example.event_id),
      owasp: kinds[kind].owasp,
      attack: kinds[kind].attack,
      shard: this.#shard,
      version: seen.seq,
    };
  }

  #kind(detector: number, row: number, file: CaseFile): FindingKind {
    const name = detectors[detector]!;
    return name === 'behaviour' ? this.#behaviourKind(row) : kindOf(name, strongestOf(file, `${name}.`));
  }

  #behaviourKind(row: number): FindingKind {
    return behaviourKind(behaviourFamilies.map((_, i) => Math.max(0, this.#slab.f32[row + at.evidenceShares + i]!)));
  }
}

function isAnyOpen(open: readonly (Finding | null)[]): boolean {
  for (let d = 0; d < open.length; d++) if (open[d] !== null) return true;
  return false;
}

function agreeingOf({ open }: Pick<IdentityCase, 'open'>): number {
  let agreeing = 0;
  for (const finding of open) if (finding !== null) agreeing++;
  return agreeing;
}

/** Reasons are put together anew for the first events of a case, and then now and then: a burst says the same thing with each of its calls. */
function isTold(count: number): boolean {
  return count <= 16 || count % 64 === 0 || (count & (count - 1)) === 0;
}

const ladder: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/**
 * Half a decade beyond the budget is medium, two are high; a second detector adds a step, refused probes lose one. What an innocent
 * story tells by itself, as a month-end, a new device or a journey does, is medium at most.
 */
function severityOf(of: { excess: number; file: CaseFile; agreeing: number; isUncorroborated: boolean }): Severity {
  let step = of.excess >= 2 ? 2 : of.excess >= 0.5 ? 1 : 0;
  if (of.agreeing > 1) step++;
  if (of.file.succeeded * 10 < of.file.count) step--;
  if (of.isUncorroborated) step = Math.min(step, 1);
  return ladder[Math.max(0, Math.min(3, step))]!;
}

function atLeast(before: Severity | undefined, now: Severity): Severity {
  return before !== undefined && ladder.indexOf(before) > ladder.indexOf(now) ? before : now;
}

function titleOf({ identity, identity_kind }: ResolvedEvent, kind: FindingKind, reasons: Finding['reasons']): string {
  const because = reasons
    .slice(0, 2)
    .filter(({ share }, i) => i === 0 || share >= 0.1)
    .map(({ text }) => text);
  // The key is kind:tenant:id; a sentence needs no tenant.
  const who = `${identity_kind} ${identity.split(':').slice(2).join(':')}`;
  return `${who} ${kinds[kind].claim}${because.length === 0 ? '' : `: ${because.join('; ')}`}`;
}
