import type { EpochMs } from '../core/clock.ts';
import type { Decision } from './decision.ts';

/** Enforced decisions whose end is to be told; beyond it the one that runs longest is forgotten, and ends in silence. */
const runningMax = 10_000;

/** Enforced decisions that somebody acts on, until their time is over or something else ended them. */
export class Running {
  readonly #decisions = new Map<string, Decision>();
  /** Nothing ends before it, so that most questions are one comparison. */
  #nextAt = Number.POSITIVE_INFINITY;

  take(decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      this.#decisions.delete(decision.decision_id);
      if (!isActedOn(decision)) continue;
      this.#decisions.set(decision.decision_id, decision);
      this.#nextAt = Math.min(this.#nextAt, decision.expires_at);
      if (this.#decisions.size > runningMax) this.#decisions.delete(this.#decisions.keys().next().value ?? '');
    }
  }

  get(id: string): Decision | undefined {
    return this.#decisions.get(id);
  }

  /** Those whose time is over, in the order in which they ended; each once. */
  endedBy(at: EpochMs): readonly Decision[] {
    if (at < this.#nextAt) return [];
    const ended = [...this.#decisions.values()].filter(({ expires_at }) => expires_at <= at);
    for (const { decision_id } of ended) this.#decisions.delete(decision_id);
    this.#settle();
    return ended.sort((a, b) => a.expires_at - b.expires_at);
  }

  save(): readonly Decision[] {
    return [...this.#decisions.values()];
  }

  load(decisions: readonly Decision[]): void {
    this.#decisions.clear();
    for (const decision of decisions) this.#decisions.set(decision.decision_id, decision);
    this.#settle();
  }

  #settle(): void {
    this.#nextAt = Number.POSITIVE_INFINITY;
    for (const { expires_at } of this.#decisions.values()) this.#nextAt = Math.min(this.#nextAt, expires_at);
  }
}

/** A step-up that its owner answered has been told as over. */
function isActedOn({ mode, action, change, scope }: Decision): boolean {
  const isAnswered = change === 'narrowed' && scope === 'identity';
  return mode === 'enforce' && !isAnswered && !['observe', 'notify', 'restore'].includes(action);
}
