import type { PolicyConfig } from '../config/policy-file.ts';
import type { EpochMs } from '../core/clock.ts';
import { GaitError } from '../core/errors.ts';
import type { Finding } from '../finding/finding.ts';
import { answerNotice, dismiss, type Notified, type Word } from './answer-notice.ts';
import type { Decision, RiskLevel } from './decision.ts';
import { Guardrail, type GuardrailState, type ShardOf } from './guardrail.ts';
import { circumstancesOf, covers, type FindingChange, type Judgement, judge, type Rules, rulesOf } from './judge.ts';
import { makeDecision, page } from './make-decision.ts';
import type { Notice, NoticeOf } from './notice.ts';
import { addEvidence, levelAt, riskAt } from './risk.ts';
import { type Circumstances, isRevocation } from './rule.ts';
import { Running } from './running.ts';
import { newSubject, rememberedMax, type Subject, Subjects, sessionOf } from './subject.ts';

export type PolicyResult = {
  readonly risk: number;
  readonly level: RiskLevel;
  readonly decisions: readonly Decision[];
};

export type Policy = {
  readonly onFinding: (change: FindingChange) => PolicyResult;
  /** The same notice twice is one notice, among the last 1,024. */
  readonly onNotice: (notice: Notice) => readonly Decision[];
  /** Whether the notice is heard for the first time; it is not the next time. */
  readonly isNews: (noticeId: string) => boolean;
  /** A verdict that `isNews`. */
  readonly onVerdict: (notice: NoticeOf<'verdict' | 'verdict-undone'>) => readonly Decision[];
  /** A finding that is no longer told: what rests on it alone ends. */
  readonly onDismissed: (finding: Finding, word: Word) => readonly Decision[];
  /** 0 to 100. */
  readonly riskOf: (identity: string, at: EpochMs) => number;
  /** The ends of enforced decisions whose time is over by then. Frees what has decayed as well. */
  readonly advance: (at: EpochMs) => readonly Decision[];
  readonly size: () => number;
  readonly snapshot: () => string;
  /** Fails with STATE_INVALID on a snapshot of another version. */
  readonly restore: (snapshot: string) => void;
};

type Snapshot = {
  readonly version: 2;
  readonly guardrail: GuardrailState;
  readonly activeIdentities: number;
  /** Ids of the last notices. */
  readonly noticed: readonly string[];
  readonly subjects: readonly (readonly [string, Subject])[];
  /** Not in what was written before ends were told. */
  readonly running?: readonly Decision[];
};

const noticedMax = 1024;

/** As written before decisions had versions: risk and offences are kept, what was open is decided anew when it goes on. */
type SnapshotV1 = Pick<Snapshot, 'guardrail'> & {
  readonly version: 1;
  readonly subjects: readonly (readonly [string, Omit<Subject, 'sessions'>])[];
};

function fromV1({ guardrail, subjects }: SnapshotV1): Snapshot {
  const upgraded = subjects.map(([identity, subject]) => [identity, { ...subject, open: [], sessions: [] }] as const);
  return { version: 2, guardrail, activeIdentities: 0, noticed: [], subjects: upgraded };
}

/** Deterministic in the sequence of its calls: no clock but event time, no chance, no order but that of the calls. */
export function createPolicy(config: PolicyConfig, shard: ShardOf = { shard: 0, shards: 1 }): Policy {
  const engine = new PolicyEngine(config, shard);
  return {
    onFinding: (change) => engine.onFinding(change),
    onNotice: (notice) => engine.onNotice(notice),
    isNews: (id) => engine.isNews(id),
    onVerdict: (notice) => engine.answer(notice),
    onDismissed: (finding, word) => engine.onDismissed(finding, word),
    riskOf: (identity, at) => engine.riskOf(identity, at),
    advance: (at) => engine.advance(at),
    size: () => engine.size,
    snapshot: () => engine.snapshot(),
    restore: (snapshot) => engine.restore(snapshot),
  };
}

class PolicyEngine {
  readonly #config: PolicyConfig;
  readonly #rules: Rules;
  readonly #shard: number;
  readonly #guardrail: Guardrail;
  readonly #subjects: Subjects;
  readonly #noticed = new Set<string>();
  readonly #running = new Running();
  #activeIdentities = 0;

  constructor(config: PolicyConfig, shard: ShardOf) {
    this.#config = config;
    this.#rules = rulesOf(config);
    this.#shard = shard.shard;
    this.#guardrail = new Guardrail(config.guardrails, shard);
    this.#subjects = new Subjects(config);
  }

  get size(): number {
    return this.#subjects.size;
  }

