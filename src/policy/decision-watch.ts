import type { EpochMs } from '../core/clock.ts';
import { noun } from '../core/noun.ts';
import type { Decision, Receipt, ReceiptState } from './decision.ts';
import type { ThrottleRate } from './token-buckets.ts';

/** What the calls of a decision's identity say about it, by the point that they came through. */
export type CallsSince = {
  /** Empty where the event does not say it. */
  readonly source: string;
  readonly calls: number;
  /** Answered with success, although they were meant and the answer was not ours. */
  readonly passed: number;
  /** Refused in the decision's own name. */
  readonly refused: number;
};

/** One decision whose effect is to be looked at: its calls from `from` on, of points that took it later from then on. */
export type Look = {
  readonly decision: Decision;
  readonly from: EpochMs;
  readonly takenAt: ReadonlyMap<string, EpochMs>;
};

export type Judgement = { readonly receipts: readonly Receipt[]; readonly isAlarming: boolean };

type Watched = {
  decision: Decision;
  /** When each point took it. */
  readonly takers: Map<string, EpochMs>;
  /** Points whose log named it. */
  readonly acknowledged: Set<string>;
  /** The newest effect told of each point, and of `traffic`. */
  readonly told: Map<string, ReceiptState>;
  from: EpochMs;
  nextAt: EpochMs;
};

/** The target of receipts for all calls together, whichever point they came through. */
const traffic = 'traffic';
/** Of one decision: receipts are told of no more. */
const pointsMax = 100;

/** Decisions watched; beyond it the oldest goes unwatched. */
const watchedMax = 50_000;
const taken: readonly ReceiptState[] = ['delivered', 'seen', 'acknowledged'];
/** Answers of calls that were under way, and the clocks of two machines. */
const graceMs = 2000;

/**
 * Follows every enforced decision from its making to its end: who has taken it, and whether the calls stopped. What it knows comes from
 * decisions and receipts, so each process that reads both knows the same. Never true: a shadow decision in here.
 */
export class DecisionWatch {
  readonly #afterMs: number;
  readonly #throttle: ThrottleRate;
  readonly #watched = new Map<string, Watched>();
  /** Receipts of decisions that are not known yet: the two topics are read side by side. */
  readonly #early = new Map<string, Receipt[]>();

  /** `afterMs`: time that a decision has to take effect; `throttle`: what a throttled identity may do. */
  constructor({ afterMs, throttle }: { readonly afterMs: number; readonly throttle: ThrottleRate }) {
    this.#afterMs = afterMs;
    this.#throttle = throttle;
  }

