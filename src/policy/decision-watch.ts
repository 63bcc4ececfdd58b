import type { EpochMs } from '../core/clock.ts';
import type { Decision, Receipt, ReceiptState } from './decision.ts';

/** What the calls of a decision's identity say about it, by the source that reported them. */
export type CallsSince = {
  readonly source: string;
  readonly calls: number;
  /** Answered with success, although they were meant and the answer was not ours. */
  readonly passed: number;
  /** Refused in the decision's own name. */
  readonly refused: number;
};

/** One decision whose effect is to be looked at: its calls from `from` on. */
export type Look = { readonly decision: Decision; readonly from: EpochMs };

export type Judgement = { readonly receipts: readonly Receipt[]; readonly isAlarming: boolean };

type Watched = {
  decision: Decision;
  readonly takers: Set<string>;
  from: EpochMs;
  nextAt: EpochMs;
  told: ReceiptState | undefined;
};

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
  readonly #perMinute: number;
  readonly #watched = new Map<string, Watched>();
  /** Receipts of decisions that are not known yet: the two topics are read side by side. */
  readonly #early = new Map<string, Receipt[]>();

  /** `afterMs`: time that a decision has to take effect; `perMinute`: calls that a throttled identity may make. */
  constructor({ afterMs, perMinute }: { readonly afterMs: number; readonly perMinute: number }) {
    this.#afterMs = afterMs;
    this.#perMinute = perMinute;
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
    // A stronger version has its own time to take effect.
    const from = known !== undefined && change === 'extended' ? known.from : (updated_at ?? made_at);
    const takers = known?.takers ?? new Set<string>();
    this.#watched.set(id, { decision, takers, from, nextAt: from + this.#afterMs, told: undefined });
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
    if (state === 'effective' || state === 'ineffective' || state === 'unseen') watched.told = state;
    if (!taken.includes(state)) return;
    // Calls from before the first who took it knew of nothing.
    if (watched.takers.size === 0) watched.from = Math.max(watched.from, at);
    watched.takers.add(target);
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
      watched.nextAt = now + this.#afterMs;
      return { decision: watched.decision, from };
    });
  }

  /** `calls` is null where nobody can be asked: then a decision that nobody took is all that can be known. */
  judge({ decision, from }: Look, calls: readonly CallsSince[] | null, now: EpochMs): Judgement {
    const watched = this.#watched.get(decision.decision_id);
    if (watched === undefined) return { receipts: [], isAlarming: false };
    const receipt = (target: string, state: ReceiptState, said: { attempts: number; detail: string }): Receipt => ({
      decision_id: decision.decision_id,
      target,
      state,
      ...said,
      status: null,
      at: now,
    });
    const acknowledged = (calls ?? [])
      .filter(({ source, refused }) => refused > 0 && !watched.takers.has(source))
      .map(({ source, refused }) =>
        receipt(source, 'acknowledged', {
          attempts: refused,
          detail: `its log names the decision for ${refused} calls`,
        }),
      );
    const verdict = this.#verdictOf({ decision, from }, calls, { now, watched });
    // Until calls are seen the same stretch is asked for again: the store may be behind.
    if (calls?.some(({ calls: count }) => count > 0)) watched.from = now - graceMs;
    if (verdict === undefined || verdict.state === watched.told) return { receipts: acknowledged, isAlarming: false };
    watched.told = verdict.state;
    const { state, attempts, detail } = verdict;
    return {
      receipts: [...acknowledged, receipt('traffic', state, { attempts, detail })],
      isAlarming: state !== 'effective',
    };
  }

  #verdictOf(
    { decision, from }: Look,
    calls: readonly CallsSince[] | null,
    { now, watched }: { readonly now: EpochMs; readonly watched: Watched },
  ): { state: ReceiptState; attempts: number; detail: string } | undefined {
    const takers = watched.takers.size === 0 ? 'nobody' : [...watched.takers].slice(0, 5).join(', ');
    if (calls === null) {
      if (watched.takers.size > 0) return undefined;
      return { state: 'unseen', attempts: 0, detail: `nobody has taken it within ${this.#afterMs / 1000} s` };
    }
    const sum = (pick: (of: CallsSince) => number): number => calls.reduce((total, of) => total + pick(of), 0);
    const [all, passed] = [sum(({ calls: count }) => count), sum((of) => of.passed)];
    // Whoever makes no call shows nothing.
    if (all === 0) return undefined;
    const seconds = Math.max(1, Math.round((now - from) / 1000));
    const allowed = decision.action === 'throttle' ? Math.ceil((this.#perMinute * Math.max(60, seconds)) / 60) : 0;
    const detail = `${passed} of ${all} calls passed in ${seconds} s; taken by ${takers}`;
    return { state: passed > allowed ? 'ineffective' : 'effective', attempts: passed, detail };
  }
}