  onFinding(change: FindingChange): PolicyResult {
    const { finding, at, sessionId } = change;
    const settings = this.#config.risk;
    this.#activeIdentities = change.activeIdentities;
    const subject = this.#subjects.touch(finding.identity, at);
    addEvidence(subject, change, settings);
    if (sessionId !== null) addEvidence(sessionOf(subject, sessionId, at), change, settings);
    const circumstances = circumstancesOf(this.#config, subject, change);
    const judged = judge(this.#rules, subject, circumstances);
    const decisions = judged === undefined ? [] : this.#apply(judged, subject, circumstances);
    this.#running.take(decisions);
    return { risk: circumstances.risk, level: circumstances.level, decisions };
  }

  onNotice(notice: Notice): readonly Decision[] {
    return this.isNews(notice.notice_id) ? this.answer(notice) : [];
  }

  isNews(id: string): boolean {
    if (this.#noticed.has(id)) return false;
    this.#noticed.add(id);
    if (this.#noticed.size > noticedMax) this.#noticed.delete(this.#noticed.values().next().value ?? '');
    return true;
  }

  answer(notice: Notice): readonly Decision[] {
    return this.#made(answerNotice(notice, this.#notified(notice.identity, notice.at)));
  }

  onDismissed(finding: Finding, word: Word): readonly Decision[] {
    return this.#made(dismiss(finding.finding_id, word, this.#notified(finding.identity, word.at)));
  }

  #made(decisions: readonly Decision[]): readonly Decision[] {
    this.#running.take(decisions);
    return decisions;
  }

  #notified(identity: string, at: EpochMs): Notified {
    return {
      rules: this.#rules,
      shard: this.#shard,
      subject: this.#subjects.touch(identity, at),
      running: (id) => this.#running.get(id),
      admit: (revokes) => this.#guardrail.admit(revokes, at, this.#activeIdentities),
    };
  }

  riskOf(identity: string, at: EpochMs): number {
    const subject = this.#subjects.known(identity, at);
    return subject === undefined ? 0 : riskAt(subject, at, this.#config.risk);
  }

  advance(at: EpochMs): readonly Decision[] {
    const { risk } = this.#config;
    const ends = this.#running.endedBy(at).map((decision): Decision => {
      const { version, identity, expires_at } = decision;
      const subject = this.#subjects.known(identity, expires_at) ?? newSubject(expires_at);
      return {
        ...decision,
        version: version + 1,
        change: 'expired',
        by: 'policy',
        why: 'Its time is over.',
        risk: riskAt(subject, expires_at, risk),
        risk_level: levelAt(subject, expires_at, risk),
        updated_at: expires_at,
      };
    });
    this.#subjects.forget(at);
    return ends;
  }

  snapshot(): string {
    const snapshot: Snapshot = {
      version: 2,
      guardrail: this.#guardrail.save(),
      activeIdentities: this.#activeIdentities,
      noticed: [...this.#noticed],
      subjects: this.#subjects.save(),
      running: this.#running.save(),
    };
    return JSON.stringify(snapshot);
  }

  restore(text: string): void {
    const saved = JSON.parse(text) as Snapshot | SnapshotV1;
    if (saved.version !== 1 && saved.version !== 2) {
      throw new GaitError(
        'STATE_INVALID',
        `policy state of version ${String((saved as Snapshot).version)}, expected 2`,
      );
    }
    const snapshot = saved.version === 2 ? saved : fromV1(saved);
    this.#guardrail.load(snapshot.guardrail);
    this.#activeIdentities = snapshot.activeIdentities;
    this.#noticed.clear();
    for (const id of snapshot.noticed) this.#noticed.add(id);
    this.#subjects.load(snapshot.subjects);
    this.#running.load(snapshot.running ?? []);
  }

  #apply(judged: Judgement, subject: Subject, change: FindingChange & Circumstances): readonly Decision[] {
    const { rule, allowance, manual, same, offence, action } = judged;
    const { at, sessionId } = change;
    if (manual !== undefined || judged.covered !== undefined) return [];
    const verdict =
      judged.mode === 'shadow' ? 'pass' : this.#guardrail.admit(isRevocation(action), at, change.activeIdentities);
    const mode = verdict === 'pass' ? judged.mode : 'shadow';
    if (mode !== judged.mode && subject.open.some((open) => covers(open, { action, mode, sessionId }))) return [];
    if (allowance === undefined && same === undefined) {
      subject.offences = [...subject.offences, { rule: rule.name, at }].slice(-rememberedMax);
    }
    const decision = makeDecision(this.#config, change, { ...judged, mode, why: whyOf(judged, mode) });
    subject.open = [...subject.open, { decision, offence, state: 'open' } as const].slice(-rememberedMax);
    return verdict === 'trip' ? [decision, page(decision)] : [decision];
  }
}

function whyOf({ rule, allowance, wanted, mode: asked }: Judgement, mode: Decision['mode']): string {
  if (allowance !== undefined)
    return `${rule.why} Not acted on (would be ${wanted}): allowed by ${allowance.owner}: ${allowance.reason}`;
  return mode === asked ? rule.why : `${rule.why} Not enforced: the guardrail on automatic revocations has tripped.`;
}