  onDecision(decision: Decision): void {
    const { decision_id: id, change, mode, action, made_at, updated_at } = decision;
    const known = this.#watched.get(id);
    if (known !== undefined && known.decision.version >= decision.version) return;
    const isOver = action === 'restore' || change === 'expired';
    if (mode !== 'enforce' || isOver || action === 'observe' || action === 'notify') {
      this.#watched.delete(id);
      return;
    }
    // A stronger version has its own time to take effect; one that only lasts longer has had it.
    const before = change === 'extended' ? known : undefined;
    const from = before?.from ?? updated_at ?? made_at;
    const told = before?.told ?? new Map<string, ReceiptState>();
    const takers = known?.takers ?? new Map<string, EpochMs>();
    const acknowledged = known?.acknowledged ?? new Set<string>();
    this.#watched.set(id, { decision, takers, acknowledged, told, from, nextAt: from + this.#afterMs });
    if (this.#watched.size > watchedMax) this.#watched.delete(this.#watched.keys().next().value ?? '');
    for (const receipt of this.#early.get(id) ?? []) this.onReceipt(receipt);
    this.#early.delete(id);
  }

  onReceipt(receipt: Receipt): void {
    const { decision_id: id, target, state, at } = receipt;
    const watched = this.#watched.get(id);
    if (watched === undefined) {
      this.#early.set(id, [...(this.#early.get(id) ?? []), receipt].slice(-20));
      if (this.#early.size > 1000) this.#early.delete(this.#early.keys().next().value ?? '');
      return;
    }
    // What the calls said of a version before is no word about this one.
    const isOfIt = at >= (watched.decision.updated_at ?? 0);
    if (isOfIt && (state === 'effective' || state === 'ineffective' || state === 'unseen'))
      watched.told.set(target, state);
    if (state === 'acknowledged') watched.acknowledged.add(target);
    if (!taken.includes(state)) return;
    // Calls from before the first who took it knew of nothing.
    if (watched.takers.size === 0) watched.from = Math.max(watched.from, at);
    if (!watched.takers.has(target)) watched.takers.set(target, at);
  }

  /** Enforced decisions in force that nobody has taken in their time. Forgets those that are over. */
  unseen(now: EpochMs): number {
    let count = 0;
    for (const [id, { decision, takers }] of this.#watched) {
      if (decision.expires_at <= now) this.#watched.delete(id);
      else if (takers.size === 0 && now >= (decision.updated_at ?? decision.made_at) + this.#afterMs) count++;
    }
    return count;
  }

  /** Those whose time has come, the longest waiting first; each is due again after as long again. */
  due(now: EpochMs, max: number): readonly Look[] {
    const due = [...this.#watched.values()].filter(
      ({ nextAt, decision }) => nextAt <= now && decision.expires_at > now,
    );
    const chosen = due.sort((a, b) => a.nextAt - b.nextAt).slice(0, max);
    return chosen.map((watched) => {
      const from = watched.from + graceMs;
      const later = [...watched.takers].filter(([, at]) => at > watched.from);
      watched.nextAt = now + this.#afterMs;
      return { decision: watched.decision, from, takenAt: new Map(later.map(([point, at]) => [point, at + graceMs])) };
    });
  }

  /** `calls` is null where nobody can be asked: then a decision that nobody took is all that can be known. */
  judge(look: Look, calls: readonly CallsSince[] | null, now: EpochMs): Judgement {
    const id = look.decision.decision_id;
    const watched = this.#watched.get(id);
    // While the calls were read a newer version may have come.
    if (watched?.decision !== look.decision) return { receipts: [], isAlarming: false };
    const verdicts = calls === null ? this.#unseen(watched) : this.#verdicts(look, calls, { now, watched });
    // Until calls are seen the same stretch is asked for again: the store may be behind.
    if (calls?.some(({ calls: count }) => count > 0)) watched.from = now - graceMs;
    const news = verdicts.filter(({ target, state }) => isNews(watched, target, state));
    for (const { target, state } of news) {
      if (state === 'acknowledged') watched.acknowledged.add(target);
      else watched.told.set(target, state);
    }
    const isAlarming = news.some(({ target, state }) => target === traffic && state !== 'effective');
    return { receipts: news.map((verdict) => ({ decision_id: id, status: null, at: now, ...verdict })), isAlarming };
  }

  #unseen({ takers }: Watched): readonly Verdict[] {
    if (takers.size > 0) return [];
    const detail = `nobody has taken it within ${this.#afterMs / 1000} s`;
    return [{ target: traffic, state: 'unseen', attempts: 0, detail }];
  }

  /** Of each point that the calls name, and last of all calls together. Whoever makes no call shows nothing. */
  #verdicts(
    { decision, from, takenAt }: Look,
    calls: readonly CallsSince[],
    { now, watched }: { readonly now: EpochMs; readonly watched: Watched },
  ): readonly Verdict[] {
    const secondsSince = (at: EpochMs): number => Math.max(1, Math.round((now - at) / 1000));
    const effect = (passed: number, seconds: number): ReceiptState => {
      const { perMinute, burst } = this.#throttle;
      const allowed = decision.action === 'throttle' ? burst + Math.ceil((perMinute * Math.max(60, seconds)) / 60) : 0;
      return passed > allowed ? 'ineffective' : 'effective';
    };
    const ofPoints = calls.filter(isOfPoint).flatMap(({ source: target, calls: all, passed, refused }): Verdict[] => {
      const seconds = secondsSince(takenAt.get(target) ?? from);
      const named = `its log names the decision for ${refused} ${noun(refused, 'call')}`;
      const detail = `${passed} of ${all} ${noun(all, 'call')} through it passed in ${seconds} s`;
      return [
        ...(refused > 0 ? [{ target, state: 'acknowledged', attempts: refused, detail: named } as const] : []),
        { target, state: effect(passed, seconds), attempts: passed, detail },
      ];
    });
    const sum = (pick: (of: CallsSince) => number): number => calls.reduce((total, of) => total + pick(of), 0);
    const [all, passed] = [sum(({ calls: count }) => count), sum((of) => of.passed)];
    if (all === 0) return [];
    const seconds = secondsSince(from);
    const takers = watched.takers.size === 0 ? 'nobody' : [...watched.takers.keys()].slice(0, 5).join(', ');
    const detail = `${passed} of ${all} ${noun(all, 'call')} passed in ${seconds} s${through(calls)}; taken by ${takers}`;
    return [...ofPoints, { target: traffic, state: effect(passed, seconds), attempts: passed, detail }];
  }
}

type Verdict = Pick<Receipt, 'target' | 'state' | 'attempts' | 'detail'>;

function isNews({ acknowledged, told }: Watched, target: string, state: ReceiptState): boolean {
  if (state === 'acknowledged') return !acknowledged.has(target) && acknowledged.size < pointsMax;
  return told.get(target) !== state && (target === traffic || told.has(target) || told.size < pointsMax);
}

/** Events name the point that they came through by their `source`; what is named as all calls are, or by a whole text, is none. */
function isOfPoint({ source, calls }: CallsSince): boolean {
  return calls > 0 && source !== '' && source !== traffic && source.length <= 200;
}

/** Where the calls came through that passed: that is where to look. */
function through(calls: readonly CallsSince[]): string {
  const leaks = calls.filter(({ passed }) => passed > 0).sort((a, b) => b.passed - a.passed);
  if (leaks.length === 0) return '';
  const named = leaks.slice(0, 5).map((of) => `${isOfPoint(of) ? of.source : 'no named point'} ${of.passed}`);
  return ` (through ${named.join(', ')})`;
}
